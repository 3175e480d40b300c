//! Where the jobs of a plan stand: file and line of each.
//!
//! In: the files as they are read, and a line for every job. Out: a [`Place`]. Must not: take more than a few bytes for
//! a job; a plan may have a million.

use crate::diagnostics::Place;

/// Of a target: its number, where it has one of its own, and the line in its file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    pub number: Option<u32>,
    pub line: u32,
}

/// Files in the order in which they were read, and the line of each job.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// The name of a file, and the first job that comes from there.
    files: Vec<(usize, Box<str>)>,
    lines: Vec<u32>,
}

impl Places {
    /// What follows comes from that file.
    pub fn begin(&mut self, file: &str) {
        if self.files.last().is_none_or(|(_, last)| **last != *file) {
            self.files.push((self.lines.len(), file.into()));
        }
    }

    /// The next job stands on that line; 0 where it is not known.
    pub fn push(&mut self, line: u32) {
        self.lines.push(line);
    }

    pub fn reserve(&mut self, more: usize) {
        self.lines.reserve(more);
    }

    /// The next job stands where `job` of `others` does.
    pub fn push_as(&mut self, others: &Self, job: usize) {
        self.begin(others.file(job));
        self.push(others.lines.get(job).copied().unwrap_or(0));
    }

    /// Of the job at that index. Nothing but its file is known where it was not read from a plan.
    pub fn of(&self, job: usize) -> Place {
        let line = self.lines.get(job).filter(|line| **line > 0);
        Place { line: line.map(|line| *line as usize), ..Place::file(self.file(job)) }
    }

    fn file(&self, job: usize) -> &str {
        let after = self.files.partition_point(|(first, _)| *first <= job);
        after.checked_sub(1).and_then(|at| self.files.get(at)).map_or("the plan", |(_, file)| file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_job_has_the_file_it_was_read_from() {
        let mut places = Places::default();
        places.begin("empty.csv");
        for (file, lines) in [("a.csv", &[2, 3][..]), ("plan.yaml", &[9]), ("a.csv", &[2])] {
            places.begin(file);
            lines.iter().for_each(|line| places.push(*line));
        }
        let of = |job| (places.of(job).file, places.of(job).line);
        let expected = [("a.csv", 2), ("a.csv", 3), ("plan.yaml", 9), ("a.csv", 2)];
        for (job, (file, line)) in expected.into_iter().enumerate() {
            assert_eq!(of(job), (file.to_owned(), Some(line)));
        }
        let mut copy = Places::default();
        for job in [3, 0, 2, 1, 9] {
            copy.push_as(&places, job);
        }
        let copied = |job| (copy.of(job).file, copy.of(job).line);
        assert_eq!([0, 1, 2, 3].map(copied), [of(3), of(0), of(2), of(1)]);
        assert_eq!((copied(4).1, Places::default().of(7).line), (None, None));
    }
}
