//! The built-in server as a process of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::{Fallible, MUSTEROUT};

/// `musterout simulate`, which ends with this.
pub struct Server {
    child: Child,
    /// `http://127.0.0.1:port`
    pub url: String,
}

impl Server {
    /// Starts it on a free port with that scenario.
    pub fn start(scenario: &Path) -> Fallible<Self> {
        let mut child = Command::new(MUSTEROUT)
            .args(["simulate", "--listen", "127.0.0.1:0", "--scenario"])
            .arg(scenario)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let mut url = String::new();
        BufReader::new(child.stdout.take().ok_or("the server has no output")?).read_line(&mut url)?;
        let url = url.trim().to_owned();
        if url.is_empty() {
            return Err("the server did not start".into());
        }
        Ok(Self { child, url })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
