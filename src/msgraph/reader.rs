//! A client that can look and do nothing else.
//!
//! In: jobs. Out: who their targets are. Must not: offer, or be turned into, anything that sends another method than GET:
//! what a preview holds cannot change a tenant. (Sign-in has its own requests, to the sign-in host.)

use super::client::GraphClient;
use super::read_only::ReadOnly;
use super::token::TokenSource;
use super::transport::Transport;
use crate::job::Job;
use crate::runner::executor::{Executor, Seen};

/// Reads from one Graph endpoint with one identity.
#[derive(Debug)]
pub struct GraphReader<T>(GraphClient<T>);

impl<T: Transport> From<GraphClient<T>> for GraphReader<T> {
    fn from(client: GraphClient<T>) -> Self {
        Self(client)
    }
}

impl<T: Transport> GraphReader<T> {
    pub fn tokens(&self) -> &TokenSource<T> {
        self.0.tokens()
    }

    /// The same as what reads lists and sends many reads in one envelope.
    pub fn read_only(&self) -> ReadOnly<'_, T> {
        ReadOnly::new(&self.0)
    }

    /// Reads who the job's target is.
    pub async fn inspect(&self, job: &Job, client_request_id: &str) -> Seen {
        self.0.inspect(job, client_request_id).await
    }
}
