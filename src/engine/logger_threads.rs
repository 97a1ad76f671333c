//! Ends threads that mistral.rs 0.8.1 leaks.
//!
//! Each of its engines starts a thread that logs the throughput every five seconds and outlives the engine. The
//! workbench loads models again and again, and on a GPU engines are restarted after each episode, so in the end the
//! process could start no more threads. The log line is a tracing event that only these threads emit; unwinding from
//! the subscriber ends the thread.

use std::panic::resume_unwind;

use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// A layer that ends the leaked threads. Add it to the program's subscriber. If there is no subscriber, loading a model
/// installs one with this layer alone.
pub fn end_logger_threads<S: Subscriber + for<'a> LookupSpan<'a>>() -> impl Layer<S> {
    EndLoggerThreads
        .with_filter(Targets::new().with_target("mistralrs_core::engine::logger", Level::INFO))
}

struct EndLoggerThreads;

impl<S: Subscriber> Layer<S> for EndLoggerThreads {
    fn on_event(&self, _: &Event<'_>, _: Context<'_, S>) {
        // Unlike `panic!`, this does not run the panic hook.
        resume_unwind(Box::new(()));
    }
}
