//! `musterout simulate` as a child, and what it counted.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::program::musterout;

pub struct Simulator {
    child: Child,
    address: String,
    _folder: TempDir,
}

impl Simulator {
    /// Starts it on a free port with this scenario.
    pub fn start(scenario: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scenario.yaml");
        std::fs::write(&file, scenario).unwrap();
        let mut command = musterout(["simulate", "--listen", "127.0.0.1:0", "--scenario"]);
        let mut child = command.arg(file).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let address =
            first.trim().strip_prefix("http://").unwrap_or_else(|| panic!("no address: {first:?}")).to_owned();
        Self { child, address, _folder: folder }
    }

    /// Host and port.
    pub fn address(&self) -> &str {
        &self.address
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Points `command` here, with credentials that this tenant takes.
    pub fn known_to<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command
            .args(["--graph-url", &self.url(), "--login-url", &self.url()])
            .env("AZURE_TENANT_ID", "contoso.onmicrosoft.com")
            .env("AZURE_CLIENT_ID", "11111111-1111-4111-8111-111111111111")
            .env("AZURE_CLIENT_SECRET", "right-secret")
    }

    pub fn counts(&self) -> Counts {
        Counts(self.get("/simulator/counts"))
    }

    /// The requests that arrived, oldest first.
    pub fn requests(&self) -> Vec<Value> {
        self.get("/simulator/requests")["requests"].as_array().unwrap().clone()
    }

    /// The approval requests, and what is counted of them.
    pub fn approvals(&self) -> Value {
        self.get("/simulator/approvals")
    }

    /// So many hours go by for the tenant.
    pub fn advance(&self, hours: u32) {
        let reply = self.call("POST", &format!("/simulator/advance?hours={hours}"));
        assert!(reply.starts_with("HTTP/1.1 204"), "{reply}");
    }

    fn get(&self, path: &str) -> Value {
        let reply = self.call("GET", path);
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{reply}");
        serde_json::from_str(body).unwrap()
    }

    fn call(&self, method: &str, path: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub struct Counts(Value);

impl Counts {
    pub fn number(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap_or_else(|| panic!("no {name} in {}", self.0))
    }

    /// Calls, throttled, refused, lost, effects of an action on a target.
    pub fn of(&self, action: &str, target: &str) -> [u64; 5] {
        let counts = &self.0["actions"][action][target];
        ["calls", "throttled", "refused", "lost", "effects"].map(|name| counts[name].as_u64().unwrap_or_default())
    }
}
