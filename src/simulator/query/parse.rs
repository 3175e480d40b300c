//! From the text of a `$filter` to clauses, held against what the kind of thing can be asked.
//!
//! In: the text, and what is asked. Out: a [`Filter`], or the complaint of the service. Must not: read things.

use super::filter::{Clause, Filter};
use super::literal::Literal;
use super::options::QueryOptions;
use super::words::{self, QueryWord};
use crate::simulator::errors::Refusal;
use crate::simulator::kinds::{ALIASES, KindProperty, LICENCES, Logic, Test};
use crate::simulator::resources::Plausible;

/// Clauses inside each other, at most.
const DEEPEST: usize = 30;

/// The filter in `text`. `advanced`: the request says that it wants an answer out of the index.
pub(crate) fn parse(text: &str, asked: &QueryOptions<'_>, advanced: bool) -> Result<Filter, Refusal> {
    let invalid = || asked.kind.bad_request(format!("Invalid filter clause: '{text}'."));
    let words = words::split(text).ok_or_else(invalid)?;
    let mut parser = Parser { words: &words, at: 0, asked, depth: 0 };
    let filter = match parser.any_of().map_err(|fault| fault.said(asked, text))? {
        filter if parser.at == words.len() => filter,
        _ => return Err(invalid()),
    };
    check(&filter, text, asked, advanced)?;
    Ok(filter)
}

/// Why a text is no filter.
enum FilterFault {
    Grammar,
    /// No such property.
    Unknown(String),
    /// The property holds another type.
    Type,
}

impl FilterFault {
    fn said(self, asked: &QueryOptions<'_>, text: &str) -> Refusal {
        asked.kind.bad_request(match self {
            Self::Grammar => format!("Invalid filter clause: '{text}'."),
            Self::Unknown(name) => {
                format!("Could not find a property named '{name}' on type '{}'.", asked.kind.type_name)
            }
            Self::Type => "A binary operator with incompatible types was detected.".to_owned(),
        })
    }
}

struct Parser<'w> {
    words: &'w [QueryWord<'w>],
    at: usize,
    asked: &'w QueryOptions<'w>,
    depth: usize,
}

impl<'w> Parser<'w> {
    fn any_of(&mut self) -> Result<Filter, FilterFault> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(FilterFault::Grammar);
        }
        let mut parts = vec![self.all_of()?];
        while self.takes("or") {
            parts.push(self.all_of()?);
        }
        self.depth -= 1;
        Ok(one_or(parts, Filter::Any))
    }

    fn all_of(&mut self) -> Result<Filter, FilterFault> {
        let mut parts = vec![self.one()?];
        while self.takes("and") {
            parts.push(self.one()?);
        }
        Ok(one_or(parts, Filter::All))
    }

    fn one(&mut self) -> Result<Filter, FilterFault> {
        if self.takes("not") {
            self.depth += 1;
            return match self.depth > DEEPEST {
                true => Err(FilterFault::Grammar),
                false => Ok(Filter::Not(Box::new(self.one()?))),
            };
        }
        if self.words.get(self.at) == Some(&QueryWord::Open) {
            self.at += 1;
            let inner = self.any_of()?;
            self.punctuation(&QueryWord::Close)?;
            return Ok(inner);
        }
        let name = self.bare()?;
        let function = match name.to_ascii_lowercase().as_str() {
            "startswith" => Some(Test::StartsWith),
            "endswith" => Some(Test::EndsWith),
            "contains" => Some(Test::Contains),
            _ => None,
        };
        let clause = match (function, name.strip_suffix("/any")) {
            (Some(test), _) if self.words.get(self.at) == Some(&QueryWord::Open) => self.function(test)?,
            (_, Some(list)) => self.items(list)?,
            _ => self.comparison(name, false)?,
        };
        Ok(Filter::Is(clause))
    }

    /// `startswith(property,'text')`, of which the name has been read.
    fn function(&mut self, test: Test) -> Result<Clause, FilterFault> {
        self.punctuation(&QueryWord::Open)?;
        let name = self.bare()?;
        let property = self.property(name)?;
        self.punctuation(&QueryWord::Comma)?;
        let literal = self.literal()?;
        self.punctuation(&QueryWord::Close)?;
        match literal {
            Literal::Text(_) => Ok(Clause { property, test, literals: vec![literal], of_items: false }),
            _ => Err(FilterFault::Type),
        }
    }

    /// `list/any(x:x eq 'text')`, of which the name has been read.
    fn items(&mut self, list: &str) -> Result<Clause, FilterFault> {
        let property = self.property(list)?;
        self.punctuation(&QueryWord::Open)?;
        let variable = self.bare()?.to_owned();
        self.punctuation(&QueryWord::Colon)?;
        let clause = match self.bare()? {
            "startswith" | "startsWith" | "endswith" | "endsWith" => {
                let test = if self.before("startswith") { Test::StartsWith } else { Test::EndsWith };
                self.punctuation(&QueryWord::Open)?;
                let inner = self.bare()?;
                self.punctuation(&QueryWord::Comma)?;
                let literal = self.literal()?;
                self.punctuation(&QueryWord::Close)?;
                match (inner == variable, &literal) {
                    (true, Literal::Text(_)) => Clause { property, test, literals: vec![literal], of_items: true },
                    _ => return Err(FilterFault::Grammar),
                }
            }
            inner => {
                let is_item = match property.name {
                    LICENCES => inner == format!("{variable}/skuId"),
                    _ => inner == variable,
                };
                if !is_item {
                    return Err(FilterFault::Grammar);
                }
                self.comparison(property.name, true)?
            }
        };
        self.punctuation(&QueryWord::Close)?;
        Ok(clause)
    }

    /// `eq 'text'` or `in ('one','two')`, of which the property has been read.
    fn comparison(&mut self, name: &str, of_items: bool) -> Result<Clause, FilterFault> {
        let property = self.property(name)?;
        let test = match self.bare()?.to_ascii_lowercase().as_str() {
            "eq" => Test::Eq,
            "ne" => Test::Ne,
            "gt" => Test::Gt,
            "ge" => Test::Ge,
            "lt" => Test::Lt,
            "le" => Test::Le,
            "in" => Test::In,
            _ => return Err(FilterFault::Grammar),
        };
        let mut literals = Vec::new();
        match test {
            Test::In => {
                self.punctuation(&QueryWord::Open)?;
                literals.push(self.literal()?);
                while self.words.get(self.at) == Some(&QueryWord::Comma) {
                    self.at += 1;
                    literals.push(self.literal()?);
                }
                self.punctuation(&QueryWord::Close)?;
            }
            _ => literals.push(self.literal()?),
        }
        match literals.iter().all(|literal| belongs(property, literal)) {
            true => Ok(Clause { property, test, literals, of_items }),
            false => Err(FilterFault::Type),
        }
    }

    fn property(&self, name: &str) -> Result<&'static KindProperty, FilterFault> {
        let QueryOptions { kind, version, .. } = self.asked;
        let known = kind.known(name, *version).ok_or_else(|| FilterFault::Unknown(name.to_owned()))?;
        kind.property(known).ok_or(FilterFault::Grammar)
    }

    fn literal(&mut self) -> Result<Literal, FilterFault> {
        let word = self.words.get(self.at).ok_or(FilterFault::Grammar)?;
        self.at += 1;
        match word {
            QueryWord::Quoted(text) => Ok(Literal::Text(text.clone())),
            // The id of a licence is no text: it stands without quotes.
            QueryWord::Bare(word) if crate::simulator::scenario::Guid::is(word) => {
                Ok(Literal::Text((*word).to_owned()))
            }
            QueryWord::Bare(word) => Literal::of_word(word).ok_or(FilterFault::Grammar),
            _ => Err(FilterFault::Grammar),
        }
    }

    fn bare(&mut self) -> Result<&'w str, FilterFault> {
        match self.words.get(self.at) {
            Some(QueryWord::Bare(word)) => {
                self.at += 1;
                Ok(word)
            }
            _ => Err(FilterFault::Grammar),
        }
    }

    /// Whether the word before this place is that one.
    fn before(&self, name: &str) -> bool {
        matches!(self.words.get(self.at.wrapping_sub(1)), Some(QueryWord::Bare(word)) if word.eq_ignore_ascii_case(name))
    }

    fn takes(&mut self, operator: &str) -> bool {
        let is_it =
            matches!(self.words.get(self.at), Some(QueryWord::Bare(word)) if word.eq_ignore_ascii_case(operator));
        self.at += usize::from(is_it);
        is_it
    }

    fn punctuation(&mut self, expected: &QueryWord<'_>) -> Result<(), FilterFault> {
        match self.words.get(self.at) == Some(expected) {
            true => {
                self.at += 1;
                Ok(())
            }
            false => Err(FilterFault::Grammar),
        }
    }
}

fn one_or(mut parts: Vec<Filter>, several: fn(Vec<Filter>) -> Filter) -> Filter {
    match parts.len() {
        1 => parts.swap_remove(0),
        _ => several(parts),
    }
}

/// Whether a property can hold what a literal says.
fn belongs(property: &KindProperty, literal: &Literal) -> bool {
    match (property.plausible, literal) {
        (Plausible::Null, _) | (_, Literal::Null) => true,
        (Plausible::Flag(_), literal) => matches!(literal, Literal::Flag(_)),
        (Plausible::Hours(_) | Plausible::LongAgo, literal) => matches!(literal, Literal::Moment(_)),
        (_, literal) => matches!(literal, Literal::Text(_)),
    }
}

/// Whether the service supports what the filter asks.
fn check(filter: &Filter, text: &str, asked: &QueryOptions<'_>, advanced: bool) -> Result<(), Refusal> {
    let unsupported = || asked.kind.unsupported(format!("Filter '{text}' is not supported on this resource."));
    let is_supported = |clause: &Clause| {
        let of_list = matches!(clause.property.name, ALIASES | LICENCES);
        let tests = clause.property.tests.contains(&clause.test);
        of_list == clause.of_items && (tests || clause.property.advanced_tests.contains(&clause.test))
    };
    if !filter.clauses().into_iter().all(is_supported) {
        return Err(unsupported());
    }
    let is_put_together = match asked.kind.logic {
        Logic::OneClause => filter.alone().is_some(),
        Logic::Narrowing => narrows(filter),
        Logic::Directory => true,
    };
    if !is_put_together {
        return Err(unsupported());
    }
    match wants_index(filter) && !advanced {
        true => Err(asked.kind.unsupported(
            "The filter is supported only with the header 'ConsistencyLevel: eventual' and the query option \
             '$count=true'. Refer to 'https://aka.ms/graph-docs/advanced-queries' for more information."
                .to_owned(),
        )),
        false => Ok(()),
    }
}

/// Clauses with `and`, and with `or` only about one property.
fn narrows(filter: &Filter) -> bool {
    match filter {
        Filter::Is(_) => true,
        Filter::Not(_) => false,
        Filter::All(parts) => parts.iter().all(narrows),
        Filter::Any(parts) => {
            let clauses = filter.clauses();
            let same = clauses.windows(2).all(|pair| pair[0].property.name == pair[1].property.name);
            same && parts.iter().all(|part| matches!(part, Filter::Is(_)))
        }
    }
}

fn wants_index(filter: &Filter) -> bool {
    match filter {
        Filter::Is(clause) => !clause.property.tests.contains(&clause.test),
        Filter::Not(_) => true,
        Filter::All(parts) | Filter::Any(parts) => parts.iter().any(wants_index),
    }
}
