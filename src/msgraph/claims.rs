//! What an access token says about itself.
//!
//! In: a token. Out: its tenant, audience and end, if it is a JWT. Must not: verify a signature or trust a claim for
//! more than a comparison; the service decides.
//!
//! Source: the access token claims reference of the Microsoft identity platform. Graph's tokens are formally opaque.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// The claims that are looked at.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Claims {
    /// Tenant id.
    pub tid: Option<String>,
    /// What the token is for: Graph's URL or its app id.
    pub aud: Option<String>,
    /// End of its life, in seconds since 1970.
    pub exp: Option<i64>,
    /// Application permissions.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Delegated permissions, separated by spaces.
    pub scp: Option<String>,
}

impl Claims {
    /// `None` for an opaque token.
    pub fn read(token: &str) -> Option<Self> {
        let payload = token.split('.').nth(1)?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()
    }

    /// Whether the token says that it may do something with this permission; `None` where it lists none at all.
    pub fn holds(&self, permission: &str) -> Option<bool> {
        let delegated = || self.scp.iter().flat_map(|scopes| scopes.split(' '));
        if self.roles.is_empty() && self.scp.is_none() {
            return None;
        }
        Some(self.roles.iter().map(String::as_str).chain(delegated()).any(|held| held == permission))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn a_jwt_is_read_and_anything_else_is_opaque() {
        let claims = Claims::read(&token(r#"{"tid":"t","exp":1,"roles":["A"]}"#)).unwrap();
        assert_eq!((claims.tid.as_deref(), claims.exp), (Some("t"), Some(1)));
        assert_eq!(claims.holds("A"), Some(true));
        assert_eq!(claims.holds("B"), Some(false));
        assert_eq!(Claims::read(&token("{}")).unwrap().holds("A"), None);
        assert_eq!(Claims::read("opaque"), None);
        assert_eq!(Claims::read("a.!!.c"), None);
    }
}
