//! Targets that nothing is done to: a list of ids, names and patterns.
//!
//! In: entries from plans, policies and their CSV files, and what they were found to stand for. Out: whether a job's target
//! is on the list: by its ids alone, by what a read shows of it, or because nobody can tell. Must not: guess: an entry
//! matches whole values, `*` stands for any text, and what could not be read is not taken for nothing.
//!
//! A device is protected with its owner: an entry that is a user holds the devices of that user, and an entry that is a
//! device holds what is done to its owner's account. It does not hold another device of the same owner: one account may
//! have enrolled a thousand.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::meaning::{EntryForm, EntryMeaning, Object, is_shown, may_own, shows_all_names, shows_its_user};
use crate::catalog::TargetKind;
use crate::identity::Identity;
use crate::job::Job;
use crate::text;

/// One entry of the list, as it was written, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProtectedEntry {
    pub text: Box<str>,
    pub file: Arc<str>,
    pub line: u32,
    /// What it is, where its column says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only: Option<Object>,
    /// What it stands for, where that was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub means: Option<Box<EntryMeaning>>,
}

impl ProtectedEntry {
    pub fn new(text: &str, file: &Arc<str>, line: u32) -> Self {
        Self { text: text.into(), file: Arc::clone(file), line, only: None, means: None }
    }

    pub fn is_pattern(&self) -> bool {
        self.text.contains('*')
    }

    pub fn form(&self) -> EntryForm {
        EntryForm::of(bare(&self.text))
    }

    /// Whether it is a pattern of addresses: no read of a device shows all addresses of its owner.
    pub fn is_pattern_of_addresses(&self) -> bool {
        self.is_pattern() && self.form() == EntryForm::Address
    }

    /// Its value, without what says nothing.
    pub fn value(&self) -> &str {
        bare(&self.text)
    }

    /// Whether it can be such an object.
    pub fn can_be(&self, object: Object) -> bool {
        self.only.map_or_else(|| self.form().can_be(object), |only| only == object)
    }

    /// Whether it may mean a target of that kind, for all that anybody has read.
    fn is_open_for(&self, target: TargetKind, read: Option<&Identity>) -> bool {
        let Some(means) = self.means.as_deref() else { return false };
        if (means.unlisted && !shows_its_user(target, read)) || (means.unowned && may_own(target)) {
            return true;
        }
        let unread = &means.unread;
        match self.is_pattern() {
            true => {
                unread.contains(&Object::User) || (unread.contains(&Object::ManagedDevice) && !shows_all_names(target))
            }
            false => unread.iter().any(|object| !is_shown(self.form(), *object, target, read)),
        }
    }
}

/// `vip.csv:2`.
impl fmt::Display for ProtectedEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// Why a target is protected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Protection {
    /// Of a user: which of their devices it is about.
    device: Option<Box<str>>,
    /// What of the target matched: `name`, `serial number`.
    field: &'static str,
    value: Box<str>,
    by: MatchedBy,
    entry: ProtectedEntry,
}

/// How it matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MatchedBy {
    /// The entry says so.
    Text,
    /// What the entry stands for has that value.
    Object,
    /// What the entry stands for is owned by it.
    Owner,
    /// Nobody knows whether the entry means it.
    Nobody,
}

impl Protection {
    /// Whether the target is meant; otherwise nobody knows.
    pub(super) fn is_certain(&self) -> bool {
        self.by != MatchedBy::Nobody
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { device, field, value, by, entry } = self;
        f.write_str("protected: ")?;
        if let Some(device) = device {
            write!(f, "of the devices of this user, {device}: ")?;
        }
        let means = entry.means.as_deref();
        let called = means.and_then(|means| means.called.as_deref()).unwrap_or("the protected object");
        match by {
            MatchedBy::Text if entry.is_pattern() => {
                write!(f, "its {field} `{value}` matches `{}` in {entry}", entry.text)
            }
            MatchedBy::Text => write!(f, "its {field} `{value}` is listed in {entry}"),
            MatchedBy::Object => {
                write!(f, "its {field} `{value}` is that of {called}, listed as `{}` in {entry}", entry.text)
            }
            MatchedBy::Owner => write!(f, "it is the owner of {called}, listed as `{}` in {entry}", entry.text),
            MatchedBy::Nobody => {
                let why = means.and_then(|means| means.why.as_deref()).unwrap_or("it was not read");
                write!(f, "it may be the object `{}` in {entry}, which could not be looked up ({why})", entry.text)
            }
        }
    }
}

/// The list, ready to be asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<ProtectedEntry>", into = "Vec<ProtectedEntry>")]
pub struct Protected {
    entries: Vec<ProtectedEntry>,
    /// Whole values as they are compared, and the entry each comes from.
    exact: HashMap<Box<str>, u32>,
    /// The others, folded.
    patterns: Vec<(Box<str>, u32)>,
    /// What entries stand for is known by these.
    known: HashMap<Box<str>, u32>,
    /// And its owners by these.
    owners: HashMap<Box<str>, u32>,
    /// Those that something could not be read of, one of each sort: they are asked for every target.
    open: Vec<u32>,
}

impl From<Vec<ProtectedEntry>> for Protected {
    fn from(entries: Vec<ProtectedEntry>) -> Self {
        let mut list = Self::default();
        list.exact.reserve(entries.len());
        entries.into_iter().for_each(|entry| list.push(entry));
        list
    }
}

impl From<Protected> for Vec<ProtectedEntry> {
    fn from(list: Protected) -> Self {
        list.entries
    }
}

/// A value of a target, what it is of it, and whose.
#[derive(Clone, Copy)]
struct ShownValue<'i> {
    field: &'static str,
    value: &'i str,
    whose: Whose,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// It names the target and nothing else.
    Its,
    /// It is a name, which others may have.
    Name,
    Owners,
}

impl Protected {
    fn push(&mut self, entry: ProtectedEntry) {
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let folded = fold(&entry.text).into_owned().into_boxed_str();
        if entry.is_pattern() {
            self.patterns.push((folded, number));
        } else {
            self.exact.entry(folded).or_insert(number);
        }
        if let Some(means) = &entry.means {
            let key = |value: &str| fold(value).into_owned().into_boxed_str();
            for value in &means.own {
                self.known.entry(key(value)).or_insert(number);
            }
            for value in &means.owners {
                self.owners.entry(key(value)).or_insert(number);
            }
            let is_alike = |other: &&ProtectedEntry| {
                let lacks = |means: &EntryMeaning| (means.unlisted, means.unowned, means.unread.clone());
                let form = (other.is_pattern(), other.form()) == (entry.is_pattern(), entry.form());
                form && other.means.as_deref().map(lacks) == Some(lacks(means))
            };
            let of_its_sort = self.open.iter().filter_map(|number| self.entries.get(*number as usize)).find(is_alike);
            if means.is_open() && of_its_sort.is_none() {
                self.open.push(number);
            }
        }
        self.entries.push(entry);
    }

    /// Both lists.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        if self.is_empty() {
            return other;
        }
        other.entries.into_iter().for_each(|entry| self.push(entry));
        self
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn entries(&self) -> &[ProtectedEntry] {
        &self.entries
    }

    /// The same list, of which it was read what each entry stands for.
    #[must_use]
    pub fn meaning(self, meanings: Vec<Option<EntryMeaning>>) -> Self {
        let entries = self.entries.into_iter().zip(meanings.into_iter().chain(std::iter::repeat_with(|| None)));
        let with = |(entry, means): (ProtectedEntry, Option<EntryMeaning>)| ProtectedEntry {
            means: means.map(Box::new),
            ..entry
        };
        entries.map(with).collect::<Vec<_>>().into()
    }

    /// The first entry that may mean any target of that kind, for all that anybody has read.
    fn open_for(&self, target: TargetKind, read: Option<&Identity>) -> Option<&ProtectedEntry> {
        let mut open = self.open.iter().filter_map(|number| self.entries.get(*number as usize));
        open.find(|entry| entry.is_open_for(target, read))
    }

    /// Whether the job's target is on the list, as far as its ids tell, and what a read showed of it where there was one.
    pub(super) fn covers(&self, job: &Job, identity: Option<&Identity>) -> Option<Protection> {
        if self.is_empty() {
            return None;
        }
        let kind = job.action.target;
        let ids = job.ids.iter().map(|value| ShownValue { field: "id", value, whose: Whose::Its });
        let in_the_body = job.acted_on();
        let in_the_body = in_the_body.iter().map(|(field, value)| ShownValue { field, value, whose: Whose::Its });
        let seen = identity.into_iter().flat_map(|identity| shown(identity, kind));
        let all: Vec<_> = ids.chain(in_the_body).chain(seen).collect();
        let itself = self.first_of(&all, None);
        let devices = identity.and_then(|identity| identity.devices.as_deref()).unwrap_or_default();
        let theirs = || devices.iter().find_map(|device| self.covers_device(device));
        let nobody_knows = || {
            let entry = self.open_for(kind, identity)?.clone();
            Some(Protection { device: None, field: "id", value: job.target().into(), by: MatchedBy::Nobody, entry })
        };
        itself.or_else(theirs).or_else(nobody_knows)
    }

    /// One of the devices of a user whom an action takes all of them from.
    fn covers_device(&self, device: &Identity) -> Option<Protection> {
        let name = device.name.as_deref().unwrap_or(&device.id);
        let all: Vec<_> = shown(device, TargetKind::ManagedDevice).collect();
        let itself = self.first_of(&all, Some(name));
        itself.or_else(|| {
            let entry = self.open_for(TargetKind::ManagedDevice, Some(device))?.clone();
            Some(Protection {
                device: Some(name.into()),
                field: "id",
                value: device.id.clone(),
                by: MatchedBy::Nobody,
                entry,
            })
        })
    }

    /// What is written in the list tells more than what an entry stands for, so that it is looked for first.
    fn first_of(&self, all: &[ShownValue<'_>], device: Option<&str>) -> Option<Protection> {
        let written = |shown: &ShownValue<'_>| Some((self.entry_of(&fold(shown.value))?, MatchedBy::Text));
        let known = |shown: &ShownValue<'_>| {
            let value = fold(shown.value);
            let of = |map: &HashMap<Box<str>, u32>, by| Some((map.get(value.as_ref()).copied()?, by));
            let object = of(&self.known, MatchedBy::Object).filter(|_| shown.whose != Whose::Name);
            object.or_else(|| of(&self.owners, MatchedBy::Owner).filter(|_| shown.whose == Whose::Its))
        };
        let found = |shown: &ShownValue<'_>, (number, by): (u32, MatchedBy)| {
            let (field, value) = (shown.field, shown.value.into());
            Some(Protection {
                device: device.map(Box::from),
                field,
                value,
                by,
                entry: self.entries.get(number as usize)?.clone(),
            })
        };
        let by_text = all.iter().find_map(|shown| found(shown, written(shown)?));
        by_text.or_else(|| all.iter().find_map(|shown| found(shown, known(shown)?)))
    }

    fn entry_of(&self, folded: &str) -> Option<u32> {
        let listed = self.exact.get(folded).copied();
        listed.or_else(|| {
            let fits = |(pattern, _): &&(Box<str>, u32)| fits(pattern, folded);
            self.patterns.iter().find(fits).map(|(_, number)| *number)
        })
    }

    /// The patterns that one of these values fits, by number.
    pub fn patterns_of<'l>(&'l self, identity: &'l Identity) -> impl Iterator<Item = u32> + 'l {
        let values = shown(identity, TargetKind::ManagedDevice).map(|shown| shown.value);
        let aliases = identity.aliases.iter().map(|alias| &**alias);
        let values: Vec<_> = values.chain(aliases).map(fold).collect();
        let any = move |pattern: &str| values.iter().any(|value| fits(pattern, value));
        self.patterns.iter().filter(move |(pattern, _)| any(pattern)).map(|(_, number)| *number)
    }
}

/// Everything that a target of that kind is known by, as a read shows it.
fn shown(identity: &Identity, kind: TargetKind) -> impl Iterator<Item = ShownValue<'_>> {
    use Whose::{Its, Name, Owners};
    let is_a_device =
        matches!(kind, TargetKind::ManagedDevice | TargetKind::AutopilotIdentity | TargetKind::EntraDevice);
    let (user, names, mail) = match is_a_device {
        true => (Owners, "user principal name", "owner's mail address"),
        false => (Its, "user principal name", "mail address"),
    };
    let values = [
        ("id", Some(&identity.id), Its),
        ("name", identity.name.as_ref(), Name),
        ("serial number", identity.serial_number.as_ref(), Its),
        ("IMEI", identity.imei.as_ref(), Its),
        (names, identity.user_principal_name.as_ref(), user),
        ("Entra device id", identity.azure_ad_device_id.as_ref(), Its),
        ("managed device", identity.managed_device_id.as_ref(), Its),
        ("owner", identity.owner_id.as_ref(), Owners),
        (mail, identity.mail.as_ref(), user),
    ];
    values.into_iter().filter_map(|(field, value, whose)| Some(ShownValue { field, value: value?, whose }))
}

/// The braces around a GUID say nothing.
fn bare(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text)
}

/// Neither do case and how a letter is composed.
fn fold(text: &str) -> Cow<'_, str> {
    text::key(bare(text))
}

/// Whether `text` is `pattern`, in which each `*` stands for any text. Both are folded.
fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let (Some(first), Some(last)) = (parts.next(), parts.next_back()) else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(first).and_then(|rest| rest.strip_suffix(last)) else { return false };
    // The leftmost place of each part leaves the most room for the next one.
    parts.all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Action;
    use crate::job::{Ids, JobParts};
    use proptest::prelude::*;

    fn job(id: &str) -> Job {
        job_on("retire", id)
    }

    fn list(entries: &[&str]) -> Protected {
        let entries = entries.iter().map(|text| ProtectedEntry::new(text, &"vip.csv".into(), 2));
        entries.collect::<Vec<_>>().into()
    }

    #[test]
    fn a_target_is_known_by_its_ids_and_by_what_a_read_shows() {
        let seen = Identity {
            id: "a".into(),
            name: Some("VIP-01".into()),
            serial_number: Some("5CG1234XYZ".into()),
            user_principal_name: Some("ceo@board.contoso.com".into()),
            ..Identity::default()
        };
        let why = |entry: &str| list(&[entry]).covers(&job("a"), Some(&seen)).map(|finding| finding.to_string());
        assert_eq!(why("vip-*").as_deref(), Some("protected: its name `VIP-01` matches `vip-*` in vip.csv:2"));
        assert_eq!(
            why("5cg1234xyz").as_deref(),
            Some("protected: its serial number `5CG1234XYZ` is listed in vip.csv:2")
        );
        assert!(why("*@BOARD.contoso.com").is_some() && why("{A}").is_some());
        assert!(why("VIP").is_none() && why("*@contoso.com").is_none() && why("5CG").is_none());
        assert!(list(&["VIP-*"]).covers(&job("a"), None).is_none());
    }

    fn known(text: &str, own: &[&str], owners: &[&str]) -> ProtectedEntry {
        let texts = |texts: &[&str]| texts.iter().map(|text| Box::from(*text)).collect();
        let called = Some("managed device VIP-01".into());
        let means = EntryMeaning { called, own: texts(own), owners: texts(owners), ..EntryMeaning::default() };
        ProtectedEntry { means: Some(Box::new(means)), ..ProtectedEntry::new(text, &"vip.csv".into(), 2) }
    }

    #[test]
    fn what_an_entry_stands_for_is_met_by_any_id_that_both_have() {
        let list: Protected = vec![known("e1", &["a", "d1", "5CG1"], &["u1", "ceo@contoso.com"])].into();
        let told = |seen: Identity| list.covers(&job("x"), Some(&seen)).map(|finding| finding.to_string());
        let text = |text: &str| Some(Box::from(text));
        let by_id = told(Identity { id: "x".into(), azure_ad_device_id: text("D1"), ..Identity::default() });
        let expected =
            "protected: its Entra device id `D1` is that of managed device VIP-01, listed as `e1` in vip.csv:2";
        assert_eq!(by_id.as_deref(), Some(expected));
        assert!(told(Identity { serial_number: text("5cg1"), ..Identity::default() }).is_some());
        assert!(list.covers(&job("A"), None).is_some(), "by its id alone");
        // A name is nobody's own, and another device of the same owner is another device.
        assert_eq!(told(Identity { name: text("5CG1"), ..Identity::default() }), None);
        assert_eq!(told(Identity { owner_id: text("u1"), ..Identity::default() }), None);
        let user = |id: &str| Job::new(JobParts::plain(1, Action::named("disableUser").unwrap(), Ids::new([id])));
        let why = list.covers(&user("u1"), None).unwrap().to_string();
        assert_eq!(why, "protected: it is the owner of managed device VIP-01, listed as `e1` in vip.csv:2");
        assert_eq!(list.covers(&user("u2"), None), None);
    }

    #[test]
    fn each_device_of_a_user_is_asked_for_where_an_action_reaches_them_all() {
        let action = Action::named("removeAllDevicesFromManagement").unwrap();
        let job = Job::new(JobParts::plain(1, action, Ids::new(["u"])));
        let device = |name: &str| Identity { id: name.into(), name: Some(name.into()), ..Identity::default() };
        let mut seen = Identity { id: "u".into(), devices: Some(vec![device("LAB-1")]), ..Identity::default() };
        let vips = list(&["VIP-*"]);
        assert_eq!(vips.covers(&job, Some(&seen)), None);
        seen.devices.as_mut().unwrap().push(device("VIP-2"));
        let why = vips.covers(&job, Some(&seen)).unwrap().to_string();
        let expected = "protected: of the devices of this user, VIP-2: its id `VIP-2` matches `VIP-*` in vip.csv:2";
        assert_eq!(why, expected);
    }

    #[test]
    fn what_could_not_be_read_holds_what_it_may_mean_and_nothing_else() {
        let open = |text: &str, unread: Vec<Object>, unlisted| {
            let means = EntryMeaning { unread, unlisted, why: Some("403".into()), ..EntryMeaning::default() };
            let entry =
                ProtectedEntry { means: Some(Box::new(means)), ..ProtectedEntry::new(text, &"vip.csv".into(), 2) };
            Protected::from(vec![entry])
        };
        let is_open = |list: &Protected, kind| list.open_for(kind, None).is_some();
        use TargetKind::{AutopilotIdentity, EntraDevice, ManagedDevice, User};
        let guid = "61000000-0000-4000-8000-0000000000ff";
        let user = open(guid, vec![Object::User], false);
        let found = [ManagedDevice, User, EntraDevice, AutopilotIdentity].map(|kind| is_open(&user, kind));
        assert_eq!(found, [false, false, true, true], "a managed device shows who owns it");
        assert!(is_open(&open(guid, vec![Object::EntraDevice], false), ManagedDevice), "but no object id");
        let sees = |list: &Protected, read: Identity| list.covers(&job("x"), Some(&read)).is_none();
        let owned = |id: Option<&str>| Identity {
            id: "x".into(),
            owner_id: id.map(Box::from),
            user_principal_name: Some("ada@contoso.com".into()),
            ..Identity::default()
        };
        assert!(sees(&user, owned(Some("a"))) && !sees(&user, owned(None)), "the id of its owner is not shown");
        let serial = open("SN-1", vec![Object::AutopilotIdentity], false);
        let with_serial = Identity { serial_number: Some("SN-2".into()), ..owned(None) };
        assert!(sees(&serial, with_serial) && !sees(&serial, owned(None)), "its serial number is not shown");
        let unlisted = open(guid, Vec::new(), true);
        assert!(is_open(&unlisted, EntraDevice) && !is_open(&unlisted, ManagedDevice));
        let means = EntryMeaning { own: vec!["e1".into()], unowned: true, ..EntryMeaning::default() };
        let entry = ProtectedEntry { means: Some(Box::new(means)), ..ProtectedEntry::new("e1", &"vip.csv".into(), 2) };
        let unowned = Protected::from(vec![entry]);
        assert!(is_open(&unowned, User) && !is_open(&unowned, EntraDevice) && !is_open(&unowned, ManagedDevice));
        let finding = user.covers(&job_on("deleteEntraDevice", "x"), None).unwrap();
        assert!(!finding.is_certain() && finding.to_string().contains("could not be looked up (403)"), "{finding}");
    }

    fn job_on(action: &str, id: &str) -> Job {
        Job::new(JobParts::plain(1, Action::named(action).unwrap(), Ids::new([id])))
    }

    /// Every way to give the stars a text is tried.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|at| naive(rest, &text[at..])),
            Some((byte, rest)) => text.split_first().is_some_and(|(first, text)| first == byte && naive(rest, text)),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3_000))]

        #[test]
        fn stars_stand_for_any_text(pattern in "[ab*]{0,7}", text in "[ab]{0,9}") {
            prop_assert_eq!(fits(&pattern, &text), naive(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
