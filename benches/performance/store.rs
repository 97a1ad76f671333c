//! What it costs to have every event on disk before it is acknowledged.
//!
//! The same episode is stored event by event, as it is while it runs, and as a whole, as collections do. A bare
//! append of as many bytes, without and with a sync, shows which part is the disk's.

use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};

use criterion::Criterion;
use pointsman::store::Store;

use crate::library::run_episodes;

/// Times that each way is repeated.
const ROUNDS: u32 = 40;

pub(crate) fn benchmarks(_: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(&folder.path().join("store")).expect("a store");
    let episodes = run_episodes();
    let events: usize = episodes.iter().map(Vec::len).sum();
    let mean_events = events as f64 / episodes.len() as f64;
    let mut file = File::create(folder.path().join("bare")).expect("a file");
    let mut rows: Vec<(&str, Duration)> = Vec::new();
    let mut measure = |name, act: &mut dyn FnMut(usize)| {
        let start = Instant::now();
        (0..ROUNDS as usize).for_each(act);
        rows.push((name, start.elapsed() / ROUNDS));
    };
    measure("episode, event by event", &mut |round| {
        let id = store.next_episode_id().expect("a number");
        for event in &episodes[round % episodes.len()] {
            store.append(id, event).expect("a stored event");
        }
    });
    measure("episode as a whole", &mut |round| {
        let episode = &episodes[round % episodes.len()];
        store.add_episodes(std::slice::from_ref(episode)).expect("a stored episode");
    });
    measure("20 episodes together", &mut |_| {
        store.add_episodes(&episodes).expect("stored episodes");
    });
    measure("bare append of 700 bytes", &mut |_| {
        file.write_all(&[b'x'; 700]).expect("written bytes");
    });
    measure("bare append of 700 bytes, synced", &mut |_| {
        file.write_all(&[b'x'; 700]).expect("written bytes");
        file.sync_data().expect("synced bytes");
    });
    let sync = rows.last().expect("five rows").1;
    println!("{mean_events:.1} events an episode");
    for (name, took) in rows {
        let syncs = took.as_secs_f64() / sync.as_secs_f64();
        println!("{name:<34} {:>8.2} ms  {syncs:>6.2} synced appends", took.as_secs_f64() * 1e3);
    }
}
