//! The form of a scenario file.
//!
//! In: YAML. Out: a [`ScenarioFile`]; a key that nobody knows is an error, because an expectation that is misspelled
//! would never fail. Must not: run anything.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use musterout::testing::catalog::{Allowance, Bucket, Budget, OwnAllowances, Terms};
use musterout::testing::daily::DailyAccount;
use musterout::testing::daily::DailyTerms;
use musterout::testing::daily::{DailyRules, DailySettings};
use musterout::testing::pacing::Pacing;
use musterout::testing::runner::{DEFAULT_CONCURRENCY, DEFAULT_MAX_ATTEMPTS, Limits};
use musterout::testing::simulator::scenario::{Scenario, Seconds};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioFile {
    /// So many targets for each of these actions, in this order. Target `n` of part `p`, both from 1, is
    /// `0000000p-0000-4000-8000-00000000000n` with both in hexadecimal.
    #[serde(default)]
    pub plan: Vec<Part>,
    /// The guards that go with `plan`, as they stand behind `guards:` in a plan.
    pub guards: Option<String>,
    /// A plan as an operator writes it, in place of `plan`: YAML if it starts with `version`, CSV otherwise.
    pub plan_text: Option<String>,
    /// Takes minutes in a build without optimisation: played with `MUSTEROUT_LONG=1`, or with `--release`.
    #[serde(default)]
    pub long: bool,
    /// With how many seeds it is played; a long one may do with one.
    #[serde(default = "all_seeds")]
    pub seeds: usize,
    #[serde(default)]
    pub limits: LimitsOfFile,
    /// What a plan would say under `limits: { daily: … }`. Without it, daily limits are not kept.
    pub daily: Option<DailySettings>,
    /// `--wait`
    #[serde(default)]
    pub wait: bool,
    /// `--verify`: when the run has ended, what was accepted is followed up for so long.
    pub verify: Option<Seconds>,
    /// When somebody presses Ctrl-C, since the run began.
    #[serde(default)]
    pub interrupt: Vec<Seconds>,
    /// When somebody says `musterout stop`.
    #[serde(default)]
    pub stop: Vec<Seconds>,
    /// What somebody answers between waves, one after the other. Without it, nobody is there.
    pub answers: Option<Vec<bool>>,
    #[serde(default)]
    pub sign_in: SignIn,
    #[serde(default)]
    pub simulator: Scenario,
    pub expect: Expect,
}

fn all_seeds() -> usize {
    usize::MAX
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub action: String,
    pub targets: u32,
    #[serde(default)]
    pub with: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsOfFile {
    concurrency: u16,
    max_attempts: u32,
    reserve_percent: u8,
    pacing: Pace,
    /// Requests and seconds, by the name of the bucket.
    allowances: BTreeMap<String, (u32, u64)>,
    /// As long as the program waits by itself, unless the file says otherwise.
    settling: Seconds,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Pace {
    Documented,
    /// As fast as answers come.
    Unpaced,
}

impl Default for LimitsOfFile {
    fn default() -> Self {
        Self {
            concurrency: DEFAULT_CONCURRENCY,
            max_attempts: DEFAULT_MAX_ATTEMPTS,
            reserve_percent: 0,
            pacing: Pace::Documented,
            allowances: BTreeMap::new(),
            settling: Seconds(Duration::from_secs(60)),
        }
    }
}

impl LimitsOfFile {
    pub fn limits(&self) -> Limits {
        let pacing = match self.pacing {
            Pace::Documented => Pacing::Within(self.budget()),
            Pace::Unpaced => Pacing::Off,
        };
        let settling = self.settling.0;
        Limits { concurrency: self.concurrency, max_attempts: self.max_attempts, settling, pacing }
    }
}

impl LimitsOfFile {
    fn budget(&self) -> Budget {
        let mut own = OwnAllowances::default();
        for bucket in Bucket::all() {
            let allowance = self.allowances.get(&bucket.to_string());
            own[bucket.index()] = allowance
                .map(|(requests, seconds)| Allowance { requests: *requests, window: Duration::from_secs(*seconds) });
        }
        Budget::new(Terms { own, reserve_percent: self.reserve_percent, ..Terms::default() })
    }
}

/// What the program signs in with, and what becomes of it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SignIn {
    /// Default: some secret.
    pub secret: Option<String>,
    /// A token that somebody else obtained, in place of a secret.
    pub access_token: Option<String>,
    /// From then on the secret that is sent is not the one that the tenant knows: it was rotated.
    pub secret_rotated_after: Option<Seconds>,
}

/// Both ends belong to it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(from = "[f64; 2]")]
pub struct Range {
    least: f64,
    most: f64,
}

impl From<[f64; 2]> for Range {
    fn from([least, most]: [f64; 2]) -> Self {
        Self { least, most }
    }
}

impl Range {
    pub fn holds(self, value: f64) -> bool {
        value >= self.least && value <= self.most
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{}, {}]", self.least, self.most)
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Rows of each outcome; one that is not named must not happen.
    pub outcomes: BTreeMap<String, Range>,
    /// Until the last row has settled. A run that takes far longer is cut off.
    pub virtual_seconds: Range,
    #[serde(default)]
    pub stopped: Stopped,
    /// Holds for every target of the plan.
    pub effects_per_target: Option<Range>,
    pub most_effects_on_one_target: Option<Range>,
    /// 429 answers that the tenant gave.
    pub throttled: Option<Range>,
    /// Effects, over what the tenant's windows would have let through in that time.
    pub share_of_allowance: Option<Range>,
    /// Effects, over what strangers left of what the tenant's windows would have let through in that time.
    pub share_of_the_rest: Option<Range>,
    /// 429 answers, over requests.
    pub throttled_share: Option<Range>,
    /// Requests in one window of the allowance, of which the end is given in seconds since the run began, over the
    /// allowance.
    pub share_of_window_at: Option<(f64, Range)>,
    /// The same for one bucket, over the time until its last request.
    #[serde(default)]
    pub share_of_bucket: BTreeMap<String, Range>,
    /// Graph requests that reached the tenant, reads included.
    pub requests: Option<Range>,
    pub reads: Option<Range>,
    pub token_requests: Option<Range>,
    /// The most attempts that a row has.
    pub attempts: Option<Range>,
    /// Rows of an action that went well within any 24 hours, at most.
    #[serde(default)]
    pub most_in_24_hours: BTreeMap<String, Range>,
    /// Actions of which something was left for another day.
    #[serde(default)]
    pub left: Vec<String>,
    /// Rows that went well, in the order in which they did.
    pub order: Option<Vec<u32>>,
    /// Each is in the note of some row, or in the reason why the run stopped.
    #[serde(default)]
    pub notes_contain: Vec<String>,
    /// Each is in the error message or error code of some row.
    #[serde(default)]
    pub errors_contain: Vec<String>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    #[default]
    None,
    /// There was no token to begin with, so that nothing was begun.
    BeforeStart,
    Interrupted,
    Requested,
    Breaker,
    Wave,
    SignIn,
    Unreachable,
    Justification,
}

impl ScenarioFile {
    /// Reads a file, and holds it to the custom of the house: it begins by saying what should happen.
    pub fn load(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        if !text.starts_with("# ") {
            return Err("its first line is no comment that says what should happen".to_owned());
        }
        let file: Self = serde_yaml::from_str(&text).map_err(|error| error.to_string())?;
        if file.plan.is_empty() != file.plan_text.is_some() {
            return Err("it needs either `plan` or `plan_text`".to_owned());
        }
        match file.guards.is_some() && file.plan_text.is_some() {
            true => Err("`guards` go with `plan`; a `plan_text` has its own".to_owned()),
            false => Ok(file),
        }
    }

    /// The plan as a file: its name and its text.
    pub fn plan_file(&self) -> (&'static str, String) {
        match &self.plan_text {
            Some(text) if text.starts_with("version") => ("plan.yaml", text.clone()),
            Some(text) => ("plan.csv", text.clone()),
            None if self.guards.is_some() => ("plan.yaml", self.generated_yaml()),
            None => ("plan.csv", self.generated()),
        }
    }

    fn generated(&self) -> String {
        let mut columns: Vec<&str> = self.plan.iter().flat_map(|part| part.with.keys()).map(String::as_str).collect();
        columns.sort_unstable();
        columns.dedup();
        let mut text = ["action", "id"].iter().chain(&columns).copied().collect::<Vec<_>>().join(",");
        for (number, part) in (1u32..).zip(&self.plan) {
            for target in 1..=part.targets {
                text.push_str(&format!("\n{},{}", part.action, id_of(number, target)));
                for column in &columns {
                    text.push(',');
                    text.push_str(part.with.get(*column).map_or("", String::as_str));
                }
            }
        }
        text
    }

    pub fn daily(&self) -> Result<DailyTerms, String> {
        let rules = self.daily.as_ref().map(DailyRules::new).transpose()?;
        let account = rules.map(|rules| Arc::new(DailyAccount { tenant: "contoso".into(), rules }));
        let patience = if self.wait { Duration::MAX } else { DailyTerms::default().patience };
        Ok(DailyTerms { account, patience })
    }

    fn generated_yaml(&self) -> String {
        let guards = self.guards.as_deref().unwrap_or_default();
        let mut text = format!("version: 1\nguards: {guards}\njobs:\n");
        for (number, part) in (1u32..).zip(&self.plan) {
            text.push_str(&format!("  - action: {}\n    targets:\n", part.action));
            for target in 1..=part.targets {
                text.push_str(&format!("      - {{ id: {}, with: {{", id_of(number, target)));
                let with: Vec<_> = part.with.iter().map(|(name, value)| format!("{name}: {value}")).collect();
                text.push_str(&format!("{} }} }}\n", with.join(", ")));
            }
        }
        text
    }

    /// When a run is given up as endless.
    pub fn patience(&self) -> Duration {
        Duration::from_secs_f64(self.expect.virtual_seconds.most + 600.0)
    }
}

fn id_of(part: u32, target: u32) -> String {
    format!("{part:08x}-0000-4000-8000-{target:012x}")
}
