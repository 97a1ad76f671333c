//! `pointsman grade`: verdicts on the solutions in a file.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde::Serialize;

use super::error::{CommandError, CommandResult, CommandStatus};
use super::output;
use super::stdio::note;
use super::task_args::report_skipped;
use crate::episode::Verdict;
use crate::tasks::{
    OnBadLine, QuestionSource, TASK_SETS, TaskError, field_text, grader_of, read_rows,
};

#[derive(Debug, Args)]
pub(super) struct GradeArgs {
    /// Task set whose grader to use
    #[arg(long, value_name = "SET", value_parser = PossibleValuesParser::new(hub_task_sets()))]
    pub(super) tasks: String,

    /// JSONL, JSON or Parquet; each row has `solution`, a model's whole text, and `answer`, the gold
    /// answer; `-` reads standard input
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,

    /// On a line that cannot be read: `stop`, or `skip` it
    #[arg(long, default_value = "stop", value_name = "stop|skip")]
    pub(super) on_bad_line: OnBadLine,

    /// Print one JSON object per row, with `verdict`, `answer` and `gold`
    #[arg(long)]
    pub(super) json: bool,
}

/// Names of the task sets that the program does not generate.
fn hub_task_sets() -> impl Iterator<Item = &'static str> {
    let sets = TASK_SETS.iter().filter(|spec| spec.source != QuestionSource::Generated);
    sets.map(|spec| spec.name)
}

/// A row of the output with `--json`.
#[derive(Serialize)]
struct Graded<'a> {
    verdict: Verdict,
    answer: Option<&'a str>,
    gold: Option<&'a str>,
    /// Why the answers could not be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
}

/// Grades every row and prints verdicts and totals.
///
/// # Errors
/// If the file or a row cannot be read, or there is no row.
pub(super) fn run(args: &GradeArgs) -> CommandResult<CommandStatus> {
    let grader = grader_of(&args.tasks);
    let mut skipped = Vec::new();
    let mut solutions = Vec::new();
    for row in read_rows(&args.file)? {
        let both = row.fields.and_then(|fields| {
            let gold =
                field_text(&fields, &["answer"]).ok_or("`answer` is not a text or a number")?;
            let solution = fields.get("solution").and_then(|s| s.as_str());
            let solution = solution.ok_or("`solution` is not a text")?.to_owned();
            Ok((gold, solution))
        });
        match both {
            Ok((gold, solution)) => solutions.push((row.location, gold, solution)),
            Err(reason) if args.on_bad_line == OnBadLine::Skip => {
                skipped.push(format!("{}, {}: {reason}", args.file.display(), row.location));
            }
            Err(reason) => {
                let (path, location) = (args.file.clone(), row.location);
                return Err(TaskError::BadLine { path, location, reason }.into());
            }
        }
    }
    report_skipped(&skipped);
    let (mut correct, mut wrong, mut undecided) = (0_usize, 0_usize, 0_usize);
    for (place, gold, solution) in &solutions {
        let grade = grader.grade(Some(gold), solution);
        match grade.verdict {
            Verdict::Correct => correct += 1,
            Verdict::Wrong => wrong += 1,
            Verdict::Undecided => undecided += 1,
        }
        let (answer, gold) = (grade.answer.as_deref(), grade.gold.as_deref());
        let (verdict, why) = (grade.verdict, grade.why);
        if args.json {
            output::print_json(&Graded { verdict, answer, gold, why })?;
        } else {
            let word = format!("{verdict:?}").to_lowercase();
            let why = why.map_or_else(String::new, |why| format!(" ({why})"));
            let shown = |text: Option<&str>| output::strip_control_chars(text.unwrap_or("none"));
            let line = format!("{place}: {word:<9}  {}  gold {}{why}", shown(answer), shown(gold));
            output::print_line(&line)?;
        }
    }
    let n = solutions.len();
    let share = if n == 0 { 0.0 } else { 100.0 * correct as f64 / n as f64 };
    let totals = format!(
        "{correct} correct, {wrong} wrong, {undecided} undecided of {n} · {share:.1} % correct"
    );
    if args.json {
        note!("{totals}");
    } else {
        output::print_line(&totals)?;
    }
    if n == 0 {
        return Err(CommandError::failure(format!("{} has no rows to grade", args.file.display())));
    }
    Ok(CommandStatus::Success)
}
