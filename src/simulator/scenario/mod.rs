//! The file that scripts a simulated tenant: what it holds, what it allows, and what goes wrong.
//!
//! In: YAML. Out: a [`Scenario`], or where and why it cannot be one. Every key has a default, and the default scenario
//! is a healthy tenant with documented limits in which every id exists. Must not: play any of it; the tenant does.

mod approvals;
mod check_ins;
mod fault;
mod holdings;
mod limits;
mod sense;
mod value;

use std::fmt;
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use crate::diagnostics::Diagnostic;
use crate::source::Source;
use crate::text::visible;
use crate::yaml::{self, FileKind};

pub(crate) use approvals::{ApprovalDeed, Approvals, CodeIn, DecisionOn, FiledStatus, Filters, ScriptedDecision};
pub(crate) use check_ins::{CheckIn, End, ListedResult};
pub(crate) use fault::{Approval, ApprovalStatus, Body, Fault, FaultRule, RetryAfter, Status};
pub(crate) use holdings::{
    Holdings, HybridDeletion, ListedDevice, ListedEntraDevice, ListedGroup, ListedIdentity, ListedKeys, ListedRunState,
    ListedScript, ListedUser, ScriptKind, SignIn, TenantIdentity, Volume,
};
pub use limits::Throttle;
pub(crate) use limits::{Burst, Daily, DailyAnswer, DailyDay, Latency, Stranger};
pub(crate) use value::{ActionName, Guid, HourOfDay};
pub use value::{Seconds, Switch};

/// When devices check in where nobody says.
const CHECK_IN: Duration = Duration::from_secs(3);

/// How long an Autopilot identity lingers where nobody says.
const LINGERING: Duration = Duration::from_secs(180);

/// Everything that can be told to a simulated tenant.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// Everything random follows from it.
    pub seed: u64,
    pub tenant: TenantIdentity,
    pub sign_in: SignIn,
    /// Ids that do not exist, wherever they stand in a path.
    pub missing: Vec<String>,
    /// Whether ids that are not listed below do not exist either.
    pub only_listed: bool,
    /// How many devices are enrolled in all; without it, the listed ones if there are no others, or a million.
    pub enrolled_devices: Option<u32>,
    pub devices: Vec<ListedDevice>,
    pub users: Vec<ListedUser>,
    pub autopilot: Vec<ListedIdentity>,
    pub entra_devices: Vec<ListedEntraDevice>,
    pub groups: Vec<ListedGroup>,
    /// What is on file of devices.
    pub keys: Vec<ListedKeys>,
    /// Scripts with the run states that lead to devices; with `only_listed` there are no others.
    pub scripts: Vec<ListedScript>,
    /// How long an Autopilot identity is still there after its deletion was accepted; Microsoft says some minutes.
    pub autopilot_lingers: Seconds,
    /// What becomes of a deleted Entra device that is joined to a domain as well; sources disagree.
    pub deleted_hybrid_devices: HybridDeletion,
    /// Where links to further pages lead, in place of the tenant itself: somebody stands in between.
    pub next_links: Option<String>,
    /// The most a page of a collection holds, so that a few listed devices are enough to make several pages.
    pub page_size: Option<NonZeroU32>,
    /// How long every answer takes.
    pub latency: Latency,
    pub throttle: Throttle,
    /// Whether a throttled request uses up the allowance too. Documented ("Graph continues to log resource usage while
    /// a client is being throttled") and hence the default: a client that does not wait never gets out.
    pub count_throttled: bool,
    /// How a throttle answer says when to come back.
    pub retry_after: RetryAfter,
    pub strangers: Vec<Stranger>,
    pub daily: Daily,
    /// The hour, in UTC, at which the day of the daily limits turns.
    pub daily_reset_hour: HourOfDay,
    /// How a passed daily limit is answered; nobody has documented it.
    pub daily_answer: DailyAnswer,
    /// What it says, in place of words of ours.
    pub daily_message: Option<String>,
    /// Whether the day turns, or any 24 hours are one.
    pub daily_day: DailyDay,
    /// What people in the portal use up, as soon as a day begins.
    pub daily_portal: Daily,
    /// What a delete uses up as well.
    pub daily_cascade: Vec<ActionName>,
    /// Multi Admin Approval; without it nothing needs approval.
    pub approvals: Approvals,
    /// What devices do about accepted actions: the first that matches. None: no device ever checks in.
    pub check_ins: Vec<CheckIn>,
    /// Tried in this order; the first that fires is played.
    pub faults: Vec<FaultRule>,
    /// Whether requests are kept for `GET /simulator/requests`.
    pub log: Switch,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            seed: 1,
            tenant: TenantIdentity::default(),
            sign_in: SignIn::default(),
            missing: Vec::new(),
            only_listed: false,
            enrolled_devices: None,
            devices: Vec::new(),
            users: Vec::new(),
            autopilot: Vec::new(),
            entra_devices: Vec::new(),
            groups: Vec::new(),
            keys: Vec::new(),
            scripts: Vec::new(),
            autopilot_lingers: Seconds(LINGERING),
            deleted_hybrid_devices: HybridDeletion::Gone,
            next_links: None,
            page_size: None,
            latency: Latency::default(),
            throttle: Throttle::default(),
            count_throttled: true,
            retry_after: RetryAfter::Integer,
            strangers: Vec::new(),
            daily: Daily::default(),
            daily_reset_hour: HourOfDay::default(),
            daily_answer: DailyAnswer::default(),
            daily_message: None,
            daily_day: DailyDay::default(),
            daily_portal: Daily::default(),
            daily_cascade: Vec::new(),
            approvals: Approvals::default(),
            check_ins: Vec::new(),
            faults: Vec::new(),
            log: Switch(true),
        }
    }
}

/// Why a file is not a scenario: the first fault, with its place.
#[derive(Debug)]
pub struct ScenarioError(pub Box<Diagnostic>);

impl std::error::Error for ScenarioError {}

impl fmt::Display for ScenarioError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = self.0.place.as_ref();
        if let Some(place) = place {
            write!(f, "{}:", visible(&place.file))?;
        }
        let numbers = place.into_iter().flat_map(|place| [place.line, place.column]).flatten();
        numbers.into_iter().try_for_each(|number| write!(f, "{number}:"))?;
        write!(f, "{}{}", if place.is_some() { " " } else { "" }, visible(&self.0.message))
    }
}

/// The largest scenario that is read, in bytes.
const LIMIT: u64 = 64 << 20;
const KIND: FileKind = FileKind { name: "a scenario", too_large: "leave something out" };

impl Scenario {
    /// What is played without a file: a healthy tenant whose devices check in within seconds.
    pub fn rehearsal() -> Self {
        let after = Latency { min: CHECK_IN, max: CHECK_IN };
        Self {
            check_ins: vec![CheckIn { on: DecisionOn::default(), after, end: End::Complete }],
            autopilot_lingers: Seconds(CHECK_IN),
            ..Self::default()
        }
    }

    pub fn from_yaml(text: &str) -> Result<Self, ScenarioError> {
        let source = Source::decode("scenario".to_owned(), text.as_bytes().to_vec());
        source.and_then(|source| Self::read(&source)).map_err(ScenarioError)
    }

    pub fn load(path: &Path) -> Result<Self, ScenarioError> {
        Source::read(path, LIMIT).and_then(|source| Self::read(&source)).map_err(ScenarioError)
    }

    fn read(source: &Source) -> Result<Self, Box<Diagnostic>> {
        let says_nothing = source.text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#'));
        if says_nothing {
            return Ok(Self::default());
        }
        let scenario = yaml::read(source, &KIND)?;
        sense::check(&scenario, source)?;
        Ok(scenario)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Allowance;

    const EVERYTHING: &str = include_str!("everything.yaml");

    #[test]
    fn the_example_with_every_key_is_read() {
        let scenario = Scenario::from_yaml(EVERYTHING).unwrap();
        assert_eq!(scenario.faults.len(), 17);
        assert_eq!(scenario.devices[0].id, "11111111-1111-4111-8111-111111111111");
        assert!(!scenario.log.0);
        let Throttle(windows, bursts) = scenario.throttle;
        let mut documented = Throttle::default().0;
        documented[1] = Some(Allowance { requests: 50, window: Duration::from_secs(10) });
        assert_eq!(windows, documented);
        assert_eq!(bursts.map(|burst| burst.map(|burst| burst.requests.get()))[..2], [None, Some(15)]);
        assert_eq!(scenario.strangers.len(), 2);
    }

    #[test]
    fn an_empty_file_is_the_default_scenario() {
        assert_eq!(Scenario::from_yaml("# nothing\n").unwrap().seed, Scenario::default().seed);
    }

    const ID: &str = "11111111-1111-4111-8111-111111111111";

    fn complaint(text: &str) -> String {
        Scenario::from_yaml(text).unwrap_err().to_string()
    }

    #[test]
    fn complaints_say_where_and_what() {
        for (text, place, word) in [
            ("seed: 1\nsede: 2\n", "scenario:2:", "sede"),
            ("faults:\n  - on: { action: retrie }\n    do: reset\n", "scenario:2:", "retrie"),
            ("faults:\n  - on: {}\n    do: explode\n", "scenario:3:", "explode"),
            ("latency: soon\n", "scenario:1:", "soon"),
            (
                "throttle:\n  intune-devices/writes: { requests: 1, window: 1s }\n",
                "scenario:2:",
                "intune-devices/write",
            ),
            ("faults:\n  - on:\n      probability: 2\n    do: reset\n", "scenario:3:", "between 0 and 1"),
            ("devices:\n  - id: 12\n", "scenario:2:", "8-4-4-4-12"),
            ("daily_reset_hour: 24\n", "scenario:1:", "0 to 23"),
            ("daily: { retire: 5, paint: 1 }\n", "scenario:1:", "paint"),
            (&format!("devices: [{{ id: {ID} }}]\nmissing: [{ID}]\n"), "scenario:2:", "listed, and it is in `missing`"),
            (&format!("devices:\n  - id: {ID}\n  - id: {ID}\n"), "scenario:3:", "twice in devices"),
            ("seed: 1\nstrangers: [{ requests_per_second: 1, from: 9s, until: 3s }]\n", "scenario:2:", "strangers"),
            (&format!("enrolled_devices: 0\ndevices: [{{ id: {ID} }}]\n"), "scenario:1:", "1 are listed"),
        ] {
            let complaint = complaint(text);
            assert!(complaint.starts_with(place), "{complaint}");
            assert!(complaint.contains(word) && !complaint.contains("at line"), "{complaint}");
        }
    }

    #[test]
    fn durations_have_units_or_are_seconds() {
        let latency = |text: &str| Scenario::from_yaml(&format!("latency: {text}\n")).unwrap().latency;
        assert_eq!(latency("20ms").max, Duration::from_millis(20));
        assert_eq!(latency("2").max, Duration::from_secs(2));
        assert_eq!(latency("0.5").max, Duration::from_millis(500));
        assert_eq!(latency("1m 30s").max, Duration::from_secs(90));
        assert_eq!(latency("{ min: 1s, max: 2s }").min, Duration::from_secs(1));
    }

    #[test]
    fn secrets_are_not_shown() {
        let scenario = Scenario::from_yaml("sign_in: { secret: hunter2, tokens: [letmein] }\n").unwrap();
        let shown = format!("{scenario:?}");
        assert!(!shown.contains("hunter2") && !shown.contains("letmein"), "{shown}");
    }
}
