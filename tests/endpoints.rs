//! The twelve endpoints that must work first, byte by byte, from YAML and from CSV; sign-in; and what goes wrong on the
//! wire.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::Command;

use percent_encoding::percent_decode_str;

use crate::support::guid;
use crate::support::program::{Desk, Ran, Row, column, run};
use crate::support::recorder::{Answer, REQUEST_ID, Recorder, Seen};

const TOKEN: &str = "a-ready-token";

struct Endpoint {
    action: &'static str,
    route: &'static str,
    version: &'static str,
    path: &'static str,
    body: Option<&'static str>,
}

const fn deprovision(route: &'static str, path: &'static str) -> Endpoint {
    let body = Some(r#"{"deprovisionReason":"left \"the\" school, Übergabe"}"#);
    Endpoint { action: "deprovision", route, version: "beta", path, body }
}

const fn bare(action: &'static str, route: &'static str, version: &'static str, path: &'static str) -> Endpoint {
    Endpoint { action, route, version, path, body: None }
}

const REASON: &str = "left \"the\" school, Übergabe";

const ENDPOINTS: [Endpoint; 12] = [
    deprovision("managedDevices", "/deviceManagement/managedDevices/{managedDeviceId}/deprovision"),
    deprovision("comanagedDevices", "/deviceManagement/comanagedDevices/{managedDeviceId}/deprovision"),
    deprovision(
        "deviceHealthScripts",
        "/deviceManagement/deviceHealthScripts/{deviceHealthScriptId}/deviceRunStates/{deviceHealthScriptDeviceStateId}/managedDevice/deprovision",
    ),
    deprovision(
        "deviceManagementScripts",
        "/deviceManagement/deviceManagementScripts/{deviceManagementScriptId}/deviceRunStates/{deviceManagementScriptDeviceStateId}/managedDevice/deprovision",
    ),
    deprovision(
        "deviceComplianceScripts",
        "/deviceManagement/deviceComplianceScripts/{deviceComplianceScriptId}/deviceRunStates/{deviceComplianceScriptDeviceStateId}/managedDevice/deprovision",
    ),
    deprovision(
        "deviceManagementScripts/users",
        "/deviceManagement/deviceManagementScripts/{deviceManagementScriptId}/deviceRunStates/{deviceManagementScriptDeviceStateId}/managedDevice/users/{userId}/managedDevices/{managedDeviceId}/deprovision",
    ),
    deprovision(
        "deviceManagementScripts/detectedApps",
        "/deviceManagement/deviceManagementScripts/{deviceManagementScriptId}/deviceRunStates/{deviceManagementScriptDeviceStateId}/managedDevice/detectedApps/{detectedAppId}/managedDevices/{managedDeviceId}/deprovision",
    ),
    bare(
        "unassignResourceAccountFromDevice",
        "windowsAutopilotDeviceIdentities",
        "beta",
        "/deviceManagement/windowsAutopilotDeviceIdentities/{windowsAutopilotDeviceIdentityId}/unassignResourceAccountFromDevice",
    ),
    bare(
        "unassignResourceAccountFromDevice",
        "deploymentProfile",
        "beta",
        "/deviceManagement/windowsAutopilotDeviceIdentities/{windowsAutopilotDeviceIdentityId}/deploymentProfile/assignedDevices/{assignedDeviceId}/unassignResourceAccountFromDevice",
    ),
    bare(
        "unassignUserFromDevice",
        "windowsAutopilotDeviceIdentities",
        "v1.0",
        "/deviceManagement/windowsAutopilotDeviceIdentities/{windowsAutopilotDeviceIdentityId}/unassignUserFromDevice",
    ),
    bare(
        "unassignUserFromDevice",
        "deploymentProfile",
        "beta",
        "/deviceManagement/windowsAutopilotDeviceIdentities/{windowsAutopilotDeviceIdentityId}/deploymentProfile/assignedDevices/{assignedDeviceId}/unassignUserFromDevice",
    ),
    bare("removeAllDevicesFromManagement", "users", "v1.0", "/users/{userId}/removeAllDevicesFromManagement"),
];

impl Endpoint {
    /// The names in braces, each with an id of its own.
    fn ids(&self) -> Vec<(&'static str, String)> {
        let names = self.path.split('{').skip(1).filter_map(|part| part.split('}').next());
        names.zip(1..).map(|(name, number)| (name, guid(number))).collect()
    }

    fn target(&self) -> String {
        let path = self.ids().iter().fold(self.path.to_owned(), |path, (name, id)| {
            assert_eq!(path.matches(&format!("{{{name}}}")).count(), 1);
            path.replace(&format!("{{{name}}}"), id)
        });
        format!("/{}{path}", self.version)
    }

    /// Only `comanagedDevices` takes the same ids as another route, and has to be named.
    fn named_route(&self) -> Option<&'static str> {
        Some(self.route).filter(|route| *route == "comanagedDevices")
    }

    fn yaml(&self) -> String {
        let mut text = format!("version: 1\njobs:\n  - action: {}\n", self.action);
        if let Some(route) = self.named_route() {
            text += &format!("    route: {route}\n");
        }
        if self.body.is_some() {
            text += &format!("    with: {{ deprovisionReason: '{REASON}' }}\n");
        }
        let ids: Vec<_> = self.ids().iter().map(|(name, id)| format!("{name}: {id}")).collect();
        text + &format!("    targets:\n      - {{ {} }}\n", ids.join(", "))
    }

    fn csv(&self) -> String {
        let mut cells = vec![("action", self.action.to_owned())];
        cells.extend(self.ids());
        cells.extend(self.named_route().map(|route| ("route", route.to_owned())));
        cells.extend(self.body.map(|_| ("deprovisionReason", REASON.to_owned())));
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(cells.iter().map(|(name, _)| name)).unwrap();
        writer.write_record(cells.iter().map(|(_, value)| value)).unwrap();
        String::from_utf8(writer.into_inner().unwrap()).unwrap()
    }

    /// Runs a plan of one row against a recorder, and looks at every byte that matters.
    fn is_reached_by(&self, file: &str, plan: &str) -> Seen {
        let recorder = Recorder::start(|_, _| Answer::no_content());
        let desk = Desk::with(&[(file, plan)]);
        let command = &mut desk.musterout(["run", file, "--confirm", "1", "--report", "report.csv"]);
        let ran = run(command.args(recorder.flags()).env("MUSTEROUT_ACCESS_TOKEN", TOKEN)).ended_with(0);
        let seen = recorder.seen();
        let [request] = seen.as_slice() else { panic!("{plan}\n{seen:#?}\n{}", ran.stderr) };
        self.is(request);
        let rows = desk.report();
        let [row] = rows.as_slice() else { panic!("{rows:#?}") };
        self.is_told_by(row, request);
        request.clone()
    }

    fn is(&self, request: &Seen) {
        assert_eq!((request.method.as_str(), &request.target), ("POST", &self.target()));
        assert_eq!(request.header("authorization"), Some("Bearer a-ready-token"));
        assert_eq!(request.header("accept"), Some("application/json"));
        assert_eq!(request.header("content-type"), self.body.map(|_| "application/json"));
        assert_eq!(request.header("content-length"), Some(self.body.unwrap_or_default().len().to_string().as_str()));
        assert_eq!(request.header("transfer-encoding"), None);
        assert_eq!(String::from_utf8_lossy(&request.body), self.body.unwrap_or_default());
        let id = request.header("client-request-id").unwrap();
        assert_eq!(uuid::Uuid::try_parse(id).unwrap().hyphenated().to_string(), id);
    }

    fn is_told_by(&self, row: &Row, request: &Seen) {
        assert_eq!((row["outcome"].as_str(), row["http_status"].as_str()), ("accepted", "204"));
        assert_eq!(row["action"], self.action);
        assert_eq!(row["request"], request.line());
        assert_eq!(Some(row["client_request_id"].as_str()), request.header("client-request-id"));
        assert_eq!(row["request_id"], REQUEST_ID);
        assert_eq!((row["attempts"].as_str(), row["error_code"].as_str()), ("1", ""));
    }
}

fn all_have_fresh_ids(requests: &[Seen]) {
    let mut ids: Vec<_> = requests.iter().map(|seen| seen.header("client-request-id").unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), requests.len());
}

#[test]
fn every_endpoint_is_reached_from_yaml() {
    let seen: Vec<_> = ENDPOINTS.iter().map(|one| one.is_reached_by("plan.yaml", &one.yaml())).collect();
    all_have_fresh_ids(&seen);
}

#[test]
fn every_endpoint_is_reached_from_csv() {
    let seen: Vec<_> = ENDPOINTS.iter().map(|one| one.is_reached_by("plan.csv", &one.csv())).collect();
    all_have_fresh_ids(&seen);
}

const TENANT: &str = "contoso.onmicrosoft.com";
const CLIENT: &str = "c11e17ab-0000-4000-8000-000000000001";
/// Everything that a form, a header or a shell could stumble over.
const SECRET: &str = "s3~cr&t+=%/ü?#";

fn signed_in(command: &mut Command) -> &mut Command {
    command.env("AZURE_TENANT_ID", TENANT).env("AZURE_CLIENT_ID", CLIENT).env("AZURE_CLIENT_SECRET", SECRET)
}

/// A plan of one action on so many targets.
fn plan(action: &str, targets: usize) -> String {
    let rows = (1..=targets).map(|number| format!("{action},{}\n", guid(number)));
    format!("action,id\n{}", rows.collect::<String>())
}

fn run_plan(desk: &Desk, recorder: &Recorder, confirm: usize, more: &[&str]) -> Ran {
    let confirm = confirm.to_string();
    let mut command = desk.musterout(["run", "plan.csv", "--report", "report.csv", "--confirm", &confirm]);
    command.args(["--settling-seconds", "0"]);
    run(signed_in(command.args(recorder.flags()).args(more)))
}

#[test]
fn the_token_that_was_issued_is_the_one_that_is_used_and_the_secret_stays_secret() {
    let recorder = Recorder::start(|seen, _| match seen.is_sign_in() {
        true => Answer::token("an.issued.token"),
        false => Answer::no_content(),
    });
    let desk = Desk::with(&[("plan.csv", &plan("retire", 2))]);
    let ran = run_plan(&desk, &recorder, 2, &["-vv", "--log-format", "json"]).ended_with(0);
    let seen = recorder.seen();
    assert_eq!(seen[0].line(), format!("POST /{TENANT}/oauth2/v2.0/token"));
    assert_eq!(seen[0].header("content-type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(seen[0].header("authorization"), None);
    let form: BTreeMap<_, _> = std::str::from_utf8(&seen[0].body)
        .unwrap()
        .split('&')
        .map(|field| field.split_once('=').unwrap())
        .map(|(name, value)| (name, percent_decode_str(value).decode_utf8().unwrap().into_owned()))
        .collect();
    let expected = [
        ("client_id", CLIENT.to_owned()),
        ("client_secret", SECRET.to_owned()),
        ("grant_type", "client_credentials".to_owned()),
        ("scope", format!("{}/.default", recorder.url())),
    ];
    assert_eq!(form, BTreeMap::from(expected));
    assert_eq!(seen.len(), 3, "one token for both requests");
    assert!(seen[1..].iter().all(|seen| seen.header("authorization") == Some("Bearer an.issued.token")));
    let report = std::fs::read_to_string(desk.path("report.csv")).unwrap();
    assert!(ran.stderr.contains("client_request_id"), "it does log every request: {}", ran.stderr);
    for text in [&ran.stdout, &ran.stderr, &report] {
        for secret in [SECRET, "s3~cr", "s3%7Ecr", "an.issued.token", "issued"] {
            assert!(!text.contains(secret), "{secret} is in:\n{text}");
        }
    }
}

#[test]
fn a_ready_token_is_used_as_it_is_and_not_shown() {
    let recorder = Recorder::start(|_, _| Answer::json(500, r#"{"error":{"code":"InternalServerError"}}"#));
    let desk = Desk::with(&[("plan.csv", &plan("syncDevice", 1))]);
    let mut command = desk.musterout(["run", "plan.csv", "--report", "report.csv", "--max-attempts", "1", "-vv"]);
    let ran = run(command.args(recorder.flags()).env("MUSTEROUT_ACCESS_TOKEN", "hunter2")).ended_with(3);
    let seen = recorder.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].header("authorization"), Some("Bearer hunter2"));
    let report = std::fs::read_to_string(desk.path("report.csv")).unwrap();
    assert!([ran.stdout, ran.stderr, report].iter().all(|text| !text.contains("hunter2")));
}

#[test]
fn no_option_takes_a_secret() {
    let help = run(&mut crate::support::program::musterout(["run", "--help"])).ended_with(0).stdout;
    assert!(!help.to_lowercase().contains("secret") && !help.to_lowercase().contains("token"), "{help}");
}

#[test]
fn a_redirect_is_not_followed() {
    let recorder = Recorder::start(|seen, _| match seen.is_sign_in() {
        true => Answer::token("t"),
        false => Answer::Reply {
            status: 302,
            headers: vec![("Location", format!("http://{}/elsewhere", seen.header("host").unwrap()))],
            body: String::new(),
        },
    });
    let desk = Desk::with(&[("plan.csv", &plan("retire", 1))]);
    run_plan(&desk, &recorder, 1, &[]).ended_with(5);
    let rows = desk.report();
    assert_eq!(column(&rows, "outcome"), ["unknown"], "whoever redirects may have passed it on before");
    assert_eq!(rows[0]["http_status"], "302");
    assert!(rows[0]["error_message"].contains("/elsewhere, which is never followed"), "{rows:?}");
    let to_graph = recorder.to_graph();
    assert_eq!(to_graph.iter().filter(|seen| seen.method == "POST").count(), 1, "{to_graph:?}");
}

/// The wipe has reached the service, and a proxy on the way back puts its own page in place of the answer.
#[test]
fn a_page_of_a_proxy_that_says_no_is_no_word_of_the_services() {
    for status in [302, 400, 401, 403, 407, 409, 412, 423] {
        let recorder = Recorder::start(move |seen, before| match (seen.method.as_str(), seen.is_sign_in()) {
            (_, true) => Answer::token("t"),
            ("GET", _) => Answer::json(200, format!(r#"{{"id":"{}","managementState":"retirePending"}}"#, guid(1))),
            _ if before == 1 => Answer::Reply {
                status,
                headers: vec![("Content-Type", "text/html".to_owned())],
                body: "<html><body>Blocked by your administrator</body></html>".to_owned(),
            },
            _ => Answer::json(200, "{}"),
        });
        let desk = Desk::with(&[("plan.csv", &plan("retire", 1))]);
        let [first, again] = [(); 2].map(|()| run_plan(&desk, &recorder, 1, &["--state-dir", "state"]));
        let posts = recorder.to_graph().iter().filter(|seen| seen.method == "POST").count();
        assert_eq!(posts, 1, "{status}: {}{}", first.stdout, again.stdout);
        assert!(first.stdout.contains("accepted 1"), "{status}: {}", first.stdout);
        assert!(again.stdout.contains("already_done 1"), "{status}: {}", again.stdout);
    }
}

/// Nothing gets through, and nobody waits for every row to find that out.
#[test]
fn a_proxy_that_blocks_everything_stops_the_run() {
    let recorder = Recorder::start(|seen, _| match seen.is_sign_in() {
        true => Answer::token("t"),
        false => Answer::Reply { status: 403, headers: Vec::new(), body: "<html>Blocked</html>".to_owned() },
    });
    let desk = Desk::with(&[("plan.csv", &plan("retire", 45))]);
    let ran = run_plan(&desk, &recorder, 45, &[]);
    let posts = recorder.to_graph().iter().filter(|seen| seen.method == "POST").count();
    assert!((20..40).contains(&posts), "{posts}: {}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("not_attempted") && ran.stdout.contains("unknown 2"), "{}", ran.stdout);
}

/// Loses the reply to the first POST; a read shows `state`; later POSTs are answered.
fn loses_the_first_reply(state: &'static str) -> Recorder {
    Recorder::start(move |seen, before| match (seen.method.as_str(), seen.is_sign_in()) {
        (_, true) => Answer::token("t"),
        ("GET", _) => Answer::json(200, format!(r#"{{"id":"{}","managementState":"{state}"}}"#, guid(1))),
        _ if before == 1 => Answer::HangUp,
        _ => Answer::no_content(),
    })
}

#[test]
fn a_lost_wipe_that_had_no_effect_is_read_before_it_is_sent_again() {
    let recorder = loses_the_first_reply("managed");
    let desk = Desk::with(&[("plan.csv", &plan("wipe", 1))]);
    run_plan(&desk, &recorder, 1, &[]).ended_with(0);
    let seen = recorder.to_graph();
    assert_eq!(seen.iter().map(|seen| seen.method.as_str()).collect::<Vec<_>>(), ["POST", "GET", "POST"]);
    assert!(seen[1].target.starts_with(&format!("/v1.0/deviceManagement/managedDevices/{}", guid(1))));
    assert_eq!((seen[1].header("content-type"), seen[1].header("content-length")), (None, None));
    all_have_fresh_ids(&seen);
    let rows = desk.report();
    assert_eq!((rows[0]["outcome"].as_str(), rows[0]["attempts"].as_str()), ("accepted", "2"));
    assert_eq!(Some(rows[0]["client_request_id"].as_str()), seen[2].header("client-request-id"));
}

#[test]
fn a_lost_wipe_that_landed_is_never_sent_again() {
    let recorder = loses_the_first_reply("wipePending");
    let desk = Desk::with(&[("plan.csv", &plan("wipe", 1))]);
    run_plan(&desk, &recorder, 1, &[]).ended_with(0);
    let seen = recorder.to_graph();
    assert_eq!(seen.iter().map(|seen| seen.method.as_str()).collect::<Vec<_>>(), ["POST", "GET"]);
    let rows = desk.report();
    assert_eq!((rows[0]["outcome"].as_str(), rows[0]["attempts"].as_str()), ("accepted", "1"));
    assert!(rows[0]["note"].contains("wipePending"), "{rows:?}");
}

#[test]
fn a_wipe_that_no_read_can_settle_is_unknown_and_left_alone() {
    let recorder = loses_the_first_reply("retirePending");
    let desk = Desk::with(&[("plan.csv", &plan("wipe", 1))]);
    run_plan(&desk, &recorder, 1, &[]).ended_with(5);
    assert_eq!(column(&desk.report(), "outcome"), ["unknown"]);
    assert_eq!(recorder.to_graph().iter().filter(|seen| seen.method == "POST").count(), 1);
}

#[test]
fn an_unreachable_host_ends_the_run_with_a_whole_report() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{port}");
    let desk = Desk::with(&[("plan.csv", &plan("retire", 3))]);
    let mut command = desk.musterout(["run", "plan.csv", "--report", "report.csv", "--confirm", "3"]);
    command.args(["--graph-url", &url, "--login-url", &url]).env("MUSTEROUT_ACCESS_TOKEN", TOKEN);
    let ran = run(&mut command).ended_with(1);
    let rows = desk.report();
    assert_eq!(column(&rows, "outcome"), ["not_attempted"; 3]);
    assert_eq!(column(&rows, "attempts"), ["0"; 3]);
    assert_eq!(column(&rows, "started_at"), [""; 3]);
    assert!(ran.stderr.contains("the service cannot be reached"), "{}", ran.stderr);
    assert!(ran.account().ends_with("not_attempted 3"), "{}", ran.stdout);
}

#[test]
fn after_a_401_a_new_token_is_asked_for_once() {
    let recorder = Recorder::start(|seen, before| match (seen.is_sign_in(), seen.header("authorization")) {
        (true, _) => Answer::token(&format!("token-{before}")),
        (_, Some("Bearer token-0")) => {
            Answer::json(401, r#"{"error":{"code":"InvalidAuthenticationToken","message":"Lifetime is over."}}"#)
        }
        _ => Answer::no_content(),
    });
    let desk = Desk::with(&[("plan.csv", &plan("wipe", 1))]);
    run_plan(&desk, &recorder, 1, &[]).ended_with(0);
    let lines: Vec<_> = recorder.seen().iter().map(|seen| seen.is_sign_in()).collect();
    assert_eq!(lines, [true, false, true, false]);
    let seen = recorder.to_graph();
    assert_eq!(seen[1].header("authorization"), Some("Bearer token-2"));
    all_have_fresh_ids(&seen);
    assert_eq!(column(&desk.report(), "outcome"), ["accepted"]);
}

#[test]
fn a_tenant_that_refuses_every_token_ends_the_run() {
    let recorder = Recorder::start(|seen, _| match seen.is_sign_in() {
        true => Answer::token("t"),
        false => Answer::json(401, r#"{"error":{"code":"InvalidAuthenticationToken","message":"No."}}"#),
    });
    let desk = Desk::with(&[("plan.csv", &plan("wipe", 4))]);
    let ran = run_plan(&desk, &recorder, 4, &["--concurrency", "1"]).ended_with(12);
    assert_eq!(column(&desk.report(), "outcome"), ["not_attempted"; 4]);
    assert!(ran.stderr.contains("InvalidAuthenticationToken"), "{}", ran.stderr);
    assert_eq!(recorder.to_graph().len(), 2, "one with each token");
}

#[test]
fn a_retry_has_an_id_of_its_own_and_the_report_has_the_last() {
    let recorder = Recorder::start(|seen, before| match (seen.is_sign_in(), before) {
        (true, _) => Answer::token("t"),
        (_, 1) => Answer::status(502),
        _ => Answer::no_content(),
    });
    let desk = Desk::with(&[("plan.csv", &plan("syncDevice", 1))]);
    run_plan(&desk, &recorder, 1, &[]).ended_with(0);
    let seen = recorder.to_graph();
    assert_eq!(seen.len(), 2);
    all_have_fresh_ids(&seen);
    let rows = desk.report();
    assert_eq!(rows[0]["attempts"], "2");
    assert_eq!(Some(rows[0]["client_request_id"].as_str()), seen[1].header("client-request-id"));
}

/// Users as an envelope of filters is answered, each with an id of its own.
fn users_in(envelope: &Seen, names: &[&str]) -> Answer {
    let envelope: serde_json::Value = serde_json::from_slice(&envelope.body).unwrap();
    let answer = |request: &serde_json::Value| {
        let url = percent_decode_str(request["url"].as_str().unwrap()).decode_utf8_lossy().into_owned();
        let (_, literal) = url.split_once("$filter=userPrincipalName eq ").unwrap();
        let asked = literal.trim_matches('\'').replace("''", "'");
        let number = names.iter().position(|name| *name == asked).unwrap();
        let user = serde_json::json!({ "id": guid(number), "userPrincipalName": names[number] });
        serde_json::json!({ "id": request["id"], "status": 200, "body": { "value": [user] } })
    };
    let responses: Vec<_> = envelope["requests"].as_array().unwrap().iter().map(answer).collect();
    Answer::json(200, serde_json::json!({ "responses": responses }).to_string())
}

#[test]
fn user_principal_names_survive_the_way_and_the_ids_are_written_to() {
    const NAMES: [&str; 4] =
        ["guest_x.example#EXT#@contoso.com", "o'brien@contoso.com", "a+b@contoso.com", "zoë@contoso.com"];
    let recorder = Recorder::start(|seen, _| match seen.target.as_str() {
        _ if seen.is_sign_in() => Answer::token("t"),
        "/v1.0/$batch" => users_in(seen, &NAMES),
        _ => Answer::no_content(),
    });
    let rows: String = NAMES.iter().map(|name| format!("removeAllDevicesFromManagement,{name}\n")).collect();
    let desk = Desk::with(&[("plan.csv", &format!("action,userPrincipalName\n{rows}"))]);
    run_plan(&desk, &recorder, 4, &["--concurrency", "1"]).ended_with(0);
    let seen = recorder.to_graph();
    let expected =
        [0, 1, 2, 3].map(|number| format!("POST /v1.0/users/{}/removeAllDevicesFromManagement", guid(number)));
    assert_eq!(seen[1..].iter().map(Seen::line).collect::<Vec<_>>(), expected, "and no name in a path");
    let rows = desk.report();
    assert_eq!(column(&rows, "target"), [0, 1, 2, 3].map(guid));
    assert_eq!(column(&rows, "target_name"), NAMES);
    assert_eq!(column(&rows, "request"), expected);
}

#[test]
fn a_justification_goes_along_in_base64() {
    let recorder = Recorder::start(|_, _| Answer::no_content());
    let text = format!(
        "version: 1\njustification: CHG0012345 Übergabe\njobs:\n  - action: retire\n    targets: [ {{ id: {} }} ]\n",
        guid(1)
    );
    let desk = Desk::with(&[("plan.yaml", &text)]);
    let mut command = desk.musterout(["run", "plan.yaml", "--confirm", "1", "--report", "report.csv"]);
    run(command.args(recorder.flags()).env("MUSTEROUT_ACCESS_TOKEN", TOKEN)).ended_with(0);
    let sent = recorder.to_graph();
    assert_eq!(sent[0].header("x-msft-approval-justification"), Some("Q0hHMDAxMjM0NSDDnGJlcmdhYmU="));
}
