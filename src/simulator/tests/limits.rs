//! Windows, Retry-After in all its forms, and daily limits.

use std::time::Duration;

use super::*;
use crate::catalog::{Access, Bucket, INTUNE_DEVICES};

const WRITES: Bucket = Bucket { service: &INTUNE_DEVICES, access: Access::Write };
const TWO: &str = "throttle: { intune-devices/write: { requests: 2, window: 10s } }\n";

async fn throttled(form: &str) -> Reply {
    let client = Client::of(&format!("{TWO}count_throttled: false\nretry_after: {form}\n"));
    for _ in 0..2 {
        assert_eq!(client.retire(ID).await.unwrap().status, 204);
    }
    tokio::time::advance(Duration::from_millis(2_500)).await;
    client.retire(ID).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn every_form_of_retry_after() {
    let integer = throttled("integer").await;
    assert_eq!((integer.status, integer.header("retry-after")), (429, Some("8")));
    assert_eq!(integer.inner()["RetryAfter"], Value::Null);
    let decimal = throttled("decimal").await;
    assert_eq!(decimal.header("retry-after"), Some("7.500"));
    assert_eq!(throttled("http_date").await.header("retry-after"), Some("Sun, 22 Nov 2026 12:00:10 GMT"));
    let body = throttled("body").await;
    assert_eq!((body.header("retry-after"), &body.inner()["RetryAfter"]), (None, &Value::from(8)));
    let nested = throttled("body_headers").await;
    assert_eq!((nested.header("retry-after"), &nested.inner()["RetryAfter"]), (None, &Value::Null));
    assert_eq!(nested.inner()["HttpHeaders"], r#"{"Retry-After":"8"}"#);
    let absent = throttled("absent").await;
    assert_eq!((absent.header("retry-after"), absent.inner()["RetryAfter"].is_null()), (None, true));
    assert_eq!(absent.code(), "TooManyRequests");
}

#[tokio::test(start_paused = true)]
async fn the_documented_windows_are_the_default() {
    let client = Client::of("");
    for _ in 0..200 {
        assert_eq!(client.retire(ID).await.unwrap().status, 204);
    }
    assert_eq!(client.retire(ID).await.unwrap().status, 429);
    assert_eq!(client.get(&device(ID, "")).await.status, 200, "reads are counted apart");
    let identity = format!("/v1.0/deviceManagement/windowsAutopilotDeviceIdentities/{ID}/unassignUserFromDevice");
    assert_eq!(client.post(&identity, "").await.status, 204, "so are other classes");
    tokio::time::advance(Duration::from_secs(20)).await;
    assert_eq!(client.retire(ID).await.unwrap().status, 204);
    let counts = client.tenant.counts();
    assert_eq!((counts.total("retire").throttled, counts.total("retire").effects), (1, 201));
    assert_eq!(counts.max_in_any_window(WRITES, Duration::from_secs(20)), 201);
    assert_eq!(counts.max_in_any_window(WRITES, Duration::from_secs(21)), 202);
}

#[tokio::test(start_paused = true)]
async fn throttled_requests_count_unless_the_scenario_says_otherwise() {
    for (counted, status) in [(true, 429), (false, 204)] {
        let client = Client::of(&format!("{TWO}count_throttled: {counted}\n"));
        for _ in 0..4 {
            client.retire(ID).await.unwrap();
            tokio::time::advance(Duration::from_secs(3)).await;
        }
        assert_eq!(client.retire(ID).await.unwrap().status, status);
    }
}

#[tokio::test(start_paused = true)]
async fn without_throttle_nothing_is_throttled() {
    let client = Client::of("throttle: off");
    for _ in 0..1_000 {
        assert_eq!(client.retire(ID).await.unwrap().status, 204);
    }
}

#[tokio::test(start_paused = true)]
async fn a_throttle_fault_is_counted_as_one() {
    let client =
        Client::of("faults: [{ on: { calls: [1] }, do: { throttle: { seconds: 2.5, retry_after: decimal } } }]");
    assert_eq!(client.retire(ID).await.unwrap().header("retry-after"), Some("2.500"));
    let counts = client.tenant.counts().of("retire", ID);
    assert_eq!((counts.throttled, counts.effects), (1, 0));
}

/// The limit is one of devices, whichever request retires them; all of a user's or none.
#[tokio::test(start_paused = true)]
async fn a_user_with_two_devices_is_two_retires_of_the_day() {
    let client = Client::of(&format!(
        "only_listed: true\ndaily: {{ retire: 2 }}\ndaily_day: sliding\n\
         devices: [{{ id: {ID}, userPrincipalName: ada@contoso.com }}, {{ id: {OTHER}, userPrincipalName: ada@contoso.com }},\n\
                   {{ id: 99999999-9999-4999-8999-999999999999 }}]\n\
         users: [{{ id: 22222222-2222-4222-8222-222222222222, userPrincipalName: ada@contoso.com }}]\n"
    ));
    let all_of_ada = "/v1.0/users/ada@contoso.com/removeAllDevicesFromManagement";
    assert_eq!(client.retire("99999999-9999-4999-8999-999999999999").await.unwrap().status, 204);
    let over = client.post(all_of_ada, "").await;
    assert_eq!(over.status, 429);
    assert!(over.message().contains("daily limit of retire"), "{}", over.text);
    assert_eq!(client.get(&device(ID, "")).await.json["managementState"], "managed");
    tokio::time::advance(Duration::from_secs(24 * 3_600)).await;
    assert_eq!(client.post(all_of_ada, "").await.status, 204);
    assert_eq!(client.retire("99999999-9999-4999-8999-999999999999").await.unwrap().status, 429);
}

#[tokio::test(start_paused = true)]
async fn a_day_has_only_so_many() {
    for (answer, status) in [(429, 429), (403, 403), (400, 400)] {
        let client = Client::of(&format!("daily: {{ retire: 1 }}\ndaily_reset_hour: 13\ndaily_answer: {answer}\n"));
        assert_eq!(client.retire(ID).await.unwrap().status, 204);
        let over = client.retire(OTHER).await.unwrap();
        assert_eq!((over.status, over.header("retry-after")), (status, None));
        assert_eq!(client.post(&device(ID, "/syncDevice"), "").await.status, 204);
        tokio::time::advance(Duration::from_secs(3_600)).await;
        assert_eq!(client.retire(OTHER).await.unwrap().status, 204, "the day turns at 13:00 UTC");
    }
}
