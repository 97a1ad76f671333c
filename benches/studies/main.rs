//! Studies behind the tables of the documentation. Each prints Markdown, or writes the files it names.
//!
//!     cargo bench --bench studies -- tiny-pair          how good the tiny pair is, and what predicts its errors
//!     cargo bench --bench studies -- ablation --store STORE
//!                                                       what the policy learns from: shorter drafts, fewer features
//!     cargo bench --bench studies -- calibration        whether a calibrated threshold keeps its guarantee
//!     cargo bench --bench studies -- offpolicy          off-policy estimates against fresh episodes
//!     cargo bench --bench studies -- error-analysis     where the policy beats a rule at the same cost
//!     cargo bench --bench studies -- cases --out recordings
//!                                                       the recordings of overrides, a spent budget and a fork
//!     cargo bench --bench studies -- grading            the graders on the gold answers of real task sets
//!     cargo bench --bench studies -- corpus -n 1000     problems to train the tiny pair on, as JSON lines
//!     cargo bench --bench studies -- kills              kill -9 in every command that writes
//!     cargo bench --bench studies -- power-cuts         copies of a disk image while episodes are written
//!
//! `-- STUDY --help` lists the options of a study.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints its figures and what went wrong"
)]

mod ablation;
mod calibration;
mod cases;
mod corpus;
mod error_analysis;
#[path = "../../tests/common/gold_answers.rs"]
mod gold_answers;
mod grading;
mod kills;
mod offpolicy;
mod power_cuts;
mod setup;
mod tiny_pair;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Studies behind the tables of the documentation")]
struct Arguments {
    #[command(subcommand)]
    study: Study,
    /// Passed by `cargo bench` to every bench.
    #[arg(long, hide = true, global = true)]
    bench: bool,
}

#[derive(Subcommand)]
enum Study {
    /// How good the tiny pair is, and what predicts the small model's errors
    TinyPair(tiny_pair::Arguments),
    /// What the policy learns from: shorter drafts, fewer features
    Ablation(ablation::Arguments),
    /// Whether a calibrated threshold keeps its guarantee
    Calibration(calibration::Arguments),
    /// Off-policy estimates against fresh episodes
    Offpolicy(offpolicy::Arguments),
    /// Where the policy beats a rule at the same cost
    ErrorAnalysis(error_analysis::Arguments),
    /// Recordings of overrides, a spent budget and a fork
    Cases(cases::Arguments),
    /// The graders on the gold answers of real task sets
    Grading,
    /// kill -9 at a random moment of every command that writes
    Kills(kills::Arguments),
    /// Copies of a disk image while episodes are written
    PowerCuts(power_cuts::Arguments),
    /// Problems to train the tiny pair on, as JSON lines
    Corpus(corpus::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Arguments::parse().study {
        Study::TinyPair(arguments) => tiny_pair::run(&arguments),
        Study::Ablation(arguments) => ablation::run(&arguments),
        Study::Calibration(arguments) => calibration::run(&arguments),
        Study::Offpolicy(arguments) => offpolicy::run(&arguments),
        Study::ErrorAnalysis(arguments) => error_analysis::run(&arguments),
        Study::Cases(arguments) => cases::run(&arguments),
        Study::Grading => grading::run(),
        Study::Kills(arguments) => kills::run(&arguments),
        Study::PowerCuts(arguments) => power_cuts::run(&arguments),
        Study::Corpus(arguments) => corpus::run(&arguments),
    }
}
