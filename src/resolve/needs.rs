//! What has to be read for a plan, and which way costs less.
//!
//! In: the unresolved rows. Out: [`Needs`], and a decision between the whole inventory and single reads. Pure. Must not:
//! read.

use std::collections::HashSet;

use super::matching::{best, by_device_id, translated};
use super::pool::Pool;
use super::query;
use super::record::key;
use crate::catalog::{Selector, SelectorForm, TargetKind};
use crate::msgraph::read_only::BATCH;
use crate::plan::{Pointer, Unresolved};

/// What has to be read of one kind of target.
#[derive(Debug)]
pub struct Needs {
    pub kind: TargetKind,
    /// Each value once.
    pub values: Vec<(&'static Selector, Box<str>)>,
    /// Something cannot be found but by looking at everything.
    pub whole: bool,
}

/// The groups that the rows name, each once.
pub fn groups(rows: &[Unresolved]) -> Vec<Box<str>> {
    let mut seen = HashSet::new();
    let criteria = rows.iter().flat_map(|row| match &row.pointer {
        Pointer::Given(criteria) => &**criteria,
        Pointer::Filter(_) => &[],
    });
    let groups = criteria.filter(|criterion| criterion.selector.form == SelectorForm::MembersOfGroup);
    groups.map(|criterion| key(&criterion.value).into_boxed_str()).filter(|group| seen.insert(group.clone())).collect()
}

/// The device objects of the directory that the rows name, each once.
pub fn objects(rows: &[Unresolved]) -> Needs {
    let mut seen = HashSet::new();
    let criteria = rows.iter().flat_map(|row| match &row.pointer {
        Pointer::Given(criteria) => &**criteria,
        Pointer::Filter(_) => &[],
    });
    let objects = criteria.filter(|criterion| criterion.selector.form == SelectorForm::EntraObject);
    let values = objects.filter(|object| seen.insert(key(&object.value))).map(|it| (it.selector, it.value.clone()));
    Needs { kind: TargetKind::EntraDevice, values: values.collect(), whole: false }
}

/// What is left to read once groups and objects are in `pool`.
pub fn of(rows: &[Unresolved], pool: &Pool) -> Vec<Needs> {
    let mut all: Vec<Needs> = Vec::new();
    let mut seen: HashSet<(TargetKind, &'static str, String)> = HashSet::new();
    for row in rows {
        for (at, step) in row.steps.iter().enumerate() {
            // Several steps on one kind need it once.
            if row.steps[..at].iter().any(|earlier| earlier.kind == step.kind) {
                continue;
            }
            let needs = of_kind(&mut all, step.kind);
            let mut add = |selector: &'static Selector, value: &str| {
                needs.whole |= !query::can_filter(step.kind, selector);
                if seen.insert((step.kind, selector.name, key(value))) {
                    needs.values.push((selector, value.into()));
                }
            };
            match &row.pointer {
                Pointer::Filter(_) => needs.whole = true,
                Pointer::Given(criteria) => {
                    match translated(pool, criteria).ok().as_deref().and_then(|it| best(it, step.kind)) {
                        Some(first) if first.selector.form != SelectorForm::MembersOfGroup => {
                            add(first.selector, &first.value);
                        }
                        Some(first) if step.kind == TargetKind::ManagedDevice => {
                            let group = pool.groups.get(key(&first.value).as_str()).and_then(Option::as_ref);
                            let ids = group.into_iter().flat_map(|group| &group.members);
                            let ids = ids.filter_map(|member| member.device_id.as_deref());
                            by_device_id().into_iter().for_each(|by| ids.clone().for_each(|id| add(by, id)));
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    all
}

fn of_kind(all: &mut Vec<Needs>, kind: TargetKind) -> &mut Needs {
    let at = all.iter().position(|needs| needs.kind == kind).unwrap_or_else(|| {
        all.push(Needs { kind, values: Vec::new(), whole: false });
        all.len() - 1
    });
    &mut all[at]
}

/// Above so many values the whole is read where nobody says how much that is.
const MANY: usize = 200;

/// Whether it is worth asking how large the inventory is: one envelope is cheaper than anything.
pub fn asks_for_size(needs: &Needs) -> bool {
    !needs.whole && needs.values.len() > BATCH
}

/// Whether the whole inventory takes fewer requests than the single reads. `size`: records in it, where that is known.
pub fn whole_costs_less(needs: &Needs, size: Option<u64>) -> bool {
    let envelopes = needs.values.len().div_ceil(BATCH) as u64;
    match size {
        _ if needs.whole => true,
        _ if needs.values.len() <= BATCH => false,
        Some(size) => size.div_ceil(query::PAGE).max(1) <= envelopes,
        None => needs.values.len() > MANY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::SELECTORS;
    use proptest::prelude::*;

    fn needs(values: usize, whole: bool) -> Needs {
        let values = (0..values).map(|number| (&SELECTORS[0], number.to_string().into())).collect();
        Needs { kind: TargetKind::ManagedDevice, values, whole }
    }

    #[test]
    fn the_whole_is_read_where_that_takes_fewer_requests() {
        for (values, size, expected) in [
            (1, Some(10), false),
            (20, Some(10), false),
            (21, Some(900), true),
            (200, Some(10_000), true),
            (200, Some(10_001), false),
            (10_000, Some(100_000), true),
            (100, None, false),
            (201, None, true),
        ] {
            assert_eq!(whole_costs_less(&needs(values, false), size), expected, "{values} of {size:?}");
        }
        assert!(whole_costs_less(&needs(0, true), None));
    }

    proptest! {
        #[test]
        fn the_way_that_takes_fewer_requests_is_taken(values in 21usize..30_000, size in 0u64..2_000_000) {
            let (envelopes, pages) = ((values as u64).div_ceil(20), size.div_ceil(1_000).max(1));
            let taken = if whole_costs_less(&needs(values, false), Some(size)) { pages } else { envelopes };
            prop_assert!(taken <= envelopes.min(pages));
        }
    }
}
