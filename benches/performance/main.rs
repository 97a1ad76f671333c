//! Times and byte rates of the program, on real episodes of the tiny pair.
//!
//!     cargo bench --bench performance                         everything, about an hour
//!     cargo bench --bench performance -- policy               one decision, and a retraining
//!     cargo bench --bench performance -- policy/retraining --quick
//!     cargo bench --bench performance -- threshold            moving the threshold over 10,000 episodes
//!     cargo bench --bench performance -- library              opening and searching 100,000 episodes
//!     cargo bench --bench performance -- store                what it costs to have every event on disk
//!     cargo bench --bench performance -- terminal             bytes to the terminal, key press to frame
//!     cargo bench --bench performance -- terminal/latency     key press to frame only
//!
//! The first word selects a group and is a Criterion filter within it; Criterion's other options work as usual.
//! A group that is not selected prepares no data.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints its figures and what went wrong"
)]

mod library;
mod policy;
mod store;
mod terminal;
mod threshold;

use criterion::Criterion;

type Group = (&'static str, fn(&mut Criterion));

const GROUPS: [Group; 5] = [
    ("policy/choice", policy::choice),
    ("policy/retraining", policy::retraining),
    ("threshold", threshold::benchmarks),
    ("library", library::benchmarks),
    ("store", store::benchmarks),
];

fn main() {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let filter = filter.unwrap_or_default();
    let selects = |group: &str| filter.starts_with(group) || group.starts_with(&filter);
    let mut criterion = Criterion::default().configure_from_args();
    for (name, run) in GROUPS {
        if selects(name) {
            run(&mut criterion);
        }
    }
    if selects("terminal") {
        terminal::run(filter == "terminal/latency");
    }
    criterion.final_summary();
}
