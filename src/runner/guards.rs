//! Asks what the guards say, again and again while a run is under way.
//!
//! In: the time; answers of the reader of plan and policies. Out: whether something may be sent, and the guards as they are now. Must
//! not: read files, or let something be sent because no answer comes.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::mailbox::{Mailbox, News, WayBack};
use crate::guard::now::GuardsNow;

/// How long an answer holds.
const HOLDS: Duration = Duration::from_secs(1);

/// The guards as they are now, whether they have changed or not. `Err`: nothing more may be sent, and why.
pub(crate) type GuardsAnswer = Result<Arc<GuardsNow>, Box<str>>;

/// The guards of a run, and the reader who knows how they stand; by default there are none.
#[derive(Debug, Default)]
pub struct Guards {
    /// What they said last.
    pub now: Arc<GuardsNow>,
    reader: Option<GuardsReader>,
}

/// A question about the guards. Dropped without an answer, it stops the run.
#[derive(Debug)]
pub struct Ask(WayBack);

impl Ask {
    pub fn answer(self, answer: GuardsAnswer) {
        self.0.answer(News::Guards(answer));
    }
}

#[derive(Debug)]
struct GuardsReader {
    questions: mpsc::UnboundedSender<Ask>,
    is_asked: bool,
    /// The last answer holds until then.
    until: Option<Instant>,
}

impl Guards {
    /// They never change.
    pub fn fixed(now: GuardsNow) -> Self {
        Self { now: Arc::new(now), reader: None }
    }

    /// They are asked for before something is sent. The other end is for their reader.
    pub fn asked(now: Arc<GuardsNow>) -> (Self, mpsc::UnboundedReceiver<Ask>) {
        let (questions, asked) = mpsc::unbounded_channel();
        (Self { now, reader: Some(GuardsReader { questions, is_asked: false, until: None }) }, asked)
    }

    /// Whether the last answer still holds. Asks anew where it does not.
    pub fn hold(&mut self, now: Instant, mail: &Mailbox) -> bool {
        let Some(reader) = &mut self.reader else { return true };
        if reader.until.is_some_and(|until| now < until) {
            return true;
        }
        if !reader.is_asked {
            reader.is_asked = true;
            let unread = News::Guards(Err("nothing reads the plan and the policies any more".into()));
            // Where nobody hears it, the question is dropped, and says so.
            let _ = reader.questions.send(Ask(mail.way_back(unread)));
        }
        false
    }

    pub(super) fn are_asked(&self) -> bool {
        self.reader.as_ref().is_some_and(|reader| reader.is_asked)
    }

    /// The answer has come, and holds for a while.
    pub fn heard(&mut self, now: Instant) {
        if let Some(reader) = &mut self.reader {
            reader.is_asked = false;
            reader.until = Some(now + HOLDS);
        }
    }

    /// For the next round, which asks for itself.
    #[must_use]
    pub fn next_round(mut self) -> Self {
        if let Some(reader) = &mut self.reader {
            reader.is_asked = false;
        }
        self
    }
}
