//! The graders on the gold answers of real task sets, which are not part of the repository.

use std::path::{Path, PathBuf};

use pointsman::episode::Verdict;
use pointsman::grading::Grader;
use pointsman::tasks::{field_text, grader_of, read_rows};

/// The folder of the task sets.
///
/// # Errors
/// A sentence if there is no such folder.
pub(crate) fn folder() -> Result<PathBuf, String> {
    let folder = std::env::var_os("POINTSMAN_SHARED_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    if folder.is_dir() {
        return Ok(folder);
    }
    Err(format!(
        "there is no folder {}: set POINTSMAN_SHARED_DATA to a folder with gsm8k and math",
        folder.display()
    ))
}

/// The verdicts of a grader.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct VerdictCounts {
    pub(crate) correct: usize,
    pub(crate) wrong: usize,
    pub(crate) undecided: usize,
    /// Gold answers and solutions with another verdict than expected.
    pub(crate) mismatches: Vec<String>,
}

impl VerdictCounts {
    fn add(&mut self, grader: Grader, gold: &str, solution: &str, expected: Verdict) {
        let grade = grader.grade(Some(gold), solution);
        match grade.verdict {
            Verdict::Correct => self.correct += 1,
            Verdict::Wrong => self.wrong += 1,
            Verdict::Undecided => self.undecided += 1,
        }
        if grade.verdict != expected {
            let found = grade.answer.unwrap_or_default();
            self.mismatches
                .push(format!("gold {:?}, found {found:?}", grade.gold.unwrap_or_default()));
        }
    }
}

/// Makes a solution of a gold answer.
type AnswerFormat = fn(&str) -> String;

/// Task set, format of the solution, verdicts.
pub(crate) type TableRow = (&'static str, &'static str, VerdictCounts);

/// Grades the gold answer of every question against itself in several formats, and against other answers.
pub(crate) fn table(folder: &Path) -> Vec<TableRow> {
    let sets =
        [("gsm8k", "gsm8k/train.jsonl", "answer"), ("math500", "math/sample.jsonl", "solution")];
    sets.iter()
        .flat_map(|(set, file, worked)| rows_of_set(set, &folder.join(file), worked))
        .collect()
}

fn rows_of_set(set: &'static str, file: &Path, worked: &str) -> Vec<TableRow> {
    let grader = grader_of(set);
    let rows = read_rows(file).expect("a readable file").into_iter().map(|row| row.fields.unwrap());
    let questions: Vec<(String, String)> = rows
        .map(|row| (field_text(&row, &["answer"]).unwrap(), field_text(&row, &[worked]).unwrap()))
        .map(|(answer, solution)| (grader.extract_gold(&answer), solution))
        .collect();
    let formats: [(&str, AnswerFormat); 4] = [
        ("the gold answer alone", |gold| gold.to_owned()),
        ("in a box", |gold| format!("It follows that $\\boxed{{{gold}}}$.")),
        ("by the word", |gold| format!("With $k = 2$, the answer is ${gold}$.")),
        ("below a heading", |gold| format!("So be it.\n\n**Final Answer**\n\n${gold}$\n")),
    ];
    let mut lines = Vec::new();
    for (name, format_answer) in formats {
        let mut counts = VerdictCounts::default();
        for (gold, _) in &questions {
            counts.add(grader, gold, &format_answer(gold), Verdict::Correct);
        }
        lines.push((set, name, counts));
    }
    let mut counts = VerdictCounts::default();
    for (gold, solution) in &questions {
        counts.add(grader, gold, solution, Verdict::Correct);
    }
    lines.push((set, "the worked solution", counts));
    let mut counts = VerdictCounts::default();
    // All pairs of a small set; about a hundred others for each question of a large one.
    let step = (questions.len() / 100).max(1);
    for (i, (gold, _)) in questions.iter().enumerate() {
        for (other, _) in questions.iter().skip(i % step).step_by(step) {
            let same = value(gold) == value(other);
            let expected = if same { Verdict::Correct } else { Verdict::Wrong };
            counts.add(grader, gold, &format!("It is \\boxed{{{other}}}."), expected);
        }
    }
    lines.push((set, "other questions' answers", counts));
    lines
}

/// A gold answer without the formatting that occurs in these sets.
fn value(gold: &str) -> String {
    gold.replace([' ', ','], "").trim_start_matches("x=").to_owned()
}
