//! A `$filter`, understood: clauses, and how they are put together.
//!
//! In: values of properties. Out: whether a thing passes. Must not: parse, or read things.

use std::cmp::Ordering;

use serde_json::Value;

use super::literal::Literal;
use crate::simulator::kinds::{KindProperty, LICENCES, Test};

/// One comparison.
#[derive(Debug, Clone)]
pub(crate) struct Clause {
    pub property: &'static KindProperty,
    pub test: Test,
    /// One, or for `in` several; one of them has to fit.
    pub literals: Vec<Literal>,
    /// It stands in `any(…)`: one item of the list has to pass.
    pub of_items: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Filter {
    Is(Clause),
    Not(Box<Filter>),
    All(Vec<Filter>),
    Any(Vec<Filter>),
}

impl Filter {
    pub(crate) fn passes(&self, value: &impl Fn(&str) -> Value) -> bool {
        match self {
            Self::Is(clause) => clause.passes(&value(clause.property.name)),
            Self::Not(inner) => !inner.passes(value),
            Self::All(parts) => parts.iter().all(|part| part.passes(value)),
            Self::Any(parts) => parts.iter().any(|part| part.passes(value)),
        }
    }

    pub(in crate::simulator) fn clauses(&self) -> Vec<&Clause> {
        match self {
            Self::Is(clause) => vec![clause],
            Self::Not(inner) => inner.clauses(),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::clauses).collect(),
        }
    }

    /// The one clause that it consists of.
    pub(crate) fn alone(&self) -> Option<&Clause> {
        match self {
            Self::Is(clause) => Some(clause),
            _ => None,
        }
    }

    /// The values by which it asks for things, with the property, if it asks for nothing else.
    pub(crate) fn wanted(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::Is(clause) if matches!(clause.test, Test::Eq | Test::In | Test::Contains) && !clause.of_items => {
                clause.literals.iter().filter_map(|literal| Some((clause.property.name, literal.text()?))).collect()
            }
            Self::Any(parts) => parts.iter().flat_map(Self::wanted).collect(),
            _ => Vec::new(),
        }
    }
}

impl Clause {
    fn passes(&self, value: &Value) -> bool {
        match (self.of_items, value) {
            (true, Value::Array(items)) => items.iter().any(|item| self.fits(self.of_item(item))),
            (true, _) => false,
            (false, value) => self.fits(value),
        }
    }

    /// Of a licence, its id is compared.
    fn of_item<'v>(&self, item: &'v Value) -> &'v Value {
        if self.property.name == LICENCES { item.get("skuId").unwrap_or(item) } else { item }
    }

    fn fits(&self, value: &Value) -> bool {
        let compared = |literal: &Literal| literal.compare(value);
        let one = |fits: &dyn Fn(Ordering) -> bool| self.literals.iter().filter_map(compared).any(fits);
        match self.test {
            Test::Eq | Test::In => one(&|order| order == Ordering::Equal),
            Test::Ne => !one(&|order| order == Ordering::Equal),
            Test::Gt => one(&|order| order == Ordering::Greater),
            Test::Ge => one(&|order| order != Ordering::Less),
            Test::Lt => one(&|order| order == Ordering::Less),
            Test::Le => one(&|order| order != Ordering::Greater),
            Test::StartsWith => self.of_texts(value, |value, text| value.starts_with(text)),
            Test::EndsWith => self.of_texts(value, |value, text| value.ends_with(text)),
            Test::Contains => self.of_texts(value, |value, text| value.contains(text)),
        }
    }

    fn of_texts(&self, value: &Value, fits: impl Fn(&str, &str) -> bool) -> bool {
        let value = value.as_str().unwrap_or_default().to_lowercase();
        self.literals.iter().filter_map(Literal::text).any(|text| fits(&value, &text.to_lowercase()))
    }
}
