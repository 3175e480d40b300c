//! Plans and scenarios in a folder that goes away.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use musterout::testing::catalog::Action;
use musterout::testing::job::{Ids, Job, JobParts};
use tempfile::TempDir;

use crate::Fallible;

/// As long as a token of Entra is, because every request carries it.
pub const TOKEN: &str = match std::str::from_utf8(&[b'x'; 1_800]) {
    Ok(token) => token,
    Err(_) => "",
};

/// What the benches do to devices: it is sent and answered as `retire` is, but neither a guard nor a daily limit stands in
/// its way.
pub const ACTION: &str = "syncDevice";

/// The id of the device with that number.
pub fn device(number: u64) -> String {
    format!("{number:08x}-5c1e-4a55-9d6b-{:012x}", number.wrapping_mul(2_654_435_761) & 0xffff_ffff_ffff)
}

/// So many jobs, each on a device of its own.
pub fn jobs(count: u32) -> Fallible<Arc<[Job]>> {
    let action = Action::named(ACTION).ok_or("there is no such action")?;
    let job = |row: u32| {
        let id = device(row.into());
        Job::new(JobParts {
            row,
            action,
            route: action.default_route(),
            ids: Ids::new([id.as_str()]),
            parameters: None,
            not_before: None,
            note: None,
            after: None,
        })
    };
    Ok((1..=count).map(job).collect())
}

/// A folder for one bench.
pub struct Scratch(TempDir);

impl Scratch {
    pub fn new() -> Fallible<Self> {
        Ok(Self(TempDir::new()?))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> Fallible<PathBuf> {
        fs::write(self.path(name), text)?;
        Ok(self.path(name))
    }

    /// A CSV plan for so many devices.
    pub fn plan(&self, name: &str, jobs: u64) -> Fallible<PathBuf> {
        let mut out = BufWriter::new(fs::File::create(self.path(name))?);
        writeln!(out, "action,managedDeviceId")?;
        for number in 0..jobs {
            writeln!(out, "{ACTION},{}", device(number))?;
        }
        out.flush()?;
        Ok(self.path(name))
    }

    /// The same as YAML.
    pub fn yaml_plan(&self, name: &str, jobs: u64) -> Fallible<PathBuf> {
        let mut out = BufWriter::new(fs::File::create(self.path(name))?);
        writeln!(out, "version: 1\nname: {name}\njobs:\n  - action: {ACTION}\n    targets:")?;
        for number in 0..jobs {
            writeln!(out, "      - managedDeviceId: {}", device(number))?;
        }
        out.flush()?;
        Ok(self.path(name))
    }
}
