//! A history as a script: what a world holds, what goes wrong in it, and what operators do.
//!
//! In: nothing. Out: plain data that can be made at random, made smaller, and read by a person. Must not: play any of it.

use std::fmt;

pub use musterout::testing::journal::resume::Only;

/// The number of the first user; those below it are devices.
pub const USERS: usize = 50;

/// One history, whole. The same script leads to the same end every time.
#[derive(Debug, Clone)]
pub struct Script {
    pub seed: u64,
    /// Of all runs of it.
    pub settling: u16,
    pub max_attempts: u8,
    pub concurrency: u16,
    pub devices: usize,
    /// Numbered from [`USERS`].
    pub users: usize,
    pub plans: Vec<Plan>,
    pub faults: Vec<Fault>,
    pub steps: Vec<Step>,
}

/// A plan as it is at the beginning.
#[derive(Debug, Clone)]
pub struct Plan {
    pub name: Option<&'static str>,
    pub file: String,
    pub rows: Vec<Row>,
    /// What is done about a target that is not there, if that is said.
    pub missing: Option<&'static str>,
    pub protected: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub action: &'static str,
    pub device: usize,
    pub by: By,
}

/// How a row, or an entry of what is protected, names its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Id,
    Serial,
    Name,
}

/// An entry of what is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub device: usize,
    pub by: By,
}

/// What goes wrong with the `nth` request of a kind to a device, from 1.
#[derive(Debug, Clone)]
pub struct Fault {
    /// `None`: reads.
    pub action: Option<&'static str>,
    pub device: usize,
    pub nth: u32,
    pub goes: Wrong,
    /// Of what happens, the tenant shows nothing before so many seconds have passed.
    pub late: Option<u16>,
}

#[derive(Debug, Clone)]
pub enum Wrong {
    Nothing,
    /// The connection closes.
    Lost {
        after: bool,
    },
    /// No connection comes about.
    Unreachable,
    /// Somebody on the way answers.
    Answer {
        status: u16,
        after: bool,
        wait: Option<u16>,
        html: bool,
    },
    /// The answer takes so many seconds.
    Slow(u16),
}

/// What happens next.
#[derive(Debug, Clone)]
pub enum Step {
    One(Act),
    /// The second begins so many milliseconds after the first.
    Two(Act, u32, Act),
    Wait(u32),
    /// The machine's clock is set forward or back, by so many seconds.
    Clock(i32),
    Edit {
        plan: usize,
        rows: Vec<Row>,
    },
    Rename {
        plan: usize,
        name: Option<&'static str>,
    },
    Move {
        plan: usize,
        file: String,
    },
    Copy {
        plan: usize,
        file: String,
    },
    Prune(u16),
    Leaves(usize),
    Returns(usize),
    /// Two devices change their names.
    NamesMove(usize, usize),
    /// The site's policy says something else.
    Policy(Policy),
    /// The policy changes so many milliseconds after the process has begun.
    Under(Act, u32, Policy),
    /// A plan is edited so many milliseconds after the process has begun.
    Edited(Act, u32, usize, Vec<Row>),
}

/// What a policy forbids, beside much that has no part in a history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    pub protects: Option<usize>,
    pub denies: Option<&'static str>,
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.protects, self.denies) {
            (None, None) => write!(f, "the policy forbids nothing"),
            (Some(device), None) => write!(f, "the policy protects {device}"),
            (None, Some(action)) => write!(f, "the policy denies {action}"),
            (Some(device), Some(action)) => write!(f, "the policy protects {device} and denies {action}"),
        }
    }
}

/// One process: what it is told to do, and how it ends.
#[derive(Debug, Clone)]
pub struct Act {
    pub verb: Verb,
    pub kill: Option<Kill>,
    /// Somebody asks for an end after so many milliseconds.
    pub stop: Option<u32>,
}

#[derive(Debug, Clone)]
pub enum Verb {
    Run {
        plan: usize,
        repeats: Repeats,
    },
    Save {
        plan: usize,
    },
    RunSaved {
        plan: usize,
        repeats: Repeats,
    },
    /// The newest open run, or the one of that number.
    Resume {
        run: Option<usize>,
        only: Only,
    },
    Verify {
        run: usize,
    },
}

/// What is said about what was done before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeats {
    pub once: bool,
    pub again: Again,
}

/// What is named to be done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    Nothing,
    First,
    All,
}

impl Repeats {
    fn told(self) -> String {
        let again = match self.again {
            Again::Nothing => "",
            Again::First => " --again FIRST",
            Again::All => " --again all",
        };
        format!("{}{again}", if self.once { " --once" } else { "" })
    }
}

/// When a process is killed.
#[derive(Debug, Clone, Copy)]
pub enum Kill {
    /// Before the so-manieth time that it is polled.
    Poll(u32),
    /// Before or after a request.
    Moment(u32),
    /// After so many milliseconds.
    After(u32),
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, settling, max_attempts, concurrency, devices, users, plans, faults, steps } = self;
        writeln!(
            f,
            "seed {seed}: {devices} devices, {users} users from {USERS} on, settling {settling} s, {max_attempts} tries, {concurrency} at once"
        )?;
        for (number, plan) in plans.iter().enumerate() {
            writeln!(f, "  plan {number}: {plan}")?;
        }
        for fault in faults {
            writeln!(f, "  fault: {fault}")?;
        }
        for (number, step) in steps.iter().enumerate() {
            writeln!(f, "  {number:>2}. {step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, file, rows, missing, protected } = self;
        let name = name.map(|name| format!(" named {name}")).unwrap_or_default();
        write!(f, "{file}{name}: {}", listed(rows))?;
        if let Some(missing) = missing {
            write!(f, ", missing: {missing}")?;
        }
        if !protected.is_empty() {
            let protected = protected.iter().map(|entry| format!("{}{}", entry.device, entry.by));
            write!(f, ", protects {}", protected.collect::<Vec<_>>().join(", "))?;
        }
        Ok(())
    }
}

fn listed(rows: &[Row]) -> String {
    rows.iter().map(|row| row.to_string()).collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.action, self.device, self.by)
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id => Ok(()),
            Self::Serial => write!(f, " by serial number"),
            Self::Name => write!(f, " by name"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, device, nth, goes, late } = self;
        write!(f, "{} {nth} of device {device}: ", action.unwrap_or("read"))?;
        match goes {
            Wrong::Nothing => write!(f, "answered as it should be")?,
            Wrong::Lost { after: true } => write!(f, "it happens, and the reply is lost")?,
            Wrong::Lost { after: false } => write!(f, "it never arrives, and nobody knows")?,
            Wrong::Unreachable => write!(f, "no connection")?,
            Wrong::Answer { status, after, wait, html } => {
                let when = if *after { "it happens, and is answered" } else { "answered" };
                write!(f, "{when} {status}")?;
                if let Some(wait) = wait {
                    write!(f, " with Retry-After: {wait}")?;
                }
                write!(f, "{}", if *html { ", HTML" } else { "" })?;
            }
            Wrong::Slow(seconds) => write!(f, "the answer takes {seconds} s")?,
        }
        late.map_or(Ok(()), |late| write!(f, "; the effect shows after {late} s"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(act) => write!(f, "{act}"),
            Self::Two(first, later, second) => write!(f, "{first} | {later} ms later: {second}"),
            Self::Wait(seconds) => write!(f, "wait {seconds} s"),
            Self::Clock(seconds) => write!(f, "the machine's clock is set by {seconds:+} s"),
            Self::Edit { plan, rows } => write!(f, "plan {plan} is edited to: {}", listed(rows)),
            Self::Rename { plan, name } => write!(f, "plan {plan} is named {name:?}"),
            Self::Move { plan, file } => write!(f, "plan {plan} is moved to {file}"),
            Self::Copy { plan, file } => write!(f, "plan {plan} is copied to {file}, the next plan"),
            Self::Prune(days) => write!(f, "prune what is older than {days} days"),
            Self::Leaves(device) => write!(f, "device {device} leaves"),
            Self::Returns(device) => write!(f, "device {device} is there again, managed"),
            Self::NamesMove(one, other) => write!(f, "devices {one} and {other} change names"),
            Self::Policy(policy) => write!(f, "{policy}"),
            Self::Under(act, later, policy) => write!(f, "{act} | {later} ms later: {policy}"),
            Self::Edited(act, later, plan, rows) => {
                write!(f, "{act} | {later} ms later: plan {plan} is edited to: {}", listed(rows))
            }
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verb {
            Verb::Run { plan, repeats } => write!(f, "run plan {plan}{}", repeats.told())?,
            Verb::Save { plan } => write!(f, "preview plan {plan} --out saved-{plan}.json")?,
            Verb::RunSaved { plan, repeats } => write!(f, "run saved-{plan}.json{}", repeats.told())?,
            Verb::Resume { run, only } => {
                let run = run.map_or("latest".to_owned(), |run| format!("run {run}"));
                write!(f, "resume {run} --only {only:?}")?;
            }
            Verb::Verify { run } => write!(f, "verify run {run}")?,
        }
        if let Some(stop) = self.stop {
            write!(f, ", stopped after {stop} ms")?;
        }
        match self.kill {
            None => Ok(()),
            Some(Kill::Poll(polls)) => write!(f, ", killed at its poll {polls}"),
            Some(Kill::Moment(moment)) => write!(f, ", killed at moment {moment} of its wire"),
            Some(Kill::After(ms)) => write!(f, ", killed after {ms} ms"),
        }
    }
}
