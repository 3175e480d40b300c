//! The guards in a preview's JSON.
//!
//! In: a verdict. Out: the rules with their places, the overrides, the findings. Must not: judge.

use serde_json::{Value, json};

use crate::guard::breaker::StopWhen;
use crate::guard::judge::Judgement;
use crate::guard::overrides::Extent;
use crate::guard::rule::Origin;

pub(super) fn rules(verdict: &Judgement) -> Value {
    let stated = verdict.rules.stated.iter().map(|rule| {
        let mut object = origin(&rule.origin);
        object["guard"] = json!(rule.guard.name());
        object["limit"] = json!(rule.guard.to_string());
        object
    });
    let protected = verdict.rules.protected.entries().iter();
    let protected = protected
        .map(|entry| json!({ "guard": "protected", "limit": entry.text, "file": entry.file, "line": entry.line }));
    let stop_when = verdict.rules.stop_when;
    let stop_when =
        (stop_when != StopWhen::default()).then(|| json!({ "guard": "stop_when", "limit": stop_when.to_string() }));
    stated.chain(protected).chain(stop_when).collect()
}

pub(super) fn overrides(verdict: &Judgement) -> Value {
    let all = verdict.overrides().map(|(entry, standing)| {
        let mut object = origin(&entry.origin);
        object["guard"] = json!(entry.guard);
        object["actions"] = json!(entry.actions);
        object["plan"] = json!(entry.plan);
        object["allow"] = match entry.allow {
            Extent::Count(count) => json!(count),
            Extent::Percent(percent) => json!(percent.to_string()),
            Extent::Whole => Value::Null,
        };
        object["reason"] = json!(entry.reason);
        object["until"] = json!(entry.until);
        object["standing"] = json!(standing);
        object
    });
    all.collect()
}

pub(super) fn findings(verdict: &Judgement) -> Value {
    verdict.faults.iter().map(|fault| fault.object()).collect()
}

fn origin(origin: &Origin) -> Value {
    let from = match origin {
        Origin::Default => "default",
        Origin::Plan(_) => "plan",
        Origin::Policy(_) => "policy",
    };
    let place = origin.place();
    json!({ "from": from, "file": place.map(|place| &place.file), "line": place.and_then(|place| place.line) })
}
