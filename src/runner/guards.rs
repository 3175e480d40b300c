//! Asks what the guards say, again and again while a run is under way.
//!
//! In: the time; answers of whoever reads plan and policies. Out: whether something may be sent, and the guards as they are now. Must
//! not: read files, or let something be sent because nobody answers.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::guard::now::GuardsNow;

/// How long an answer holds.
const HOLDS: Duration = Duration::from_secs(1);

/// What has become of the guards. `Err`: nothing more may be sent, and why.
pub type Answer = Result<Change, Box<str>>;

/// Whether they say something else than before.
#[derive(Debug)]
pub enum Change {
    None,
    To(Arc<GuardsNow>),
}

/// The guards of a run, and whoever knows how they stand; by default there are none.
#[derive(Debug, Default)]
pub struct Guards {
    /// What they said last.
    pub now: Arc<GuardsNow>,
    /// Jobs whose attempt was being recorded when they changed.
    pub outdated: HashSet<u32>,
    knows: Option<Knows>,
}

/// Somebody who can be asked.
#[derive(Debug)]
struct Knows {
    questions: mpsc::UnboundedSender<()>,
    answers: mpsc::UnboundedReceiver<Answer>,
    is_asked: bool,
    /// The last answer holds until then.
    until: Option<Instant>,
}

impl Guards {
    /// They never change.
    pub fn fixed(now: GuardsNow) -> Self {
        Self { now: Arc::new(now), outdated: HashSet::new(), knows: None }
    }

    /// They are asked for before something is sent. The other ends are for whoever answers.
    pub fn asked(now: GuardsNow) -> (Self, mpsc::UnboundedReceiver<()>, mpsc::UnboundedSender<Answer>) {
        let (questions, asked) = mpsc::unbounded_channel();
        let (answer, answers) = mpsc::unbounded_channel();
        let knows = Knows { questions, answers, is_asked: false, until: None };
        (Self { now: Arc::new(now), outdated: HashSet::new(), knows: Some(knows) }, asked, answer)
    }

    /// Whether the last answer still holds. Asks anew where it does not.
    pub fn hold(&mut self, now: Instant) -> bool {
        let Some(knows) = &mut self.knows else { return true };
        if knows.until.is_some_and(|until| now < until) {
            return true;
        }
        if !knows.is_asked {
            // Where nobody hears it, the channel of the answers says so.
            knows.is_asked = true;
            let _ = knows.questions.send(());
        }
        false
    }

    pub fn are_asked(&self) -> bool {
        self.knows.as_ref().is_some_and(|knows| knows.is_asked)
    }

    /// Waits for an answer.
    pub async fn told(&mut self) -> Answer {
        match &mut self.knows {
            None => std::future::pending().await,
            Some(knows) => match knows.answers.recv().await {
                Some(answer) => answer,
                None => Err("nobody reads the plan and the policies any more".into()),
            },
        }
    }

    /// The answer has come, and holds for a while.
    pub fn heard(&mut self, now: Instant) {
        if let Some(knows) = &mut self.knows {
            knows.is_asked = false;
            knows.until = Some(now + HOLDS);
        }
    }
}
