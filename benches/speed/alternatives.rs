//! The same requests with what somebody would take instead, on the same server in the same run.
//!
//! `curl --parallel`, GNU parallel with curl, and Microsoft's Graph clients for Python (`msgraph_core`) and JavaScript
//! (`@microsoft/microsoft-graph-client`), where they are installed. None of them keeps a journal, reads a target back or
//! writes a report. The figures include the start of each program, as ours do.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::{ACTION, Fallible, Scratch, Server, TOKEN, Table, device, per_second, throughput};

/// As many as each can send in some seconds.
const OURS: u64 = 20_000;
const CURL: u64 = 10_000;
const JAVASCRIPT: u64 = 4_000;
const PYTHON: u64 = 1_000;
const PARALLEL: u64 = 500;

pub fn bench() -> Fallible<()> {
    let scratch = Scratch::new()?;
    let server = Server::start(&scratch.write("scenario.yaml", "throttle: off\nlog: off\n")?)?;
    let plan = scratch.plan("plan.csv", OURS)?;
    let ours = per_second(OURS as f64, throughput::run(&server, &scratch, &plan, OURS).run()?.wall);
    let mut table = Table::new("What one would take instead, 64 in flight, start of the program to its end");
    let measured = format!("{ours:.0} jobs/s, journal and report included");
    for (name, alternative) in [
        ("curl --parallel", curl(&server, &scratch)?),
        ("GNU parallel with curl", parallel(&server, &scratch)?),
        ("Microsoft's client for JavaScript", javascript(&server, &scratch)?),
        ("Microsoft's client for Python", python(&server, &scratch)?),
    ] {
        let Some((number, mut command)) = alternative else {
            table.note("musterout run", &measured, &format!("{name}: skipped: not installed"), None);
            continue;
        };
        let began = Instant::now();
        let output = command.output()?;
        let theirs = per_second(number as f64, began.elapsed());
        if !output.status.success() {
            return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)).into());
        }
        table.note("musterout run", &measured, &format!("{name} {theirs:.0}/s"), Some(ours / theirs));
    }
    table.print();
    Ok(())
}

/// How many requests a program will send, and the program; `None` where it is not installed.
type Alternative = Option<(u64, Command)>;

fn url(server: &Server, number: u64) -> String {
    format!("{}/v1.0/deviceManagement/managedDevices/{}/{ACTION}", server.url, device(number))
}

fn answers(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn curl(server: &Server, scratch: &Scratch) -> Fallible<Alternative> {
    if !answers(Command::new("curl").arg("--version")) {
        return Ok(None);
    }
    let mut config = String::new();
    for number in 0..CURL {
        let next = if number == 0 { "" } else { "next\n" };
        writeln!(
            config,
            "{next}url = \"{}\"\nrequest = POST\nheader = \"Authorization: Bearer {TOKEN}\"\n\
             header = \"Content-Length: 0\"\noutput = /dev/null\nfail",
            url(server, number)
        )?;
    }
    let config = scratch.write("curl.config", &config)?;
    let mut command = Command::new("curl");
    command.args(["--parallel", "--parallel-max", "64", "--no-progress-meter", "--config"]).arg(config);
    Ok(Some((CURL, command)))
}

fn parallel(server: &Server, scratch: &Scratch) -> Fallible<Alternative> {
    let version = Command::new("parallel").arg("--version").output();
    if !version.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).starts_with("GNU parallel")) {
        return Ok(None);
    }
    let urls: Vec<_> = (0..PARALLEL).map(|number| url(server, number)).collect();
    let urls = scratch.write("urls.txt", &urls.join("\n"))?;
    let one = format!("curl -sf -o /dev/null -X POST -H 'Authorization: Bearer {TOKEN}' -H 'Content-Length: 0' {{}}");
    let mut command = Command::new("parallel");
    command.args(["--jobs", "64", "--arg-file"]).arg(urls).arg(one);
    Ok(Some((PARALLEL, command)))
}

fn javascript(server: &Server, scratch: &Scratch) -> Fallible<Alternative> {
    const CLIENT: &str = "@microsoft/microsoft-graph-client";
    if !answers(Command::new("node").args(["-e", &format!("require('{CLIENT}')")])) {
        return Ok(None);
    }
    let script = format!(
        "const {{ Client, HTTPMessageHandler }} = require('{CLIENT}');
// Its own authentication gives a token to https alone.
const client = Client.initWithMiddleware({{ baseUrl: '{url}/', defaultVersion: 'v1.0', middleware: new HTTPMessageHandler() }});
let next = 0;
const id = n => n.toString(16).padStart(8, '0') + '-5c1e-4a55-9d6b-' + n.toString(16).padStart(12, '0');
async function worker() {{
  for (let n = next++; n < {JAVASCRIPT}; n = next++)
    await client.api('/deviceManagement/managedDevices/' + id(n) + '/{ACTION}')
      .header('Authorization', 'Bearer {TOKEN}').post();
}}
Promise.all(Array.from({{ length: 64 }}, worker)).catch(error => {{ console.error(error); process.exit(1); }});
",
        url = server.url
    );
    let mut command = Command::new("node");
    command.arg(scratch.write("graph.cjs", &script)?);
    Ok(Some((JAVASCRIPT, command)))
}

fn python(server: &Server, scratch: &Scratch) -> Fallible<Alternative> {
    if !answers(Command::new("python3").args(["-c", "import msgraph_core"])) {
        return Ok(None);
    }
    let script = format!(
        "import asyncio, httpx
from msgraph_core import GraphClientFactory

client = GraphClientFactory.create_with_default_middleware(client=httpx.AsyncClient(limits=httpx.Limits(max_connections=64)))
numbers = iter(range({PYTHON}))

async def worker():
    for n in numbers:
        path = '/v1.0/deviceManagement/managedDevices/%08x-5c1e-4a55-9d6b-%012x/{ACTION}' % (n, n)
        answer = await client.post('{url}' + path, headers={{'Authorization': 'Bearer {TOKEN}'}})
        answer.raise_for_status()

async def main():
    await asyncio.gather(*(worker() for _ in range(64)))

asyncio.run(main())
",
        url = server.url
    );
    let mut command = Command::new("python3");
    command.arg(scratch.write("graph.py", &script)?);
    Ok(Some((PYTHON, command)))
}
