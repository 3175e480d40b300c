//! Ids as people and spreadsheets write them.
//!
//! In: the text of an id. Out: its one spelling, or why it is none. Must not: repair what it cannot be sure of.

use std::borrow::Cow;

use crate::catalog::{IdKind, ParameterKind, decoded};
use crate::text::{composed, hidden};

/// Why a text is not an id.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAnId {
    pub reason: Cow<'static, str>,
    pub help: Option<Cow<'static, str>>,
}

impl NotAnId {
    fn because(reason: &'static str) -> Self {
        Self { reason: reason.into(), help: None }
    }

    fn help(self, help: impl Into<Cow<'static, str>>) -> Self {
        Self { help: Some(help.into()), ..self }
    }
}

const LONGEST: usize = 256;
const NIL: &str = "00000000-0000-0000-0000-000000000000";

/// Writes the one spelling of `text` into `out`, which is emptied first.
pub(super) fn spell(kind: IdKind, text: &str, out: &mut String) -> Result<(), NotAnId> {
    out.clear();
    let text = text.trim();
    // A GUID has nothing in it or around it.
    if !is_guid(text) {
        plain(text)?;
    }
    match kind {
        IdKind::Guid => spell_guid(text, out),
        IdKind::User => spell_user(text, out),
        IdKind::Opaque => spell_opaque(text, out),
    }
}

/// What programs put before an address. It is no part of it.
const SCHEMES: &[&str] = &["mailto:", "smtp:", "sip:", "upn:", "x500:", "http://", "https://"];

/// Whether a text is what it looks like. What mail programs, browsers and spreadsheets leave in or around a value makes it
/// another one, whatever it is the value of.
pub(super) fn plain(text: &str) -> Result<(), NotAnId> {
    let text = text.trim();
    if let Some(hidden) = hidden(text) {
        let reason = format!("it contains an invisible character, {hidden}").into();
        return Err(NotAnId {
            reason,
            help: Some("remove the character: type the value instead of pasting it".into()),
        });
    }
    if is_spreadsheet_number(text) {
        return Err(NotAnId::because("a spreadsheet has rounded this number, and its digits are lost")
            .help("format the column as text, paste the values again, and export the file again"));
    }
    if text.starts_with(['\'', '\u{2018}', '\u{2019}']) {
        return Err(NotAnId::because("it begins with an apostrophe, which spreadsheets use to keep a number as text")
            .help("remove the apostrophe, and format the column as text"));
    }
    if text.starts_with('=') {
        return Err(NotAnId::because("it begins with `=`, like a spreadsheet formula")
            .help("paste the column as values, and export the file again"));
    }
    let scheme =
        SCHEMES.iter().find(|scheme| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)));
    if let Some(scheme) = scheme {
        let rest = text[scheme.len()..].trim();
        let reason = format!("it begins with `{scheme}`, which is not part of an id or a name").into();
        let help = if rest.contains('@') {
            format!("write {} alone", crate::text::shown(rest))
        } else {
            "write only the id or the name".into()
        };
        return Err(NotAnId { reason, help: Some(help.into()) });
    }
    let address = text.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map(|(address, _)| address.trim());
    match address.filter(|address| address.contains('@')) {
        Some(address) => Err(NotAnId::because("it is a name followed by an address")
            .help(format!("write {} alone", crate::text::shown(address)))),
        None => Ok(()),
    }
}

/// What is wrong with the text that is given for a parameter of that kind, if it is one that names something.
pub(super) fn wrong_name(kind: ParameterKind, text: Option<&str>) -> Option<NotAnId> {
    text.filter(|_| kind.names()).and_then(|text| plain(text).err())
}

/// `1.23E+10`: what Excel makes of a long number.
pub(super) fn is_spreadsheet_number(text: &str) -> bool {
    let Some((number, exponent)) = text.split_once(['E', 'e']) else { return false };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let signed = exponent.starts_with(['+', '-']);
    signed
        && digits(&exponent[1..])
        && number.split_once(['.', ',']).map_or(digits(number), |(whole, rest)| digits(whole) && digits(rest))
}

fn spell_guid(text: &str, out: &mut String) -> Result<(), NotAnId> {
    let bare = without_braces(text);
    if !is_guid(bare) {
        let help = bare.contains('@').then_some("this column needs an id, not a user principal name".into());
        let reason = "not a GUID (32 hexadecimal digits in groups of 8-4-4-4-12)".into();
        return Err(NotAnId { reason, help });
    }
    if bare == NIL {
        return Err(NotAnId::because("the nil GUID is not an id")
            .help("the service uses it as a placeholder; remove the row, or look up the id"));
    }
    out.push_str(bare);
    out.make_ascii_lowercase();
    Ok(())
}

fn without_braces(text: &str) -> &str {
    text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text)
}

fn is_guid(text: &str) -> bool {
    let dashes = |text: &[u8; 36]| [8, 13, 18, 23].iter().all(|at| text[*at] == b'-');
    let digits = |text: &[u8; 36]| text.iter().filter(|byte| byte.is_ascii_hexdigit()).count() == 32;
    <&[u8; 36]>::try_from(text.as_bytes()).is_ok_and(|text| dashes(text) && digits(text))
}

fn spell_user(text: &str, out: &mut String) -> Result<(), NotAnId> {
    if !text.contains('@') {
        return match is_guid(without_braces(text)) {
            true => spell_guid(text, out),
            false => Err(NotAnId::because("neither a GUID nor a user principal name (someone@contoso.com)")),
        };
    }
    let name_and_domain = text.split_once('@').filter(|(name, domain)| {
        !name.is_empty() && !domain.is_empty() && !domain.contains('@') && text.len() <= LONGEST
    });
    if name_and_domain.is_none() || text.chars().any(is_never_in_an_id) {
        return Err(NotAnId::because("not a user principal name (such as someone@contoso.com)"));
    }
    // Programs write `é` in two ways, and the service looks names up in one.
    out.push_str(&composed(text));
    Ok(())
}

fn spell_opaque(text: &str, out: &mut String) -> Result<(), NotAnId> {
    // `.` and `..` would climb out of the path.
    let climbs = |text: &str| text.bytes().all(|byte| byte == b'.');
    let ends_a_part = |text: &str| text.chars().any(|c| is_never_in_an_id(c) || matches!(c, '?' | '#'));
    // A gateway may decode it once more than we encode it.
    let behind = decoded(text);
    if text.len() > LONGEST || [text, &behind].into_iter().any(|text| climbs(text) || ends_a_part(text)) {
        let reason = "not an id: 1 to 256 characters without spaces, slashes, `?` and `#`, also percent-encoded, and not dots alone";
        return Err(NotAnId::because(reason));
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

    fn spelled(kind: IdKind, text: &str) -> Result<String, Cow<'static, str>> {
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
    fn what_programs_leave_around_a_value_is_named() {
        let said = |text: &str| {
            let fault = spell(IdKind::User, text, &mut String::new()).unwrap_err();
            format!("{}: {}", fault.reason, fault.help.unwrap_or_default())
        };
        assert!(said("\u{200b}bo@contoso.com").contains("U+200B"));
        assert!(said("a\u{202e}da@contoso.com").contains("U+202E"));
        assert!(said("MailTo:fy@contoso.com").ends_with("write fy@contoso.com alone"));
        assert!(said("Di Doe <di@contoso.com>").ends_with("write di@contoso.com alone"));
        assert!(said("'0012345678").contains("apostrophe") && said("=\"0012\"").contains("formula"));
        assert_eq!(spelled(IdKind::User, "e\u{301}va@contoso.com").as_deref(), Ok("éva@contoso.com"));
        for kind in [IdKind::Guid, IdKind::User, IdKind::Opaque] {
            assert!(spelled(kind, "a\u{feff}b").unwrap_err().contains("U+FEFF"), "{kind:?}");
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
        fn what_has_the_form_of_a_guid_is_what_it_looks_like(
            text in "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9eE]{8}(-[0-9eE]{4}){3}-[0-9eE]{12}",
            at in 0..36_usize,
            other in "[g-z0-9A-F+' =<@:-]",
        ) {
            prop_assert!(is_guid(&text));
            prop_assert_eq!(plain(&text), Ok(()));
            let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
            let by_hand = changed.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            });
            prop_assert_eq!(is_guid(&changed), by_hand);
            let longer = format!("{text}{other}");
            prop_assert!(!is_guid(&text[..at]) && !is_guid(&longer));
        }

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
