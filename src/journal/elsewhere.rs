//! What other runs have to do with a deed that is done only once, as conditions for the database.
//!
//! In: names of columns. Out: the text of a query, and of a condition. Must not: read, or decide.

/// Which other run at the same place has made an attempt of the same deed since this run has last looked.
pub(super) fn sent_elsewhere() -> String {
    format!(
        "SELECT r.run_id FROM jobs AS me JOIN runs AS mine ON mine.run = me.run
         JOIN jobs AS j ON j.once = me.once AND j.run <> me.run
         JOIN runs AS r ON r.run = j.run AND r.place = mine.place AND {}
         JOIN attempts AS a ON a.run = j.run AND a.job = j.job AND a.seq > mine.known
         WHERE me.run = ?1 AND me.job = ?2 AND mine.place <> 'simulated' ORDER BY a.seq DESC LIMIT 1",
        same_tenant("r.tenant", "mine.tenant")
    )
}

/// Whether two names of tenants may mean one: they do unless both are known ids, and differ.
pub(super) fn same_tenant(one: &str, other: &str) -> String {
    let id =
        |name: &str| format!("coalesce((SELECT tenant FROM tenant_names WHERE name = lower({name})), lower({name}))");
    let (one, other) = (id(one), id(other));
    format!("({one} = {other} OR length({one}) <> 36 OR length({other}) <> 36)")
}
