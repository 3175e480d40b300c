//! The way back to a run for what it has asked others.
//!
//! In: answers of the journal, of the guards' reader, of a person. Out: [`News`] for the dispatcher. Must not: wait, or lose a
//! question: one that is dropped without an answer says so.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::guard::now::GuardsNow;
use crate::journal::Rival;

/// An answer to something that the run has asked.
#[derive(Debug)]
pub enum News {
    /// The guards as they are now. `Err`: nothing more may be sent, and why.
    Guards(Result<Arc<GuardsNow>, Box<str>>),
    /// Whether a person lets the next wave go.
    NextWave(bool),
    /// What else may have brought about what was seen of that job. `Err`: the journal does not say.
    Rival(u32, Result<Option<Rival>, ()>),
}

/// Where answers go.
#[derive(Debug, Clone)]
pub struct Mailbox(mpsc::UnboundedSender<News>);

impl Mailbox {
    pub fn new() -> (Self, mpsc::UnboundedReceiver<News>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }

    /// A way back for one answer; `unanswered` is what it means if there is none.
    pub(super) fn way_back(&self, unanswered: News) -> WayBack {
        WayBack { to: self.0.clone(), unanswered: Some(unanswered) }
    }
}

/// The way back for one answer.
#[derive(Debug)]
pub(super) struct WayBack {
    to: mpsc::UnboundedSender<News>,
    unanswered: Option<News>,
}

impl WayBack {
    pub(super) fn answer(mut self, news: News) {
        self.unanswered = Some(news);
    }
}

impl Drop for WayBack {
    fn drop(&mut self) {
        if let Some(news) = self.unanswered.take() {
            // Nobody hears it where the run is over by then.
            let _ = self.to.send(news);
        }
    }
}
