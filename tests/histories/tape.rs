//! What happened in a history, in order: for the judge, and for whoever reads a failure.
//!
//! In: requests as they pass, processes as they begin and end, what the world does. Out: the same, with the time since the
//! world began. Must not: judge.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use musterout::testing::outcome::Outcome;

use super::script::{Entry, Policy};

#[derive(Debug, Default)]
pub struct Tape {
    pub events: Vec<(Duration, Event)>,
    pub processes: Vec<Process>,
    pub runs: Vec<Run>,
}

#[derive(Debug)]
pub enum Event {
    Request(Request),
    Began(usize),
    Ended(usize, String),
    World(String),
    /// A device is not there any more, or is there again.
    Gone(usize),
    Back(usize),
    Policy(Policy),
    /// A plan file is another one.
    Edited(String, Vec<Job>),
}

/// A request about one device.
#[derive(Debug)]
pub struct Request {
    pub process: usize,
    /// `None`: a read.
    pub action: Option<&'static str>,
    pub device: usize,
    pub effect: bool,
    /// What the tenant answered.
    pub answer: Option<(u16, Bytes)>,
    pub spoilt: Spoilt,
}

/// What the process was told, where it was not what the tenant answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoilt {
    No,
    Lost,
    Unreachable,
    Answer(u16),
}

impl Request {
    /// Whether the process that sent it cannot know that nothing happened.
    pub fn is_doubtful(&self) -> bool {
        let told = match self.spoilt {
            Spoilt::Unreachable => return false,
            Spoilt::Lost => return true,
            Spoilt::Answer(status) => Some(status),
            Spoilt::No => self.answer.as_ref().map(|(status, _)| *status),
        };
        self.effect || told.is_none_or(|status| !(300..500).contains(&status))
    }

    /// What a read brought to whoever asked.
    pub fn shown(&self) -> Option<&Bytes> {
        let whole = self.action.is_none() && self.spoilt == Spoilt::No;
        self.answer.as_ref().filter(|(status, _)| whole && *status == 200).map(|(_, body)| body)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub action: &'static str,
    pub device: usize,
}

/// What a process may do.
#[derive(Debug, Clone, Default)]
pub struct May {
    pub jobs: Vec<Job>,
    pub protected: Vec<Entry>,
    /// What may be done although it was done before: somebody has named it.
    pub again: Vec<Job>,
    /// What makes runs runs of one plan. `None`: there is no plan.
    pub plan: Option<String>,
}

#[derive(Debug)]
pub struct Process {
    pub what: String,
    /// `None`: nothing.
    pub may: Option<May>,
    /// Devices that are protected while it lives.
    pub protected: Vec<usize>,
    /// By its place in [`Tape::runs`], where that is known.
    pub run: Option<usize>,
    /// It takes up whatever run is the newest that is open; until it has ended, nobody knows which.
    pub is_any: bool,
    /// Whether it has looked only.
    pub verifies: bool,
    pub rows: Option<Vec<Shown>>,
}

/// A run in the journal.
#[derive(Debug)]
pub struct Run {
    pub id: String,
    pub may: May,
}

/// A row of what a process ended with.
#[derive(Debug, Clone)]
pub struct Shown {
    pub job: Job,
    pub outcome: Outcome,
    pub note: String,
}

impl Tape {
    pub fn requests(&self) -> impl DoubleEndedIterator<Item = (Duration, &Request)> {
        self.events.iter().filter_map(|(at, event)| match event {
            Event::Request(request) => Some((*at, request)),
            _ => None,
        })
    }

    /// How often an action has taken effect on a device, as far as `by` says.
    pub fn effects(&self, job: &Job, by: impl Fn(&Request) -> bool) -> usize {
        let is_one = |request: &Request| {
            request.effect && request.action == Some(job.action) && request.device == job.device && by(request)
        };
        self.requests().filter(|(_, request)| is_one(request)).count()
    }

    pub fn was_ever_gone(&self, device: usize) -> bool {
        let removed = ["delete", "deleteUser"].iter().any(|action| self.effects(&Job { action, device }, |_| true) > 0);
        removed || self.events.iter().any(|(_, event)| matches!(event, Event::Gone(gone) if *gone == device))
    }
}

impl fmt::Display for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, event) in &self.events {
            let at = at.as_secs_f64();
            match event {
                Event::Request(request) => writeln!(f, "{at:>10.3}     {request}")?,
                Event::Began(process) => writeln!(f, "{at:>10.3} [{process}] {}", self.processes[*process].what)?,
                Event::Ended(process, how) => writeln!(f, "{at:>10.3} [{process}] {how}")?,
                Event::World(what) => writeln!(f, "{at:>10.3} {what}")?,
                Event::Gone(device) => writeln!(f, "{at:>10.3} device {device} is gone")?,
                Event::Back(device) => writeln!(f, "{at:>10.3} device {device} is back")?,
                Event::Policy(policy) => writeln!(f, "{at:>10.3} {policy}")?,
                Event::Edited(file, jobs) => writeln!(f, "{at:>10.3} {file} has {} jobs", jobs.len())?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { process, action, device, effect, answer, spoilt } = self;
        write!(f, "[{process}] {} device {device}", action.unwrap_or("read"))?;
        match (answer, effect) {
            (Some((status, _)), true) => write!(f, ": HAPPENS, {status}")?,
            (Some((status, _)), false) => write!(f, ": {status}")?,
            (None, _) => write!(f, ": no answer")?,
        }
        if let (None, Some((200, body))) = (action, answer) {
            write!(f, ", {}", state(body))?;
        }
        match spoilt {
            Spoilt::No => Ok(()),
            spoilt => write!(f, ", told {spoilt:?}"),
        }
    }
}

/// The number of a target that nobody has.
pub const NOBODY: usize = usize::MAX;

/// How many licences a read shows of a user.
pub fn licences(body: &[u8]) -> usize {
    let document: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    document["assignedLicenses"].as_array().map_or(0, Vec::len)
}

/// What a read shows of a device.
pub fn state(body: &[u8]) -> String {
    let document: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    document["managementState"].as_str().unwrap_or_default().to_owned()
}
