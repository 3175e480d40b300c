//! What waiting costs: 100,000 jobs behind a throttle answer, and 100,000 jobs paced at the documented rate.
//!
//! Each is ended after a while and after a longer while, so that start, end and all other work fall out of the difference;
//! more than once, because that work is many times what is looked for.

use std::path::Path;
use std::time::Duration;

use crate::{Fallible, Job, Scratch, Server, Table, Target, Used, median, micros, millis};

const ROUNDS: usize = 5;
const JOBS: u64 = 100_000;
const SHORT: Duration = Duration::from_secs(4);
const LONG: Duration = Duration::from_secs(14);
const MOST_PERCENT: f64 = 1.0;
/// What is allowed of device actions.
const A_SECOND: f64 = 10.0;

pub fn bench() -> Fallible<()> {
    let scratch = Scratch::new()?;
    let free = scratch.write("free.yaml", "throttle: off\nlog: off\n")?;
    let fault = "do: { throttle: { retry_after: integer, seconds: 120 } }";
    let throttled = format!("throttle: off\nlog: off\nfaults:\n  - on: {{ limit: 1 }}\n    {fault}\n");
    let throttled = scratch.write("throttled.yaml", &throttled)?;
    let mut table = Table::new("Processor time of 100,000 waiting jobs, as a share of one processor");

    let (waited, cpu, yardstick) = waiting(&scratch, &throttled)?;
    let percent = 100.0 * cpu.as_secs_f64() / waited.as_secs_f64();
    let measured = format!("{percent:.2} % of {:.1} s", waited.as_secs_f64());
    table.row(
        "behind a throttle answer",
        &measured,
        &yardstick,
        None,
        (percent, Target::AtMost(MOST_PERCENT), "< 1 %"),
    );

    let (waited, cpu, yardstick) = waiting(&scratch, &free)?;
    let percent = 100.0 * cpu.as_secs_f64() / waited.as_secs_f64();
    let each = micros(cpu) / (waited.as_secs_f64() * A_SECOND);
    let measured = format!("{percent:.2} %, {each:.0} us a send");
    table.note("paced at 10 a second, sends and commits included", &measured, &yardstick, None);
    table.print();
    Ok(())
}

/// How much longer the longer run was, and what more it took.
fn waiting(scratch: &Scratch, scenario: &Path) -> Fallible<(Duration, Duration, String)> {
    let plan = scratch.plan("plan.csv", JOBS)?.to_string_lossy().into_owned();
    let report = scratch.path("report.csv").to_string_lossy().into_owned();
    let confirm = JOBS.to_string();
    let run = |time: Duration| -> Fallible<Used> {
        let server = Server::start(scenario)?;
        let arguments = ["run", &plan, "--graph-url", &server.url, "--confirm", &confirm, "--report", &report];
        Job::musterout(arguments).interrupted_after(time).run()
    };
    let (mut short, mut long) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        short.push(run(SHORT)?);
        long.push(run(LONG)?);
    }
    let of = |runs: &[Used], figure: fn(&Used) -> Duration| median(runs.iter().map(figure)).unwrap_or_default();
    let (with, without) = (of(&long, |used| used.cpu), of(&short, |used| used.cpu));
    let waited = of(&long, |used| used.wall).saturating_sub(of(&short, |used| used.wall));
    let yardstick = format!("{:.0} ms with, {:.0} ms without", millis(with), millis(without));
    Ok((waited, with.saturating_sub(without), yardstick))
}
