//! Running a program and learning what it used.

use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{Usage, UsageWho, getrusage};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::{Fallible, MUSTEROUT, TOKEN};

/// Where the build is: a temporary file system in memory would make commits free.
pub const DISK: &str = env!("CARGO_TARGET_TMPDIR");

const MEASURE: &str = "--measure";

/// What a program used, from its start to its end.
#[derive(Debug, Clone, Copy)]
pub struct Used {
    pub wall: Duration,
    /// User and system time of all its threads.
    pub cpu: Duration,
    pub peak_bytes: u64,
}

/// A program to run. What it prints goes nowhere.
pub struct Job {
    program: PathBuf,
    arguments: Vec<String>,
    interrupt_after: Option<Duration>,
    expected: i32,
}

impl Job {
    pub fn new(program: impl Into<PathBuf>) -> Self {
        let program = program.into();
        Self { program, arguments: Vec::new(), interrupt_after: None, expected: 0 }
    }

    /// `musterout` with these arguments.
    pub fn musterout<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Self {
        Self::new(MUSTEROUT).with(arguments)
    }

    pub fn with<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        self.arguments.extend(arguments.into_iter().map(str::to_owned));
        self
    }

    /// Ctrl-C after that time.
    pub fn interrupted_after(mut self, time: Duration) -> Self {
        (self.interrupt_after, self.expected) = (Some(time), 130);
        self
    }

    /// Runs it to its end. An exit code that is not the expected one is an error.
    pub fn run(&self) -> Fallible<Used> {
        let interrupt = self.interrupt_after.map_or(0, |time| time.as_millis());
        let measurer = Command::new(std::env::current_exe()?)
            .args([MEASURE, &interrupt.to_string(), &self.expected.to_string()])
            .arg(&self.program)
            .args(&self.arguments)
            .stderr(Stdio::inherit())
            .output()?;
        let said = String::from_utf8(measurer.stdout)?;
        let figures: Vec<u64> = said.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        match figures.as_slice() {
            [wall, cpu, peak_bytes] if measurer.status.success() => Ok(Used {
                wall: Duration::from_micros(*wall),
                cpu: Duration::from_micros(*cpu),
                peak_bytes: *peak_bytes,
            }),
            _ => Err(format!("{} did not run as expected", self.program.display()).into()),
        }
    }
}

/// If this process was started by [`Job::run`], runs the child, prints what it used, and gives the exit code.
pub fn become_measurer() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next()? != MEASURE {
        return None;
    }
    Some(match measure(arguments) {
        Ok(used) => {
            println!("{} {} {}", used.wall.as_micros(), used.cpu.as_micros(), used.peak_bytes);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    })
}

/// Lets the program keep its journal in that folder, and find no settings of this machine.
pub fn on_its_own(command: &mut Command, folder: &Path) {
    command.env("XDG_STATE_HOME", folder).env("XDG_CONFIG_HOME", folder).env("XDG_CONFIG_DIRS", folder);
    command.env("MUSTEROUT_ACCESS_TOKEN", TOKEN);
}

/// The first connection that a program makes. One that ends without any is an error, and not waited for.
pub fn accepted(listener: &TcpListener, program: &mut Child) -> Fallible<TcpStream> {
    listener.set_nonblocking(true)?;
    loop {
        match listener.accept() {
            Err(nothing) if nothing.kind() == ErrorKind::WouldBlock => {
                if let Some(status) = program.try_wait()? {
                    return Err(format!("it ended with {status} before it connected").into());
                }
                std::thread::park_timeout(Duration::from_micros(100));
            }
            accepted => {
                let (stream, _) = accepted?;
                stream.set_nonblocking(false)?;
                return Ok(stream);
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench lives in real time")]
fn measure(mut arguments: impl Iterator<Item = String>) -> Fallible<Used> {
    let mut next = || arguments.next().ok_or("an argument is missing");
    let interrupt_after = Duration::from_millis(next()?.parse()?);
    let expected: i32 = next()?.parse()?;
    let mut command = Command::new(next()?);
    let folder = TempDir::new_in(DISK)?;
    on_its_own(&mut command, folder.path());
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::piped());
    let start = Instant::now();
    let child = command.spawn()?;
    if !interrupt_after.is_zero() {
        std::thread::sleep(interrupt_after);
        kill(Pid::from_raw(child.id().try_into()?), Signal::SIGINT)?;
    }
    let output = child.wait_with_output()?;
    let wall = start.elapsed();
    if output.status.code() != Some(expected) {
        let said = String::from_utf8_lossy(&output.stderr[..output.stderr.len().min(2_000)]);
        return Err(format!("ended with {}:\n{said}", output.status).into());
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    // Linux counts in KiB, macOS in bytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    Ok(Used { wall, cpu: cpu(&usage), peak_bytes: u64::try_from(usage.max_rss())? * unit })
}

/// What this process has used so far.
pub fn cpu_of_this_process() -> Fallible<Duration> {
    Ok(cpu(&getrusage(UsageWho::RUSAGE_SELF)?))
}

fn cpu(usage: &Usage) -> Duration {
    let [user, system] = [usage.user_time(), usage.system_time()]
        .map(|time| Duration::new(time.tv_sec().unsigned_abs(), time.tv_usec().unsigned_abs() as u32 * 1_000));
    user + system
}
