//! What a read shows, and what it does not: as Graph, and nothing of ours.

use serde_json::json;

use super::*;

const USER: &str = "22222222-2222-4222-8222-222222222222";
const ENTRA: &str = "55555555-5555-4555-8555-555555555555";
const DEVICE_ID: &str = "66666666-6666-4666-8666-666666666666";
const GROUP: &str = "77777777-7777-4777-8777-777777777777";

fn tenant() -> Client {
    Client::of(&format!(
        "only_listed: true\n\
         devices: [{{ id: {ID}, deviceName: LAB-01, serialNumber: SN-1, azureADDeviceId: {DEVICE_ID}, userPrincipalName: ada@contoso.com, lastSyncDateTime: \"2026-01-01T00:00:00Z\" }},\n\
                   {{ id: {OTHER}, deviceName: LAB-02, serialNumber: SN-2, operatingSystem: iOS, lastSyncDateTime: \"2026-06-01T00:00:00Z\" }}]\n\
         users: [{{ id: {USER}, userPrincipalName: ada@contoso.com, displayName: Ada, devices: [{ID}] }},\n\
                 {{ id: 22222222-2222-4222-8222-222222222223, userPrincipalName: bo@contoso.com, displayName: Bo, accountEnabled: false }}]\n\
         entra_devices: [{{ id: {ENTRA}, deviceId: {DEVICE_ID}, displayName: LAB-01 }}]\n\
         groups: [{{ id: {GROUP}, displayName: Lab, members: [{USER}, {ENTRA}] }}]\n"
    ))
}

fn keys(document: &Value) -> Vec<&str> {
    document.as_object().unwrap().keys().map(String::as_str).collect()
}

fn ids(page: &Value) -> Vec<&str> {
    page["value"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

/// Source: the page of the user resource names the eleven properties that come unasked.
#[tokio::test(start_paused = true)]
async fn of_a_user_eleven_properties_come_unasked() {
    let client = tenant();
    let user = client.get(&format!("/v1.0/users/{USER}")).await.json;
    let expected = [
        "@odata.context",
        "businessPhones",
        "displayName",
        "givenName",
        "id",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
    ];
    let mut shown = keys(&user);
    shown.sort_unstable();
    assert_eq!(shown, expected);
    let selected = client.get(&format!("/v1.0/users/{USER}?$select=id,accountEnabled")).await.json;
    assert_eq!(selected["accountEnabled"], true);
    assert_eq!(
        selected["@odata.context"],
        "https://graph.microsoft.com/v1.0/$metadata#users(id,accountEnabled)/$entity"
    );
}

#[tokio::test(start_paused = true)]
async fn notes_and_results_are_shown_to_who_reads_one_device_and_selects_them() {
    let client = tenant();
    let patched = client
        .send("PATCH", &device(ID, ""), &[("content-type", "application/json")], r#"{"notes":"spare"}"#)
        .await
        .unwrap();
    assert_eq!((patched.status, patched.json["id"].as_str()), (200, Some(ID)), "Intune shows the record");
    assert_eq!(client.get(&device(ID, "")).await.json["notes"], Value::Null);
    assert_eq!(client.get(&device(ID, "?$select=id,notes")).await.json["notes"], "spare");
    let listed = client.get("/v1.0/deviceManagement/managedDevices?$select=id,notes").await.json;
    assert_eq!(listed["value"][0], json!({ "id": ID, "notes": null }));
}

#[tokio::test(start_paused = true)]
async fn nothing_of_ours_stands_in_an_entity() {
    let client = Client::of("");
    let body = r#"{"deprovisionReason":"sold"}"#;
    let beta = device(ID, "").replace("v1.0", "beta");
    assert_eq!(client.post(&format!("{beta}/deprovision"), body).await.status, 204);
    let shown = client.get(&beta).await;
    assert!(!shown.text.to_lowercase().contains("simulator"), "{}", shown.text);
    assert!(shown.json["joinType"].is_string() && client.get(&device(ID, "")).await.json.get("joinType").is_none());
    let marks = client.get("/simulator/marks").await.json;
    assert_eq!(marks["marks"], json!([{ "kind": "managedDevice", "id": ID, "mark": "deprovisioned" }]));
}

#[tokio::test(start_paused = true)]
async fn the_directory_answers_a_patch_with_nothing() {
    let client = tenant();
    for path in [format!("/v1.0/users/{USER}"), format!("/v1.0/devices/{ENTRA}"), format!("/beta/devices/{ENTRA}")] {
        let json = [("content-type", "application/json")];
        let reply = client.send("PATCH", &path, &json, r#"{"accountEnabled":false}"#).await.unwrap();
        assert_eq!((reply.status, reply.text.as_str()), (204, ""), "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_say_what_they_are_a_part_of() {
    let client = tenant();
    for (path, context) in [
        (device(ID, "?$select=id"), "v1.0/$metadata#deviceManagement/managedDevices(id)/$entity"),
        ("/beta/users?$top=1".to_owned(), "beta/$metadata#users"),
        (format!("/v1.0/users/{USER}/managedDevices"), &format!("v1.0/$metadata#users('{USER}')/managedDevices")[..]),
        (format!("/v1.0/groups/{GROUP}/members"), "v1.0/$metadata#directoryObjects"),
        (format!("/v1.0/directoryObjects/{USER}?$select=id"), "v1.0/$metadata#directoryObjects(id)/$entity"),
        (format!("/v1.0/groups/{GROUP}"), "v1.0/$metadata#groups/$entity"),
    ] {
        let reply = client.get(&path).await;
        assert_eq!(reply.json["@odata.context"], format!("https://graph.microsoft.com/{context}"), "{}", reply.text);
        assert!(reply.header("content-type").unwrap().starts_with("application/json;odata.metadata=minimal;"));
    }
}

#[tokio::test(start_paused = true)]
async fn the_directory_counts_only_where_a_count_may_be_old() {
    let client = tenant();
    let eventual = [("ConsistencyLevel", "eventual")];
    let silent = client.get("/v1.0/users?$count=true").await;
    assert_eq!((silent.status, silent.json.get("@odata.count")), (200, None));
    let counted = client.send("GET", "/v1.0/users?$count=true", &eventual, "").await.unwrap();
    assert_eq!(counted.json["@odata.count"], 2);
    let refused = client.get("/v1.0/users/$count").await;
    assert_eq!((refused.status, refused.code()), (400, "Request_BadRequest"), "{}", refused.text);
    let number = client.send("GET", "/v1.0/devices/$count", &eventual, "").await.unwrap();
    assert_eq!((number.text.as_str(), number.header("content-type")), ("1", Some("text/plain")));
    assert_eq!(client.get("/v1.0/deviceManagement/managedDevices?$count=true").await.json["@odata.count"], 2);
}

#[tokio::test(start_paused = true)]
async fn filters_are_put_together_as_each_service_does() {
    let client = tenant();
    let found = |query: &'static str| {
        let client = client.clone();
        async move {
            let reply = client.get(query).await;
            assert_eq!(reply.status, 200, "{query}: {}", reply.text);
            reply.json["value"].as_array().unwrap().len()
        }
    };
    let devices =
        |filter| Box::leak(format!("/v1.0/deviceManagement/managedDevices?$filter={filter}").into_boxed_str());
    let users = |filter| Box::leak(format!("/v1.0/users?$filter={filter}").into_boxed_str());
    assert_eq!(
        found(devices("lastSyncDateTime%20le%202026-03-01T00:00:00Z%20and%20startswith(deviceName,'lab')")).await,
        1
    );
    assert_eq!(found(devices("serialNumber%20eq%20'SN-1'%20or%20serialNumber%20eq%20'SN-2'")).await, 2);
    assert_eq!(found(devices("operatingSystem%20eq%20'iOS'%20and%20lastSyncDateTime%20gt%202026-07-01")).await, 0);
    assert_eq!(found(users("accountEnabled%20eq%20false")).await, 1);
    assert_eq!(found(users("userPrincipalName%20in%20('ada@contoso.com','bo@contoso.com','no@contoso.com')")).await, 2);
    assert_eq!(found(users("accountEnabled%20eq%20true%20or%20startswith(displayName,'b')")).await, 2);
    let eventual = [("ConsistencyLevel", "eventual")];
    let not = "/v1.0/users?$filter=not%20(displayName%20eq%20'Ada')&$count=true&$orderby=displayName%20desc";
    let reply = client.send("GET", not, &eventual, "").await.unwrap();
    assert_eq!(ids(&reply.json), ["22222222-2222-4222-8222-222222222223"], "{}", reply.text);
    let unsupported = client.get(not).await;
    assert_eq!((unsupported.status, unsupported.code()), (400, "Request_UnsupportedQuery"));
}

#[tokio::test(start_paused = true)]
async fn pages_in_an_order_lead_to_the_end() {
    let client = tenant();
    let mut path = "/v1.0/deviceManagement/managedDevices?$orderby=deviceName%20desc&$top=1&$select=id".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = client.get(&path).await.json;
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        let Some(link) = page["@odata.nextLink"].as_str() else { break };
        path = link.strip_prefix("https://graph.microsoft.com").unwrap().to_owned();
    }
    assert_eq!(seen, [OTHER, ID]);
}

#[tokio::test(start_paused = true)]
async fn what_is_expanded_is_shown_with_its_type() {
    let client = tenant();
    let group = client.get(&format!("/v1.0/groups/{GROUP}?$expand=members")).await.json;
    let types: Vec<_> =
        group["members"].as_array().unwrap().iter().map(|it| it["@odata.type"].as_str().unwrap()).collect();
    assert_eq!(types, ["#microsoft.graph.user", "#microsoft.graph.device"]);
    let entra = client.get(&format!("/v1.0/devices/{ENTRA}?$expand=registeredOwners&$select=id")).await.json;
    assert_eq!(entra["registeredOwners"][0]["userPrincipalName"], "ada@contoso.com");
    assert_eq!(client.get(&format!("/v1.0/users/{USER}?$expand=manager")).await.status, 400);
}

/// Source: Graph's pages on reading and deleting a device, which take either id.
#[tokio::test(start_paused = true)]
async fn a_device_is_addressed_by_its_device_id_as_well() {
    let client = tenant();
    let path = format!("/v1.0/devices(deviceId='{DEVICE_ID}')");
    assert_eq!(client.get(&path).await.json["id"], ENTRA);
    assert_eq!(client.get(&format!("/v1.0/devices(deviceId='{ID}')")).await.status, 404);
    assert_eq!(client.ask("DELETE", &path).await.status, 204);
    assert_eq!(client.tenant.counts().of("deleteEntraDevice", ENTRA).effects, 1);
}

#[tokio::test(start_paused = true)]
async fn the_directory_says_what_an_answer_cost_and_what_throttled_it() {
    let client = Client::of("throttle: { entra-devices/write: { requests: 1, window: 10s } }");
    assert_eq!(client.get("/v1.0/users").await.header("x-ms-resource-unit"), Some("2"));
    assert_eq!(client.get("/v1.0/users?$select=id&$top=5").await.header("x-ms-resource-unit"), Some("1"));
    assert_eq!(client.get(&device(ID, "")).await.header("x-ms-resource-unit"), None, "Intune says nothing");
    client.ask("DELETE", &format!("/v1.0/devices/{ENTRA}")).await;
    let throttled = client.ask("DELETE", &format!("/v1.0/devices/{OTHER}")).await;
    assert_eq!(throttled.status, 429);
    let scope = throttled.header("x-ms-throttle-scope").unwrap();
    assert!(scope.starts_with("Tenant_Application/Write/"), "{scope}");
    assert_eq!(throttled.header("x-ms-throttle-information"), Some("WriteLimitExceeded"));
}
