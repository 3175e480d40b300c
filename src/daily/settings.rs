//! What is said of a tenant's daily limits: `limits: { daily: … }` of a plan and of policies.
//!
//! In: what each of them says. Out: [`DailySettings`], all of them together. Pure. Must not: let one loosen what another says.

use jiff::civil::Time;
use serde::{Deserialize, Serialize};

/// What a plan or a policy says; `None` where it says nothing. Recorded with the run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DailySettings {
    pub retire: Option<u32>,
    pub wipe: Option<u32>,
    pub delete: Option<u32>,
    /// Share of each that is left to people in the portal.
    pub reserve_percent: Option<u8>,
    /// When the service's day turns, where somebody knows.
    pub turns_at: Option<Time>,
    /// The zone of that time; UTC by default.
    pub zone: Option<String>,
    /// What a delete uses up as well.
    pub delete_counts_as: Option<Vec<String>>,
    /// In place of the words by which a refusal is known.
    pub refusals: Option<Vec<String>>,
}

impl DailySettings {
    /// Both together: of each the more careful one. `Err`: they know different times at which the tenant's day turns, in
    /// words.
    pub fn and(&self, other: &Self) -> Result<Self, String> {
        let fewer = |one: Option<u32>, other: Option<u32>| one.into_iter().chain(other).min();
        let (turns_at, zone) = match (self.turn(), other.turn()) {
            (Some(one), Some(other)) if one != other => {
                let ((here, here_zone), (there, there_zone)) = (one, other);
                return Err(format!(
                    "one says that the day turns at {} {here_zone}, another at {} {there_zone}",
                    here.strftime("%H:%M"),
                    there.strftime("%H:%M")
                ));
            }
            (Some(_), _) => (self.turns_at, self.zone.clone()),
            (None, _) => (other.turns_at, other.zone.clone()),
        };
        Ok(Self {
            retire: fewer(self.retire, other.retire),
            wipe: fewer(self.wipe, other.wipe),
            delete: fewer(self.delete, other.delete),
            reserve_percent: self.reserve_percent.max(other.reserve_percent),
            turns_at,
            zone,
            delete_counts_as: all_of(self.delete_counts_as.as_ref(), other.delete_counts_as.as_ref()),
            refusals: all_of(self.refusals.as_ref(), other.refusals.as_ref()),
        })
    }

    fn turn(&self) -> Option<(Time, &str)> {
        self.turns_at.map(|time| (time, self.zone.as_deref().unwrap_or("UTC")))
    }
}

/// Whatever is named in either of them.
fn all_of(one: Option<&Vec<String>>, other: Option<&Vec<String>>) -> Option<Vec<String>> {
    let mut all: Option<Vec<String>> = None;
    for name in one.into_iter().chain(other).flatten() {
        let all = all.get_or_insert_default();
        if !all.contains(name) {
            all.push(name.clone());
        }
    }
    all.or_else(|| one.or(other).cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(yaml: &str) -> DailySettings {
        serde_yaml::from_str(yaml).unwrap()
    }

    #[test]
    fn of_two_the_more_careful_one_holds() {
        let policy = settings(
            "{ retire: 2000, wipe: 100, reserve_percent: 5, delete_counts_as: [retire], refusals: [zu viele] }",
        );
        let plan =
            settings("{ retire: 500, delete: 50, reserve_percent: 20, delete_counts_as: [wipe], refusals: [zu oft] }");
        let both = settings(
            "{ retire: 500, wipe: 100, delete: 50, reserve_percent: 20, delete_counts_as: [retire, wipe], \
             refusals: [zu viele, zu oft] }",
        );
        assert_eq!(policy.and(&plan), Ok(both));
        assert_eq!(policy.and(&DailySettings::default()), Ok(policy.clone()));
        assert_eq!(DailySettings::default().and(&plan), Ok(plan));
        let neither = settings("{ delete_counts_as: [] }");
        assert_eq!(neither.and(&DailySettings::default()), Ok(neither));
    }

    #[test]
    fn a_tenant_has_one_day() {
        let (here, there) =
            (settings("{ turns_at: '02:00:00' }"), settings("{ turns_at: '02:00:00', zone: Europe/Berlin }"));
        let said = here.and(&there).unwrap_err();
        assert_eq!(said, "one says that the day turns at 02:00 UTC, another at 02:00 Europe/Berlin");
        assert_eq!(here.and(&settings("{ turns_at: '02:00:00', zone: UTC }")), Ok(here.clone()));
        assert_eq!(there.and(&DailySettings::default()), Ok(there.clone()));
        assert_eq!(DailySettings::default().and(&there), Ok(there));
    }
}
