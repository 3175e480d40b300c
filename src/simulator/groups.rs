//! Groups and their direct members, as the directory lists them.
//!
//! In: the groups of a scenario, a query. Out: a page of members. Must not: change anything, or know whether a member
//! is managed.

use serde_json::{Map, Value, json};

use super::errors::Refusal;
use super::scenario::{ListedGroup, ListedMember, MemberKind};

const USUAL: usize = 100;
const MOST: usize = 999;

/// One page of the members of the group, and the query of the next one, where there is one.
pub fn members(group: &ListedGroup, query: &str, most: Option<usize>) -> Result<(Vec<Value>, Option<String>), Refusal> {
    let (mut top, mut skip, mut given) = (USUAL, 0, Vec::new());
    for option in query.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let number = || value.parse::<usize>().map_err(|_| Refusal::bad_request(format!("Invalid {name}: '{value}'.")));
        match name {
            "$top" => {
                top = number()?;
                given.push(option);
            }
            "$skiptoken" => skip = number()?,
            _ => return Err(Refusal::bad_request(format!("The query parameter '{name}' is not supported."))),
        }
    }
    if !(1..=MOST).contains(&top) {
        return Err(Refusal::bad_request(format!(
            "Invalid page size specified: '{top}'. Must be between 1 and {MOST}."
        )));
    }
    let size = top.min(most.unwrap_or(usize::MAX));
    let page = group.members.iter().skip(skip).take(size).map(shown).collect();
    let token = format!("$skiptoken={}", skip + size);
    given.push(&token);
    Ok((page, (skip + size < group.members.len()).then(|| given.join("&"))))
}

/// A member with the properties that come unasked.
fn shown(member: &ListedMember) -> Value {
    let mut document = Map::new();
    let kind = match member.kind {
        MemberKind::Device => "device",
        MemberKind::User => "user",
        MemberKind::Group => "group",
    };
    document.insert("@odata.type".into(), json!(format!("#microsoft.graph.{kind}")));
    document.insert("id".into(), json!(member.id.0));
    document.insert("displayName".into(), json!(member.display_name));
    match member.kind {
        MemberKind::Device => document.insert("deviceId".into(), json!(member.device_id.as_ref().map(|id| &id.0))),
        MemberKind::User => document.insert("userPrincipalName".into(), json!(member.user_principal_name)),
        MemberKind::Group => None,
    };
    Value::Object(document)
}
