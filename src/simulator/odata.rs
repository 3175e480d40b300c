//! Query options as far as Graph's device and user collections understand them.
//!
//! In: the query string and the kind of thing asked for. Out: a [`Query`], or Graph's complaint. Must not: read things.

use percent_encoding::percent_decode_str;

use super::errors::Refusal;
use super::resources::Kind;
use crate::catalog::TargetKind;

/// The addresses of a user, of which there are several.
pub(super) const ALIASES: &str = "proxyAddresses";

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Query {
    pub filter: Option<Filter>,
    pub select: Option<Vec<&'static str>>,
    pub top: Option<usize>,
    /// The place at which this page begins.
    pub skip: usize,
    pub count: bool,
    /// The query string as it came, without the skip token: the next page asks for the same.
    pub given: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Filter {
    pub test: Test,
    pub property: &'static str,
    pub literal: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    Equals,
    Contains,
    /// One of a list of texts equals it.
    Any,
}

/// The most that Graph accepts as `$top`, which is also the size of a page without it; users come by the hundred.
const MOST: usize = 1_000;
const MOST_USERS: usize = 999;
const PAGE_OF_USERS: usize = 100;

impl Query {
    pub(super) fn parse(raw: &str, kind: &Kind) -> Result<Self, Refusal> {
        let mut query = Self::default();
        for option in raw.split('&').filter(|option| !option.is_empty()) {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            let name = percent_decode_str(name).decode_utf8_lossy();
            let spaced = value.replace('+', " ");
            let value = percent_decode_str(&spaced).decode_utf8_lossy();
            match &*name {
                "$filter" => query.filter = Some(Filter::parse(&value, kind)?),
                "$select" => query.select = Some(select(&value, kind)?),
                "$top" => query.top = Some(top(&value, kind)?),
                "$count" => query.count = value == "true",
                "$skiptoken" => query.skip = value.parse().map_err(|_| Refusal::bad_request("Invalid skip token."))?,
                _ => return Err(Refusal::bad_request(format!("The query parameter '{name}' is not supported."))),
            }
            if name != "$skiptoken" {
                let between = if query.given.is_empty() { "" } else { "&" };
                query.given = format!("{}{between}{option}", query.given);
            }
        }
        Ok(query)
    }

    /// How many things go on a page.
    pub(super) fn page(&self, kind: TargetKind, most: Option<usize>) -> usize {
        let usual = if kind == TargetKind::User { PAGE_OF_USERS } else { MOST };
        self.top.unwrap_or(usual).min(most.unwrap_or(usize::MAX))
    }
}

impl Filter {
    /// `property eq 'literal'`, `contains(property,'literal')` or `property/any(x:x eq 'literal')`, those that resolving needs.
    fn parse(text: &str, kind: &Kind) -> Result<Self, Refusal> {
        let text = text.trim();
        let contains = text.strip_prefix("contains(").and_then(|rest| rest.strip_suffix(')'));
        let any = text.strip_suffix(')').and_then(|rest| rest.split_once("/any(x:x eq "));
        let (test, parts) = match (contains, any) {
            (Some(inside), _) => (Test::Contains, inside.split_once(',')),
            (None, Some(parts)) => (Test::Any, Some(parts)),
            (None, None) => (Test::Equals, text.split_once(" eq ")),
        };
        let parts = parts.and_then(|(property, literal)| Some((property.trim(), unquote(literal.trim())?)));
        let (property, literal) =
            parts.ok_or_else(|| Refusal::bad_request(format!("Invalid filter clause: '{text}'.")))?;
        let property = known(property, kind)?;
        let supported = match (kind.kind, test) {
            (TargetKind::AutopilotIdentity, Test::Contains) => property == "serialNumber",
            (TargetKind::AutopilotIdentity, Test::Equals) => false,
            (TargetKind::User, Test::Contains) => false,
            (_, test) => (test == Test::Any) == (property == ALIASES),
        };
        match supported {
            true => Ok(Self { test, property, literal }),
            false => Err(Refusal::bad_request(format!("Filter '{text}' is not supported on this resource."))),
        }
    }

    /// Whether it asks for a thing by what it is known by.
    pub(super) fn is_by_value(&self) -> bool {
        matches!(
            self.property,
            "serialNumber"
                | "deviceName"
                | "userPrincipalName"
                | "azureADDeviceId"
                | "azureActiveDirectoryDeviceId"
                | "deviceId"
        )
    }

    /// Intune compares without regard to case, and so does the directory.
    pub(super) fn accepts(&self, value: &str) -> bool {
        match self.test {
            Test::Equals | Test::Any => value.to_lowercase() == self.literal.to_lowercase(),
            Test::Contains => value.to_lowercase().contains(&self.literal.to_lowercase()),
        }
    }
}

/// The text in single quotes, where two quotes stand for one.
fn unquote(literal: &str) -> Option<String> {
    let inside = literal.strip_prefix('\'')?.strip_suffix('\'')?;
    let text = inside.replace("''", "\u{0}");
    (!text.contains('\'')).then(|| text.replace('\u{0}', "'"))
}

fn select(value: &str, kind: &Kind) -> Result<Vec<&'static str>, Refusal> {
    value.split(',').map(|name| known(name.trim(), kind)).collect()
}

fn known(name: &str, kind: &Kind) -> Result<&'static str, Refusal> {
    kind.property(name).map(|(name, _)| name).ok_or_else(|| {
        Refusal::bad_request(format!("Could not find a property named '{name}' on type '{}'.", kind.type_name))
    })
}

fn top(value: &str, kind: &Kind) -> Result<usize, Refusal> {
    let in_directory = matches!(kind.kind, TargetKind::User | TargetKind::EntraDevice);
    let most = if in_directory { MOST_USERS } else { MOST };
    match value.parse() {
        Ok(top) if (1..=most).contains(&top) => Ok(top),
        _ => {
            Err(Refusal::bad_request(format!("Invalid page size specified: '{value}'. Must be between 1 and {most}.")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::resources::{DEVICE, IDENTITY};

    #[test]
    fn literals_are_decoded_and_their_quotes_undone() {
        let query = Query::parse("$filter=deviceName%20eq%20'O''Brien'&$top=5&$skiptoken=7", &DEVICE).unwrap();
        let filter = query.filter.unwrap();
        assert_eq!((filter.property, &*filter.literal), ("deviceName", "O'Brien"));
        assert_eq!((query.top, query.skip), (Some(5), 7));
        assert_eq!(query.given, "$filter=deviceName%20eq%20'O''Brien'&$top=5");
    }

    #[test]
    fn what_graph_does_not_understand_is_refused() {
        for (query, kind) in [
            ("$filter=serialNumber eq 'x'", &IDENTITY),
            ("$filter=contains(displayName,'x')", &IDENTITY),
            ("$filter=serialNumber eq 'O'Brien'", &DEVICE),
            ("$filter=serialNumber eq x", &DEVICE),
            ("$filter=serialNumbr eq 'x'", &DEVICE),
            ("$select=id,colour", &DEVICE),
            ("$top=0", &DEVICE),
            ("$orderby=id", &DEVICE),
        ] {
            assert_eq!(Query::parse(query, kind).map_err(|refusal| refusal.status), Err(400), "{query}");
        }
        assert!(Query::parse("$filter=contains(serialNumber,'x')", &IDENTITY).is_ok());
    }
}
