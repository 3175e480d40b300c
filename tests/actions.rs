//! Every action of the catalog: reached from YAML and from CSV on each of its routes, with the bytes that Graph wants
//! and one effect; and `docs/reference/actions.md`, which is made of the catalog.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use musterout::testing::catalog::{ACTIONS, Action, Method, Parameter, ParameterKind, Route, TargetKind, Version};
use musterout::testing::ui::actions::one;
use musterout::testing::ui::style::View;
use serde_json::{Map, Value, json};

use crate::support::guid;
use crate::support::program::{Desk, run};
use crate::support::simulator::Simulator;

const SKU: &str = "05e9a617-0261-4cee-bb44-138d3ef5d965";

/// One action on one route, with ids that no other has.
struct Sample {
    action: &'static Action,
    route: &'static Route,
    number: usize,
}

fn samples() -> Vec<Sample> {
    let routes = ACTIONS.iter().flat_map(|action| action.routes.iter().map(move |route| (action, route)));
    routes.zip(1..).map(|((action, route), number)| Sample { action, route, number }).collect()
}

fn value(kind: ParameterKind) -> Value {
    match kind {
        ParameterKind::Text | ParameterKind::Name => json!("A \"quoted\" wörd, and more"),
        ParameterKind::PrincipalName => json!("zoë+o'brien@contoso.com"),
        ParameterKind::Boolean => json!(false),
        ParameterKind::Pin => json!("012345"),
        ParameterKind::OneOf(words) => json!(words[words.len() - 1]),
        ParameterKind::Integer | ParameterKind::Minutes => json!(30),
        ParameterKind::MinutesInWords => json!("030"),
        ParameterKind::ComputerName => json!("LAB-{{serialnumber}}"),
        ParameterKind::DeviceName => json!("Ada's {{serialnumber}}"),
        ParameterKind::Guid => json!(guid(7)),
        ParameterKind::Guids => json!([SKU]),
    }
}

impl Sample {
    fn ids(&self) -> Vec<(&'static str, String)> {
        let id = |(at, name): (usize, &&'static str)| (*name, guid(self.number * 10 + at));
        self.route.ids.iter().map(|id| id.name).collect::<Vec<_>>().iter().enumerate().map(id).collect()
    }

    fn target(&self) -> String {
        self.ids().pop().unwrap().1
    }

    /// Every parameter that does not move the request to beta.
    fn parameters(&self) -> impl Iterator<Item = &'static Parameter> {
        self.action.parameters.iter().filter(|parameter| !parameter.beta_only)
    }

    fn yaml(&self) -> String {
        let with: Map<_, _> =
            self.parameters().map(|parameter| (parameter.name.to_owned(), value(parameter.kind))).collect();
        let ids: BTreeMap<_, _> = self.ids().into_iter().collect();
        let mut job = format!("  - action: {}\n    route: {}\n", self.action.name, self.route.name);
        if !with.is_empty() {
            let _ = writeln!(job, "    with: {}", Value::Object(with));
        }
        job + &format!("    targets: [ {} ]\n", json!(ids))
    }

    /// A plan of one row.
    fn csv(&self) -> String {
        let mut cells = vec![("action".to_owned(), self.action.name.to_owned())];
        cells.push(("route".to_owned(), self.route.name.to_owned()));
        cells.extend(self.ids().into_iter().map(|(name, id)| (name.to_owned(), id)));
        cells.extend(self.parameters().map(|parameter| {
            let cell = match value(parameter.kind) {
                Value::String(text) => text,
                Value::Array(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
                other => other.to_string(),
            };
            (format!("with.{}", parameter.name), cell)
        }));
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(cells.iter().map(|(name, _)| name)).unwrap();
        writer.write_record(cells.iter().map(|(_, cell)| cell)).unwrap();
        String::from_utf8(writer.into_inner().unwrap()).unwrap()
    }

    fn request(&self) -> String {
        let path = self.ids().iter().fold(self.route.path.to_owned(), |path, (name, id)| {
            assert_eq!(path.matches(&format!("{{{name}}}")).count(), 1, "{path}");
            path.replace(&format!("{{{name}}}"), id)
        });
        let version = if self.route.versions.contains(&Version::V1) { "v1.0" } else { "beta" };
        format!("{} /{version}{path}", self.route.method.name())
    }

    /// Written out where it is more than the parameters under their names.
    fn body(&self) -> Value {
        match self.action.name {
            "disableUser" | "disableEntraDevice" => json!({"accountEnabled": false}),
            "enableUser" | "enableEntraDevice" => json!({"accountEnabled": true}),
            "removeLicenses" => json!({"addLicenses": [], "removeLicenses": [SKU]}),
            "triggerConfigurationManagerAction" => {
                json!({"configurationManagerAction": {"action": "windowsDefenderUpdateSignatures"}})
            }
            "createDeviceLogCollectionRequest" => json!({"templateType": {
                "@odata.type": "#microsoft.graph.deviceLogCollectionRequest", "templateType": "predefined",
            }}),
            "changeAssignments" => json!({"deviceAssignmentItems": [
                {"itemType": "mobileAppConfiguration", "itemId": guid(7), "assignmentItemActionIntent": "restore"},
            ]}),
            "updateWindowsDeviceAccount" => json!({ "updateWindowsDeviceAccountActionParameter": self.plain_body() }),
            _ => self.plain_body(),
        }
    }

    fn plain_body(&self) -> Value {
        let pairs: Map<_, _> =
            self.parameters().map(|parameter| (parameter.name.to_owned(), value(parameter.kind))).collect();
        if pairs.is_empty() { Value::Null } else { Value::Object(pairs) }
    }

    /// Looks for exactly one request, and one effect.
    fn arrived(&self, simulator: &Simulator, requests: &[Value]) {
        let line = |seen: &Value| format!("{} {}", seen["method"].as_str().unwrap(), seen["path"].as_str().unwrap());
        let own: Vec<_> = requests.iter().filter(|seen| line(seen) == self.request()).collect();
        let [seen] = own.as_slice() else { panic!("{} arrived {} times", self.request(), own.len()) };
        let text = seen["body"].as_str().unwrap();
        let body = if text.is_empty() { Value::Null } else { serde_json::from_str(text).unwrap() };
        assert_eq!(body, self.body(), "{}", self.request());
        let headers = &seen["headers"];
        let content_type = (!text.is_empty()).then_some("application/json");
        assert_eq!(headers["content-type"].as_str(), content_type, "{}", self.request());
        if self.route.method != Method::Delete {
            assert_eq!(headers["content-length"], text.len().to_string(), "{}", self.request());
        }
        assert_eq!(simulator.counts().of(self.action.name, &self.target()), [1, 0, 0, 0, 1], "{}", self.request());
    }
}

fn run_plan(simulator: &Simulator, desk: &Desk, plan: &str, jobs: usize) {
    let confirm = jobs.to_string();
    let arguments = ["run", plan, "--confirm", &confirm, "--unpaced", "--report", "report.csv"];
    run(simulator.known_to(&mut desk.musterout(arguments))).ended_with(0);
}

#[test]
fn every_action_is_reached_from_yaml_on_every_route() {
    let simulator = Simulator::start("throttle: off\n");
    let samples = samples();
    let jobs: String = samples.iter().map(Sample::yaml).collect();
    let desk = Desk::with(&[("plan.yaml", &format!("version: 1\njobs:\n{jobs}"))]);
    run_plan(&simulator, &desk, "plan.yaml", samples.len());
    let requests = simulator.requests();
    samples.iter().for_each(|sample| sample.arrived(&simulator, &requests));
    let report = desk.report();
    assert_eq!(report.len(), samples.len());
    for (row, sample) in report.iter().zip(&samples) {
        let outcome = if sample.action.success == musterout::testing::catalog::Success::Completed {
            "completed"
        } else {
            "accepted"
        };
        assert_eq!((row["outcome"].as_str(), row["request"].as_str()), (outcome, sample.request().as_str()));
    }
}

#[test]
fn every_action_is_reached_from_csv() {
    let simulator = Simulator::start("throttle: off\n");
    let samples: Vec<_> =
        samples().into_iter().filter(|sample| sample.route == sample.action.default_route()).collect();
    for sample in &samples {
        let desk = Desk::with(&[("plan.csv", &sample.csv())]);
        run_plan(&simulator, &desk, "plan.csv", 1);
    }
    let requests = simulator.requests();
    samples.iter().for_each(|sample| sample.arrived(&simulator, &requests));
}

/// How an action goes on after the first answer was lost.
fn lost_reply(fault: &str) -> Vec<(String, String, [u64; 5])> {
    // An effect that is to be seen must not have been there before.
    let scenario = |action: &Action, target: &str, group: &str| {
        let enabled = !action.name.starts_with("enable");
        let deleted = action.target == TargetKind::DeletedUser;
        format!(
            "throttle: off\n\
             faults: [{{ on: {{ action: {}, calls: [1] }}, do: {fault} }}]\n\
             users: [{{ id: {target}, userPrincipalName: a@c.com, accountEnabled: {enabled}, deleted: {deleted} }}]\n\
             entra_devices: [{{ id: {target}, accountEnabled: {enabled} }}]\n\
             groups: [{{ id: {group}, members: [{target}] }}]\n",
            action.name
        )
    };
    let directory = ["directory", "entra-devices"];
    let samples = samples().into_iter().filter(|sample| directory.contains(&sample.action.service.name));
    let follow = |sample: Sample| {
        let ids = sample.ids();
        let simulator = Simulator::start(&scenario(sample.action, &sample.target(), &ids[0].1));
        let desk = Desk::with(&[("plan.yaml", &format!("version: 1\njobs:\n{}", sample.yaml()))]);
        let arguments =
            ["run", "plan.yaml", "--confirm", "1", "--unpaced", "--settling-seconds", "1", "--report", "report.csv"];
        run(simulator.known_to(&mut desk.musterout(arguments)));
        let outcome = desk.report()[0]["outcome"].clone();
        (sample.action.name.to_owned(), outcome, simulator.counts().of(sample.action.name, &sample.target()))
    };
    samples.map(follow).collect()
}

#[test]
fn a_directory_write_whose_reply_was_lost_had_its_effect_once() {
    for (action, outcome, counts) in lost_reply("drop_reply") {
        let [calls, .., effects] = counts;
        match action.as_str() {
            // Sent again, which is harmless: the second finds nothing. Group and member are there, and the one is not in the
            // other; of a user that nobody had seen before, nobody knows whether it went or never was.
            "removeFromGroup" => {
                assert_eq!((outcome.as_str(), calls, effects), ("completed", 2, 1), "{action}");
            }
            "deleteUser" => assert_eq!((outcome.as_str(), calls, effects), ("unknown", 2, 1), "{action}"),
            "deleteEntraDevice" => {
                assert_eq!((outcome.as_str(), calls, effects), ("unknown", 1, 1), "{action} is read first");
            }
            "removeLicenses" | "restoreUser" => {
                assert_eq!((outcome.as_str(), calls, effects), ("completed", 1, 1), "{action} is read first");
            }
            _ => assert_eq!((outcome.as_str(), calls, effects), ("completed", 2, 2), "{action} may be repeated"),
        }
    }
}

#[test]
fn a_directory_write_that_never_arrived_is_sent_again() {
    for (action, outcome, [calls, .., effects]) in lost_reply("reset") {
        assert_eq!((outcome.as_str(), calls, effects), ("completed", 2, 1), "{action}");
    }
}

const HEAD: &str = "# Actions

This page is made from the catalog (`src/catalog/`). `musterout actions NAME` shows the same, and `--format json` is for programs.

These are left out:

- Calls on a whole collection (`executeAction`, `moveDevicesToOU`, Autopilot's `deleteDevices`, `import` and `sync`, Windows 365's bulk actions). A row of the report is about one target, and one lost answer would leave a hundred of them in doubt.
- Parameters that hold a password (`deviceAccount` of `updateWindowsDeviceAccount`, `deviceAccountPassword` of `updateDeviceProperties`), because a plan is shown and recorded.

A plan can define an action that is missing here: [actions of your own](own-actions.md).

In a CSV file, a parameter that has the name of an id or selector is written `with.NAME`; the bare name always means the target. Several ids in one cell are separated by spaces, semicolons, commas or bars.

";

fn documentation() -> String {
    let mut text = HEAD.to_owned();
    text += "| action | target | risk | API | what it does |\n|---|---|---|---|---|\n";
    for action in ACTIONS {
        let v1 = action.routes.iter().any(|route| route.versions.contains(&Version::V1));
        let (name, target, risk) = (action.name, action.target.name(), action.risk.name());
        let api = if v1 { "v1.0" } else { "beta" };
        let anchor = name.to_lowercase();
        let _ = writeln!(text, "| [`{name}`](#{anchor}) | {target} | {risk} | {api} | {} |", action.summary);
    }
    for action in ACTIONS {
        let _ = write!(text, "\n## {}\n\n```text\n{}```\n", action.name, one(action, View::default()));
    }
    text
}

#[test]
fn the_documentation_is_made_of_the_catalog() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/actions.md");
    let expected = documentation();
    #[expect(clippy::disallowed_methods, reason = "how a person says that the page is to be made again")]
    if std::env::var_os("MUSTEROUT_ACCEPT").is_some() {
        std::fs::write(&file, &expected).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == expected,
        "docs/reference/actions.md is not what the catalog says; MUSTEROUT_ACCEPT=1 makes it again"
    );
}
