//! A machine and a tenant, whose nights go by.
//!
//! In: a scenario, in which `ID7` stands for the id of thing 7; a plan. Out: what each night came to. Must not: know what is right.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use musterout::testing::catalog::{StatedLimits, TargetKind, Unresolvable};
use musterout::testing::job::Job;
use musterout::testing::journal::place::{JournalPlace, MemoryPlace};
use musterout::testing::journal::resume::Only;
use musterout::testing::ops::{
    self, Again, Choices, Confirm, Error, Finished, LookUp, Repeats, ResumeRequest, RunRequest, SaveRequest, Start,
    Stay, TargetTenant as At,
};
use musterout::testing::outcome::Settlement;
use musterout::testing::settings::{Environment, Flags, Settings};
use musterout::testing::simulator::by_hand::ByHand;
use musterout::testing::simulator::power::Power;
use musterout::testing::simulator::scenario::Scenario;
use musterout::testing::simulator::tenant::Tenant;
use musterout::testing::simulator::transport::SimTransport;
use musterout::testing::ui::stderr::Stderr;
use tempfile::TempDir;

use crate::support::guid;
use crate::support::left_to_confirm;
use crate::support::world::{begin_clock, paused, system, wall};

/// So many things are there at most.
const THINGS: usize = 60;

pub struct Site {
    tenant: Arc<Tenant>,
    folder: TempDir,
    flags: Flags,
    settings: Settings,
}

/// What is said on the command line.
pub struct Night {
    pub plan: &'static str,
    pub once: bool,
    /// `None`: whatever the number is.
    pub confirm: Option<u32>,
    pub again: &'static str,
    pub hold_unresolved: bool,
}

impl Default for Night {
    fn default() -> Self {
        Self { plan: "plan.yaml", once: true, confirm: None, again: "", hold_unresolved: false }
    }
}

/// What one came to: jobs and how they stand, or the code of the refusal.
pub struct Came(Result<(Vec<Job>, Vec<Settlement>), String>);

impl std::fmt::Debug for Came {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Ok((jobs, _)) = &self.0 else { return write!(f, "{:?}", self.0.as_ref().err()) };
        let rows = self.told().into_iter().zip(jobs).enumerate();
        f.debug_list()
            .entries(rows.map(|(at, (told, job))| format!("{} {told}: {}", job.action.name, self.note(at))))
            .finish()
    }
}

impl Came {
    fn of(ended: Result<Finished, Error>) -> Self {
        let code = |error: Error| match error {
            Error::Plan { faults, .. } | Error::Guarded { faults, .. } => {
                faults.iter().map(|fault| fault.code).collect::<Vec<_>>().join(" ")
            }
            Error::Usage(fault) | Error::Refused(fault) => format!("{}: {}", fault.code, fault.message),
            other => other.to_string(),
        };
        Self(ended.map(|finished| (finished.jobs.to_vec(), finished.settlements)).map_err(code))
    }

    /// Outcome and thing of each row.
    #[track_caller]
    pub fn told(&self) -> Vec<String> {
        let (jobs, settlements) = self.0.as_ref().unwrap_or_else(|code| panic!("refused: {code}"));
        let rows = jobs.iter().zip(settlements);
        rows.map(|(job, settled)| format!("{} {}", settled.outcome.name(), thing(job.target()))).collect()
    }

    /// As the report has it.
    pub fn note(&self, at: usize) -> String {
        let (jobs, settlements) = self.0.as_ref().unwrap();
        let found = jobs[at].found.as_ref().map(|found| format!("; found by {}", found.by)).unwrap_or_default();
        format!("{}{found}", settlements[at].note.as_deref().unwrap_or_default())
    }

    pub fn is_refused(&self, code: &str) -> bool {
        self.0.as_ref().is_err_and(|codes| codes.contains(code))
    }
}

fn thing(id: &str) -> String {
    let number = (1..THINGS).find(|number| guid(*number) == id);
    number.map_or_else(|| id.to_owned(), |number| number.to_string())
}

fn with_ids(text: &str) -> String {
    (1..THINGS).rev().fold(text.to_owned(), |text, number| text.replace(&format!("ID{number}"), &guid(number)))
}

impl Site {
    /// Plays what happens at a new one.
    pub fn play(scenario: &str, plan: &str, happens: impl AsyncFnOnce(&Site)) {
        fastrand::seed(7);
        paused(async {
            begin_clock();
            let flags =
                Flags { state_dir: Some(JournalPlace::Memory(MemoryPlace::new().unwrap())), ..Flags::default() };
            let site = Site {
                tenant: Tenant::new(Scenario::from_yaml(&with_ids(scenario)).unwrap(), wall()),
                folder: tempfile::tempdir().unwrap(),
                settings: Settings::new(&flags, &Environment::default()).unwrap(),
                flags,
            };
            site.plan(plan);
            happens(&site).await;
        });
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the plan.
    pub fn plan(&self, text: &str) {
        self.another_plan("plan.yaml", "standing", text);
    }

    pub fn another_plan(&self, file: &str, name: &str, text: &str) {
        fs::write(self.path(file), format!("version: 1\nname: {name}\n{}", with_ids(text))).unwrap();
    }

    fn transport(&self) -> SimTransport {
        SimTransport::new(Arc::clone(&self.tenant))
    }

    fn request(&self, night: &Night, confirm: u32, transport: SimTransport) -> RunRequest {
        let again: Again = if night.again.is_empty() { Again::Nothing } else { night.again.parse().unwrap() };
        RunRequest {
            plan: self.path(night.plan),
            tenant: At::InProcess(transport),
            policies: Vec::new(),
            report: Some(self.path("report.csv")),
            confirm: Some(Confirm::Exactly(confirm)),
            interactive: false,
            repeats: Repeats { once: night.once, again },
            inventory: None,
            justification: None,
            missing: night.hold_unresolved.then_some(Unresolvable::Hold),
            choices: Choices { limits: StatedLimits::default(), unpaced: true },
            stay: Stay::default(),
            start: Start { now: system(), system, seed: 7 },
        }
    }

    async fn run(&self, night: &Night, transport: &SimTransport) -> Result<Finished, Error> {
        let mut confirm = night.confirm.unwrap_or_default();
        for _ in 0..2 {
            let request = self.request(night, confirm, transport.clone());
            match ops::run(request, &self.settings, &Stderr::silent()).await {
                Err(Error::Refused(fault)) if night.confirm.is_none() && fault.code == "wrong-number" => {
                    let number = fault.message.split("but ").nth(1).and_then(|rest| rest.split(' ').next());
                    confirm = number.unwrap().parse().unwrap();
                }
                ended => return ended,
            }
        }
        panic!("the number changes all the time");
    }

    /// The line of the scheduler, and the day after it.
    pub async fn night(&self) -> Came {
        self.night_with(Night::default()).await
    }

    pub async fn night_with(&self, night: Night) -> Came {
        let came = Came::of(self.run(&night, &self.transport()).await);
        tokio::time::sleep(Duration::from_secs(25 * 3_600)).await;
        came
    }

    /// The power goes as soon as that is so: before the next request leaves.
    pub async fn killed_night(&self, is_so: impl Fn(&Self) -> bool) {
        for requests in 1.. {
            let power = Arc::new(Power::lasting(requests));
            let transport = self.transport().powered(Arc::clone(&power));
            let night = Night::default();
            tokio::select! {
                biased;
                () = power.gone() => power.cut(),
                came = self.run(&night, &transport) => panic!("the night was over too soon: {:?}", came.is_ok()),
            }
            if is_so(self) {
                return;
            }
        }
    }

    /// How many runs are in the journal.
    pub fn runs(&self) -> usize {
        ops::runs(&self.settings).unwrap().len()
    }

    /// Somebody has looked, and names rows.
    pub async fn again(&self, rows: &'static str) -> Came {
        self.night_with(Night { again: rows, ..Night::default() }).await
    }

    pub async fn resume(&self) -> Came {
        let newest = ops::runs(&self.settings).unwrap().remove(0).id;
        let request = |confirm| ResumeRequest {
            confirm,
            run: newest.as_str().to_owned(),
            only: Only::Open,
            as_agreed: false,
            refile: false,
            justification: None,
            in_process: Some(self.transport()),
            policy: None,
            report: Some(self.path("resumed.csv")),
            interactive: false,
            stay: Stay::default(),
            start: Start { now: system(), system, seed: 7 },
        };
        let (environment, stderr) = (&Environment::default(), &Stderr::silent());
        let resume = |confirm| ops::resume(request(confirm), &self.flags, environment, stderr, |_| {});
        // Somebody looks at what is left, and agrees.
        Came::of(match resume(None).await {
            Err(error) if left_to_confirm(&error).is_some() => resume(left_to_confirm(&error)).await,
            ended => ended,
        })
    }

    /// The states of the rows.
    pub async fn preview(&self) -> Vec<&'static str> {
        let tenant = At::InProcess(self.transport());
        let look_up = self.look_up(&tenant);
        let repeats = Repeats { once: true, again: Again::Nothing };
        let previewed = ops::preview(&self.path("plan.yaml"), &[], &look_up, &repeats).await.unwrap();
        let budget = musterout::testing::catalog::Budget::documented(0);
        let preview = musterout::testing::preview::Preview::new(&previewed.plan.jobs, &previewed.preflight, budget);
        preview.rows().map(|row| row.state.name()).collect()
    }

    fn look_up<'a>(&'a self, tenant: &'a At) -> LookUp<'a> {
        let choices = Choices { limits: StatedLimits::default(), unpaced: true };
        let (settings, now) = (&self.settings, system());
        LookUp {
            settings,
            tenant,
            inventory: None,
            missing: None,
            justification: None,
            choices,
            start: Start { now, system, seed: 7 },
        }
    }

    /// `preview --out saved.json`
    pub async fn save(&self) {
        let tenant = At::InProcess(self.transport());
        let request = SaveRequest {
            plan: self.path("plan.yaml"),
            policies: Vec::new(),
            out: self.path("saved.json"),
            repeats: Repeats::default(),
            valid_for: jiff::SignedDuration::from_hours(72),
            look_up: self.look_up(&tenant),
        };
        ops::save(request).await.unwrap();
    }

    pub fn prune(&self) {
        ops::prune(&self.settings, 0, system()).unwrap();
    }

    pub fn leaves(&self, device: usize) {
        self.by_hand(TargetKind::ManagedDevice, device, ByHand::Leaves);
    }

    pub fn returns(&self, device: usize) {
        self.by_hand(TargetKind::ManagedDevice, device, ByHand::Returns);
    }

    pub fn set(&self, kind: TargetKind, thing: usize, property: &str, value: &str) {
        self.by_hand(kind, thing, ByHand::Set { property: property.into(), value: value.into() });
    }

    pub fn by_hand(&self, kind: TargetKind, thing: usize, deed: ByHand) {
        self.tenant.by_hand(kind, &guid(thing), &deed);
    }

    /// The things that an action has had an effect on, and how many.
    pub fn effects(&self, action: &str) -> Vec<(usize, u32)> {
        let counts = self.tenant.counts();
        let of = (1..THINGS).map(|thing| (thing, counts.of(action, &guid(thing)).effects));
        of.filter(|(_, effects)| *effects > 0).collect()
    }

    /// The same of requests.
    pub fn calls(&self, action: &str) -> Vec<(usize, u32)> {
        let counts = self.tenant.counts();
        let of = (1..THINGS).map(|thing| (thing, counts.of(action, &guid(thing)).calls));
        of.filter(|(_, calls)| *calls > 0).collect()
    }
}
