//! Is this the tenant that the plan is meant for?
//!
//! In: who says which tenant is meant, and a signed-in client. Out: nothing, or a refusal. Must not: let a doubt pass; a run
//! against the wrong tenant cannot be called back.

use super::error::SessionError;
use super::sign_in::explain;
use crate::diagnostics::Diagnostic;
use crate::msgraph::token::TokenSource;
use crate::msgraph::transport::Transport;

/// What names the tenant that is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedBy {
    Plan,
    SavedPreview,
    Inventory,
    /// What a token has shown when the run was begun, or went on.
    Run,
}

/// Compares the tenant that is meant (an id or a domain) with the one the token was issued by.
///
/// `signed_in_to` is the tenant that was named when we asked for the token; Entra issues tokens of no other.
pub(super) async fn verify<T: Transport>(
    tokens: &TokenSource<T>,
    (source, expected): (ExpectedBy, &str),
    signed_in_to: Option<&str>,
) -> Result<(), SessionError> {
    let claims = tokens.claims().await.map_err(|error| SessionError::SignIn(Box::new(explain(&error))))?;
    let same_name = signed_in_to.is_some_and(|name| name.eq_ignore_ascii_case(expected));
    let Some(actual) = claims.and_then(|claims| claims.tid) else {
        return match same_name {
            true => Ok(()),
            false => Err(refusal(source, expected, "the token does not say which tenant it is for")),
        };
    };
    let expected_id = match uuid::Uuid::try_parse(expected) {
        Ok(id) => Ok(id.to_string()),
        Err(_) => tokens.tenant_id(expected).await,
    };
    match expected_id {
        Ok(id) if id.eq_ignore_ascii_case(&actual) => Ok(()),
        Ok(_) => Err(refusal(source, expected, &format!("the token is for tenant {actual}"))),
        Err(_) if same_name => Ok(()),
        Err(error) => Err(refusal(
            source,
            expected,
            &format!("the token is for tenant {actual}, and its domains could not be read ({error})"),
        )),
    }
}

fn refusal(source: ExpectedBy, expected: &str, why: &str) -> SessionError {
    let (what, help) = match source {
        ExpectedBy::Plan => {
            ("plan", "nothing was sent; sign in to the plan's tenant, or correct `tenant:` in the plan")
        }
        ExpectedBy::Inventory => {
            ("inventory", "nothing was sent; sign in to the tenant of the inventory, or make a new inventory")
        }
        ExpectedBy::Run => ("run", "nothing was sent; sign in to the tenant of the run"),
        ExpectedBy::SavedPreview => ("preview", "nothing was sent; sign in to the tenant of the preview"),
    };
    let message = format!("the {what} is for tenant {expected}, but {why}");
    SessionError::WrongTenant(Box::new(Diagnostic::error("wrong-tenant", message).help(help)))
}
