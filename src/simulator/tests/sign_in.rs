//! Tokens: how they are had, what is in them, and when they stop being good.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::*;

const FORM: &str = "grant_type=client_credentials&client_id=app-1&client_secret=right%2Bsecret\
                    &scope=https%3A%2F%2Fgraph.microsoft.com%2F.default";

async fn sign_in(client: &Client, tenant: &str, form: &str) -> Reply {
    client.send("POST", &format!("/{tenant}/oauth2/v2.0/token"), &[], form).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_token_says_whose_it_is_and_expires() {
    let mut client = Client::of("sign_in: { secret: right+secret, token_lifetime: 60, any_token: false }");
    assert_eq!(client.retire(ID).await.unwrap().status, 401, "a token from elsewhere");
    let reply = sign_in(&client, "contoso.com", FORM).await;
    assert_eq!((reply.status, &reply.json["expires_in"]), (200, &json!(60)), "{}", reply.text);
    client.token = reply.json["access_token"].as_str().unwrap().to_owned();
    let payload = client.token.split('.').nth(1).unwrap();
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert_eq!(claims["tid"], "5d0f1d1e-6c55-4f0e-9b1c-51a1a7ed0001");
    assert_eq!(claims["aud"], "https://graph.microsoft.com");
    assert_eq!(claims["appid"], "app-1");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 60);
    assert!(claims["roles"].as_array().unwrap().len() > 1);
    assert_eq!(client.retire(ID).await.unwrap().status, 204);
    tokio::time::advance(Duration::from_secs(60)).await;
    let expired = client.retire(ID).await.unwrap();
    assert_eq!((expired.status, expired.code()), (401, "InvalidAuthenticationToken"));
    assert_eq!(client.tenant.counts().token_requests, 1);
}

#[tokio::test(start_paused = true)]
async fn entra_says_no_in_its_own_words() {
    let client = Client::of("tenant: { domains: [contoso.com] }\nsign_in: { secret: other }");
    let bad_scope = FORM.replace("%2F.default", "%2FUser.Read");
    let no_secret = FORM.replace("client_secret", "client_password");
    let cert = FORM.replace("client_credentials", "password");
    for (tenant, form, status, error, number) in [
        ("contoso.com", FORM, 401, "invalid_client", 7_000_215),
        ("fabrikam.com", FORM, 400, "invalid_request", 90_002),
        ("11111111-1111-4111-8111-111111111111", FORM, 400, "invalid_request", 90_002),
        ("contoso.com", &bad_scope, 400, "invalid_scope", 70_011),
        ("contoso.com", &no_secret, 400, "invalid_request", 900_144),
        ("contoso.com", &cert, 400, "unsupported_grant_type", 70_003),
    ] {
        let reply = sign_in(&client, tenant, form).await;
        assert_eq!((reply.status, reply.json["error"].as_str()), (status, Some(error)), "{}", reply.text);
        assert_eq!(reply.json["error_codes"], json!([number]));
        assert!(reply.json["error_description"].as_str().unwrap().starts_with(&format!("AADSTS{number}: ")));
        assert!(reply.json["trace_id"].is_string() && reply.json["correlation_id"].is_string());
        assert!(!reply.text.contains("right"), "the secret comes back");
    }
    let refused = sign_in(&Client::of("sign_in: { refuse: true }"), "contoso.com", FORM).await;
    assert_eq!(refused.status, 401);
}

#[tokio::test(start_paused = true)]
async fn any_domain_and_any_id_is_a_tenant_by_default() {
    let client = Client::of("");
    let guid = "11111111-1111-4111-8111-111111111111";
    for (tenant, id) in [("contoso.com", "5d0f1d1e-6c55-4f0e-9b1c-51a1a7ed0001"), (guid, guid)] {
        let found = client.get(&format!("/{tenant}/v2.0/.well-known/openid-configuration")).await.json;
        assert_eq!(found["issuer"], format!("https://login.microsoftonline.com/{id}/v2.0"));
        assert_eq!(found["token_endpoint"], format!("https://graph.microsoft.com/{id}/oauth2/v2.0/token"));
    }
}

#[tokio::test(start_paused = true)]
async fn listed_tokens_are_accepted_and_none_is_not() {
    let mut client = Client::of("sign_in: { any_token: false, tokens: [static] }");
    assert_eq!(client.retire(ID).await.unwrap().status, 204);
    client.token = String::new();
    let reply = client.retire(ID).await.unwrap();
    assert_eq!((reply.status, reply.code()), (401, "InvalidAuthenticationToken"));
    assert!(reply.header("www-authenticate").is_some());
}
