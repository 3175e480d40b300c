//! What Graph would refuse is refused, in Graph's words, and without effect.

use super::*;

const IDENTITY: &str = "/v1.0/deviceManagement/windowsAutopilotDeviceIdentities/7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11";

#[tokio::test(start_paused = true)]
async fn what_graph_would_refuse_is_refused() {
    let client = Client::of("missing: [99999999-9999-4999-8999-999999999999]");
    let gone = "99999999-9999-4999-8999-999999999999";
    let wipe = device(ID, "/wipe");
    let deprovision = device(ID, "/deprovision").replace("v1.0", "beta");
    for (method, path, body, status, word) in [
        ("POST", device(ID, "/deprovision"), r#"{"deprovisionReason":"x"}"#, 400, "'deprovision'"),
        ("POST", format!("{IDENTITY}/unassignResourceAccountFromDevice"), "", 400, "Resource not found"),
        ("GET", device(ID, "/retire"), "", 405, "method"),
        ("POST", device(ID, ""), "", 405, "method"),
        ("POST", device(ID, "/explode"), "", 400, "'explode'"),
        ("POST", "/v2.0/me".to_owned(), "", 400, "version"),
        ("POST", device("not-a-guid", "/retire"), "", 400, "An error has occurred"),
        ("POST", device(gone, "/retire"), "", 404, "An error has occurred"),
        ("GET", device(gone, ""), "", 404, "An error has occurred"),
        ("POST", "/v1.0/users/ada/removeAllDevicesFromManagement".to_owned(), "", 404, "'ada'"),
        ("DELETE", device(ID, ""), "{}", 400, "no request body"),
        ("POST", wipe.clone(), r#"{"keepUserDate":true}"#, 400, "'keepUserDate' does not exist"),
        ("POST", wipe.clone(), r#"{"useProtectedWipe":true}"#, 400, "'useProtectedWipe' does not exist"),
        ("POST", wipe.clone(), r#"{"keepUserData":"true"}"#, 400, "Edm.Boolean"),
        ("POST", wipe.clone(), r#"{"macOsUnlockCode":"12"}"#, 400, "six digits"),
        ("POST", wipe.clone(), "keepUserData=true", 400, "valid JSON"),
        ("POST", deprovision.clone(), "", 400, "'deprovisionReason'"),
        ("POST", deprovision.clone(), "{}", 400, "'deprovisionReason'"),
    ] {
        let json = [("content-type", "application/json")];
        let headers: &[_] = if body.is_empty() { &[] } else { &json };
        let reply = client.send(method, &path, headers, body).await.unwrap();
        assert_eq!(reply.status, status, "{method} {path} {body}: {}", reply.text);
        assert!(reply.message().contains(word), "{method} {path} {body}: {}", reply.text);
    }
    assert_eq!(client.tenant.counts().effects(), 0);
    assert_eq!(client.tenant.counts().unexpected, 4);
}

#[tokio::test(start_paused = true)]
async fn a_body_must_say_that_it_is_json() {
    let client = Client::of("");
    let send = |kind: &'static str| {
        let client = client.clone();
        async move { client.send("POST", &device(ID, "/wipe"), &[("content-type", kind)], "{}").await.unwrap().status }
    };
    assert_eq!(send("text/plain").await, 400);
    assert_eq!(send("application/json; charset=utf-8").await, 204);
    assert_eq!(client.send("POST", &device(ID, "/wipe"), &[], "{}").await.unwrap().status, 400);
}

#[tokio::test(start_paused = true)]
async fn beta_parameters_and_nulls_are_accepted_where_they_belong() {
    let client = Client::of("");
    let beta = device(ID, "/wipe").replace("v1.0", "beta");
    let body = r#"{"useProtectedWipe":true,"obliterationBehavior":"always","keepUserData":null}"#;
    assert_eq!(client.post(&beta, body).await.status, 204);
}

#[tokio::test(start_paused = true)]
async fn errors_have_the_shape_of_whoever_speaks() {
    let client = Client::of("missing: [ada@contoso.com]");
    let headers = [("client-request-id", "11111111-2222-4333-8444-555555555555")];
    let intune = client.send("POST", &device("bad", "/retire"), &headers, "").await.unwrap();
    assert_eq!(intune.code(), "BadRequest");
    assert_eq!(intune.header("client-request-id"), Some("11111111-2222-4333-8444-555555555555"));
    assert_eq!(intune.header("date"), Some("Sun, 22 Nov 2026 12:00:00 GMT"));
    let id = intune.header("request-id").unwrap();
    assert_eq!(intune.json["error"]["innerError"]["request-id"], id);
    let inner = intune.inner();
    assert_eq!(inner["_version"], 3);
    assert_eq!(inner["RetryAfter"], Value::Null);
    assert_eq!(inner["HttpHeaders"], "{}");
    assert!(inner["Message"].as_str().unwrap().contains(&format!("Activity ID: {id} - Url: https://")));

    let graph = client.get("/v1.0/users/ada@contoso.com").await;
    assert_eq!((graph.status, graph.code()), (404, "Request_ResourceNotFound"));
    assert_eq!(graph.inner(), Value::Null);
}

#[tokio::test(start_paused = true)]
async fn only_listed_things_exist_where_the_scenario_says_so() {
    let client = Client::of(&format!("only_listed: true\ndevices: [{{ id: {ID}, deviceName: LAB-01 }}]\n"));
    assert_eq!(client.get(&device(ID, "")).await.json["deviceName"], "LAB-01");
    assert_eq!(client.get(&device(OTHER, "")).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn the_log_shows_what_arrived_but_no_secrets() {
    let mut client = Client::of("");
    client.token = "very-secret-token".into();
    client.post(&device(ID, "/wipe"), r#"{"keepUserData":true}"#).await;
    let form = "grant_type=client_credentials&client_id=app&client_secret=hunter2&scope=https://g/.default";
    client.send("POST", "/contoso.com/oauth2/v2.0/token", &[], form).await.unwrap();
    let seen = client.tenant.requests();
    assert_eq!(seen[0].path, device(ID, "/wipe"));
    assert_eq!(seen[0].body, r#"{"keepUserData":true}"#);
    assert_eq!(seen[0].headers["content-type"], "application/json");
    assert_eq!(seen[0].status, Some(204));
    let shown = format!("{seen:?}{:?}", client.tenant.counts());
    assert!(!shown.contains("secret-token") && !shown.contains("hunter2"), "{shown}");
    let client = Client::of("log: off");
    client.get(&device(ID, "")).await;
    assert_eq!(client.tenant.requests(), []);
}
