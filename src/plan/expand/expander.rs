//! The jobs and faults of a plan, as they come together.
//!
//! In: faults of rows, each with a field. Out: an [`Expander`], which holds all that was made so far and what is kept from one
//! row to the next. Must not: know what a field means; the files beside this one do.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use jiff::Timestamp;

use super::super::layout::Layout;
use super::super::places::{Places, Position};
use super::super::unresolved::{Unresolved, UnresolvedStep};
use super::super::work::PlannedWork;
use super::jobs::Jobs;
use crate::catalog::{IdName, Route};
use crate::diagnostics::{Diagnostic, Diagnostics, Place};
use crate::job::Parameters;

/// A target as it is written: text fields, and where they stand.
pub(in crate::plan) trait TargetRow {
    /// Trimmed; empty where nothing is given.
    fn field(&self, index: usize) -> &str;
    /// Of a field, or of the row as a whole.
    fn place(&self, field: Option<usize>) -> Place;
    /// What a message about it begins with: "row 5, column `x`: ".
    fn prefix(&self, field: Option<usize>) -> String;
    /// The line on which it starts.
    fn line(&self) -> u32;

    /// Where a fault is shown: at a field, or at the row as a whole.
    fn at(&self, field: Option<usize>) -> Spot<'_, Self>
    where
        Self: Sized,
    {
        Spot { row: self, field }
    }
}

/// A field of a row, or the row as a whole.
pub(in crate::plan) struct Spot<'r, R> {
    row: &'r R,
    field: Option<usize>,
}

/// A target as it is written, and what is to be done with it.
pub(super) struct WrittenTarget<'r, R> {
    pub(super) work: &'r PlannedWork,
    pub(super) layout: &'r Layout,
    pub(super) row: &'r R,
}

/// What a row says beside its target.
#[derive(Clone, Copy)]
pub(super) struct Remarks<'r> {
    /// The route that it names.
    pub(super) route: Option<&'static Route>,
    pub(super) turn: Turn,
    pub(super) note: Option<&'r str>,
    pub(super) position: Position,
}

/// When a target has its turn.
#[derive(Clone, Copy)]
pub(super) struct Turn {
    pub(super) not_before: Option<Timestamp>,
    pub(super) priority: i16,
}

/// Jobs of one plan, at most.
pub(crate) const MAX_JOBS: usize = 2_000_000;

pub(super) type Shared = Rc<[Option<Arc<Parameters>>]>;

/// Collects the jobs and faults of a plan.
#[derive(Default)]
pub(in crate::plan) struct Expander {
    pub jobs: Jobs,
    /// Of the jobs.
    pub places: Places,
    /// Rows that have to be looked up first, in plan order.
    pub unresolved: Vec<Unresolved>,
    pub faults: Diagnostics,
    /// The ids of the row in hand. The strings are kept for the next row.
    pub(super) given: Vec<IdName>,
    pub(super) slots: Vec<IdSlot>,
    pub(super) remembered: HashMap<String, Shared>,
    pub(super) numbers_given: usize,
    /// Of the last work whose target had no parameters of its own: the common case, and it needs no look-up.
    pub(super) plain: Option<(usize, Shared)>,
    pub(super) key: String,
    pub(super) last_time: Option<(String, Timestamp)>,
    pub(super) routes: Vec<&'static Route>,
    /// The name of a group that the row in hand gives, and where.
    pub(super) group_name: Option<(Box<str>, usize)>,
    pub(super) last_steps: Option<LastSteps>,
}

#[derive(Default)]
pub(super) struct IdSlot {
    pub(super) field: usize,
    pub(super) value: String,
}

/// The steps that the last row was for, and what they were made of.
pub(super) struct LastSteps {
    pub(super) work: usize,
    pub(super) parameters: Shared,
    pub(super) route: Option<&'static Route>,
    pub(super) steps: Arc<[UnresolvedStep]>,
}

impl Expander {
    /// Jobs so far, and rows that have yet to become some.
    pub(crate) fn rows(&self) -> usize {
        self.jobs.len() + self.unresolved.len()
    }

    /// A number for the work of one target; those of jobs count from the other end.
    pub(in crate::plan) fn fresh_number(&mut self) -> usize {
        self.numbers_given += 1;
        usize::MAX - self.numbers_given
    }

    /// Reports a fault of `row`, described only if there is room to keep it.
    pub(super) fn fault(
        &mut self,
        spot: Spot<'_, impl TargetRow>,
        code: &'static str,
        message: impl FnOnce() -> String,
        help: impl FnOnce() -> Option<String>,
    ) {
        let Spot { row, field } = spot;
        self.faults.push_error_with(|| {
            let fault = Diagnostic::error(code, row.prefix(field) + &message()).at(row.place(field));
            match help() {
                Some(help) => fault.help(help),
                None => fault,
            }
        });
    }
}
