//! Reads, pages and batches.

use serde_json::json;

use super::*;

const LAB: &str = "only_listed: true\npage_size: 2\ndevices:\n  \
    - { id: 00000000-0000-4000-8000-000000000001, deviceName: O'Brien, serialNumber: SN-1 }\n  \
    - { id: 00000000-0000-4000-8000-000000000002, deviceName: LAB-02, serialNumber: SN-2 }\n  \
    - { id: 00000000-0000-4000-8000-000000000003, deviceName: LAB-03, serialNumber: sn-2 }\n  \
    - { id: 00000000-0000-4000-8000-000000000004, deviceName: LAB-04, serialNumber: SN-22 }\n  \
    - { id: 00000000-0000-4000-8000-000000000005, deviceName: LAB-05, serialNumber: SN-5 }\n\
    autopilot:\n  - { id: 00000000-0000-4000-8000-000000000006, serialNumber: SN-2 }\n  \
    - { id: 00000000-0000-4000-8000-000000000007, serialNumber: SN-22 }\n";
const DEVICES: &str = "/v1.0/deviceManagement/managedDevices";
const IDENTITIES: &str = "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities";

fn names(page: &Value) -> Vec<&str> {
    page["value"].as_array().unwrap().iter().map(|device| device["deviceName"].as_str().unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn pages_lead_to_the_next_until_there_is_none() {
    let client = Client::of(LAB);
    let mut path = format!("{DEVICES}?$select=deviceName&$top=999");
    let mut seen = Vec::new();
    for _ in 0..3 {
        let page = client.get(&path).await.json;
        seen.extend(names(&page).into_iter().map(str::to_owned));
        let Some(link) = page["@odata.nextLink"].as_str() else { break };
        path = link.strip_prefix("https://graph.microsoft.com").unwrap().to_owned();
        assert!(path.contains("$select=deviceName&$top=999&$skiptoken="), "{path}");
    }
    assert_eq!(seen, ["O'Brien", "LAB-02", "LAB-03", "LAB-04", "LAB-05"]);
    assert_eq!(client.get(&format!("{DEVICES}?$count=true&$top=1")).await.json["@odata.count"], 5);
}

#[tokio::test(start_paused = true)]
async fn filters_find_by_any_case_and_only_what_matches() {
    let client = Client::of(LAB);
    let found = client.get(&format!("{DEVICES}?$filter=serialNumber%20eq%20'SN-2'")).await.json;
    assert_eq!(names(&found), ["LAB-02", "LAB-03"]);
    let found = client.get(&format!("{DEVICES}?$filter=deviceName%20eq%20'o''brien'")).await.json;
    assert_eq!(names(&found), ["O'Brien"]);
    let found = client.get(&format!("{DEVICES}?$filter=contains(deviceName,'AB-05')")).await.json;
    assert_eq!(names(&found), ["LAB-05"]);
    let found = client.get(&format!("{DEVICES}?$filter=serialNumber%20eq%20'none'")).await.json;
    assert_eq!(names(&found), [""; 0]);
    let found = client.get(&format!("{IDENTITIES}?$filter=contains(serialNumber,'SN-2')")).await.json;
    assert_eq!(found["value"].as_array().unwrap().len(), 2, "a superstring matches too");
    let eq = client.get(&format!("{IDENTITIES}?$filter=serialNumber%20eq%20'SN-2'")).await;
    assert_eq!((eq.status, eq.code()), (400, "BadRequest"));
}

#[tokio::test(start_paused = true)]
async fn select_shows_what_was_asked_for_and_results_only_then() {
    let client = Client::of("");
    client.retire(ID).await.unwrap();
    let selected = client.get(&device(ID, "?$select=id,managementState")).await.json;
    let keys: Vec<_> = selected.as_object().unwrap().keys().filter(|key| !key.starts_with('@')).cloned().collect();
    assert_eq!(keys, ["id", "managementState"]);
    assert_eq!(client.get(&device(ID, "")).await.json["deviceActionResults"], json!([]));
    let listed = client.get(&format!("{DEVICES}?$select=deviceActionResults")).await.json;
    assert_eq!(listed["value"][0]["deviceActionResults"], json!([]));
    let by_id = client.get(&device(ID, "?$select=deviceActionResults")).await.json;
    assert_eq!(by_id["deviceActionResults"][0]["actionName"], "retire");
    assert_eq!(client.get(&device(ID, "?$select=colour")).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn made_up_things_look_real_and_stay_the_same() {
    let client = Client::of("");
    let first = client.get(&device(ID, "")).await.json;
    for property in ["deviceName", "serialNumber", "operatingSystem", "userPrincipalName", "enrolledDateTime"] {
        assert!(!first[property].as_str().unwrap().is_empty(), "{property}");
    }
    assert_eq!(first["managementState"], "managed");
    assert_eq!(client.get(&device(ID, "")).await.json, first);
    let comanaged = format!("/beta/deviceManagement/comanagedDevices/{ID}");
    let as_comanaged = client.get(&comanaged).await.json;
    assert_eq!((&as_comanaged["id"], &as_comanaged["serialNumber"]), (&first["id"], &first["serialNumber"]));
    let serial = first["serialNumber"].as_str().unwrap();
    let found = client.get(&format!("{DEVICES}?$filter=serialNumber%20eq%20'{serial}'")).await.json;
    assert_eq!(found["value"][0]["id"], ID);
    let user = client.get("/v1.0/users/ada@contoso.com").await.json;
    assert_eq!(user["userPrincipalName"], "ada@contoso.com");
    let id = user["id"].as_str().unwrap();
    assert_eq!(client.get(&format!("/v1.0/users/{id}")).await.json, user);
    let found = client.get("/v1.0/users?$filter=userPrincipalName%20eq%20'ada@contoso.com'").await.json;
    assert_eq!(found["value"][0]["id"], id);
}

async fn batch(client: &Client, requests: Value) -> Reply {
    client.post("/v1.0/$batch", &json!({ "requests": requests }).to_string()).await
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_judged_part_by_part() {
    let client = Client::of("throttle: { intune-devices/write: { requests: 1, window: 10s } }");
    let reply = batch(
        &client,
        json!([
            { "id": "1", "method": "POST", "url": format!("/deviceManagement/managedDevices/{ID}/retire"),
              "headers": { "Content-Type": "application/json" }, "body": {} },
            { "id": "2", "method": "POST", "url": format!("/deviceManagement/managedDevices/{OTHER}/retire") },
            { "id": "3", "method": "GET", "url": format!("deviceManagement/managedDevices/{ID}?$select=managementState") },
            { "id": "4", "method": "POST", "url": format!("/deviceManagement/managedDevices/{ID}/retire"), "body": {} },
            { "id": "5", "method": "GET", "url": "/users/a@b.c", "dependsOn": ["2"] },
        ]),
    )
    .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let responses = reply.json["responses"].as_array().unwrap();
    let of = |id: &str| responses.iter().find(|response| response["id"] == id).unwrap();
    let statuses = ["1", "2", "3", "4", "5"].map(|id| of(id)["status"].as_u64().unwrap());
    assert_eq!(statuses, [204, 429, 200, 400, 424]);
    assert_eq!(of("2")["headers"]["Retry-After"], "10");
    assert_eq!(of("3")["body"]["managementState"], "retirePending");
    assert!(of("1").get("body").is_none());
    let counts = client.tenant.counts();
    assert_eq!((counts.total("retire").calls, counts.total("retire").effects), (2, 1));
    assert_eq!((counts.batches, counts.requests, counts.reads), (1, 3, 1));
}

#[tokio::test(start_paused = true)]
async fn a_malformed_batch_is_refused_whole() {
    let client = Client::of("");
    let get = |id: &str, url: &str| json!({ "id": id, "method": "GET", "url": url });
    let many: Vec<_> = (0..21).map(|n| get(&n.to_string(), "/users/a@b.c")).collect();
    for requests in [
        json!([get("a", "/users/a@b.c"), get("A", "/users/a@b.c")]),
        json!([get("1", "https://graph.microsoft.com/v1.0/users/a@b.c")]),
        json!([get("1", "/$batch")]),
        json!(many),
        json!([]),
        json!([{ "id": "1", "method": "GET", "url": "/users/a@b.c", "dependsOn": ["x"] }]),
        json!("no list"),
    ] {
        assert_eq!(batch(&client, requests.clone()).await.status, 400, "{requests}");
    }
    assert_eq!(client.tenant.counts().requests, 0);
    let lost = Client::of("faults: [{ do: drop_reply }]");
    let sent =
        lost.send("POST", "/v1.0/$batch", &[], r#"{"requests":[{"id":"1","method":"GET","url":"/users/a@b.c"}]}"#);
    assert!(matches!(sent.await, Err(TransportError::Lost(_))));
}
