//! A router of your own, compared with the two models alone on fifty questions.
//!
//!     cargo run --release --example custom_router

#![allow(clippy::print_stdout, reason = "an example prints what it finds")]

use std::collections::BTreeMap;

use pointsman::config::{DraftLength, Folders, load_preset};
use pointsman::episode::Verdict;
use pointsman::routing::{Opinion, Requirements, Router, RouterError, RouterInput, RouterRegistry};
use pointsman::session::{EpisodeSpec, NullObserver, load_pair};
use pointsman::tasks::arithmetic::Split;
use pointsman::tasks::{Question, questions};

/// Gives a step to the large model if the small model's draft of it multiplies or divides.
struct HardOperations;

impl Router for HardOperations {
    fn name(&self) -> &'static str {
        "hard-operations"
    }

    /// The small model drafts the whole next step before this router decides.
    fn requirements(&self) -> Requirements {
        Requirements::draft(DraftLength::Step)
    }

    /// The runner compares `p_large` with the preset's threshold: the large model writes from there on up.
    fn opinion(&mut self, boundary: &RouterInput<'_>) -> Result<Opinion, RouterError> {
        let hard = boundary.draft.text.contains(['×', '÷']);
        let p_large = if hard { 0.9 } else { 0.1 };
        // Features are stored with the decision, and the workbench lists them as its reasons.
        let features = BTreeMap::from([("draft.hard".to_owned(), f64::from(u8::from(hard)))]);
        Ok(Opinion { p_large, features })
    }
}

fn main() -> anyhow::Result<()> {
    let folders = Folders::find()?;
    let mut runner = load_pair(&load_preset("tiny", &folders)?, &folders.cache)?;
    let all: Vec<Question> = questions("arithmetic", Split::Test, 1)?.take(50).collect();

    let registry = RouterRegistry::new("tiny", None);
    let mut routers = [
        registry.router("always-small")?,
        registry.router("always-large")?,
        Box::new(HardOperations),
    ];
    for router in &mut routers {
        let (mut correct, mut cost) = (0, 0.0);
        for (seed, question) in (0..).zip(&all) {
            let spec = EpisodeSpec::new(question, router.as_mut(), seed);
            let episode = runner.run(spec, &mut NullObserver, &mut NullObserver)?;
            correct += usize::from(episode.verdict() == Some(Verdict::Correct));
            cost += episode.ledger.cost();
        }
        println!("{:15} {correct:2} of {} correct, cost {cost:.2e}", router.name(), all.len());
    }
    Ok(())
}
