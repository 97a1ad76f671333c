//! Prints problems of the arithmetic task set as JSON lines: the corpus that the tiny pair is
//! trained on (see presets/tiny/README.md).

use std::io::{BufWriter, Write};

use clap::{Parser, ValueEnum};
use pointsman::tasks::arithmetic::{OperationKind, OperationMix, ProblemGenerator, Split};

#[derive(Clone, Copy, ValueEnum)]
enum Range {
    /// What the task set asks.
    Full,
    /// That, and questions about the first of two counts.
    Wide,
    /// What the small model has seen: carries, borrows and large facts are rare.
    Narrow,
}

#[derive(Parser)]
struct Arguments {
    /// How many problems.
    #[arg(short)]
    n: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, default_value = "train")]
    split: Split,
    #[arg(long, value_enum, default_value_t = Range::Full)]
    range: Range,
}

fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let profile = match arguments.range {
        Range::Full => OperationMix::full(),
        Range::Wide => OperationMix::full().with_last_asked(0.4),
        Range::Narrow => OperationMix::full()
            .with(OperationKind::AddCarry, 0.2)
            .with(OperationKind::SubtractBorrow, 0.2)
            .with(OperationKind::MultiplyLarge, 0.5)
            .with(OperationKind::DivideLarge, 0.2),
    };
    let mut out = BufWriter::new(std::io::stdout().lock());
    for problem in ProblemGenerator::new(profile, arguments.split, arguments.seed).take(arguments.n)
    {
        let kinds: Vec<OperationKind> = (0..problem.steps()).map(|i| problem.kind(i)).collect();
        let line = serde_json::json!({
            "question": problem.question,
            "solution": problem.solution,
            "answer": problem.answer,
            "kinds": kinds,
            "operations": problem.operations,
        });
        writeln!(out, "{line}")?;
    }
    out.flush()
}
