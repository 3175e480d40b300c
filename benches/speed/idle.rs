//! What waiting costs: 2,000 jobs behind a throttle answer, and 2,000 jobs paced at the documented rate.
//!
//! Start, end and work are measured in a run without the wait or with a shorter one, and taken off.

use std::time::Duration;

use crate::{Fallible, Job, Scratch, Server, Table, Target, millis};

const WAIT: Duration = Duration::from_secs(8);
const MOST_PERCENT: f64 = 1.0;

pub fn bench() -> Fallible<()> {
    let scratch = Scratch::new()?;
    let free = scratch.write("free.yaml", "throttle: off\nlog: off\n")?;
    let seconds = WAIT.as_secs();
    let fault = format!("do: {{ throttle: {{ retry_after: integer, seconds: {seconds} }} }}");
    let throttled = format!("throttle: off\nlog: off\nfaults:\n  - on: {{ limit: 1 }}\n    {fault}\n");
    let throttled = scratch.write("throttled.yaml", &throttled)?;
    let plan = scratch.plan("plan.csv", 2_000)?.to_string_lossy().into_owned();
    let report = scratch.path("report.csv").to_string_lossy().into_owned();
    let run = |server: &Server| {
        Job::musterout(["run", &plan, "--graph-url", &server.url, "--confirm", "2000", "--report", &report])
    };

    let server = Server::start(&free)?;
    let control = run(&server).with(["--unpaced"]).run()?;
    let paced = run(&server).interrupted_after(WAIT).run()?;
    let paced_shorter = run(&server).interrupted_after(WAIT / 4).run()?;
    let server = Server::start(&throttled)?;
    let behind_throttle = run(&server).with(["--unpaced"]).run()?;
    if behind_throttle.wall < WAIT {
        return Err("the throttle answer was not waited for".into());
    }

    let mut table = Table::new("Processor time of waiting, as a share of one processor");
    for (what, used, control) in [
        ("2,000 jobs behind a throttle answer of 8 s", behind_throttle, control),
        ("2,000 jobs paced at 10 a second, their sends included", paced, paced_shorter),
    ] {
        let waited = used.wall.saturating_sub(control.wall);
        let percent = 100.0 * used.cpu.saturating_sub(control.cpu).as_secs_f64() / waited.as_secs_f64();
        table.row(
            what,
            &format!("{percent:.2} % of {:.1} s", waited.as_secs_f64()),
            &format!("{:.0} ms with, {:.0} ms without", millis(used.cpu), millis(control.cpu)),
            None,
            (percent, Target::AtMost(MOST_PERCENT), "< 1 %"),
        );
    }
    table.print();
    Ok(())
}
