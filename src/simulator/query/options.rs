//! The options of one read.
//!
//! In: the query string, and what is asked. Out: a [`Query`], or the complaint of the service. Must not: read things.

use percent_encoding::percent_decode_str;

use super::filter::Filter;
use super::parse;
use crate::catalog::{TargetKind, Version};
use crate::simulator::errors::Refusal;
use crate::simulator::kinds::{Expansion, Kind, KindProperty, Sorting};

/// What a read is about.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueryOptions<'a> {
    pub kind: &'static Kind,
    pub version: Version,
    /// Whether a list is read, and not one thing.
    pub many: bool,
    /// The header `ConsistencyLevel`.
    pub consistency: Option<&'a str>,
}

/// The options, understood.
#[derive(Debug, Default)]
pub(crate) struct Query {
    pub filter: Option<Filter>,
    pub select: Option<Vec<&'static str>>,
    pub top: Option<usize>,
    /// Where this page begins, as the link to it says.
    pub from: usize,
    /// How many things are passed over.
    pub skip: usize,
    pub count: bool,
    pub order: Vec<(&'static KindProperty, Direction)>,
    pub expand: Vec<Expansion>,
    /// The query string as it came, without the skip token: the next page asks for the same.
    pub given: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Ascending,
    Descending,
}

/// The most that Graph accepts as `$top`, which is also the size of a page without it; users come by the hundred.
const MOST: usize = 1_000;
const MOST_IN_DIRECTORY: usize = 999;
const PAGE_IN_DIRECTORY: usize = 100;

const KNOWN: &[&str] =
    &["filter", "select", "top", "count", "skiptoken", "skip", "orderby", "expand", "search", "format"];

impl Query {
    pub(crate) fn parse(raw: &str, asked: &QueryOptions<'_>) -> Result<Self, Refusal> {
        let options = split(raw);
        let value_of = |wanted: &str| options.iter().find(|(name, ..)| name == wanted).map(|(_, value, _)| &**value);
        let eventual = asked.consistency.is_some_and(|level| level.eq_ignore_ascii_case("eventual"));
        let counted = value_of("count").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let advanced = eventual && counted;
        let mut query = Self::default();
        for (name, value, _) in &options {
            query.take(name, value, asked, advanced)?;
        }
        // A count of the directory that does not say that it may be old is passed over in silence.
        query.count = counted && (eventual || !asked.kind.is_in_directory());
        query.refuse_mixtures(asked, advanced)?;
        if value_of("skiptoken").is_some() {
            query.skip = 0;
        }
        let kept = options.iter().filter(|(name, ..)| name != "skiptoken").map(|(.., option)| *option);
        query.given = kept.collect::<Vec<_>>().join("&");
        Ok(query)
    }

    fn take(&mut self, name: &str, value: &str, asked: &QueryOptions<'_>, advanced: bool) -> Result<(), Refusal> {
        let kind = asked.kind;
        let only_of_lists = matches!(name, "filter" | "top" | "count" | "skiptoken" | "skip" | "orderby" | "search");
        if only_of_lists && !asked.many {
            return Err(kind.bad_request(format!("Query option '${name}' is not allowed on a single resource.")));
        }
        match name {
            "filter" => self.filter = Some(parse::parse(value, asked, advanced)?),
            "select" => self.select = select(value, asked)?,
            "top" => self.top = Some(top(value, kind)?),
            "skiptoken" => self.from = value.parse().map_err(|_| kind.bad_request("Invalid skip token.".to_owned()))?,
            "skip" if !kind.is_in_directory() => {
                self.skip =
                    value.parse().map_err(|_| kind.bad_request(format!("Invalid value '{value}' for $skip.")))?;
            }
            "orderby" => self.order = order(value, asked, advanced)?,
            "expand" => self.expand = expand(value, kind)?,
            "count" | "format" => {}
            name => return Err(kind.bad_request(format!("The query parameter '${name}' is not supported."))),
        }
        Ok(())
    }

    /// What each service does not support together.
    fn refuse_mixtures(&self, asked: &QueryOptions<'_>, advanced: bool) -> Result<(), Refusal> {
        let kind = asked.kind;
        if !kind.is_in_directory() {
            let by_device = |filter: &Filter| filter.clauses().iter().any(|it| it.property.name == "azureADDeviceId");
            return match self.count && self.filter.as_ref().is_some_and(by_device) {
                true => Err(kind.unsupported("$count is not supported with a filter by azureADDeviceId.".to_owned())),
                false => Ok(()),
            };
        }
        if self.filter.is_some() && !self.order.is_empty() && !advanced {
            return Err(kind.unsupported("Sorting not supported for current query.".to_owned()));
        }
        match advanced && !self.expand.is_empty() {
            true => Err(kind.unsupported("$expand is not supported with advanced queries.".to_owned())),
            false => Ok(()),
        }
    }

    /// How many things go on a page.
    pub(crate) fn page(&self, kind: TargetKind, most: Option<usize>) -> usize {
        let in_directory = matches!(kind, TargetKind::User | TargetKind::EntraDevice);
        let usual = if in_directory { PAGE_IN_DIRECTORY } else { MOST };
        self.top.unwrap_or(usual).min(most.unwrap_or(usize::MAX))
    }
}

/// Name without its sign, value, and the option as it came. What is no option of OData is of no account.
fn split(raw: &str) -> Vec<(String, String, &str)> {
    let option = |option| {
        let (name, value) = str::split_once(option, '=').unwrap_or((option, ""));
        let name = percent_decode_str(name).decode_utf8_lossy().to_ascii_lowercase();
        let value = percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned();
        let plain = name.strip_prefix('$').unwrap_or(&name).to_owned();
        let counts = name.starts_with('$') || KNOWN.contains(&plain.as_str());
        counts.then_some((plain, value, option))
    };
    raw.split('&').filter(|option| !option.is_empty()).filter_map(option).collect()
}

/// `None` where everything is wanted that comes unasked.
fn select(value: &str, asked: &QueryOptions<'_>) -> Result<Option<Vec<&'static str>>, Refusal> {
    let names = value.split(',').map(str::trim).filter(|name| !name.is_empty() && *name != "*");
    let names: Vec<&'static str> = names.map(|name| known(name, asked)).collect::<Result<_, _>>()?;
    Ok((!names.is_empty()).then_some(names))
}

fn known(name: &str, asked: &QueryOptions<'_>) -> Result<&'static str, Refusal> {
    let kind = asked.kind;
    kind.known(name, asked.version).ok_or_else(|| {
        kind.bad_request(format!("Could not find a property named '{name}' on type '{}'.", kind.type_name))
    })
}

fn order(
    value: &str,
    asked: &QueryOptions<'_>,
    advanced: bool,
) -> Result<Vec<(&'static KindProperty, Direction)>, Refusal> {
    let kind = asked.kind;
    let part = |part: &str| {
        let mut words = part.split_whitespace();
        let name = words.next().unwrap_or_default();
        let direction = match words.next().map(str::to_ascii_lowercase).as_deref() {
            None | Some("asc") => Direction::Ascending,
            Some("desc") => Direction::Descending,
            _ => return Err(kind.bad_request(format!("Invalid $orderby clause: '{part}'."))),
        };
        let property = known(name, asked).map(|name| kind.property(name))?;
        let sorts = property.filter(|property| match property.sorting {
            Sorting::Plain => true,
            Sorting::Advanced => advanced,
            Sorting::No => false,
        });
        sorts
            .map(|property| (property, direction))
            .ok_or_else(|| kind.unsupported(format!("Sorting by '{name}' is not supported for current query.")))
    };
    value.split(',').map(part).collect()
}

fn expand(value: &str, kind: &Kind) -> Result<Vec<Expansion>, Refusal> {
    let named = |name: &str| {
        let found = kind.expansions.iter().find(|known| known.name() == name.trim()).copied();
        found.ok_or_else(|| kind.bad_request(format!("Could not expand '{name}' on type '{}'.", kind.type_name)))
    };
    value.split(',').map(named).collect()
}

fn top(value: &str, kind: &Kind) -> Result<usize, Refusal> {
    let most = if kind.is_in_directory() { MOST_IN_DIRECTORY } else { MOST };
    match value.parse() {
        Ok(top) if (1..=most).contains(&top) => Ok(top),
        _ => Err(kind.bad_request(format!("Invalid page size specified: '{value}'. Must be between 1 and {most}."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::kinds::{DEVICE, ENTRA_DEVICE, IDENTITY, USER};

    fn asked(kind: &'static Kind, consistency: Option<&'static str>) -> QueryOptions<'static> {
        QueryOptions { kind, version: Version::V1, many: true, consistency }
    }

    fn status(query: &str, kind: &'static Kind, consistency: Option<&'static str>) -> u16 {
        Query::parse(query, &asked(kind, consistency)).map_or_else(|refusal| refusal.status, |_| 200)
    }

    #[test]
    fn literals_are_decoded_and_their_quotes_undone() {
        let text = "$filter=deviceName%20eq%20'O''Brien'&$top=5&$skiptoken=7";
        let query = Query::parse(text, &asked(&DEVICE, None)).unwrap();
        assert_eq!(query.filter.unwrap().wanted(), [("deviceName", "O'Brien")]);
        assert_eq!((query.top, query.from), (Some(5), 7));
        assert_eq!(query.given, "$filter=deviceName%20eq%20'O''Brien'&$top=5");
    }

    #[test]
    fn what_graph_does_not_understand_is_refused() {
        for (query, kind) in [
            ("$filter=serialNumber eq 'x'", &IDENTITY),
            ("$filter=contains(displayName,'x')", &IDENTITY),
            ("$filter=contains(serialNumber,'x') and contains(serialNumber,'y')", &IDENTITY),
            ("$filter=serialNumber eq 'O'Brien'", &DEVICE),
            ("$filter=serialNumber eq x", &DEVICE),
            ("$filter=serialNumbr eq 'x'", &DEVICE),
            ("$filter=serialNumber in ('x','y')", &DEVICE),
            ("$filter=not (serialNumber eq 'x')", &DEVICE),
            ("$filter=serialNumber eq 'x' or deviceName eq 'y'", &DEVICE),
            ("$filter=serialNumber ne 'x'", &DEVICE),
            ("$filter=isEncrypted eq true", &DEVICE),
            ("$filter=userId eq 'x'", &DEVICE),
            ("$filter=lastSyncDateTime ge '2026-01-01T00:00:00Z'", &DEVICE),
            ("$filter=joinType eq 'x'", &DEVICE),
            ("$filter=azureADDeviceId eq 'x'&$count=true", &DEVICE),
            ("$filter=(serialNumber eq 'x'", &DEVICE),
            ("$filter=accountEnabled eq 'true'", &USER),
            ("$filter=contains(displayName,'x')", &USER),
            ("$filter=signInSessionsValidFromDateTime ge 2026-01-01", &USER),
            ("$select=id,colour", &DEVICE),
            ("$top=0", &DEVICE),
            ("$orderby=id", &DEVICE),
            ("$search=\"x\"", &USER),
            ("$skip=5", &USER),
            ("$expand=manager", &USER),
        ] {
            assert_eq!(status(query, kind, None), 400, "{query}");
        }
    }

    #[test]
    fn what_graph_understands_is_accepted() {
        for (query, kind) in [
            ("$filter=contains(serialNumber,'x')", &IDENTITY),
            ("$filter=serialNumber eq 'x' or serialNumber eq 'y'", &DEVICE),
            ("$filter=(operatingSystem eq 'iOS') and lastSyncDateTime le 2026-01-01T00:00:00Z", &DEVICE),
            ("$filter=startswith(deviceName,'LAB') and enrolledDateTime gt 2026-01-01", &DEVICE),
            ("$skip=5&$orderby=deviceName desc", &DEVICE),
            ("$filter=accountEnabled eq false or userPrincipalName in ('a@b.c','d@b.c')", &USER),
            ("$filter=assignedLicenses/any(x:x/skuId eq 05e9a617-0261-4cee-bb44-138d3ef5d965)", &USER),
            ("$filter=proxyAddresses/any(x:startswith(x,'smtp:a'))", &USER),
            ("$filter=approximateLastSignInDateTime le 2026-01-01T00:00:00Z and isManaged eq true", &ENTRA_DEVICE),
            ("$orderby=displayName&$expand=ownedDevices&$select=id", &USER),
            ("anything=else", &USER),
        ] {
            assert_eq!(status(query, kind, None), 200, "{query}");
        }
    }

    #[test]
    fn what_needs_the_index_is_refused_without_the_header_and_the_count() {
        for query in [
            "$filter=userPrincipalName ne 'x'",
            "$filter=not startswith(displayName,'x')",
            "$filter=endswith(mail,'@b.c')",
            "$filter=displayName eq 'x'&$orderby=displayName",
        ] {
            let counted = format!("{query}&$count=true");
            let told = [(query, None), (query, Some("eventual")), (counted.as_str(), None)];
            assert!(told.iter().all(|(query, level)| status(query, &USER, *level) == 400), "{query}");
            assert_eq!(status(&counted, &USER, Some("eventual")), 200, "{query}");
        }
    }
}
