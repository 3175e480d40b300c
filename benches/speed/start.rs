//! From the start of the process to its first request on the wire.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::measure::DISK;
use crate::{Fallible, MUSTEROUT, Scratch, Table, Target, accepted, median, millis, on_its_own};

const ROUNDS: usize = 21;

pub fn bench() -> Fallible<()> {
    let scratch = Scratch::new()?;
    let plan = scratch.plan("plan.csv", 1)?.to_string_lossy().into_owned();
    let report = scratch.path("report.csv").to_string_lossy().into_owned();
    let (mut first_requests, mut versions) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        first_requests.push(first_request(&plan, &report)?);
        versions.push(version()?);
    }
    let first = millis(median(first_requests).unwrap_or_default());
    let version = millis(median(versions).unwrap_or_default());
    let mut table = Table::new("From the start of the process to the first request, medians of the rounds");
    table.row(
        "first request on the wire",
        &format!("{first:.1} ms"),
        &format!("`musterout --version` {version:.1} ms"),
        Some(first / version),
        (first, Target::AtMost(50.0), "< 50 ms"),
    );
    table.print();
    Ok(())
}

fn first_request(plan: &str, report: &str) -> Fallible<Duration> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    let folder = TempDir::new_in(DISK)?;
    let mut command = Command::new(MUSTEROUT);
    on_its_own(&mut command, folder.path());
    let start = Instant::now();
    let mut child = command
        .args(["run", plan, "--graph-url", &url, "--confirm", "1", "--report", report])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut stream = accepted(&listener, &mut child)?;
    let read = stream.read(&mut [0; 16 * 1024])?;
    let took = start.elapsed();
    if read == 0 {
        return Err("the connection came without a request".into());
    }
    stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n")?;
    match child.wait()?.code() {
        Some(0) => Ok(took),
        code => Err(format!("the run ended with {code:?}").into()),
    }
}

fn version() -> Fallible<Duration> {
    let start = Instant::now();
    Command::new(MUSTEROUT).arg("--version").output()?;
    Ok(start.elapsed())
}
