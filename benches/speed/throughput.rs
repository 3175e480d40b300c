//! Jobs per second and client CPU per job over real HTTP, beside load generators on the same server in the same run.
//!
//! The server is the built-in one, without limits, as a process of its own on the same machine: client and server
//! compete for the processors, as the load generators and the server do.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Builder;

use crate::{
    ACTION, Fallible, Job, Scratch, Server, TOKEN, Table, Target, Used, cpu_of_this_process, device, median, micros,
    per_second,
};

const ROUNDS: usize = 5;
const JOBS: u64 = 50_000;
const IN_FLIGHT: usize = 64;

/// One round: all who take part, one after the other.
struct Round {
    musterout: Used,
    /// One thread, as ours.
    bare: (f64, Duration),
    /// A thread for each processor.
    bare_threads: (f64, Duration),
    wrk: Option<f64>,
    oha: Option<f64>,
}

pub fn bench() -> Fallible<()> {
    let scratch = Scratch::new()?;
    let scenario = scratch.write("scenario.yaml", "throttle: off\nlog: off\n")?;
    let plan = scratch.plan("plan.csv", JOBS)?;
    let server = Server::start(&scenario)?;
    let wrk = Wrk::find(&scratch)?;
    let oha = installed("oha");
    let run = run(&server, &scratch, &plan, JOBS);
    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(Round {
            musterout: run.run()?,
            bare: bare_loop(&server.url, &mut Builder::new_current_thread())?,
            bare_threads: bare_loop(&server.url, &mut Builder::new_multi_thread())?,
            wrk: wrk.as_ref().map(|wrk| wrk.requests_per_second(&server.url)).transpose()?,
            oha: oha.then(|| oha_per_second(&server.url)).transpose()?,
        });
    }
    let mut table = Table::new("Throughput over HTTP/1.1 on loopback, 64 in flight, medians of the rounds");
    figures(&rounds, &mut table);
    let few = sized(&scenario, &scratch, (10_000, 100.0), &mut table)?;
    sized(&scenario, &scratch, (100_000, 100.0), &mut table)?;
    let many = sized(&scenario, &scratch, (1_000_000, 400.0), &mut table)?;
    let ratio = many / few;
    let yardstick = format!("one of 10,000: {few:.0} us");
    let linear = (ratio, Target::AtMost(1.2), "linear");
    table.row("time for each of 1,000,000 jobs", &format!("{many:.0} us"), &yardstick, Some(ratio), linear);
    table.print();
    Ok(())
}

/// A run of so many jobs, which may take so many megabytes. Gives the time for each job, in microseconds.
fn sized(scenario: &Path, scratch: &Scratch, (jobs, most): (u64, f64), table: &mut Table) -> Fallible<f64> {
    let plan = scratch.plan("sized.csv", jobs)?;
    let used = run(&Server::start(scenario)?, scratch, &plan, jobs).run()?;
    let peak = used.peak_bytes as f64 / 1e6;
    let yardstick = format!("{:.0} bytes a job", used.peak_bytes as f64 / jobs as f64);
    let target = (peak, Target::AtMost(most), &*format!("< {most:.0} MB"));
    table.row(&format!("a run of {jobs} jobs, peak memory"), &format!("{peak:.0} MB"), &yardstick, None, target);
    Ok(micros(used.wall) / jobs as f64)
}

pub fn run(server: &Server, scratch: &Scratch, plan: &Path, jobs: u64) -> Job {
    let (plan, report) = (plan.to_string_lossy(), scratch.path("report.csv"));
    let (number, report) = (jobs.to_string(), report.to_string_lossy().into_owned());
    Job::musterout(["run", &plan, "--graph-url", &server.url, "--unpaced", "--concurrency", "64"]).with([
        "--confirm",
        &number,
        "--report",
        &report,
    ])
}

fn figures(rounds: &[Round], table: &mut Table) {
    let jobs = JOBS as f64;
    let of = |figure: fn(&Round) -> Option<f64>| median(rounds.iter().filter_map(figure));
    let ours = of(|round| Some(per_second(JOBS as f64, round.musterout.wall))).unwrap_or_default();
    let measured = format!("{ours:.0} jobs/s");
    let generators = [("wrk", of(|round| round.wrk)), ("oha", of(|round| round.oha))];
    let what = "whole run of 50,000 jobs, start to report";
    for (name, bare) in [
        ("bare reqwest", of(|round| Some(round.bare.0))),
        ("bare reqwest, threads", of(|round| Some(round.bare_threads.0))),
    ] {
        let bare = bare.unwrap_or_default();
        table.note(what, &measured, &format!("{name} {bare:.0}/s"), Some(ours / bare));
    }
    for (name, figure) in generators {
        match figure {
            Some(yardstick) => table.row(
                "the same",
                &measured,
                &format!("{name} {yardstick:.0}/s"),
                Some(ours / yardstick),
                (ours, Target::AtLeast(40_000_f64.min(0.3 * yardstick)), ">= 40,000/s or >= 0.3"),
            ),
            None => table.note("the same", &measured, &format!("skipped: {name} is not installed"), None),
        }
    }
    let cpu = of(|round| Some(micros(round.musterout.cpu) / JOBS as f64)).unwrap_or_default();
    for (name, bare) in [
        ("bare reqwest", of(|round| Some(micros(round.bare.1)))),
        ("bare reqwest, threads", of(|round| Some(micros(round.bare_threads.1)))),
    ] {
        let bare = bare.unwrap_or_default() / jobs;
        table.row(
            "client CPU per job, everything included",
            &format!("{cpu:.1} us"),
            &format!("{name} {bare:.1} us"),
            Some(cpu / bare),
            (cpu / bare, Target::AtMost(2.5), "<= 2.5"),
        );
    }
    let measured = format!("{cpu:.1} us");
    let absolute = (cpu, Target::AtMost(25.0), "<= 25 us");
    table.row("the same, set where a bare request takes 10 us", &measured, "", None, absolute);
    let peak = of(|round| Some(round.musterout.peak_bytes as f64)).unwrap_or_default();
    table.note("peak memory of that run", &format!("{:.0} MB", peak / 1e6), "", None);
}

/// The same requests from the same HTTP client, and nothing else: no plan, no account, no report. Gives requests per
/// second and the processor time of them all.
fn bare_loop(url: &str, runtime: &mut Builder) -> Fallible<(f64, Duration)> {
    let runtime = runtime.enable_all().build()?;
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(IN_FLIGHT).build()?;
    let next = Arc::new(AtomicU64::new(0));
    let (start, cpu) = (Instant::now(), cpu_of_this_process()?);
    let task = |_| {
        let (client, next, url) = (client.clone(), Arc::clone(&next), url.to_owned());
        runtime.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= JOBS {
                    return Ok::<_, reqwest::Error>(());
                }
                let id = device(number);
                let request = client
                    .post(format!("{url}/v1.0/deviceManagement/managedDevices/{id}/{ACTION}"))
                    .bearer_auth(TOKEN)
                    .header("client-request-id", id)
                    .header("content-length", "0");
                request.send().await?.error_for_status()?.bytes().await?;
            }
        })
    };
    let tasks: Vec<_> = (0..IN_FLIGHT).map(task).collect();
    for task in tasks {
        runtime.block_on(task)??;
    }
    Ok((per_second(JOBS as f64, start.elapsed()), cpu_of_this_process()? - cpu))
}

fn installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok()
}

/// wrk, with a script that sends POSTs to one device after the other.
struct Wrk {
    script: PathBuf,
}

impl Wrk {
    fn find(scratch: &Scratch) -> Fallible<Option<Self>> {
        let script = format!(
            "local number = 0\n\
             local headers = {{ ['Authorization'] = 'Bearer {TOKEN}' }}\n\
             request = function()\n\
             number = (number + 1) % {JOBS}\n\
             local id = string.format('%08x-5c1e-4a55-9d6b-%012x', number, number)\n\
             return wrk.format('POST', '/v1.0/deviceManagement/managedDevices/' .. id .. '/{ACTION}', headers, '')\n\
             end\n"
        );
        let script = scratch.write("post.lua", &script)?;
        Ok(installed("wrk").then_some(Self { script }))
    }

    fn requests_per_second(&self, url: &str) -> Fallible<f64> {
        let output = Command::new("wrk")
            .args(["--threads", "2", "--connections", "64", "--duration", "2s", "--script"])
            .arg(&self.script)
            .arg(url)
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        if let Some(line) = said.lines().find(|line| line.contains("Non-2xx")) {
            return Err(format!("wrk: {line}").into());
        }
        figure_after(&said, "Requests/sec:").ok_or_else(|| format!("wrk said:\n{said}").into())
    }
}

fn oha_per_second(url: &str) -> Fallible<f64> {
    let url =
        format!("{url}/v1\\.0/deviceManagement/managedDevices/[0-9a-f]{{8}}-5c1e-4a55-9d6b-[0-9a-f]{{12}}/{ACTION}");
    let output = Command::new("oha")
        .args(["--no-tui", "-n", &JOBS.to_string(), "-c", "64", "-m", "POST", "-H"])
        .arg(format!("Authorization: Bearer {TOKEN}"))
        .args(["--rand-regex-url", &url])
        .output()?;
    let said = String::from_utf8_lossy(&output.stdout);
    figure_after(&said, "Requests/sec:").ok_or_else(|| format!("oha said:\n{said}").into())
}

fn figure_after(text: &str, label: &str) -> Option<f64> {
    text.lines().find_map(|line| line.trim().strip_prefix(label))?.trim().parse().ok()
}
