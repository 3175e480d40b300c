//! The command line: arguments in, calls of the verbs, output and an exit code out.
//!
//! In: arguments. Out: text on stdout and stderr, an exit code from [`exit`]'s table. Must not: hold logic of its own;
//! a verb that needs some has a function in `ops`.

mod approvals;
mod args;
mod ended;
mod environment;
mod exit;
mod failure;
mod form;
mod log;
mod mistaken;
mod number;
mod pace;
mod place;
mod show;
mod stop;
mod verify;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use tokio::runtime::{Builder, Runtime};

use self::args::{
    Arguments, CheckArguments, DiffArguments, InventoryArguments, OnlyClass, PreviewArguments, ReportArguments,
    ResumeArguments, RunArguments, RunsArguments, SimulateArguments, Verb,
};
use self::ended::ended;
use self::environment::{now, settings};
use self::exit::Exit;
use self::failure::Failure;
use self::form::Form;
use self::place::{ConnectionArguments, PolicyArguments};
use crate::diagnostics::Diagnostics;
use crate::ops::{self, LookUp, Opened, Previewed, ResumeRequest, RunRequest, SaveRequest, Start, Stay};
use crate::outcome::{Cause, Outcome, Settlement};
use crate::settings::PolicyFile;
use crate::ui::stderr::Stderr;

/// Parses the arguments, calls the verb, shows what came of it.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            if let Some(fault) = mistaken::for_a_verb(&error) {
                Stderr::detect(show::styled(&io::stderr())).say(fault.render(show::styled(&io::stderr())).trim_end());
                return Exit::Usage.into();
            }
            // Help and version are errors to clap, and go to stdout.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Good.into() };
        }
    };
    let stderr = Stderr::detect(show::styled(&io::stderr()));
    log::start(&arguments, &stderr);
    match runtime(&arguments.verb) {
        Ok(runtime) => runtime.block_on(perform(arguments.verb, &stderr)),
        Err(error) => {
            stderr.say(&format!("error: the runtime could not be started: {error}"));
            Exit::Unexpected.into()
        }
    }
}

/// One thread does a run: it carries many times what any service allows, and threads that wake each other for every
/// request cost more than they carry. The simulated tenant has clients that come all at once.
fn runtime(verb: &Verb) -> io::Result<Runtime> {
    let mut builder = match verb {
        Verb::Simulate(_) => Builder::new_multi_thread(),
        _ => Builder::new_current_thread(),
    };
    builder.enable_all().build()
}

async fn perform(verb: Verb, stderr: &Stderr) -> ExitCode {
    let form = verb.form();
    let result = match verb {
        Verb::Check(arguments) => check(&arguments),
        Verb::Preview(arguments) => preview(&arguments, stderr).await,
        Verb::Diff(arguments) => diff(&arguments),
        Verb::Run(arguments) if arguments.dry_run => preview(&arguments.as_preview(), stderr).await,
        Verb::Run(arguments) => run(arguments, stderr).await,
        Verb::Resume(arguments) => resume(arguments, stderr).await,
        Verb::Verify(arguments) => verify::verify(arguments, stderr).await,
        Verb::Approvals(arguments) => approvals::approvals(arguments, stderr).await,
        Verb::Stop(arguments) => stop::stop(arguments, stderr).await,
        Verb::Report(arguments) => report(&arguments),
        Verb::Runs(arguments) => runs(&arguments),
        Verb::Actions(arguments) => show::actions(arguments.name.as_deref(), arguments.form),
        Verb::Inventory(arguments) => inventory(arguments, stderr).await,
        Verb::Simulate(arguments) => simulate(&arguments, stderr).await,
    };
    match result {
        Ok(exit) => exit.into(),
        Err(failure) => failure.show(form, stderr).into(),
    }
}

fn check(arguments: &CheckArguments) -> Result<Exit, Failure> {
    let looked = ops::check(&arguments.plan, &policies(&arguments.policy)?, now())?;
    show::checked(&looked, arguments.form)?;
    if looked.plan.jobs.is_empty() && looked.plan.unresolved.is_empty() {
        return Ok(Exit::NothingToDo);
    }
    after_looking(&looked, arguments.form.into())
}

async fn preview(arguments: &PreviewArguments, stderr: &Stderr) -> Result<Exit, Failure> {
    let Opened { tenant, settings, told } = opened(&arguments.connection, arguments.look_up.inventory.as_deref())?;
    show::told(&told, stderr);
    let policies = policies(&arguments.policy)?;
    let choices = arguments.pace.choices();
    let look_up = LookUp {
        settings: &settings,
        tenant: &tenant,
        // A tenant that holds it is asked.
        inventory: arguments.look_up.inventory.as_deref().filter(|_| arguments.connection.simulate.is_none()),
        missing: arguments.look_up.unresolvable(),
        justification: arguments.justification.as_deref(),
        choices,
        start: Start { now: now(), system: now, seed: fastrand::u64(..) },
    };
    let previewed = match arguments.out.clone() {
        None => ops::preview(&arguments.plan, &policies, &look_up, &arguments.repeats()).await?,
        Some(out) => {
            let request = SaveRequest {
                plan: arguments.plan.clone(),
                policies,
                out,
                repeats: arguments.repeats(),
                valid_for: arguments.valid_for.unwrap_or(ops::VALID_FOR),
                look_up,
            };
            ops::save(request).await?
        }
    };
    show::told(&previewed.plan.warnings, stderr);
    let (plan, preflight) = (&previewed.plan, &previewed.preflight);
    let with = show::PreviewContext {
        graph_url: &settings.graph_url,
        budget: ops::budget(choices, plan.limits),
        spread: ops::forecast(plan, &previewed.daily, preflight, &tenant, &settings, now())?,
        simulated: tenant != ops::TargetTenant::Real,
        form: arguments.form,
        now: now(),
    };
    show::previewed(&previewed, with)?;
    show::warned(&previewed, arguments.form, stderr);
    after_looking(&previewed, arguments.form)
}

/// What a run would be refused for ends a look at the plan in the same way. JSON has said it already.
fn after_looking(previewed: &Previewed, form: Form) -> Result<Exit, Failure> {
    match (previewed.refused(), form) {
        (Ok(()), _) => Ok(Exit::Good),
        (Err(_), Form::Json) => Ok(Exit::Refused),
        (Err(error), _) => Err(error.into()),
    }
}

fn policies(arguments: &PolicyArguments) -> Result<Vec<PolicyFile>, Failure> {
    environment::policies(arguments.policy.as_deref())
}

fn diff(arguments: &DiffArguments) -> Result<Exit, Failure> {
    let differences = ops::diff(&arguments.before, &arguments.after, &policies(&arguments.policy)?, now())?;
    show::differences(&differences, arguments.form)?;
    Ok(if differences.is_empty() { Exit::Good } else { Exit::Bad })
}

async fn run(arguments: RunArguments, stderr: &Stderr) -> Result<Exit, Failure> {
    let Opened { tenant, settings, told } = opened(&arguments.connection, arguments.look_up.inventory.as_deref())?;
    show::told(&told, stderr);
    let request = RunRequest {
        repeats: arguments.repeats(),
        tenant,
        policies: policies(&arguments.policy)?,
        choices: arguments.pace.choices(),
        plan: arguments.plan,
        report: arguments.report,
        confirm: arguments.confirm.number(),
        interactive: somebody_is_there(),
        missing: arguments.look_up.unresolvable(),
        justification: arguments.justification,
        // A tenant that holds it is asked.
        inventory: arguments.look_up.inventory.filter(|_| arguments.connection.simulate.is_none()),
        stay: Stay { wait: arguments.wait, until: arguments.until, verify: arguments.follow_up.verify },
        start: Start { now: now(), system: now, seed: fastrand::u64(..) },
    };
    let once = request.repeats.once;
    let finished = ops::run(request, &settings, stderr).await?;
    let exit = ended(&finished, arguments.form.into(), stderr)?;
    // Nothing was due: a nightly schedule wants to know that from a run in which something went well, and a row that is bad or
    // open from both.
    let is_nothing = |settled: &Settlement| match settled.outcome {
        Outcome::AlreadyDone => true,
        _ => once && settled.cause == Some(Cause::NotDue),
    };
    let nothing = finished.id.is_none() && finished.settlements.iter().all(is_nothing);
    Ok(if nothing { Exit::NothingToDo } else { exit })
}

async fn resume(arguments: ResumeArguments, stderr: &Stderr) -> Result<Exit, Failure> {
    let flags = arguments.flags();
    let request = ResumeRequest {
        only: OnlyClass::only(arguments.only),
        refile: arguments.refile,
        justification: arguments.justification,
        as_agreed: arguments.as_agreed,
        policy: arguments.policy.policy,
        in_process: None,
        run: arguments.run,
        report: arguments.report,
        confirm: arguments.confirm,
        interactive: somebody_is_there(),
        stay: Stay { wait: arguments.wait, until: arguments.until, verify: arguments.follow_up.verify },
        start: Start { now: now(), system: now, seed: fastrand::u64(..) },
    };
    let differences = |told: &Diagnostics| show::told(told, stderr);
    let finished = ops::resume(request, &flags, &environment::environment()?, stderr, differences).await?;
    ended(&finished, arguments.form.into(), stderr)
}

fn report(arguments: &ReportArguments) -> Result<Exit, Failure> {
    let mut reported = show::Reported::NotBegun(arguments.form);
    let settings = settings(arguments.state.flags())?;
    ops::report(&settings, &arguments.run, |row| reported.row(row))?;
    reported.end()?;
    Ok(Exit::Good)
}

fn runs(arguments: &RunsArguments) -> Result<Exit, Failure> {
    let settings = settings(arguments.state.flags())?;
    match (&arguments.export, arguments.prune) {
        (Some(export), _) => {
            let (run, file) = (export.first().map_or("", String::as_str), export.last().map_or("", String::as_str));
            let id = ops::export(&settings, run, Path::new(file))?;
            show::exported(&id, file, arguments.form)?;
        }
        (None, Some(days)) => show::pruned(&ops::prune(&settings, days, now())?, arguments.form)?,
        (None, None) => show::runs(&ops::runs(&settings)?, now(), arguments.form)?,
    }
    Ok(Exit::Good)
}

async fn inventory(arguments: InventoryArguments, stderr: &Stderr) -> Result<Exit, Failure> {
    let Opened { tenant, settings, told } = opened(&arguments.connection, None)?;
    show::told(&told, stderr);
    let look_up = LookUp {
        settings: &settings,
        tenant: &tenant,
        inventory: None,
        missing: None,
        justification: None,
        choices: arguments.pace.choices(),
        start: Start { now: now(), system: now, seed: fastrand::u64(..) },
    };
    let saved = ops::take_inventory(&look_up, arguments.out).await?;
    if arguments.connection.simulate.is_some() && saved.devices == 0 {
        stderr.say("The simulated tenant lists only devices of a scenario file: use --simulate=SCENARIO.");
    }
    show::saved(&saved, arguments.form)?;
    Ok(Exit::Good)
}

async fn simulate(arguments: &SimulateArguments, stderr: &Stderr) -> Result<Exit, Failure> {
    if arguments.reset {
        show::reset(ops::reset(&settings(arguments.state.flags())?)?)?;
        return Ok(Exit::Good);
    }
    let serving = ops::serve(arguments.listen, arguments.scenario.as_deref(), now()).await?;
    show::listening(serving.address(), stderr)?;
    serving.until_stopped().await;
    Ok(Exit::Good)
}

/// The tenant that a verb works against.
fn opened(connection: &ConnectionArguments, inventory: Option<&Path>) -> Result<Opened, Failure> {
    Ok(ops::opened(connection.tenant(inventory.map(Path::to_owned)), settings(connection.flags())?, now())?)
}

/// Whether somebody can be asked.
fn somebody_is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}
