//! Ends threads that mistral.rs 0.8.1 leaves behind.
//!
//! Each of its engines starts a thread that reports the throughput every five seconds and never
//! ends, not even with the engine; and an engine is restarted after each episode, since the prefix
//! cache of a CPU never evicts. After some thousands of episodes the process would have no room
//! for a further thread. The report is a tracing event, sent from that thread and no other: here it is
//! taken as the moment to unwind it.

use std::panic::resume_unwind;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// A layer for whatever subscriber the program has. Without one, loading a model installs one that
/// does nothing else.
pub fn end_logger_threads<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    EndLoggerThreads
        .with_filter(Targets::new().with_target("mistralrs_core::engine::logger", Level::INFO))
}

struct EndLoggerThreads;

impl<S: Subscriber> Layer<S> for EndLoggerThreads {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        // Not a panic: nothing is wrong, and no hook should tell of it.
        resume_unwind(Box::new(()));
    }
}
