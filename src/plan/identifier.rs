//! Ids as people and spreadsheets write them.
//!
//! In: the text of an id. Out: its one spelling, or why it is none. Must not: repair what it cannot be sure of.

use crate::catalog::IdKind;

/// Why a text is not an id.
#[derive(Debug, PartialEq, Eq)]
pub struct NotAnId {
    pub reason: &'static str,
    pub help: Option<&'static str>,
}

const LONGEST: usize = 256;
const NIL: &str = "00000000-0000-0000-0000-000000000000";

/// Writes the one spelling of `text` into `out`, which is emptied first.
pub fn spell(kind: IdKind, text: &str, out: &mut String) -> Result<(), NotAnId> {
    out.clear();
    let text = text.trim();
    if is_spreadsheet_number(text) {
        return Err(NotAnId {
            reason: "this is a number that a spreadsheet has rounded; the id is lost",
            help: Some("format the column as text before the ids are pasted into it, and export it again"),
        });
    }
    match kind {
        IdKind::Guid => spell_guid(text, out),
        IdKind::User => spell_user(text, out),
        IdKind::Opaque => spell_opaque(text, out),
    }
}

/// `1.23E+10`: what Excel makes of a long number.
pub fn is_spreadsheet_number(text: &str) -> bool {
    let Some((number, exponent)) = text.split_once(['E', 'e']) else { return false };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let signed = exponent.starts_with(['+', '-']);
    signed
        && digits(&exponent[1..])
        && number.split_once(['.', ',']).map_or(digits(number), |(whole, rest)| digits(whole) && digits(rest))
}

fn spell_guid(text: &str, out: &mut String) -> Result<(), NotAnId> {
    let bare = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    if !is_guid(bare) {
        return Err(NotAnId {
            reason: "not a GUID: 32 hexadecimal digits, in groups of 8-4-4-4-12",
            help: bare.contains('@').then_some("a user principal name is not the id that is asked for"),
        });
    }
    if bare == NIL {
        return Err(NotAnId {
            reason: "the nil GUID stands for nothing",
            help: Some("the service writes it where there is no id; remove the row or look the id up"),
        });
    }
    out.push_str(bare);
    out.make_ascii_lowercase();
    Ok(())
}

fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn spell_user(text: &str, out: &mut String) -> Result<(), NotAnId> {
    if !text.contains('@') {
        return spell_guid(text, out).map_err(|error| match error.reason.starts_with("not a GUID") {
            true => NotAnId { reason: "neither a GUID nor a user principal name (someone@contoso.com)", help: None },
            false => error,
        });
    }
    let name_and_domain = text.split_once('@').filter(|(name, domain)| {
        !name.is_empty() && !domain.is_empty() && !domain.contains('@') && text.len() <= LONGEST
    });
    if name_and_domain.is_none() || text.chars().any(is_never_in_an_id) {
        return Err(NotAnId { reason: "not a user principal name: it looks like someone@contoso.com", help: None });
    }
    out.push_str(text);
    Ok(())
}

fn spell_opaque(text: &str, out: &mut String) -> Result<(), NotAnId> {
    // `.` and `..` would climb out of the path.
    let climbs = text.bytes().all(|byte| byte == b'.');
    if climbs || text.len() > LONGEST || text.chars().any(|c| is_never_in_an_id(c) || c == '?') {
        let reason = "not an id: 1 to 256 characters without spaces, slashes and question marks, and not dots alone";
        return Err(NotAnId { reason, help: None });
    }
    out.push_str(text);
    Ok(())
}

/// An id becomes a part of a path; what could end that part is refused rather than escaped.
fn is_never_in_an_id(c: char) -> bool {
    c.is_whitespace() || c.is_control() || matches!(c, '/' | '\\')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spelled(kind: IdKind, text: &str) -> Result<String, &'static str> {
        let mut out = "left over".to_owned();
        spell(kind, text, &mut out).map(|()| out).map_err(|error| error.reason)
    }

    #[test]
    fn a_guid_has_one_spelling() {
        let id = "7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11";
        for text in [id, " 7F4E0C1E-0B2E-4A55-9D6B-0D1F4A7A2C11 ", "{7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11}"] {
            assert_eq!(spelled(IdKind::Guid, text).as_deref(), Ok(id));
        }
    }

    #[test]
    fn what_is_not_a_guid_is_refused_with_its_reason() {
        let refused = |text| spelled(IdKind::Guid, text).unwrap_err();
        assert!(refused("00000000-0000-0000-0000-000000000000").contains("nil"));
        assert!(refused("1.23E+10").contains("spreadsheet"));
        assert!(refused("1,23E+10").contains("spreadsheet"));
        for text in ["", "7f4e0c1e0b2e4a559d6b0d1f4a7a2c11", "{7f4e0c1e-0b2e-4a55-9d6b-0d1f4a7a2c11", "ÿf4e0c1e-é"] {
            assert!(refused(text).contains("not a GUID"), "{text}");
        }
    }

    #[test]
    fn a_user_is_a_guid_or_a_principal_name() {
        assert_eq!(spelled(IdKind::User, " Ada@contoso.com ").as_deref(), Ok("Ada@contoso.com"));
        assert!(spelled(IdKind::User, "7F4E0C1E-0B2E-4A55-9D6B-0D1F4A7A2C11").is_ok());
        for text in ["ada", "@contoso.com", "ada@", "a@b@c", "a b@c.com", "a/b@c.com", "a@c\u{1f}.com"] {
            assert!(spelled(IdKind::User, text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_opaque_id_is_one_part_of_a_path() {
        assert_eq!(spelled(IdKind::Opaque, "a:b").as_deref(), Ok("a:b"));
        for text in ["", "a b", "a/b", "a\\b", "a?b", "a\tb", "1E+5", &"x".repeat(257)] {
            assert!(spelled(IdKind::Opaque, text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn spelling_is_stable_and_leaves_nothing_that_could_end_a_path(text in any::<String>()) {
            for kind in [IdKind::Guid, IdKind::User, IdKind::Opaque] {
                if let Ok(once) = spelled(kind, &text) {
                    let harmless = !once.is_empty() && !once.contains(['/', '\\', '\u{1f}', '\n', ' ']);
                    prop_assert!(harmless);
                    prop_assert_eq!(spelled(kind, &once), Ok(once));
                }
            }
        }
    }
}
