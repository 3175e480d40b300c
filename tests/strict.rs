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
