//! Plays a script: one step after the other, each process a future of its own that can be dropped at any await.
//!
//! In: a script. Out: its tape, and what it has broken, if anything. Must not: go past the verbs of `ops`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use jiff::SignedDuration;
use musterout::testing::catalog::StatedLimits;
use musterout::testing::journal::JournalError;
use musterout::testing::ops::{
    self, Again, Choices, Error, Finished, LookUp, Repeats, ResumeRequest, RunRequest, SaveRequest, Start, Stay,
    TargetTenant, VerifyRequest,
};
use musterout::testing::runner::event::StopReason;
use musterout::testing::settings::{Environment, PolicyFile};
use musterout::testing::simulator::power::Power;
use musterout::testing::simulator::transport::SimTransport;
use musterout::testing::ui::stderr::Stderr;
use tokio::time::sleep;

use super::judge::{Broken, judge};
use super::script::{self, Act, Kill, Plan, Script, Step, Verb};
use super::tape::{Event, Job, May, NOBODY, Process, Run, Shown, Tape};
use super::world::World;
use crate::support::left_to_confirm;
use crate::support::world::{paused, system};

/// No process may take longer than that, whatever waits for it.
const LONGEST: Duration = Duration::from_secs(5 * 24 * 3_600);

/// Plays it in a folder of its own below `folder`.
pub fn play(script: &Script, folder: &Path) -> (Option<Broken>, String) {
    // Always of the same name: it is in what operators are told.
    let place = folder.join("history");
    let _ = std::fs::remove_dir_all(&place);
    std::fs::create_dir_all(&place).unwrap();
    let played = catch_unwind(AssertUnwindSafe(|| {
        fastrand::seed(script.seed);
        paused(async {
            let world = World::new(script, &place);
            let broken = steps(&world).await.err();
            let told = world.tape().to_string();
            (broken, told)
        })
    }));
    played.unwrap_or_else(|panic| {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(|words| (*words).to_owned()));
        let how = words.unwrap_or_default();
        (Some(Broken { promise: "nothing panics", how }), String::new())
    })
}

async fn steps(world: &World) -> Result<(), Broken> {
    for step in &world.script.steps {
        play_step(world, step).await?;
        judge(&world.tape(), &world.script)?;
    }
    Ok(())
}

async fn play_step(world: &World, step: &Step) -> Result<(), Broken> {
    match step {
        Step::One(act) => return process(world, act).await,
        Step::Two(first, later, second) => {
            let second = async {
                sleep(Duration::from_millis(u64::from(*later))).await;
                process(world, second).await
            };
            let (first, second) = tokio::join!(process(world, first), second);
            return first.and(second);
        }
        Step::Wait(seconds) => sleep(Duration::from_secs(u64::from(*seconds))).await,
        Step::Clock(by) => {
            world.set_clock(i64::from(*by));
            world.tell(Event::World(step.to_string()));
        }
        Step::Edit { plan, rows } => change(world, *plan, |plan| plan.rows.clone_from(rows)),
        Step::Rename { plan, name } => change(world, *plan, |plan| plan.name = *name),
        Step::Move { plan, file } => {
            if let Some(old) = world.plans.borrow().get(*plan).map(|plan| world.path(&plan.file)) {
                let _ = std::fs::remove_file(old);
            }
            change(world, *plan, |plan| plan.file.clone_from(file));
        }
        Step::Copy { plan, file } => {
            let copy = world.plans.borrow().get(*plan).map(|plan| Plan { file: file.clone(), ..plan.clone() });
            if let Some(copy) = copy {
                world.write(&copy);
                world.plans.borrow_mut().push(copy);
            }
        }
        Step::Prune(days) => {
            let pruned = ops::prune(&world.settings, *days, world.now());
            world.tell(Event::World(format!("prune {days}: {pruned:?}")));
        }
        Step::Leaves(device) => world.leaves(*device),
        Step::Returns(device) => world.returns(*device),
        Step::NamesMove(one, other) => world.change_names(*one, *other),
        Step::Policy(policy) => world.write_policy(policy),
        Step::Under(act, later, policy) => {
            return meanwhile(world, act, *later, || world.write_policy(policy)).await;
        }
        Step::Edited(act, later, plan, rows) => {
            return meanwhile(world, act, *later, || change(world, *plan, |plan| plan.rows.clone_from(rows))).await;
        }
    }
    Ok(())
}

/// Something changes so many milliseconds after the process has begun.
async fn meanwhile(world: &World, act: &Act, later: u32, change: impl FnOnce()) -> Result<(), Broken> {
    let change = async {
        sleep(Duration::from_millis(u64::from(later))).await;
        change();
    };
    tokio::join!(process(world, act), change).0
}

fn change(world: &World, plan: usize, how: impl FnOnce(&mut Plan)) {
    if let Some(plan) = world.plans.borrow_mut().get_mut(plan) {
        how(plan);
        world.write(plan);
        world.tell(Event::World(plan.to_string()));
        let jobs = world.may(plan).map(|may| may.jobs).unwrap_or_default();
        world.tell(Event::Edited(plan.file.clone(), jobs));
    }
}

/// What a process is told, once it is known what that means today.
struct Told<'w> {
    world: &'w World,
    number: usize,
    file: PathBuf,
    report: PathBuf,
    transport: SimTransport,
    run: String,
    repeats: Repeats,
}

async fn process(world: &World, act: &Act) -> Result<(), Broken> {
    let Some((file, may)) = meant(world, &act.verb) else { return Ok(()) };
    let number = world.tape().processes.len();
    let moments = if let Some(Kill::Moment(moments)) = act.kill { moments as usize } else { usize::MAX };
    let power = Arc::new(Power::lasting(moments));
    let (run, of) = named(world, &act.verb);
    let may = may.or_else(|| of.map(|of| world.tape().runs[of].may.clone()));
    let is_any = matches!(act.verb, Verb::Resume { run: None, .. });
    let verifies = matches!(act.verb, Verb::Verify { .. });
    let (repeats, may) = repeats(&act.verb, may);
    let what = act.to_string();
    let protected = world.protected(may.as_ref().map_or(&[], |may| &may.protected));
    world.tape().processes.push(Process { what, may, protected, run: of, is_any, verifies, rows: None });
    world.tell(Event::Began(number));
    let transport = world.transport(number, &power);
    let told =
        Told { world, number, report: world.path(&format!("report-{number}.csv")), file, transport, run, repeats };
    // What it says was true when it ended, whoever stopped it and waits for that a little longer.
    let (lived, ()) = tokio::join!(life(&told, act, &power), stop(world, act.stop));
    lived
}

async fn life(told: &Told<'_>, act: &Act, power: &Arc<Power>) -> Result<(), Broken> {
    let (world, number) = (told.world, told.number);
    let life = tokio::time::timeout(LONGEST, live(told, &act.verb));
    let how = match mortal(life, act.kill, power).await {
        None => "killed".to_owned(),
        Some(Err(_)) => return Err(Broken { promise: "every process ends", how: format!("[{number}] {act}") }),
        Some(Ok(Ok(ended))) => ended,
        Some(Ok(Err(error))) => wrong(&error).map_err(|how| Broken {
            promise: "no process fails for a reason of its own",
            how: format!("[{number}] {act}: {how}"),
        })?,
    };
    find_runs(world, number, &told.file);
    world.tell(Event::Ended(number, how));
    Ok(())
}

/// The file that a verb names, and what it may do as far as that is told by a plan. `None`: there is no such thing now.
fn meant(world: &World, verb: &Verb) -> Option<(PathBuf, Option<May>)> {
    match verb {
        Verb::Run { plan, .. } | Verb::Save { plan } => {
            let plan = world.plans.borrow().get(*plan)?.clone();
            // Where a name leads to none or to several, nothing may be done.
            Some((world.path(&plan.file), Some(world.may(&plan).unwrap_or_default())))
        }
        Verb::RunSaved { plan, .. } => {
            let may = world.saved.borrow().get(plan).cloned()?;
            Some((world.path(&format!("saved-{plan}.json")), Some(may)))
        }
        Verb::Resume { .. } | Verb::Verify { .. } => (!world.tape().runs.is_empty()).then(|| (PathBuf::new(), None)),
    }
}

/// What is said about what was done before, and what may be done then. The first row of a plan has its number in YAML.
fn repeats(verb: &Verb, may: Option<May>) -> (Repeats, Option<May>) {
    let (Verb::Run { repeats, .. } | Verb::RunSaved { repeats, .. }) = verb else { return (Repeats::default(), may) };
    let named = |jobs: &[Job]| match repeats.again {
        script::Again::Nothing => Vec::new(),
        script::Again::First => jobs.first().cloned().into_iter().collect(),
        script::Again::All => jobs.to_vec(),
    };
    let again = match repeats.again {
        script::Again::Nothing => Again::Nothing,
        script::Again::First => "1".parse().unwrap_or_default(),
        script::Again::All => Again::All,
    };
    (Repeats { once: repeats.once, again }, may.map(|may| May { again: named(&may.jobs), ..may }))
}

/// The run that a verb names, and its number.
fn named(world: &World, verb: &Verb) -> (String, Option<usize>) {
    let tape = world.tape();
    let of = match verb {
        Verb::Resume { run: Some(run), .. } | Verb::Verify { run } => Some(run % tape.runs.len()),
        // The newest one that is open; which that is, its id says in the end.
        Verb::Resume { run: None, .. } => None,
        _ => return (String::new(), None),
    };
    (of.map_or("latest".to_owned(), |of| tape.runs[of].id.clone()), of)
}

/// A process lives until it ends, or is killed: `None`.
async fn mortal<T>(life: impl Future<Output = T>, kill: Option<Kill>, power: &Arc<Power>) -> Option<T> {
    let left = if let Some(Kill::Poll(polls)) = kill { polls } else { u32::MAX };
    let counted = Counted { life: Box::pin(life), left };
    let clock = async {
        match kill {
            Some(Kill::After(ms)) => sleep(Duration::from_millis(u64::from(ms))).await,
            _ => std::future::pending().await,
        }
    };
    let ended = tokio::select! {
        biased;
        () = power.gone() => None,
        () = clock => None,
        ended = counted => ended,
    };
    if ended.is_none() {
        // Nothing that it has started lives on.
        power.cut();
    }
    ended
}

/// Ends with nothing when it is to be polled once too often.
struct Counted<F> {
    life: Pin<Box<F>>,
    left: u32,
}

impl<F: Future> Future for Counted<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        self.left -= 1;
        self.life.as_mut().poll(context).map(Some)
    }
}

async fn stop(world: &World, after: Option<u32>) {
    let Some(after) = after else { return };
    sleep(Duration::from_millis(u64::from(after))).await;
    let stopped = ops::stop(&world.settings, "latest").await;
    let how =
        stopped.map_or_else(|error| error.to_string(), |stopped| format!("{stopped:?}").chars().take(12).collect());
    world.tell(Event::World(format!("stop: {how}")));
}

async fn live(told: &Told<'_>, verb: &Verb) -> Result<String, Error> {
    match verb {
        Verb::Run { .. } | Verb::RunSaved { .. } => run(told, verb).await,
        Verb::Save { plan } => save(told, *plan).await,
        Verb::Resume { only, .. } => {
            let request = |confirm| ResumeRequest {
                run: told.run.clone(),
                only: *only,
                as_agreed: false,
                refile: false,
                justification: None,
                in_process: Some(told.transport.clone()),
                policy: Some(told.world.policy()),
                report: Some(told.report.clone()),
                confirm,
                interactive: false,
                stay: Stay::default(),
                start: Start { now: told.world.now(), system, seed: told.seed() },
            };
            let (flags, environment, stderr) = (&told.world.flags, &Environment::default(), &Stderr::silent());
            let resume = |confirm| ops::resume(request(confirm), flags, environment, stderr, |_| {});
            let finished = match resume(None).await {
                // Somebody looks at what is left, and agrees.
                Err(error) if left_to_confirm(&error).is_some() => resume(left_to_confirm(&error)).await?,
                ended => ended?,
            };
            Ok(told.finished(&finished))
        }
        Verb::Verify { .. } => {
            let request = VerifyRequest {
                run: told.run.clone(),
                within: Duration::ZERO,
                in_process: Some(told.transport.clone()),
                report: Some(told.report.clone()),
                now: told.world.now(),
                seed: told.seed(),
            };
            let (flags, environment) = (&told.world.flags, Environment::default());
            let finished = ops::verify(request, flags, &environment, &Stderr::silent()).await?;
            Ok(told.finished(&finished))
        }
    }
}

/// Runs, and looks at the preview again where the number that was agreed to is not the number.
async fn run(told: &Told<'_>, verb: &Verb) -> Result<String, Error> {
    let world = told.world;
    let mut confirm = world.tape().processes[told.number].may.as_ref().map_or(0, |may| may.jobs.len() as u32);
    for _ in 0..3 {
        let request = RunRequest {
            plan: told.file.clone(),
            tenant: TargetTenant::InProcess(told.transport.clone()),
            policies: policies(world),
            report: Some(told.report.clone()),
            confirm: Some(musterout::testing::ops::Confirm::Exactly(confirm)),
            interactive: false,
            repeats: told.repeats.clone(),
            inventory: None,
            missing: None,
            justification: None,
            choices: choices(&world.script),
            stay: Stay::default(),
            start: Start { now: world.now(), system, seed: told.seed() },
        };
        match ops::run(request, &world.settings, &Stderr::silent()).await {
            Err(Error::Refused(fault)) if fault.code == "wrong-number" => {
                let number = fault.message.split("but ").nth(1).and_then(|rest| rest.split(' ').next());
                confirm = number.and_then(|number| number.parse().ok()).unwrap_or_default();
                told.look_again(verb);
            }
            ended => return ended.map(|finished| told.finished(&finished)),
        }
    }
    Ok("the number changes all the time".into())
}

async fn save(told: &Told<'_>, plan: usize) -> Result<String, Error> {
    let world = told.world;
    let tenant = TargetTenant::InProcess(told.transport.clone());
    let request = SaveRequest {
        plan: told.file.clone(),
        policies: policies(world),
        out: world.path(&format!("saved-{plan}.json")),
        repeats: told.repeats.clone(),
        valid_for: SignedDuration::from_hours(24),
        look_up: LookUp {
            settings: &world.settings,
            tenant: &tenant,
            inventory: None,
            missing: None,
            justification: None,
            choices: choices(&world.script),
            start: Start { now: world.now(), system, seed: told.seed() },
        },
    };
    ops::save(request).await?;
    let may = world.tape().processes[told.number].may.take().unwrap_or_default();
    world.saved.borrow_mut().insert(plan, may);
    Ok("saved".into())
}

fn policies(world: &World) -> Vec<PolicyFile> {
    vec![PolicyFile { path: world.policy(), named: true }]
}

fn choices(script: &Script) -> Choices {
    let limits = StatedLimits {
        concurrency: Some(script.concurrency),
        max_attempts: Some(script.max_attempts),
        settling_seconds: Some(script.settling),
        ..StatedLimits::default()
    };
    Choices { limits, unpaced: true }
}

impl Told<'_> {
    fn seed(&self) -> u64 {
        self.world.script.seed ^ (self.number as u64) << 32
    }

    /// The plan may have been edited meanwhile, and its operator has looked at it again.
    fn look_again(&self, verb: &Verb) {
        if let (Verb::Run { .. }, Some((_, Some(may)))) = (verb, meant(self.world, verb)) {
            let (_, may) = repeats(verb, Some(may));
            self.world.tape().processes[self.number].may = may;
        }
    }

    /// Puts on the tape what its operator is told.
    fn finished(&self, finished: &Finished) -> String {
        let number = |id: &str| self.world.things().find(|thing| crate::support::guid(*thing) == id);
        let rows = finished.jobs.iter().zip(&finished.settlements).map(|(job, settled)| Shown {
            job: Job { action: job.action.name, device: number(job.target()).unwrap_or(NOBODY) },
            outcome: settled.outcome,
            note: settled.note.as_deref().unwrap_or_default().to_owned(),
        });
        let rows: Vec<Shown> = rows.collect();
        let told = rows
            .iter()
            .map(|row| format!("{} {}: {} ({})", row.job.action, row.job.device, row.outcome.name(), row.note));
        let told = format!(
            "ended{}: {}",
            finished.stopped.as_ref().map_or("", |_| " early"),
            told.collect::<Vec<_>>().join(", ")
        );
        self.compare_report(finished);
        if let Some(StopReason::Journal(why)) = &finished.stopped {
            panic!("the journal failed: {why}");
        }
        let mut tape = self.world.tape();
        if let Some(id) = &finished.id {
            tape.processes[self.number].run = run_of(&mut tape, self.number, id.as_str());
            let may = tape.processes[self.number].run.map(|run| tape.runs[run].may.clone());
            tape.processes[self.number].may = tape.processes[self.number].may.take().or(may);
        }
        tape.processes[self.number].rows = Some(rows);
        told
    }

    /// The file says what the run has ended with: each row once, in order.
    fn compare_report(&self, finished: &Finished) {
        let place = finished.report.as_ref().expect("the report can be written");
        let rows = crate::support::program::rows(place);
        let got = rows.iter().map(|row| (row["action"].as_str(), row["target"].as_str(), row["outcome"].as_str()));
        let wanted = finished.jobs.iter().zip(&finished.settlements);
        let wanted = wanted.map(|(job, settled)| (job.action.name, job.target(), settled.outcome.name()));
        assert!(got.eq(wanted), "the report is not what the run has ended with: {rows:?}");
    }
}

/// The place of a run on the tape; a new one is the process's own.
fn run_of(tape: &mut Tape, process: usize, id: &str) -> Option<usize> {
    if let Some(known) = tape.runs.iter().position(|run| run.id == id) {
        return Some(known);
    }
    let may = tape.processes[process].may.clone()?;
    tape.runs.push(Run { id: id.to_owned(), may });
    Some(tape.runs.len() - 1)
}

/// A process that was killed may have begun a run.
fn find_runs(world: &World, number: usize, file: &Path) {
    if world.tape().processes[number].run.is_some() || file.as_os_str().is_empty() {
        return;
    }
    let Ok(runs) = ops::runs(&world.settings) else { return };
    let mut tape = world.tape();
    for run in runs {
        let known = tape.runs.iter().any(|known| known.id == run.id.as_str());
        if !known && Path::new(&run.plan_file).file_name() == file.file_name() {
            tape.processes[number].run = run_of(&mut tape, number, run.id.as_str());
        }
    }
}

/// What the world may refuse, and what it may not.
fn wrong(error: &Error) -> Result<String, String> {
    match error {
        Error::Plan { .. }
        | Error::Usage(_)
        | Error::NothingToDo { .. }
        | Error::NothingOpen(_)
        | Error::Refused(_)
        | Error::Guarded { .. } => Ok(format!("refused: {error}")),
        Error::Journal(JournalError::Locked(_) | JournalError::NoSuchRun(_) | JournalError::Ambiguous { .. }) => {
            Ok(format!("refused: {error}"))
        }
        error => Err(error.to_string()),
    }
}
