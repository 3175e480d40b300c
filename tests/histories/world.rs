//! A machine and a tenant, under a clock that moves only when nothing is left to do.
//!
//! In: a script. Out: places, connections and clocks for its processes, and the tape of what goes through. Must not: look
//! into the program: a journal is opened by its verbs alone.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::{SignedDuration, Timestamp};
use musterout::testing::catalog::TargetKind;
use musterout::testing::journal::place::{JournalPlace, MemoryPlace};
use musterout::testing::msgraph::transport::{WireReply, WireRequest};
use musterout::testing::settings::{Environment, Flags, Settings};
use musterout::testing::simulator::by_hand::ByHand;
use musterout::testing::simulator::power::Power;
use musterout::testing::simulator::scenario::Scenario;
use musterout::testing::simulator::tenant::Tenant;
use musterout::testing::simulator::transport::SimTransport;
use musterout::testing::simulator::wire::{Fate, Passed, Spoil, Wire};
use tokio::time::Instant;

use super::script::{By, Entry, Fault, Plan, Policy, Row, Script, USERS, Wrong};
use super::tape::{Event, Job, May, Request, Spoilt, Tape};
use crate::support::guid;
use crate::support::world::{begin_clock, suspend, system, wall};

/// An action, or `None` for a read; and the device.
type About = (Option<&'static str>, usize);

pub struct World {
    pub script: Script,
    tenant: Arc<Tenant>,
    pub settings: Settings,
    pub flags: Flags,
    folder: PathBuf,
    pub plans: RefCell<Vec<Plan>>,
    /// What saved previews agree to, by the plan that they were made of.
    pub saved: RefCell<HashMap<usize, May>>,
    /// What each device and each user is called.
    names: RefCell<BTreeMap<usize, String>>,
    began: Instant,
    tape: Arc<Mutex<Tape>>,
    calls: Arc<Mutex<HashMap<About, u32>>>,
}

impl World {
    /// A world at its beginning; its files are below `folder`.
    pub fn new(script: &Script, folder: &Path) -> Self {
        begin_clock();
        let memory = MemoryPlace::new().unwrap();
        let flags = Flags { state_dir: Some(JournalPlace::Memory(memory)), ..Flags::default() };
        let world = Self {
            tenant: Tenant::new(Scenario::from_yaml(&scenario(script)).unwrap(), wall()),
            settings: Settings::new(&flags, &Environment::default()).unwrap(),
            flags,
            folder: folder.to_owned(),
            plans: RefCell::new(script.plans.clone()),
            saved: RefCell::default(),
            names: RefCell::new(things(script).map(|thing| (thing, name(thing))).collect()),
            began: Instant::now(),
            tape: Arc::default(),
            calls: Arc::default(),
            script: script.clone(),
        };
        for plan in script.plans.iter() {
            world.write(plan);
        }
        world.write_policy(&Policy::default());
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub fn write(&self, plan: &Plan) {
        fs::write(self.path(&plan.file), text(plan)).unwrap();
    }

    /// Where the policy is that every process is told of.
    pub fn policy(&self) -> PathBuf {
        self.path("policy.yaml")
    }

    pub fn write_policy(&self, policy: &Policy) {
        let mut text = "version: 1\nguards:\n  max_targets: 1000\n".to_owned();
        if let Some(device) = policy.protects {
            let _ = writeln!(text, "  protected: [{}]", guid(device));
        }
        if let Some(action) = policy.denies {
            let _ = writeln!(text, "  deny_actions: [{action}]");
        }
        fs::write(self.policy(), text).unwrap();
        self.tell(Event::Policy(policy.clone()));
    }

    pub fn tape(&self) -> MutexGuard<'_, Tape> {
        self.tape.lock().unwrap()
    }

    pub fn tell(&self, event: Event) {
        let at = self.began.elapsed();
        self.tape().events.push((at, event));
    }

    /// What the machine's clock shows.
    pub fn now(&self) -> Timestamp {
        system()
    }

    pub fn set_clock(&self, by: i64) {
        suspend(SignedDuration::from_secs(by));
    }

    /// The connection of a process, which ends with its power.
    pub fn transport(&self, process: usize, power: &Arc<Power>) -> SimTransport {
        let (tape, calls, began) = (Arc::clone(&self.tape), Arc::clone(&self.calls), self.began);
        let (faults, script) = (self.script.faults.clone(), self.script.clone());
        let told: Arc<Mutex<HashMap<String, Spoilt>>> = Arc::default();
        let tell = Arc::clone(&told);
        let of = script.clone();
        let choose = move |request: &WireRequest| {
            let Some(key) = about(request.method.as_str(), &request.url, things(&of)) else { return Spoil::Nothing };
            let mut calls = calls.lock().unwrap();
            let nth = calls.entry(key).or_default();
            *nth += 1;
            let is_it = |fault: &&Fault| (fault.action, fault.device, fault.nth) == (key.0, key.1, *nth);
            let goes = faults.iter().find(is_it).map(|fault| &fault.goes);
            let (spoil, spoilt) = goes.map_or((Spoil::Nothing, Spoilt::No), spoil);
            tell.lock().unwrap().insert(request.url.clone(), spoilt);
            spoil
        };
        let watch = move |passed: Passed| {
            let Some((action, device)) = about(&passed.method, &passed.url, things(&script)) else { return };
            let spoilt = told.lock().unwrap().get(&passed.url).copied().unwrap_or(Spoilt::No);
            let Passed { effect, answer, at, .. } = passed;
            let request = Request { process, action, device, effect, answer, spoilt };
            tape.lock().unwrap().events.push((at - began, Event::Request(request)));
        };
        let wire = Arc::new(Wire::new(choose, watch));
        SimTransport::new(Arc::clone(&self.tenant)).powered(Arc::clone(power)).wired(wire)
    }

    /// What a plan leads to as the names are now; `None` where a name leads to none or to several.
    pub fn may(&self, plan: &Plan) -> Option<May> {
        let names = self.names.borrow();
        let jobs = plan.rows.iter().map(|row| {
            let device = match row.by {
                By::Name => whose(&names, &name(row.device))?,
                By::Id | By::Serial => row.device,
            };
            Some(Job { action: row.action, device })
        });
        let key = plan.name.map_or_else(|| format!("file {}", plan.file), |name| format!("name {name}"));
        Some(May {
            jobs: jobs.collect::<Option<_>>()?,
            protected: plan.protected.clone(),
            again: Vec::new(),
            plan: Some(key),
        })
    }

    /// The devices that those entries protect as the names are now.
    pub fn protected(&self, entries: &[Entry]) -> Vec<usize> {
        let names = self.names.borrow();
        let device = |entry: &Entry| match entry.by {
            By::Name => whose(&names, &name(entry.device)),
            By::Id | By::Serial => Some(entry.device),
        };
        entries.iter().filter_map(device).collect()
    }

    pub fn leaves(&self, device: usize) {
        self.by_hand(device, &ByHand::Leaves);
        self.tell(Event::Gone(device));
    }

    pub fn returns(&self, device: usize) {
        self.by_hand(device, &ByHand::Returns);
        self.tell(Event::Back(device));
    }

    pub fn change_names(&self, one: usize, other: usize) {
        let [of_one, of_other] = [one, other].map(|thing| self.names.borrow()[&thing].clone());
        for (thing, value) in [(one, of_other), (other, of_one)] {
            self.names.borrow_mut().insert(thing, value.clone());
            let property = if thing < USERS { "deviceName" } else { "userPrincipalName" };
            self.by_hand(thing, &ByHand::Set { property: property.into(), value });
        }
        self.tell(Event::World(format!("devices {one} and {other} change names")));
    }

    fn by_hand(&self, device: usize, deed: &ByHand) {
        let kind = if device < USERS { TargetKind::ManagedDevice } else { TargetKind::User };
        self.tenant.by_hand(kind, &guid(device), deed);
    }

    pub fn things(&self) -> impl Iterator<Item = usize> {
        things(&self.script)
    }
}

fn things(script: &Script) -> impl Iterator<Item = usize> + use<> {
    (0..script.devices).chain(USERS..USERS + script.users)
}

fn name(thing: usize) -> String {
    match thing < USERS {
        true => format!("LAB-{thing:02}"),
        false => format!("user-{thing}@contoso.com"),
    }
}

fn whose(names: &BTreeMap<usize, String>, name: &str) -> Option<usize> {
    names.iter().find(|(_, known)| *known == name).map(|(thing, _)| *thing)
}

/// The licence that users have.
const SKU: &str = "06ebc4ee-1bb5-47dd-8120-11324bc54e06";

fn scenario(script: &Script) -> String {
    let mut text = format!(
        "seed: {}\nthrottle: off\nlog: off\nonly_listed: true\nlatency: {{ min: 20ms, max: 120ms }}\n\
         sign_in: {{ token_lifetime: 9000h }}\ndevices:\n",
        script.seed
    );
    for device in 0..script.devices {
        let (id, name) = (guid(device), name(device));
        let _ = writeln!(text, "  - {{ id: {id}, deviceName: {name}, serialNumber: S-{device} }}");
    }
    text += if script.users > 0 { "users:\n" } else { "" };
    for user in USERS..USERS + script.users {
        let (id, name) = (guid(user), name(user));
        let _ = writeln!(text, "  - {{ id: {id}, userPrincipalName: {name}, assignedLicenses: [{SKU}] }}");
    }
    let late = script.faults.iter().filter_map(|fault| Some((fault, fault.action?, fault.late?)));
    for (number, (fault, action, seconds)) in late.enumerate() {
        let faults = if number == 0 { "faults:\n" } else { "" };
        let target = guid(fault.device);
        let on = format!("{{ action: {action}, target: {target}, calls: [{}] }}", arrives_as(script, fault));
        let _ = writeln!(text, "{faults}  - on: {on}\n    do: {{ late: {seconds}s }}");
    }
    text
}

/// What number a call has for the tenant, which does not see those that never arrive.
fn arrives_as(script: &Script, fault: &Fault) -> u32 {
    let same = |other: &&Fault| (other.action, other.device) == (fault.action, fault.device) && other.nth < fault.nth;
    let kept_back = |other: &&Fault| matches!(spoil(&other.goes).0, Spoil::Before(_));
    let lost = script.faults.iter().filter(same).filter(kept_back).count();
    fault.nth - u32::try_from(lost).unwrap_or_default()
}

fn text(plan: &Plan) -> String {
    let mut text = "version: 1\n".to_owned();
    if let Some(name) = plan.name {
        let _ = writeln!(text, "name: {name}");
    }
    if let Some(missing) = plan.missing {
        let _ = writeln!(text, "missing: {missing}");
    }
    text += "jobs:\n";
    for Row { action, device, by } in &plan.rows {
        let target = match by {
            By::Name if *device >= USERS => format!("userPrincipalName: {}", name(*device)),
            _ if *device >= USERS => format!("userId: {}", guid(*device)),
            By::Id => format!("managedDeviceId: {}", guid(*device)),
            By::Serial => format!("serialNumber: S-{device}"),
            By::Name => format!("deviceName: {}", name(*device)),
        };
        let with = match *action {
            "deprovision" => ", with: { deprovisionReason: upgrade }".to_owned(),
            "removeLicenses" => format!(", with: {{ skuIds: [{SKU}] }}"),
            _ => String::new(),
        };
        let _ = writeln!(text, "  - {{ action: {action}{with}, targets: [{{ {target} }}] }}");
    }
    if !plan.protected.is_empty() {
        let entry = |entry: &Entry| match entry.by {
            By::Name => name(entry.device),
            By::Serial if entry.device < USERS => format!("S-{}", entry.device),
            By::Id | By::Serial => guid(entry.device),
        };
        let ids: Vec<_> = plan.protected.iter().map(entry).collect();
        let _ = writeln!(text, "guards: {{ protected: [{}] }}", ids.join(", "));
    }
    text
}

/// Which action on which device a request is about; `None` for the action of a read.
fn about(method: &str, url: &str, mut things: impl Iterator<Item = usize>) -> Option<About> {
    let device = things.find(|thing| url.contains(&guid(*thing)))?;
    let path = url.split('?').next().unwrap_or_default();
    let action = match method {
        "GET" => None,
        "DELETE" if device < USERS => Some("delete"),
        "DELETE" => Some("deleteUser"),
        "PATCH" => Some("disableUser"),
        _ if path.ends_with("/assignLicense") => Some("removeLicenses"),
        _ => Some(musterout::testing::catalog::Action::named(path.rsplit('/').next()?)?.name),
    };
    Some((action, device))
}

fn spoil(goes: &Wrong) -> (Spoil, Spoilt) {
    match goes {
        Wrong::Lost { after: true } => (Spoil::After(Fate::Lost), Spoilt::Lost),
        Wrong::Lost { after: false } => (Spoil::Before(Fate::Lost), Spoilt::Lost),
        Wrong::Unreachable => (Spoil::Before(Fate::Unreachable), Spoilt::Unreachable),
        Wrong::Answer { status, after, wait, html } => {
            let fate = Fate::Answer(reply(*status, *wait, *html));
            let spoil = if *after { Spoil::After(fate) } else { Spoil::Before(fate) };
            (spoil, Spoilt::Answer(*status))
        }
        Wrong::Slow(seconds) => (Spoil::Slow(Duration::from_secs(u64::from(*seconds))), Spoilt::No),
        Wrong::Nothing => (Spoil::Nothing, Spoilt::No),
    }
}

fn reply(status: u16, wait: Option<u16>, html: bool) -> WireReply {
    let mut headers = HeaderMap::new();
    if let Some(wait) = wait {
        headers.insert(HeaderName::from_static("retry-after"), HeaderValue::from(wait));
    }
    let body: &'static [u8] = match html {
        true => b"<html><body><h1>Service Unavailable</h1></body></html>",
        false => br#"{"error":{"code":"UnknownError","message":"An error has occurred"}}"#,
    };
    let kind = if html { "text/html" } else { "application/json" };
    headers.insert(HeaderName::from_static("content-type"), HeaderValue::from_static(kind));
    WireReply { status: StatusCode::from_u16(status).unwrap(), headers, body: Bytes::from_static(body) }
}
