//! What the columns of a CSV file and the keys of a target mean.
//!
//! In: a header or key. Out: its [`Meaning`], and the known words for suggestions. Must not: read values.

use crate::catalog::{ACTIONS, Action, IdName, Parameter, SELECTORS, Selector, fold, id_named, selector_named};
use crate::diagnostics::did_you_mean;
use crate::text::shown;

/// What the value under a header or key says about a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Action,
    Id(IdName),
    /// An id where the action is bound to a user, a selector anywhere else.
    UserPrincipalName(IdName),
    /// `id`: the target acted on, whatever its kind.
    AnyId,
    Selector(&'static Selector),
    NotBefore,
    Note,
    Priority,
    Route,
    Parameter(&'static str),
}

const WORDS: &[(&str, Meaning)] = &[
    ("action", Meaning::Action),
    ("id", Meaning::AnyId),
    ("notBefore", Meaning::NotBefore),
    ("note", Meaning::Note),
    ("priority", Meaning::Priority),
    ("route", Meaning::Route),
];

impl Meaning {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Id(id) => id.name,
            Self::UserPrincipalName(_) => "userPrincipalName",
            Self::Selector(selector) => selector.name,
            Self::Parameter(name) => name,
            word => WORDS.iter().find(|(_, meaning)| *meaning == word).map_or("", |(name, _)| name),
        }
    }

    /// What a header means, without regard to case, spaces and punctuation. `own`: actions that the plan defines.
    pub(super) fn of_header(header: &str, own: &[&'static Action]) -> Option<Self> {
        let folded = fold(header);
        let word = WORDS.iter().find(|(name, _)| fold(name) == folded).map(|(_, meaning)| *meaning);
        let parameter = |name: &str| {
            let found = parameters(own).find(|parameter| fold(parameter.name) == name);
            found.map(|parameter| Self::Parameter(parameter.name))
        };
        let own_id = || own_ids(own).find(|id| fold(id.name) == folded);
        word.or_else(|| id_named(header).map(|id| Self::of_id(id, &folded)))
            .or_else(|| own_id().map(Self::Id))
            .or_else(|| selector_named(header).map(Self::Selector))
            .or_else(|| parameter(&folded))
            .or_else(|| folded.strip_prefix("with").and_then(parameter))
    }

    /// What a key of ours means: YAML keys are spelled exactly.
    pub(super) fn of_key(key: &str, own: &[&'static Action]) -> Option<Self> {
        known(own).find(|known| *known == key).and_then(|known| Self::of_header(known, own))
    }

    fn of_id(id: IdName, folded: &str) -> Self {
        let is_name = matches!(folded, "userprincipalname" | "upn");
        if is_name { Self::UserPrincipalName(id) } else { Self::Id(id) }
    }
}

fn parameters(own: &[&'static Action]) -> impl Iterator<Item = &'static Parameter> {
    ACTIONS.iter().chain(own.iter().copied()).flat_map(|action| action.parameters)
}

/// Ids that only the plan's own actions have.
fn own_ids(own: &[&'static Action]) -> impl Iterator<Item = IdName> {
    let ids = own.iter().flat_map(|action| action.routes).flat_map(|route| route.ids).copied();
    ids.filter(|id| id_named(id.name).is_none())
}

fn targets(own: &[&'static Action]) -> impl Iterator<Item = &'static str> {
    let ids = IdName::ALL.iter().flat_map(|id| std::iter::once(id.name).chain(id.aliases.iter().copied()));
    ids.chain(SELECTORS.iter().map(|selector| selector.name)).chain(own_ids(own).map(|id| id.name))
}

/// Every word that a header can be.
pub(super) fn known(own: &[&'static Action]) -> impl Iterator<Item = &'static str> {
    let words = WORDS.iter().map(|(name, _)| *name);
    words.chain(targets(own)).chain(parameters(own).map(|parameter| parameter.name))
}

/// Every key that an item of `targets:` can have.
pub(super) fn keys_of_a_target(own: &[&'static Action]) -> impl Iterator<Item = &'static str> {
    ["id", "with", "filter", "notBefore", "note", "priority", "route"].into_iter().chain(targets(own))
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<_> = words.into_iter().collect();
    match words.split_last() {
        None => String::new(),
        Some((last, [])) => (*last).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// The routes of an action with their ids, for help.
pub(super) fn routes(action: &Action) -> String {
    let routes: Vec<_> = action
        .routes
        .iter()
        .map(|route| format!("{} ({})", route.name, list(route.ids.iter().map(|id| id.name))))
        .collect();
    format!("routes of `{}`: {}", action.name, routes.join(", "))
}

/// What to say about an action that is neither in the catalog nor among the plan's own.
pub(super) fn unknown_action(name: &str, own: &[&'static Action]) -> (String, String) {
    const ALL: &str = "`musterout actions` lists them";
    let message = format!("there is no action `{}`", shown(name));
    let names = ACTIONS.iter().chain(own.iter().copied()).map(|action| action.name);
    let help = match did_you_mean(name, names) {
        Some(near) => format!("did you mean `{near}`? {ALL}"),
        None => ALL.into(),
    };
    (message, help)
}

/// Words that can stand on the left side of `columns:`.
pub(super) fn mappable(key: &str, own: &[&'static Action]) -> Option<Meaning> {
    match key.strip_prefix("with.") {
        Some(name) => ACTIONS
            .iter()
            .chain(own.iter().copied())
            .flat_map(|action| action.parameters)
            .find(|parameter| parameter.name == name)
            .map(|parameter| Meaning::Parameter(parameter.name)),
        None => Meaning::of_key(key, own).filter(|meaning| *meaning != Meaning::Action),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_word_means_itself() {
        for word in known(&[]) {
            assert!(Meaning::of_header(word, &[]).is_some(), "{word}");
            assert!(Meaning::of_key(word, &[]).is_some(), "{word}");
        }
        assert_eq!(Meaning::of_header("Not before", &[]).map(Meaning::name), Some("notBefore"));
        assert_eq!(Meaning::of_key("Not before", &[]), None);
        assert_eq!(Meaning::of_header("UPN", &[]).map(Meaning::name), Some("userPrincipalName"));
        assert_eq!(Meaning::of_header("with.keepUserData", &[]), Meaning::of_header("Keep user data", &[]));
        assert_eq!(Meaning::of_header("deviceName", &[]).map(Meaning::name), Some("deviceName"));
    }
}
