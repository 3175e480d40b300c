//! Parameters of actions: the properties of a request body, with their types.
//!
//! In: nothing. Out: [`Parameter`] rows. Must not: parse plan files; the plan asks [`ParameterKind::check`].

use serde_json::Value;

/// The type of a parameter, as Graph names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// Free text, not empty.
    Text,
    /// Text that names something, not empty. What cannot be seen in it would make it another name.
    Name,
    /// A user principal name. It may move to somebody else, so that it is looked up as the names of targets are.
    PrincipalName,
    Boolean,
    /// Exactly six digits, sent as a String.
    Pin,
    /// One of these words, sent as a String.
    OneOf(&'static [&'static str]),
    /// A whole number.
    Integer,
    /// A whole number of minutes, at least one.
    Minutes,
    /// The same, sent as a String.
    MinutesInWords,
    /// The name of a Windows computer.
    ComputerName,
    /// The name of a device; where Windows runs on it, one such as [`Self::ComputerName`].
    DeviceName,
    /// A GUID, sent as a String.
    Guid,
    /// GUIDs, at least one.
    Guids,
}

impl ParameterKind {
    /// The type's name on Microsoft's pages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text | Self::Name | Self::PrincipalName | Self::Pin | Self::OneOf(_) => "String",
            Self::MinutesInWords | Self::ComputerName | Self::DeviceName => "String",
            Self::Boolean => "Boolean",
            Self::Integer | Self::Minutes => "Int32",
            Self::Guid => "Guid",
            Self::Guids => "Collection(Guid)",
        }
    }

    /// What a right value looks like, for people.
    pub fn expectation(self) -> String {
        match self {
            Self::Text | Self::Name | Self::DeviceName => "text that is not empty".into(),
            Self::PrincipalName => "a user principal name (such as someone@contoso.com)".into(),
            Self::Boolean => "true or false".into(),
            Self::Pin => "six digits, in quotes".into(),
            Self::OneOf(words) => format!("one of {}", words.join(", ")),
            Self::Integer => "a whole number".into(),
            Self::Minutes => "a whole number of minutes, 1 or more".into(),
            Self::MinutesInWords => "a whole number of minutes, 1 or more, in quotes".into(),
            Self::ComputerName => {
                "the name of a Windows computer: up to 15 letters, digits and hyphens, not digits alone".into()
            }
            Self::Guid => "a GUID".into(),
            Self::Guids => "a list of GUIDs".into(),
        }
    }

    /// Whether its value is the name of something.
    pub fn names(self) -> bool {
        matches!(self, Self::Name | Self::PrincipalName | Self::ComputerName | Self::DeviceName)
    }

    /// Whether a typed value (from YAML) is right.
    pub fn check(self, value: &Value) -> bool {
        match (self, value) {
            (Self::Boolean, Value::Bool(_)) => true,
            (Self::Text | Self::Name | Self::DeviceName, Value::String(text)) => !text.trim().is_empty(),
            (Self::ComputerName, Value::String(text)) => is_computer_name(text),
            (Self::PrincipalName, Value::String(text)) => is_principal_name(text),
            (Self::Pin, Value::String(text)) => text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit()),
            (Self::OneOf(words), Value::String(text)) => words.contains(&text.as_str()),
            (Self::Integer, Value::Number(number)) => number.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
            (Self::Minutes, Value::Number(number)) => {
                number.as_i64().and_then(|n| i32::try_from(n).ok()).is_some_and(|n| n > 0)
            }
            (Self::MinutesInWords, Value::String(text)) => is_digits(text) && text.parse::<i32>().is_ok_and(|n| n > 0),
            (Self::Guid, Value::String(text)) => is_guid(text),
            (Self::Guids, Value::Array(items)) => {
                !items.is_empty() && items.iter().all(|item| item.as_str().is_some_and(is_guid))
            }
            _ => false,
        }
    }

    /// The typed value of a cell of text (from CSV), if it is one.
    pub fn read(self, cell: &str) -> Option<Value> {
        let value = match self {
            Self::Boolean => match cell.to_ascii_lowercase().as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => return None,
            },
            Self::Integer | Self::Minutes => {
                Value::from(cell.parse::<i32>().ok().filter(|_| is_digits(cell.trim_start_matches('-')))?)
            }
            Self::Guids => cell.split([' ', ',', ';', '|']).filter(|part| !part.is_empty()).collect(),
            _ => Value::String(cell.to_owned()),
        };
        self.check(&value).then_some(value)
    }

    /// The one spelling of a right value, so that equal values make equal bytes.
    pub fn spell(self, value: Value) -> Value {
        match (self, value) {
            (Self::Guid, Value::String(text)) => Value::String(text.to_ascii_lowercase()),
            (Self::Guids, Value::Array(items)) => {
                let mut ids: Vec<_> = items.iter().filter_map(Value::as_str).map(str::to_ascii_lowercase).collect();
                ids.sort_unstable();
                ids.dedup();
                ids.into()
            }
            (_, value) => value,
        }
    }
}

fn is_principal_name(text: &str) -> bool {
    const LONGEST: usize = 256;
    let parts = text.split_once('@').filter(|(name, domain)| !name.is_empty() && !domain.is_empty());
    parts.is_some_and(|(_, domain)| !domain.contains('@'))
        && text.len() <= LONGEST
        && !text.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// Whether Windows takes it as the name of a computer. What is filled in for each device (`{{serialnumber}}`, `%RAND:4%`) has
/// a length that nobody knows yet.
///
/// Source: Intune's page on renaming a device.
pub(crate) fn is_computer_name(text: &str) -> bool {
    const LONGEST: usize = 15;
    let fixed = without_fillings(text);
    let is_filled = fixed.len() != text.len();
    let is_plain = fixed.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_plain && (is_filled || (!text.is_empty() && text.len() <= LONGEST && !is_digits(text)))
}

/// What is the same for every device.
fn without_fillings(text: &str) -> String {
    let mut rest = text.to_owned();
    for (open, close) in [("{{", "}}"), ("%", "%")] {
        while let Some(at) = rest.find(open) {
            let behind = at + open.len();
            let Some(end) = rest[behind..].find(close) else { break };
            rest.replace_range(at..behind + end + close.len(), "");
        }
    }
    rest
}

/// Whether it is another name for every device.
pub(crate) fn is_filled_in(text: &str) -> bool {
    without_fillings(text).len() != text.len()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The nil GUID stands for nothing.
fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().any(|byte| !matches!(byte, b'0' | b'-'))
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// One property of an action's request body. It has no place for a secret: plans, previews, journals and reports show
/// what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parameter {
    /// Graph's spelling, and the plan's.
    pub name: &'static str,
    pub kind: ParameterKind,
    pub required: bool,
    /// Known only to the beta version; using it moves the request there.
    pub beta_only: bool,
    /// Where in the body it stands if not under its name: `outer/inner`, where `0` is the only item of a list.
    pub place: Option<&'static str>,
    /// It names somebody or something that the action acts on beside its target.
    pub acted_on: bool,
    /// Empty text is a value too: it clears what is there.
    pub clearable: bool,
    pub summary: &'static str,
}

impl Parameter {
    /// Whether a typed value (from YAML) is right.
    pub fn accepts(&self, value: &Value) -> bool {
        self.kind.check(value) || (self.clearable && value.as_str() == Some(""))
    }

    /// The typed value of a cell of text (from CSV), if it is one. An empty one clears what is there.
    pub fn read(&self, cell: &str) -> Option<Value> {
        match cell.is_empty() {
            true => Some(Value::String(String::new())).filter(|cleared| self.accepts(cleared)),
            false => self.kind.read(cell),
        }
    }

    /// What a right value looks like, for people.
    pub fn expectation(&self) -> String {
        match (self.clearable, self.kind) {
            (true, ParameterKind::Text | ParameterKind::Name) => "text; \"\" clears it".into(),
            (true, kind) => format!("{}; \"\" clears it", kind.expectation()),
            (false, kind) => kind.expectation(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_judged_by_type_and_not_by_looks() {
        assert!(ParameterKind::Boolean.check(&json!(true)));
        assert!(!ParameterKind::Boolean.check(&json!("true")));
        assert!(!ParameterKind::Text.check(&json!(7)));
        assert!(!ParameterKind::Text.check(&json!("  ")));
        assert!(ParameterKind::PrincipalName.check(&json!("a_b.c#EXT#@d.com")));
        for text in ["ada", "@c.com", "ada@", "a@b@c.com", "a b@c.com", ""] {
            assert!(!ParameterKind::PrincipalName.check(&json!(text)), "{text}");
        }
        assert!(ParameterKind::Pin.check(&json!("012345")));
        assert!(!ParameterKind::Pin.check(&json!(123456)));
    }

    #[test]
    fn cells_become_typed_values() {
        assert_eq!(ParameterKind::Boolean.read("TRUE"), Some(json!(true)));
        assert_eq!(ParameterKind::Boolean.read("yes"), None);
        assert_eq!(ParameterKind::Pin.read("012345"), Some(json!("012345")));
        assert_eq!(ParameterKind::OneOf(&["always"]).read("never"), None);
        assert_eq!(ParameterKind::Integer.read("-30"), Some(json!(-30)));
        assert_eq!(ParameterKind::Integer.read("1e3"), None);
        assert_eq!(ParameterKind::Integer.read("+5"), None);
        assert_eq!(ParameterKind::MinutesInWords.read("5"), Some(json!("5")));
        for text in ["five", "0", "-5", "99999999999"] {
            assert_eq!(ParameterKind::MinutesInWords.read(text).or(ParameterKind::Minutes.read(text)), None, "{text}");
        }
        assert!(ParameterKind::Minutes.check(&json!(30)) && !ParameterKind::Minutes.check(&json!(-30)));
    }

    #[test]
    fn windows_has_short_names_without_spaces() {
        for name in ["LAB-01", "abcdefghijklmno", "PC-{{serialnumber}}", "%SERIAL%", "LAB-%RAND:4%-1234567890123"] {
            assert!(is_computer_name(name), "{name}");
        }
        for name in ["", "abcdefghijklmnop", "LAB 01", "12345", "LAB_01", "Büro", "LAB {{rand:4}}", "100%"] {
            assert!(!is_computer_name(name), "{name}");
        }
        let action = crate::catalog::Action::named("updateDeviceProperties").unwrap();
        let tag = action.parameter_named("groupTag").unwrap();
        assert!(tag.accepts(&json!("")) && !tag.accepts(&json!(" ")) && !tag.accepts(&json!(null)));
        let name = crate::catalog::Action::named("setDeviceName").unwrap().parameter_named("deviceName").unwrap();
        assert!(!name.accepts(&json!("")));
    }

    const E3: &str = "05e9a617-0261-4cee-bb44-138d3ef5d965";
    const EMS: &str = "efccb6f7-5641-4e0e-bd10-b4976e1bf68e";

    #[test]
    fn a_list_of_ids_is_read_from_a_cell_and_has_one_spelling() {
        let kind = ParameterKind::Guids;
        assert_eq!(kind.read(&format!("{EMS}; {E3}")), Some(json!([EMS, E3])));
        assert_eq!(kind.read("").or(kind.read(";")).or(kind.read(&format!("{E3} ENTERPRISEPACK"))), None);
        assert!(!kind.check(&json!([])) && !kind.check(&json!(E3)));
        assert_eq!(kind.spell(json!([EMS, E3.to_uppercase(), E3])), json!([E3, EMS]));
        assert!(!ParameterKind::Guid.check(&json!("00000000-0000-0000-0000-000000000000")));
    }
}
