//! How large the tenant's fleet is.
//!
//! In: a signed-in client. Out: the number of enrolled devices, or why it could not be read. Must not: guess.

use serde_json::Value;

use super::client::GraphClient;
use super::request::GraphRequest;
use super::transport::Transport;
use crate::catalog::{Access, Bucket, INTUNE_DEVICES, Method, Version};
use crate::outcome::Verdict;

const PATH: &str = "/v1.0/deviceManagement/managedDeviceOverview?$select=enrolledDeviceCount";

impl<T: Transport> GraphClient<T> {
    /// Reads how many devices are enrolled.
    pub async fn enrolled_devices(&self, client_request_id: &str) -> Result<u64, String> {
        let request = GraphRequest { method: Method::Get, version: Version::V1, path: PATH.into(), body: None };
        let (reply, wire) = self
            .pass_and_exchange(Bucket { service: &INTUNE_DEVICES, access: Access::Read }, request, client_request_id)
            .await;
        tracing::debug!(status = reply.http_status, client_request_id, "fleet");
        if reply.verdict != Verdict::Succeeded {
            let status = reply.http_status.map_or("no answer".to_owned(), |status| format!("status {status}"));
            let why = reply.error_message.map(|why| format!(": {why}")).unwrap_or_default();
            return Err(status + &why);
        }
        let document = wire.and_then(|wire| serde_json::from_slice::<Value>(&wire.body).ok());
        let count = document.and_then(|document| document.get("enrolledDeviceCount")?.as_u64());
        count.ok_or_else(|| "the answer does not say how many devices are enrolled".into())
    }
}
