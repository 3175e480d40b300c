//! What one run has in its hands, another one leaves to it.
//!
//! In: the real binary, twice at once, and a slow tenant. Out: calls, rows.

use crate::journal::{kill, under_way};
use crate::outside::{Desk, Simulator, count_of, outcomes};
use crate::support::guid;

/// The first run waits for its answer. Whatever a read shows meanwhile, it is no word on a request that is still out.
#[test]
fn what_another_run_has_sent_and_not_settled_is_left_to_it() {
    let simulator =
        Simulator::start("throttle: off\nfaults: [ { on: { action: wipe, calls: [1] }, do: { delay: 30s } } ]\n");
    let desk = Desk::new(&simulator);
    let first = desk.write("first.csv", &format!("action,id\nwipe,{}\n", guid(1)));
    let other = desk.write("other.csv", &format!("action,id\nwipe,{}\nretire,{}\n", guid(1), guid(2)));
    let child = under_way(&desk, &simulator, &first, 1, &[], 1);
    desk.run(&other, 2, &[]).expect(5);
    let report = desk.report();
    assert_eq!(outcomes(&report), ["not_attempted", "accepted"], "{report:?}");
    assert!(report[0].note.contains("goes on with it"), "{report:?}");
    assert_eq!(count_of(&simulator.counts(), "calls", "wipe", &guid(1)), 1);
    // Its process is gone: whoever comes next reads first.
    kill(child);
    desk.run(&other, 1, &[]);
    assert_eq!(outcomes(&desk.report())[1], "already_done");
    assert_ne!(outcomes(&desk.report())[0], "not_attempted");
}
