//! The plan: what the operator wrote, read and validated.
//!
//! In: a YAML or CSV file, and the CSV files it names. Out: a [`Plan`] with its jobs in plan order, or every fault of
//! all files at once. Must not: touch the network, guess a target, or ignore anything silently.

mod identifier;
mod schedule;
mod source;
mod table;
mod vocabulary;
mod yaml;

use std::path::{Path, PathBuf};

use crate::diagnostics::Diagnostics;
use crate::job::Job;

/// A plan that has been read, found right, and expanded into jobs.
#[derive(Debug)]
pub struct Plan {
    pub file: PathBuf,
    pub name: Option<String>,
    /// Domain or id of the tenant it is meant for.
    pub tenant: Option<String>,
    pub justification: Option<String>,
    pub limits: Limits,
    /// In plan order.
    pub jobs: Vec<Job>,
    /// What was read and how it was understood, the plan itself first.
    pub inputs: Vec<Input>,
    pub warnings: Diagnostics,
}

/// The `limits:` of a plan; `None` where it says nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Requests in flight, at most: 1 to 256.
    pub concurrency: Option<u16>,
    /// Share of the service's allowance that is left to others: 0 to 95.
    pub reserve_percent: Option<u8>,
    /// Tries of one job, at most: 1 to 20.
    pub max_attempts: Option<u8>,
}

/// One file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    pub file: PathBuf,
    /// `YAML`, or how the CSV was understood: `CSV, UTF-8, separated by ;`.
    pub format: String,
    pub rows: usize,
    /// Columns that were not used, as the file spells them.
    pub unused_columns: Vec<String>,
}

/// Reads, validates and expands the plan at `path`.
pub fn load(path: &Path) -> Result<Plan, Diagnostics> {
    let _ = path;
    Err(Diagnostics::default())
}

/// Text of a user's file inside a message: on one line, and not longer than a glance.
fn shown(text: &str) -> String {
    const LONGEST: usize = 60;
    let mut shown: String =
        text.chars().take(LONGEST).map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}
#[cfg(test)]
mod probe {
    #[test]
    fn plan_probe() {
        for text in [
            "a: 012345\nb:\n  - x: 1\n    y: [1, \"2\"]\n  - z\nc: &q {a: yes}\nd: *q\na: ~\n<<: *q\n1: 2\né: 1e999\n",
            "a: [1",
            "a: !foo x",
            "a: 1\n---\nb: 2\n",
            "a: *nope",
            "a: \"x",
            "",
            "a:\n\t- b",
            "a: b: c",
            "x: &a [*a]",
            "a:\r\n  - b: c\r\n    d: e\r\n",
        ] {
            let s = super::source::Source { name: "p.yaml".into(), text: text.into(), encoding: "UTF-8" };
            match super::yaml::parse(&s) {
                Ok(n) => walk(&n, &s),
                Err(e) => println!("{}", e.render(false)),
            }
        }
    }
    fn walk(n: &super::yaml::Node, s: &super::source::Source) {
        use super::yaml::Value::*;
        println!("{:?} {:?} => {:?}", n.value.kind(), n.span, s.text.get(n.span.start..n.span.end));
        match &n.value {
            List(l) => l.iter().for_each(|n| walk(n, s)),
            Map(m) => m.iter().for_each(|(k, v)| {
                walk(k, s);
                walk(v, s)
            }),
            _ => {}
        }
    }
}
