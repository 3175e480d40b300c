//! What other runs have to do with a deed that is done only once, as conditions for the database.
//!
//! In: names of columns. Out: the text of a query, and of a condition. Must not: read, or decide.

/// Which other run at the same place has made an attempt of the same deed, or was told that it is done, since this run has
/// last looked; also one that was pruned since.
pub(super) fn sent_elsewhere() -> String {
    format!(
        "SELECT r.run_id, a.seq FROM jobs AS me JOIN runs AS mine ON mine.run = me.run
         JOIN jobs AS j ON j.once = me.once AND j.run <> me.run
         JOIN runs AS r ON r.run = j.run AND r.place = mine.place AND {same}
         JOIN attempts AS a ON a.run = j.run AND a.job = j.job AND a.seq > mine.known
         WHERE me.run = ?1 AND me.job = ?2 AND mine.place <> 'simulated'
         UNION ALL SELECT r.run_id, o.seq FROM jobs AS me JOIN runs AS mine ON mine.run = me.run
         JOIN jobs AS j ON j.once = me.once AND j.run <> me.run
         JOIN runs AS r ON r.run = j.run AND r.place = mine.place AND {same}
         JOIN outcomes AS o ON o.run = j.run AND o.job = j.job AND o.seq > mine.known
            AND o.outcome IN ('completed', 'accepted')
         WHERE me.run = ?1 AND me.job = ?2 AND mine.place <> 'simulated'
         UNION ALL SELECT m.run_id, m.seq FROM jobs AS me JOIN runs AS mine ON mine.run = me.run
         JOIN remembered AS m ON m.once = me.once AND m.seq > mine.known AND m.done IN (0, 1)
            AND m.place = mine.place AND m.run_id <> mine.run_id AND {kept}
         WHERE me.run = ?1 AND me.job = ?2 AND mine.place <> 'simulated'
         ORDER BY 2 DESC LIMIT 1",
        same = same_tenant("mine.place", "r.tenant", "mine.tenant"),
        kept = same_tenant("mine.place", "m.tenant", "mine.tenant"),
    )
}

/// The form of an id of a tenant, with the place before it.
const ID: &str = "*|[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]\
-[0-9a-f][0-9a-f][0-9a-f][0-9a-f]-[0-9a-f][0-9a-f][0-9a-f][0-9a-f]-[0-9a-f][0-9a-f][0-9a-f][0-9a-f]\
-[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]";

/// Whether two names of tenants at a place may mean one: they do unless both are ids, or have been shown to be names of
/// ids, and differ.
pub(super) fn same_tenant(place: &str, one: &str, other: &str) -> String {
    let id = |name: &str| {
        let name = format!("lower({place} || '|' || {name})");
        format!("coalesce((SELECT tenant FROM tenant_names WHERE name = {name}), {name})")
    };
    let (one, other) = (id(one), id(other));
    format!("({one} = {other} OR {one} NOT GLOB '{ID}' OR {other} NOT GLOB '{ID}')")
}
