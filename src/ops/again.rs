//! Jobs that somebody wants to be done again although they are done.
//!
//! In: what was named, the jobs of a plan. Out: which jobs that is. Must not: take a name that fits nothing for nothing.

use std::collections::HashSet;
use std::convert::Infallible;
use std::str::FromStr;

use super::error::Error;
use crate::diagnostics::Diagnostic;
use crate::guard::preflight::Hold;
use crate::job::{Job, JobId};

/// What is to be left out of what runs before have done, and what is not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repeats {
    /// Leave alone whatever an earlier run of the same plan has done, not only what may not be repeated.
    pub once: bool,
    pub again: Again,
}

/// Jobs that are sent again although they are done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Again {
    #[default]
    Nothing,
    All,
    /// Rows of the plan and job ids, as they were written.
    These(Vec<NamedRow>),
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamedRow {
    Row(u32),
    Job(JobId),
    /// Neither: it fits nothing.
    Neither(String),
}

impl FromStr for Again {
    type Err = Infallible;

    /// `all`, or row numbers and job ids with commas between them.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        if text.trim().eq_ignore_ascii_case("all") {
            return Ok(Self::All);
        }
        let named = text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(|name| {
            let row = name.parse().map(NamedRow::Row).ok();
            let job = || name.to_ascii_lowercase().parse().map(NamedRow::Job).ok();
            row.or_else(job).unwrap_or_else(|| NamedRow::Neither(name.to_owned()))
        });
        Ok(Self::These(named.collect()))
    }
}

impl Again {
    /// The jobs that are meant, by index. A name that fits none of them is an error.
    pub fn of(&self, jobs: &[Job]) -> Result<HashSet<u32>, Error> {
        let names = match self {
            Self::Nothing => return Ok(HashSet::new()),
            Self::All => return Ok((0u32..).zip(jobs).map(|(index, _)| index).collect()),
            Self::These(names) => names,
        };
        let mut meant = HashSet::new();
        for name in names {
            meant.extend((0u32..).zip(jobs).filter(|(_, job)| name.fits(job)).map(|(index, _)| index));
            if !jobs.iter().any(|job| name.fits(job)) {
                let message = match name {
                    NamedRow::Row(row) => format!("--again {row}: the plan has no row {row} with a job"),
                    NamedRow::Job(id) => format!("--again {id}: the plan has no such job"),
                    NamedRow::Neither(name) => format!("--again {name}: this is neither a row number nor a job id"),
                };
                let help = "the report and the preview show rows and job ids; `--again all` means every row";
                return Err(Error::usage(Diagnostic::error("no-such-row", message).help(help)));
            }
        }
        if names.is_empty() {
            let fault = Diagnostic::error("no-such-row", "--again names no row").help("name rows, job ids, or `all`");
            return Err(Error::usage(fault));
        }
        Ok(meant)
    }

    /// Of rows that are the same job, the first is sent. Who names another one by its row would wait for it in vain.
    pub(super) fn refuse_copies(&self, jobs: &[Job], holds: &[Option<Hold>]) -> Result<(), Error> {
        let Self::These(names) = self else { return Ok(()) };
        for row in names.iter().filter_map(NamedRow::row) {
            let mut of_row = jobs.iter().zip(holds).filter(|(job, _)| job.row == row).map(|(_, hold)| hold);
            let Some(Some(Hold::Duplicate { of_row: first })) = of_row.next() else { continue };
            if of_row.all(|hold| matches!(hold, Some(Hold::Duplicate { .. }))) {
                let message =
                    format!("--again {row}: row {row} is identical to row {first}, and only that one is sent");
                let help = format!("use --again {first}");
                return Err(Error::usage(Diagnostic::error("no-such-row", message).help(help)));
            }
        }
        Ok(())
    }
}

impl NamedRow {
    fn fits(&self, job: &Job) -> bool {
        match self {
            Self::Row(row) => job.row == *row,
            Self::Job(id) => job.id == *id,
            Self::Neither(_) => false,
        }
    }

    fn row(&self) -> Option<u32> {
        match self {
            Self::Row(row) => Some(*row),
            Self::Job(_) | Self::Neither(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Action;
    use crate::job::{Ids, JobParts};

    #[test]
    fn rows_and_job_ids_are_named_and_nothing_else() {
        let retire = Action::named("retire").unwrap();
        let job = |row: u32| Job::new(JobParts::plain(row, retire, Ids::new([row.to_string().as_str()])));
        // Two steps of one row.
        let jobs = [job(2), job(3), Job { row: 3, ..job(4) }];
        let meant = |text: &str| {
            let again: Again = text.parse().unwrap();
            again.of(&jobs).ok().map(|meant| {
                let mut meant: Vec<u32> = meant.into_iter().collect();
                meant.sort_unstable();
                meant
            })
        };
        assert_eq!(meant("all"), Some(vec![0, 1, 2]));
        assert_eq!(meant("3, 2,"), Some(vec![0, 1, 2]));
        assert_eq!(meant(&format!("{},{0}", jobs[0].id)), Some(vec![0]));
        assert_eq!([meant("9"), meant("x"), meant(""), meant("2,9")], [None, None, None, None]);
        assert_eq!(Again::default().of(&jobs).unwrap().len(), 0);
    }

    #[test]
    fn a_row_that_is_the_same_as_another_is_not_the_one_that_is_sent() {
        let retire = Action::named("retire").unwrap();
        let job = |row: u32| Job::new(JobParts::plain(row, retire, Ids::new(["x"])));
        let jobs = [job(2), job(3)];
        let holds = [None, Some(Hold::Duplicate { of_row: 2 })];
        let refused = |text: &str| text.parse::<Again>().unwrap().refuse_copies(&jobs, &holds).is_err();
        assert_eq!([refused("2"), refused("all"), refused("3")], [false, false, true]);
        assert!(!refused(&jobs[1].id.to_string()), "both are one job");
    }
}
