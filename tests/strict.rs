//! The simulator against clients that are not ours, over real HTTP: what it shows, accepts and refuses, and that nothing a
//! client sends ends it.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use serde_json::{Value, json};

use crate::support::guid;
use crate::support::simulator::Simulator;

/// One request as any client would send it. Status, and body.
fn ask(simulator: &Simulator, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> (u16, Value) {
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let body = body.unwrap_or_default();
    let kind = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer any\r\nConnection: close\r\n\
         Content-Length: {}\r\n{kind}{lines}\r\n{body}",
        body.len()
    );
    let reply = say(simulator, request.as_bytes());
    let (head, body) = reply.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{path}: {reply}"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

fn get(simulator: &Simulator, path: &str) -> (u16, Value) {
    ask(simulator, "GET", path, &[], None)
}

/// Sends bytes, and reads what comes until the connection closes.
fn say(simulator: &Simulator, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(simulator.address()).unwrap();
    // Whoever is refused early may find the connection closed while it still sends.
    let _ = stream.write_all(bytes);
    let mut reply = Vec::new();
    let _ = stream.read_to_end(&mut reply);
    String::from_utf8_lossy(&reply).into_owned()
}

fn is_up(simulator: &Simulator) {
    assert_eq!(get(simulator, "/v1.0/users/ada@contoso.com").0, 200);
}

#[test]
fn a_deleted_entra_device_is_restored_for_thirty_days_with_its_keys() {
    let (joined, hybrid, device_id) = (guid(1), guid(2), guid(3));
    let simulator = Simulator::start(&format!(
        "only_listed: true\nentra_devices:\n  - {{ id: {joined}, deviceId: {device_id}, trustType: AzureAd }}\n  \
         - {{ id: {hybrid}, deviceId: {}, trustType: ServerAd }}\nkeys: [{{ deviceId: {device_id}, bitlocker: [operatingSystemVolume], laps: true }}]\n",
        guid(4)
    ));
    let keys = format!("/v1.0/informationProtection/bitlocker/recoveryKeys?$filter=deviceId%20eq%20'{device_id}'");
    let kept = || get(&simulator, &keys).1["value"].as_array().unwrap().len();
    let laps = || get(&simulator, &format!("/v1.0/directory/deviceLocalCredentials/{device_id}")).0;
    let delete = |id: &str| ask(&simulator, "DELETE", &format!("/v1.0/devices/{id}"), &[], None).0;
    let deleted = || get(&simulator, "/beta/directory/deletedItems/microsoft.graph.device").1["value"].clone();
    assert_eq!((delete(&joined), delete(&hybrid)), (204, 204));
    assert_eq!(get(&simulator, &format!("/beta/devices/{joined}")).0, 404);
    assert_eq!((delete(&joined), kept(), laps()), (404, 1, 404));
    let listed = deleted();
    let ids: Vec<_> = listed.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [joined.as_str()], "the one that is joined to a domain is gone at once");
    assert_eq!(listed[0]["@odata.type"], "#microsoft.graph.device");
    let restore = |version: &str, id: &str| {
        ask(&simulator, "POST", &format!("/{version}/directory/deletedItems/{id}/restore"), &[], None)
    };
    assert_eq!(restore("v1.0", &joined).0, 404, "v1.0 knows no deleted devices");
    let (status, back) = restore("beta", &joined);
    assert_eq!((status, back["id"].as_str(), back["isCompliant"].clone()), (200, Some(&*joined), json!(false)));
    assert_eq!((get(&simulator, &format!("/v1.0/devices/{joined}")).0, laps()), (200, 200));
    assert_eq!(delete(&joined), 204);
    simulator.advance(30 * 24);
    assert_eq!((restore("beta", &joined).0, restore("beta", &hybrid).0, kept()), (404, 404, 0));
    assert_eq!(deleted(), json!([]));
}

#[test]
fn a_hybrid_device_stays_where_the_scenario_says_so() {
    let simulator = Simulator::start(&format!(
        "only_listed: true\ndeleted_hybrid_devices: recoverable\nentra_devices: [{{ id: {}, trustType: ServerAd }}]\n",
        guid(1)
    ));
    assert_eq!(ask(&simulator, "DELETE", &format!("/beta/devices/{}", guid(1)), &[], None).0, 204);
    let restored = ask(&simulator, "POST", &format!("/beta/directory/deletedItems/{}/restore", guid(1)), &[], None);
    assert_eq!(restored.0, 200);
}

#[test]
fn a_deleted_user_is_gone_after_thirty_days() {
    let simulator = Simulator::start("");
    let user = get(&simulator, "/v1.0/users/ada@contoso.com").1["id"].as_str().unwrap().to_owned();
    assert_eq!(ask(&simulator, "DELETE", &format!("/v1.0/users/{user}"), &[], None).0, 204);
    assert_eq!(get(&simulator, &format!("/v1.0/directory/deletedItems/{user}")).0, 200);
    simulator.advance(30 * 24);
    let restore = format!("/v1.0/directory/deletedItems/{user}/restore");
    assert_eq!(ask(&simulator, "POST", &restore, &[], None).0, 404);
}

#[test]
fn what_is_no_http_is_refused() {
    let simulator = Simulator::start("");
    for bytes in [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a client that speaks TLS\r\n\r\n"[..],
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET\r\n\r\n",
        b"\0\0\0\0\r\n\r\n",
        b"GET /v1.0/users HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
    ] {
        let reply = say(&simulator, bytes);
        assert!(reply.is_empty() || reply.starts_with("HTTP/1.1 400 "), "{reply}");
    }
    is_up(&simulator);
}

#[test]
fn a_body_of_a_hundred_megabytes_is_refused() {
    let simulator = Simulator::start("");
    let size = 100_000_000;
    for framing in [format!("Content-Length: {size}"), "Transfer-Encoding: chunked".to_owned()] {
        let mut stream = TcpStream::connect(simulator.address()).unwrap();
        let head = format!(
            "POST /v1.0/$batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer any\r\nContent-Type: application/json\r\n{framing}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let part = vec![b' '; 1 << 20];
        let mut sent = 0;
        while sent < size {
            let chunk = [b"100000\r\n", part.as_slice(), b"\r\n"].concat();
            let bytes = if framing.starts_with('T') { &chunk } else { &part };
            if stream.write_all(bytes).is_err() {
                break;
            }
            sent += part.len();
        }
        assert!(sent < size / 2, "it took {sent} bytes");
    }
    is_up(&simulator);
}

#[test]
fn a_thousand_connections_leave_it_up() {
    let simulator = Simulator::start("");
    let connections: Vec<_> = (0..1_000).filter_map(|_| TcpStream::connect(simulator.address()).ok()).collect();
    assert!(connections.len() > 900, "{}", connections.len());
    let refused = connections.last().unwrap();
    let mut told = String::new();
    let _ = (&mut &*refused).read_to_string(&mut told);
    assert!(told.starts_with("HTTP/1.1 503 "), "{told}");
    for connection in &connections {
        let _ = connection.shutdown(Shutdown::Both);
    }
    drop(connections);
    let mut tries = 0;
    while get_status(&simulator) != Some(200) {
        tries += 1;
        assert!(tries < 10_000, "it stays busy");
    }
    is_up(&simulator);
}

/// The status of a read, or nothing where the connection was closed without one.
fn get_status(simulator: &Simulator) -> Option<u16> {
    let request =
        "GET /v1.0/users/ada@contoso.com HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer any\r\nConnection: close\r\n\r\n";
    say(simulator, request.as_bytes()).split(' ').nth(1)?.parse().ok()
}

const SCRIPT: &str = "88888888-8888-4888-8888-888888888889";

/// A tenant in which nothing exists but what is listed.
fn closed(more: &str) -> Simulator {
    let (device, other, user, entra, device_id, identity, group) =
        (guid(1), guid(2), guid(3), guid(4), guid(5), guid(6), guid(7));
    Simulator::start(&format!(
        "only_listed: true\n\
         devices:\n  - {{ id: {device}, serialNumber: SN-1, azureADDeviceId: {device_id}, operatingSystem: Windows, userPrincipalName: ada@contoso.com }}\n  \
         - {{ id: {other}, serialNumber: SN-2, operatingSystem: ChromeOS }}\n\
         users: [{{ id: {user}, userPrincipalName: ada@contoso.com, devices: [{device}] }}]\n\
         entra_devices: [{{ id: {entra}, deviceId: {device_id}, trustType: AzureAd }}]\n\
         autopilot: [{{ id: {identity}, serialNumber: SN-1, azureActiveDirectoryDeviceId: {device_id} }}]\n\
         groups: [{{ id: {group}, members: [{user}] }}]\n\
         scripts: [{{ id: {SCRIPT}, kind: deviceHealthScripts, run_states: [{{ id: state-1, device: {other} }}] }}]\n{more}"
    ))
}

fn managed(rest: &str) -> String {
    format!("/v1.0/deviceManagement/managedDevices/{}{rest}", guid(1))
}

fn post(simulator: &Simulator, path: &str, body: &str) -> (u16, Value) {
    ask(simulator, "POST", path, &[], Some(body).filter(|body| !body.is_empty()))
}

fn patch(simulator: &Simulator, path: &str, body: &str) -> u16 {
    ask(simulator, "PATCH", path, &[], Some(body)).0
}

/// What Microsoft's clients and published scripts send, and Graph takes.
#[test]
fn what_other_clients_send_is_accepted() {
    let simulator = closed("autopilot_lingers: 0s\n");
    let user = format!("/v1.0/users/{}", guid(3));
    assert_eq!(patch(&simulator, &user, r##"{"@odata.type":"#microsoft.graph.user","accountEnabled":false}"##), 204);
    assert_eq!(patch(&simulator, &user, r##"{"@odata.type":"#microsoft.graph.group","accountEnabled":true}"##), 400);
    let notes = r##"{"@odata.type":"#microsoft.graph.managedDevice","notes":"spare"}"##;
    assert_eq!(patch(&simulator, &managed(""), notes), 200);
    assert_eq!(post(&simulator, &managed("/syncDevice"), "{}").0, 204, "an empty object where nothing is wanted");
    let shouted = managed("/RebootNow").replace("deviceManagement/managedDevices", "DeviceManagement/ManagedDevices");
    assert_eq!(post(&simulator, &shouted, "").0, 204);
    assert_eq!(post(&simulator, &managed("/microsoft.graph.syncDevice"), "").0, 204);
    for (method, path, body) in [
        ("PATCH", format!("/beta/devices/{}", guid(4)), r#"{"accountEnabled":false}"#),
        ("POST", format!("/beta/users/{}/revokeSignInSessions", guid(3)), ""),
        ("DELETE", format!("/beta/groups/{}/members/{}/%24ref", guid(7), guid(3)), ""),
        ("DELETE", format!("/beta/users/{}", guid(3)), ""),
        ("POST", format!("/beta/directory/deletedItems/{}/restore", guid(3)), ""),
    ] {
        let body = Some(body).filter(|body| !body.is_empty());
        let (status, told) = ask(&simulator, method, &path, &[], body);
        assert!(matches!(status, 200 | 204), "{method} {path}: {status} {told}");
    }
    let logs = managed("/createDeviceLogCollectionRequest").replace("v1.0", "beta");
    for body in [
        r##"{"templateType":{"@odata.type":"#microsoft.graph.deviceLogCollectionRequest","templateType":"predefined"}}"##,
        r#"{"templateType":{"id":"","templateType":"predefined"}}"#,
        r#"{"templateType":"predefined"}"#,
    ] {
        let (status, told) = post(&simulator, &logs, body);
        assert_eq!((status, told["managedDeviceId"].as_str()), (200, Some(&*guid(1))), "{body}: {told}");
    }
    assert_eq!(post(&simulator, &logs, r#"{"templateType":"everything"}"#).0, 400);
}

#[test]
fn a_batch_spells_its_headers_as_graph_does() {
    let simulator = closed("");
    let body = json!({ "requests": [{ "id": "1", "method": "GET", "url": format!("/users/{}", guid(3)) }] });
    let (_, told) = post(&simulator, "/v1.0/%24batch", &body.to_string());
    let headers = told["responses"][0]["headers"].as_object().unwrap();
    assert!(headers["Content-Type"].as_str().unwrap().starts_with("application/json"), "{told}");
}

#[test]
fn approval_requests_are_read_by_id_and_by_function() {
    let id = guid(9);
    let simulator = closed(&format!(
        "approvals: {{ actions: [wipe], requests: [{{ id: {id}, action: wipe, target: {}, status: approved, ours: on }}] }}\n",
        guid(1)
    ));
    let requests = "/beta/deviceManagement/operationApprovalRequests";
    for path in [
        format!("{requests}/{id}"),
        format!("{requests}('{id}')"),
        format!("{requests}/retrieveMyRequestById(id='{id}')"),
        format!("{requests}/getMyRequestById(id='{id}')").replace("deviceManagement", "devicemanagement"),
    ] {
        let (status, told) = get(&simulator, &path);
        assert_eq!(
            (status, told["id"].as_str(), told["status"].as_str()),
            (200, Some(&*id), Some("approved")),
            "{path}"
        );
    }
    let (_, own) = get(&simulator, &format!("{requests}/retrieveMyRequests()"));
    assert_eq!(own["value"].as_array().unwrap().len(), 1);
    assert_eq!(get(&simulator, &format!("{requests}/{}", guid(8))).0, 404);
}

const SEEDS: &[&str] =
    &["deprovision", "unassignResourceAccountFromDevice", "unassignUserFromDevice", "removeAllDevicesFromManagement"];

/// A tenant with everything on the way of every route of those actions.
fn rehearsal(more: &str) -> Simulator {
    let script = |number: usize, kind: &str| {
        format!("  - {{ id: {}, kind: {kind}, run_states: [{{ id: state-1, device: {} }}] }}\n", guid(number), guid(1))
    };
    let scripts = script(11, "deviceHealthScripts")
        + &script(12, "deviceManagementScripts")
        + &script(13, "deviceComplianceScripts");
    Simulator::start(&format!(
        "only_listed: true\ndevices: [{{ id: {}, operatingSystem: ChromeOS, userPrincipalName: ada@contoso.com }}]\n\
         users: [{{ id: {}, userPrincipalName: ada@contoso.com, devices: [{}] }}]\n\
         autopilot: [{{ id: {}, userPrincipalName: ada@contoso.com }}]\nscripts:\n{scripts}{more}",
        guid(1),
        guid(3),
        guid(1),
        guid(6)
    ))
}

/// The path of a route with ids that are there; with `wrong`, the one at that place is not.
fn path_of(route: &musterout::testing::catalog::Route, wrong: Option<usize>) -> String {
    let id = |name: &str| match name {
        "managedDeviceId" => guid(1),
        "userId" => guid(3),
        "deviceHealthScriptId" => guid(11),
        "deviceManagementScriptId" => guid(12),
        "deviceComplianceScriptId" => guid(13),
        "detectedAppId" => "app-1".to_owned(),
        name if name.ends_with("StateId") => "state-1".to_owned(),
        _ => guid(6),
    };
    let ids = route.ids.iter().enumerate();
    let path = ids.fold(route.path.to_owned(), |path, (at, name)| {
        let value = if Some(at) == wrong { guid(99) } else { id(name.name) };
        path.replacen(&format!("{{{}}}", name.name), &value, 1)
    });
    format!("/{}{path}", route.versions[0].name())
}

#[test]
fn each_of_the_first_endpoints_is_rehearsed_with_each_refusal() {
    let served = rehearsal("");
    let unlicensed = rehearsal("sign_in: { roles: [User.Read.All] }\n");
    let throttled = rehearsal(
        "throttle: { intune-devices/write: { requests: 1, window: 1h }, intune-other/write: { requests: 1, window: 1h } }\n",
    );
    let mut rehearsed = 0;
    for name in SEEDS {
        let action = musterout::testing::catalog::Action::named(name).unwrap();
        let body = if *name == "deprovision" { r#"{"deprovisionReason":"sold"}"# } else { "" };
        for route in action.routes {
            let path = path_of(route, None);
            assert_eq!(post(&served, &path, body).0, 204, "{path}");
            for (at, id) in route.ids.iter().enumerate().filter(|(_, id)| id.name != "detectedAppId") {
                let path = path_of(route, Some(at));
                // Of an identity whose profile is walked, nothing but its form is looked at.
                let is_walked = id.name == "windowsAutopilotDeviceIdentityId" && at + 1 < route.ids.len();
                let status = if is_walked { 204 } else { 404 };
                assert_eq!(post(&served, &path, body).0, status, "{path}");
            }
            assert_eq!(post(&unlicensed, &path, body).0, 403, "{path}");
            let twice = [post(&throttled, &path, body).0, post(&throttled, &path, body).0];
            assert_eq!(twice[1], 429, "{path}: {twice:?}");
            if *name == "deprovision" {
                assert_eq!(post(&served, &path, "{}").0, 400, "{path} without a reason");
                assert_eq!(post(&served, &path.replacen("/beta", "/v1.0", 1), body).0, 400, "{path} in v1.0");
            }
            rehearsed += 1;
        }
    }
    assert_eq!(rehearsed, 12);
}

/// Situations from practice in which the simulator was greener than Graph. Each of these was a success before.
mod greener_than_graph {
    use super::*;

    #[test]
    fn an_entra_device_that_is_registered_with_autopilot_is_not_deleted() {
        let simulator = closed("");
        let delete = || ask(&simulator, "DELETE", &format!("/v1.0/devices/{}", guid(4)), &[], None);
        let identity = format!("/v1.0/deviceManagement/windowsAutopilotDeviceIdentities/{}", guid(6));
        let (status, told) = delete();
        assert_eq!((status, told["error"]["code"].as_str()), (403, Some("Authorization_RequestDenied")));
        assert_eq!(ask(&simulator, "DELETE", &identity, &[], None).0, 204);
        assert_eq!((get(&simulator, &identity).0, delete().0), (200, 403), "it lingers");
        simulator.advance(1);
        assert_eq!((get(&simulator, &identity).0, delete().0), (404, 204));
    }

    #[test]
    fn a_token_without_the_permission_of_an_action_is_refused() {
        let simulator = closed("sign_in: { roles: [DeviceManagementManagedDevices.ReadWrite.All] }\n");
        let (status, told) = post(&simulator, &managed("/wipe"), "{}");
        assert_eq!((status, told["error"]["code"].as_str()), (403, Some("Forbidden")), "{told}");
        assert!(told.to_string().contains("PrivilegedOperations"), "{told}");
        assert_eq!(patch(&simulator, &managed(""), r#"{"notes":"x"}"#), 200);
        let (status, told) = ask(&simulator, "DELETE", &format!("/v1.0/users/{}", guid(3)), &[], None);
        assert_eq!((status, told["error"]["code"].as_str()), (403, Some("Authorization_RequestDenied")));
    }

    #[test]
    fn a_token_without_the_permission_of_a_read_is_refused() {
        let simulator = closed("sign_in: { roles: [DeviceManagementManagedDevices.PrivilegedOperations.All] }\n");
        assert_eq!(get(&simulator, &managed("")).0, 403);
        assert_eq!(post(&simulator, &managed("/syncDevice"), "").0, 204);
        for path in [
            format!("/v1.0/devices/{}", guid(4)),
            format!("/v1.0/groups/{}/members", guid(7)),
            "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities".to_owned(),
        ] {
            assert_eq!(get(&simulator, &path).0, 403, "{path}");
        }
    }

    /// Without `/$ref` the account goes, and not its place in the group.
    #[test]
    fn a_member_deleted_without_ref_is_deleted_from_the_directory() {
        let simulator = closed("");
        let member = format!("/v1.0/groups/{}/members/{}", guid(7), guid(3));
        assert_eq!(ask(&simulator, "DELETE", &member, &[], None).0, 204);
        assert_eq!(get(&simulator, &format!("/v1.0/users/{}", guid(3))).0, 404);
        assert_eq!(simulator.counts().number("deleted_as_members"), 1);
        assert_eq!(get(&simulator, &format!("/v1.0/directory/deletedItems/{}", guid(3))).0, 200);
    }

    #[test]
    fn a_windows_device_takes_no_long_name() {
        let simulator = closed("");
        let rename = |device: &str, name: &str| {
            let path = format!("/beta/deviceManagement/managedDevices/{device}/setDeviceName");
            post(&simulator, &path, &json!({ "deviceName": name }).to_string()).0
        };
        for name in ["A-NAME-OF-16-CHR", "TWO WORDS", "12345"] {
            assert_eq!(rename(&guid(1), name), 400, "{name}");
        }
        assert_eq!((rename(&guid(1), "LAB-01"), rename(&guid(2), "Room 12, by the window")), (204, 204));
    }

    #[test]
    fn values_that_make_no_sense_are_refused() {
        let simulator = closed("");
        let beta = |rest: &str| managed(rest).replace("v1.0", "beta");
        assert_eq!(post(&simulator, &beta("/enableLostMode"), r#"{"footer":"Found?"}"#).0, 400);
        assert_eq!(post(&simulator, &beta("/pauseConfigurationRefresh"), r#"{"pauseTimePeriodInMinutes":-5}"#).0, 400);
        assert_eq!(patch(&simulator, &managed(""), r#"{"managedDeviceOwnerType":"mine"}"#), 400);
        let assign = format!("/v1.0/deviceManagement/windowsAutopilotDeviceIdentities/{}/assignUserToDevice", guid(6));
        assert_eq!(post(&simulator, &assign, r#"{"userPrincipalName":"nobody@contoso.com"}"#).0, 400);
        assert_eq!(post(&simulator, &assign, r#"{"userPrincipalName":"ada@contoso.com"}"#).0, 204);
    }

    #[test]
    fn a_script_that_is_not_there_leads_to_no_device() {
        let simulator = closed("");
        let route = |script: &str, state: &str| {
            format!(
                "/beta/deviceManagement/deviceHealthScripts/{script}/deviceRunStates/{state}/managedDevice/deprovision"
            )
        };
        let send = |path: String| post(&simulator, &path, r#"{"deprovisionReason":"sold"}"#).0;
        assert_eq!(send(route(&guid(8), "state-1")), 404, "no such script");
        assert_eq!(send(route(SCRIPT, "state-2")), 404, "no such state");
        assert_eq!(send(route(SCRIPT, "state-1").replace("deviceHealthScripts", "deviceComplianceScripts")), 404);
        assert_eq!(send(route(SCRIPT, "state-1")), 204);
        let device = format!("/v1.0/deviceManagement/managedDevices/{}?$select=deviceActionResults", guid(2));
        assert_eq!(get(&simulator, &device).1["deviceActionResults"][0]["actionName"], "deprovision");
    }

    #[test]
    fn a_filter_that_graph_does_not_support_is_refused() {
        let simulator = closed("");
        for (path, code) in [
            ("/v1.0/deviceManagement/managedDevices?$filter=serialNumber%20in%20('SN-1')", "BadRequest"),
            (
                "/v1.0/deviceManagement/managedDevices?$filter=serialNumber%20eq%20'SN-1'%20or%20deviceName%20eq%20'x'",
                "BadRequest",
            ),
            ("/v1.0/deviceManagement/managedDevices?$filter=userId%20eq%20'x'", "BadRequest"),
            ("/v1.0/users?$filter=userPrincipalName%20ne%20'x'", "Request_UnsupportedQuery"),
        ] {
            let (status, told) = get(&simulator, path);
            assert_eq!((status, told["error"]["code"].as_str()), (400, Some(code)), "{path}: {told}");
        }
    }

    #[test]
    fn a_user_read_without_select_shows_no_account_state() {
        let simulator = closed("");
        let (_, user) = get(&simulator, &format!("/v1.0/users/{}", guid(3)));
        assert!(user.get("accountEnabled").is_none() && user.get("assignedLicenses").is_none(), "{user}");
    }

    #[test]
    fn a_deleted_device_is_not_gone_for_good() {
        let simulator = closed("autopilot_lingers: 0s\n");
        let identity = format!("/v1.0/deviceManagement/windowsAutopilotDeviceIdentities/{}", guid(6));
        assert_eq!(ask(&simulator, "DELETE", &identity, &[], None).0, 204);
        assert_eq!(ask(&simulator, "DELETE", &format!("/v1.0/devices/{}", guid(4)), &[], None).0, 204);
        let restore = format!("/beta/directory/deletedItems/{}/restore", guid(4));
        assert_eq!(post(&simulator, &restore, "").0, 200);
    }
}
