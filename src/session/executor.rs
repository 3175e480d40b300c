//! The Graph client as the runner knows it.
//!
//! In: what the runner asks for. Out: what the client answers. Must not: add anything to either.

use jiff::Timestamp;

use crate::job::Job;
use crate::msgraph::client::GraphClient;
use crate::msgraph::transport::Transport;
use crate::outcome::{Evidence, FollowUpRead, Presence, Reply, Seen, Since};
use crate::runner::executor::Executor;

impl<T: Transport> Executor for GraphClient<T> {
    async fn attempt(&self, job: &Job, client_request_id: &str) -> Reply {
        Self::attempt(self, job, client_request_id).await
    }

    async fn read_back(&self, job: &Job, since: Since, client_request_id: &str) -> Evidence {
        Self::read_back(self, job, since, client_request_id).await
    }

    async fn follow_up(&self, job: &Job, since: Timestamp, client_request_id: &str) -> Result<FollowUpRead, Reply> {
        Self::follow_up(self, job, since, client_request_id).await
    }

    async fn inspect(&self, job: &Job, client_request_id: &str) -> Seen {
        Self::inspect(self, job, client_request_id).await
    }

    async fn find(&self, job: &Job, at: usize, client_request_id: &str) -> Presence {
        Self::find(self, job, at, client_request_id).await
    }
}
