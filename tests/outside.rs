//! The program from outside: its processes, the simulated tenant in a process of its own, its reports as read back.
//!
//! In: arguments, kills. Out: exit codes, text, rows, counts. For tests whose subject is what a process leaves behind
//! when it ends. Must not: look into the journal, or judge.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, mpsc};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

pub const SECRET: &str = "s3cret-of-the-tests-7f1c";
const TENANT: &str = "contoso.onmicrosoft.com";

/// Lets real time pass: these tests race against another process, which no paused clock could do.
pub fn linger(time: Duration) {
    let (_keep, never) = mpsc::channel::<()>();
    let _ = never.recv_timeout(time);
}

/// Waits for something that another process does, and gives up after half a minute.
pub fn until(what: &str, mut there: impl FnMut() -> bool) {
    for _ in 0..15_000 {
        if there() {
            return;
        }
        linger(Duration::from_millis(2));
    }
    panic!("waited in vain for {what}");
}

/// `musterout simulate` as a child; it survives whatever happens to the runs.
pub struct Simulator {
    pub url: String,
    tenant: Mutex<Process>,
}

struct Process {
    child: Child,
    _folder: TempDir,
}

impl Simulator {
    pub fn start(scenario: &str) -> Self {
        let (url, tenant) = Self::at("127.0.0.1:0", scenario);
        Self { url, tenant: Mutex::new(tenant) }
    }

    /// Another tenant takes its place: what a tenant is called in the journal is its address.
    pub fn becomes(&self, scenario: &str) {
        let mut tenant = self.tenant.lock().unwrap();
        let _ = tenant.child.kill();
        let _ = tenant.child.wait();
        let address = self.url.strip_prefix("http://").unwrap();
        *tenant = Self::at(address, scenario).1;
    }

    fn at(address: &str, scenario: &str) -> (String, Process) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scenario.yaml");
        std::fs::write(&file, scenario).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_musterout"))
            .args(["simulate", "--listen", address, "--scenario"])
            .arg(&file)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        let url = url.trim().to_owned();
        assert!(url.starts_with("http://127.0.0.1:"), "the simulator said {url:?}");
        (url, Process { child, _folder: folder })
    }

    /// What it counted.
    pub fn counts(&self) -> Value {
        let host = self.url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(stream, "GET /simulator/counts HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    pub fn requests(&self) -> u64 {
        self.counts()["requests"].as_u64().unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `effects` or `calls` of one action on one target.
pub fn count_of(counts: &Value, what: &str, action: &str, target: &str) -> u64 {
    counts["actions"][action][target.to_ascii_lowercase()][what].as_u64().unwrap_or(0)
}

/// A state directory, a folder for plans and reports, and the tenant that runs work against.
pub struct Desk<'s> {
    simulator: &'s Simulator,
    pub folder: TempDir,
    /// The tenant that the environment names.
    pub tenant: &'static str,
}

impl<'s> Desk<'s> {
    pub fn new(simulator: &'s Simulator) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Plans here are larger than what is sent without anybody having said how much it may be.
        let config = folder.path().join("config/musterout");
        std::fs::create_dir_all(&config).unwrap();
        std::fs::write(config.join("policy.yaml"), "version: 1\nguards: { max_targets: 100000 }\n").unwrap();
        Self { simulator, folder, tenant: TENANT }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn state(&self) -> PathBuf {
        self.path("state")
    }

    pub fn journal(&self) -> PathBuf {
        self.state().join("journal.db")
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// The program with these arguments, signed in to the simulator, and nothing of the caller's environment but the
    /// search path.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_musterout"));
        command.args(arguments).arg("--state-dir").arg(self.state());
        self.settle_in(&mut command);
        command
    }

    pub fn settle_in(&self, command: &mut Command) {
        command
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_CONFIG_DIRS", self.path("nowhere"))
            .env("AZURE_TENANT_ID", self.tenant)
            .env("AZURE_CLIENT_ID", "33333333-3333-4333-8333-333333333333")
            .env("AZURE_CLIENT_SECRET", SECRET)
            .env("AZURE_AUTHORITY_HOST", &self.simulator.url)
            .env("MUSTEROUT_GRAPH_URL", &self.simulator.url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
    }

    pub fn run_command(&self, plan: &Path, due: usize, more: &[&str]) -> Command {
        let (plan, due) = (plan.display().to_string(), due.to_string());
        let mut arguments =
            vec!["run", &plan, "--unpaced", "--report", "report.csv", "--confirm", &due, "--settling-seconds", "0"];
        arguments.extend(more);
        self.command(&arguments)
    }

    pub fn call(&self, arguments: &[&str]) -> Ended {
        Ended::of(self.command(arguments).output().unwrap())
    }

    pub fn run(&self, plan: &Path, due: usize, more: &[&str]) -> Ended {
        Ended::of(self.run_command(plan, due, more).output().unwrap())
    }

    /// The newest run that ended early, or else the newest of all.
    pub fn open_run(&self) -> String {
        let told = self.call(&["runs", "--format", "json"]);
        let runs: Vec<Value> = told.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let open = runs.iter().find(|run| run["state"] != "finished").or(runs.first());
        open.unwrap_or_else(|| panic!("{told:?}"))["run"].as_str().unwrap().to_owned()
    }

    /// Goes on with that one, by its name.
    pub fn resume(&self, more: &[&str]) -> Ended {
        let run = self.open_run();
        let mut arguments = vec!["resume", &run];
        arguments.extend(more);
        self.call(&arguments)
    }

    pub fn report(&self) -> Vec<Row> {
        rows(&std::fs::read_to_string(self.path("report.csv")).unwrap())
    }
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// `None`: by a signal.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Ended {
    pub fn of(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    #[track_caller]
    pub fn expect(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }

    /// The error says this.
    #[track_caller]
    pub fn says(&self, word: &str) -> &Self {
        assert!(self.err.contains(word), "no {word:?} in: {}", self.err);
        self
    }
}

/// One row of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub row: u32,
    pub action: String,
    pub target: String,
    pub outcome: String,
    pub note: String,
}

pub fn rows(report: &str) -> Vec<Row> {
    let mut reader = csv::Reader::from_reader(report.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let at = |name: &str| headers.iter().position(|header| header.trim_start_matches('\u{feff}') == name).unwrap();
    let (row, action, target, outcome, note) = (at("row"), at("action"), at("target"), at("outcome"), at("note"));
    let one = |record: csv::StringRecord| Row {
        row: record[row].parse().unwrap(),
        action: record[action].to_owned(),
        target: record[target].to_owned(),
        outcome: record[outcome].to_owned(),
        note: record[note].to_owned(),
    };
    reader.records().map(|record| one(record.unwrap())).collect()
}

pub fn outcomes(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.outcome.as_str()).collect()
}

/// A CSV plan of retires of targets that nobody has used before.
pub fn retires(rng: &mut fastrand::Rng, count: usize) -> (String, Vec<String>) {
    let targets: Vec<String> = (0..count).map(|_| guid(rng)).collect();
    let rows: String = targets.iter().map(|target| format!("retire,{target}\n")).collect();
    (format!("action,managedDeviceId\n{rows}"), targets)
}

pub fn guid(rng: &mut fastrand::Rng) -> String {
    uuid::Builder::from_random_bytes(std::array::from_fn(|_| rng.u8(..))).into_uuid().to_string()
}
