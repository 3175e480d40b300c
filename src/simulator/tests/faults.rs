//! Every fault, on the requests it is meant for and on no others.

use std::time::Duration;

use tokio::time::Instant;

use super::*;
use crate::simulator::counts::TargetCounts;

async fn outcomes(client: &Client, id: &str, times: usize) -> Vec<Option<u16>> {
    let mut statuses = Vec::new();
    for _ in 0..times {
        statuses.push(client.retire(id).await.ok().map(|reply| reply.status));
    }
    statuses
}

#[tokio::test(start_paused = true)]
async fn calls_are_numbered_per_target() {
    let client = Client::of("faults: [{ on: { action: retire, calls: [1, 3] }, do: { status: { code: 500 } } }]");
    for id in [ID, OTHER] {
        assert_eq!(outcomes(&client, id, 4).await, [Some(500), Some(204), Some(500), Some(204)]);
    }
    let expected = TargetCounts { calls: 4, refused: 2, effects: 2, ..TargetCounts::default() };
    assert_eq!(client.tenant.counts().of("retire", ID), expected);
}

#[tokio::test(start_paused = true)]
async fn rules_narrow_by_target_method_time_turn_and_limit() {
    let fault = |on: &str| Client::of(&format!("faults: [{{ on: {{ {on} }}, do: {{ status: {{ code: 500 }} }} }}]"));
    let client = fault(&format!("target: {}", ID.to_uppercase()));
    assert_eq!(outcomes(&client, ID, 1).await, [Some(500)]);
    assert_eq!(outcomes(&client, OTHER, 1).await, [Some(204)]);
    let client = fault("method: GET");
    assert_eq!(outcomes(&client, ID, 1).await, [Some(204)]);
    assert_eq!(client.get(&device(ID, "")).await.status, 500);
    let client = fault("every: 2, limit: 1");
    assert_eq!(outcomes(&client, ID, 4).await, [Some(204), Some(500), Some(204), Some(204)]);
    let client = fault("after: 10s, until: 20s");
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.extend(outcomes(&client, ID, 1).await);
        tokio::time::advance(Duration::from_secs(10)).await;
    }
    assert_eq!(seen, [Some(204), Some(500), Some(204)]);
    let client = fault("probability: 0.5");
    let failed = outcomes(&client, ID, 100).await.iter().filter(|status| **status == Some(500)).count();
    assert!((30..70).contains(&failed), "{failed}");
    let again = outcomes(&fault("probability: 0.5"), ID, 100).await.iter().filter(|s| **s == Some(500)).count();
    assert_eq!(failed, again, "the same seed plays the same game");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_reply_has_its_effect_and_a_reset_has_none() {
    let client = Client::of(
        "faults:\n  - { on: { calls: [1] }, do: drop_reply }\n  - { on: { calls: [2] }, do: reset }\n  \
         - { on: { calls: [3] }, do: refuse_connection }\n",
    );
    assert!(matches!(client.retire(ID).await, Err(TransportError::Lost(_))));
    assert_eq!(client.tenant.counts().of("retire", ID).effects, 1);
    assert!(matches!(client.retire(ID).await, Err(TransportError::Lost(_))));
    assert!(matches!(client.retire(ID).await, Err(TransportError::Unreachable(_))));
    let expected = TargetCounts { calls: 2, lost: 2, effects: 1, ..TargetCounts::default() };
    assert_eq!(client.tenant.counts().of("retire", ID), expected);
}

#[tokio::test(start_paused = true)]
async fn a_slow_answer_has_its_effect_at_once() {
    let client = Client::of("latency: 1s\nfaults: [{ do: { delay: 1m } }]");
    let start = Instant::now();
    assert!(tokio::time::timeout(Duration::from_secs(30), client.retire(ID)).await.is_err());
    assert_eq!(client.tenant.counts().of("retire", ID).effects, 1);
    assert_eq!(client.retire(ID).await.unwrap().status, 204);
    assert_eq!(start.elapsed().as_secs(), 30 + 61);
}

#[tokio::test(start_paused = true)]
async fn latency_stays_between_its_bounds() {
    let client = Client::of("latency: { min: 10ms, max: 20ms }");
    for _ in 0..20 {
        let start = Instant::now();
        client.retire(ID).await.unwrap();
        assert!((10..=21).contains(&start.elapsed().as_millis()), "{:?}", start.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn statuses_come_with_any_body() {
    let status = |rest: &str| format!("faults: [{{ do: {{ status: {{ code: 503, {rest} }} }} }}]");
    let json = Client::of(&status("error_code: Busy, message: Not now.")).retire(ID).await.unwrap();
    assert_eq!((json.status, json.code()), (503, "Busy"));
    assert!(json.message().starts_with("Not now."));
    assert_eq!(json.header("retry-after"), None);
    let html = Client::of(&status("body: html, seconds: 7")).retire(ID).await.unwrap();
    assert!(html.text.starts_with("<html>") && html.text.contains("503 Service Unavailable"));
    assert_eq!((html.header("content-type"), html.header("retry-after")), (Some("text/html"), Some("7")));
    let empty = Client::of(&status("body: empty")).retire(ID).await.unwrap();
    assert_eq!((empty.text.as_str(), empty.header("request-id").is_some()), ("", true));
}

#[tokio::test(start_paused = true)]
async fn an_expired_token_stays_expired_and_another_is_good() {
    let mut client = Client::of("faults: [{ on: { calls: [2] }, do: expire_token }]");
    assert_eq!(outcomes(&client, ID, 3).await, [Some(204), Some(401), Some(401)]);
    let reply = client.retire(ID).await.unwrap();
    assert_eq!(reply.code(), "InvalidAuthenticationToken");
    assert!(reply.header("www-authenticate").unwrap().starts_with("Bearer"));
    client.token = "another".into();
    assert_eq!(client.retire(ID).await.unwrap().status, 204);
}

#[tokio::test(start_paused = true)]
async fn redirects_conflicts_and_daily_limits_are_answered_without_effect() {
    let client = Client::of(
        "faults:\n  - { on: { calls: [1] }, do: { redirect: \"http://127.0.0.1/x\" } }\n  \
         - { on: { calls: [2] }, do: conflict }\n  - { on: { calls: [3] }, do: daily_quota }\ndaily_answer: 403\n",
    );
    let redirect = client.retire(ID).await.unwrap();
    assert_eq!((redirect.status, redirect.header("location")), (302, Some("http://127.0.0.1/x")));
    let conflict = client.retire(ID).await.unwrap();
    assert_eq!((conflict.status, conflict.code()), (409, "Directory_ConcurrencyViolation"));
    let daily = client.retire(ID).await.unwrap();
    assert_eq!(daily.status, 403);
    assert!(daily.message().contains("daily limit of retire"));
    assert_eq!(client.tenant.counts().effects(), 0);
}

#[tokio::test(start_paused = true)]
async fn approval_wants_a_justification_then_a_code_and_then_it_happens() {
    const JUSTIFICATION: (&str, &str) = ("x-msft-approval-justification", "Q0hHMDAxMg==");
    for (status, error) in [(403, "ApprovalRequired"), (412, "BadRequest"), (409, "Conflict"), (400, "BadRequest")] {
        let client = Client::of(&format!(
            "faults: [{{ on: {{ action: retire }}, do: {{ approval: {{ status: {status} }} }} }}]"
        ));
        let bare = client.retire(ID).await.unwrap();
        assert_eq!(bare.status, 400);
        assert!(bare.message().contains("Header 'x-msft-approval-justification' is required"));
        let filed = client.send("POST", &device(ID, "/retire"), &[JUSTIFICATION], "").await.unwrap();
        assert_eq!((filed.status, filed.code()), (status, error));
        let Some(code) = filed.header("x-msft-approval-code") else { continue };
        assert!(filed.message().contains(&format!("x-msft-approval-code: {code}")));
        let headers = [("x-msft-approval-code", code)];
        assert_eq!(client.send("POST", &device(ID, "/retire"), &headers, "").await.unwrap().status, 204);
        let other = client.send("POST", &device(OTHER, "/retire"), &[JUSTIFICATION], "").await.unwrap();
        assert_ne!(other.header("x-msft-approval-code"), Some(code));
    }
    let long = ("x-msft-approval-justification", &*"QUFB".repeat(400));
    let client = Client::of("faults: [{ do: { approval: {} } }]");
    assert_eq!(client.send("POST", &device(ID, "/retire"), &[long], "").await.unwrap().status, 400);
}
