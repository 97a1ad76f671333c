//! Problems of the task set `arithmetic` as JSON lines, on which the tiny pair is trained.

use std::io::{BufWriter, Write};

use clap::{Args, ValueEnum};
use pointsman::tasks::arithmetic::{OperationKind, OperationMix, ProblemGenerator, Split};

#[derive(Clone, Copy, ValueEnum)]
enum Range {
    /// The problems of the task set.
    Full,
    /// Also problems that ask for the first of two counts.
    Wide,
    /// The problems for the small model: carries, borrows and large facts are rare.
    Narrow,
}

#[derive(Args)]
pub(crate) struct Arguments {
    /// Number of problems
    #[arg(short)]
    n: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    #[arg(long, default_value = "train")]
    split: Split,
    #[arg(long, value_enum, default_value_t = Range::Full)]
    range: Range,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
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
    Ok(out.flush()?)
}
