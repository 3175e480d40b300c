//! When a target has its turn: the day before which it is left alone, and how urgent it is.
//!
//! In: the fields of a target, and what its job says for all. Out: a [`Turn`], or faults. Must not: know what day it is.

use jiff::Timestamp;

use super::expander::{Expander, TargetRow, Turn, WrittenTarget};
use crate::plan::{priority, schedule};
use crate::text::shown;

impl Expander {
    pub(super) fn turn(&mut self, target: &WrittenTarget<'_, impl TargetRow>) -> Turn {
        Turn { not_before: self.not_before(target), priority: self.priority(target) }
    }

    fn not_before(&mut self, target: &WrittenTarget<'_, impl TargetRow>) -> Option<Timestamp> {
        let WrittenTarget { work, layout, row } = *target;
        let Some(field) = layout.not_before else { return work.not_before };
        if row.field(field).is_empty() {
            if layout.wants_day && work.not_before.is_none() {
                let help = "fill in the date, remove the row, or remove `notBefore` from `columns:`";
                self.fault(row.at(Some(field)), "missing-date", || "the date is missing".into(), || Some(help.into()));
            }
            return work.not_before;
        }
        let text = row.field(field);
        if let Some((_, time)) = self.last_time.as_ref().filter(|(last, _)| last == text) {
            return Some(*time);
        }
        match schedule::not_before(text) {
            Ok(time) => {
                self.last_time = Some((text.to_owned(), time));
                Some(time)
            }
            Err(reason) => {
                self.fault(row.at(Some(field)), "bad-date", || format!("`{}`: {reason}", shown(text)), || None);
                None
            }
        }
    }

    fn priority(&mut self, target: &WrittenTarget<'_, impl TargetRow>) -> i16 {
        let WrittenTarget { work, layout, row } = *target;
        let Some(field) = layout.priority.filter(|field| !row.field(*field).is_empty()) else { return work.priority };
        let text = row.field(field);
        priority::read(text).unwrap_or_else(|| {
            let message = || format!("`{}` is not {}", shown(text), priority::EXPECTED);
            self.fault(row.at(Some(field)), "out-of-range", message, || None);
            0
        })
    }
}
