//! What is done to things without us.
//!
//! In: a thing and a deed. Out: the thing as it is then. Must not: find what was never there.

use serde_json::json;

use super::Inventory;
use crate::catalog::TargetKind;
use crate::simulator::by_hand::ByHand;
use crate::simulator::shelf::Given;

impl Inventory {
    pub(crate) fn by_hand(&mut self, kind: TargetKind, id: &str, deed: &ByHand) {
        self.find(kind, id);
        let shelf = self.shelf_mut(kind);
        let Some(at) = shelf.by_key.get(&*id.to_ascii_lowercase()).copied() else { return };
        match deed {
            ByHand::Leaves => shelf.things[at].gone = true,
            ByHand::Returns => {
                let thing = &mut shelf.things[at];
                thing.gone = false;
                thing.results.clear();
                thing.set("managementState", Given::Word("managed"));
            }
            ByHand::Set { property, value } => {
                let Some(name) = shelf.kind.property(property).map(|property| property.name) else { return };
                shelf.things[at].set(name, Given::Listed(json!(value)));
                if kind == TargetKind::User && name == "userPrincipalName" {
                    shelf.by_key.retain(|key, place| *place != at || !key.contains('@'));
                    shelf.by_key.insert(value.to_ascii_lowercase().into_boxed_str(), at);
                }
                // What was found by its old value must not be.
                shelf.index.clear();
                shelf.indexed = 0;
            }
        }
    }
}
