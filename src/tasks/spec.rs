//! The table of task sets: one row for each.
//!
//! A new task set is a new row. Names in error messages and help texts, the grader, the download and the reference
//! table in the documentation are all read from it.

use std::fmt::Write;

use super::Split;
use crate::grading::Grader;

/// A task set that is known by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TaskSetSpec {
    /// Its name, as in `--tasks NAME` and in stored episodes.
    pub name: &'static str,
    /// What it contains, in a few words.
    pub help: &'static str,
    /// Where its questions come from.
    pub source: QuestionSource,
    /// The fields of its rows.
    pub fields: FieldNames,
    /// How its answers are graded.
    pub grader: Grader,
}

/// Where the questions of a task set come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuestionSource {
    /// The program generates them, without end and with every step of the solution.
    Generated,
    /// A data set on the Hugging Face hub.
    Hub {
        /// The data set's repository.
        repository: &'static str,
        /// The file with the training part, if there is one.
        train: Option<HubFile>,
        /// The file with the test part.
        test: HubFile,
    },
}

/// A file of a data set on the hub: JSON lines or Parquet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubFile {
    /// Its path in the repository.
    pub path: &'static str,
    /// Number of questions in it.
    pub questions: usize,
}

/// Names of a row's fields. Of several names, the first that the row has is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldNames {
    /// The question's text.
    pub question: &'static [&'static str],
    /// The gold answer, or a solution that ends with it.
    pub answer: &'static [&'static str],
    /// The level: a number, or a text such as `Level 5`.
    pub level: &'static [&'static str],
    /// The subject: a text, a list of texts, or a path such as `Algebra -> Inequalities`.
    pub subject: &'static [&'static str],
}

/// All task sets; the first one is the default.
pub const TASK_SETS: [TaskSetSpec; 4] = [
    TaskSetSpec {
        name: "arithmetic",
        help: "generated arithmetic word problems",
        source: QuestionSource::Generated,
        fields: FieldNames { question: &[], answer: &[], level: &[], subject: &[] },
        grader: Grader::Arithmetic,
    },
    TaskSetSpec {
        name: "gsm8k",
        help: "GSM8K: grade-school word problems",
        source: QuestionSource::Hub {
            repository: "openai/gsm8k",
            train: Some(HubFile { path: "main/train-00000-of-00001.parquet", questions: 7473 }),
            test: HubFile { path: "main/test-00000-of-00001.parquet", questions: 1319 },
        },
        fields: FieldNames {
            question: &["question"],
            answer: &["answer"],
            level: &[],
            subject: &[],
        },
        grader: Grader::Number,
    },
    TaskSetSpec {
        name: "math500",
        help: "MATH-500: competition problems of five levels",
        source: QuestionSource::Hub {
            repository: "HuggingFaceH4/MATH-500",
            train: None,
            test: HubFile { path: "test.jsonl", questions: 500 },
        },
        fields: FieldNames {
            question: &["problem"],
            answer: &["answer"],
            level: &["level"],
            subject: &["subject"],
        },
        grader: Grader::Math,
    },
    TaskSetSpec {
        name: "omni-math",
        help: "Omni-MATH: olympiad problems of levels 1 to 10",
        source: QuestionSource::Hub {
            repository: "KbsdJames/Omni-MATH",
            train: None,
            test: HubFile { path: "test.jsonl", questions: 4428 },
        },
        fields: FieldNames {
            question: &["problem"],
            answer: &["answer"],
            level: &["difficulty"],
            subject: &["domain"],
        },
        grader: Grader::Math,
    },
];

/// Field names in a user's file: any of the usual ones.
pub const FILE_FIELDS: FieldNames = FieldNames {
    question: &["question", "problem"],
    answer: &["answer", "solution"],
    level: &["level", "difficulty"],
    subject: &["subject", "type", "domain"],
};

/// Grader for a user's file without the name of a task set.
const FILE_GRADER: Grader = Grader::Math;

impl FieldNames {
    /// The names for a table: `question`, `answer`, then `level` and `subject` if there are any.
    fn list(&self) -> String {
        let groups = [self.question, self.answer, self.level, self.subject];
        let groups = groups.iter().filter(|names| !names.is_empty());
        let groups = groups.map(|names| {
            let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            quoted.join(" or ")
        });
        let list = groups.collect::<Vec<_>>().join(", ");
        if list.is_empty() { "none".to_owned() } else { list }
    }
}

impl TaskSetSpec {
    /// The task set of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        TASK_SETS.iter().find(|spec| spec.name == name)
    }

    /// The task set that is used if none is named.
    pub fn default_set() -> &'static Self {
        &TASK_SETS[0]
    }

    /// Source and number of questions, for a table.
    fn source_text(&self) -> String {
        match self.source {
            QuestionSource::Generated => "the program, without end".to_owned(),
            QuestionSource::Hub { repository, train: Some(train), test } => {
                format!("`{repository}`: {} train, {} test", train.questions, test.questions)
            }
            QuestionSource::Hub { repository, train: None, test } => {
                format!("`{repository}`: {} test", test.questions)
            }
        }
    }

    /// The hub file with the questions of `split`; `None` if there is none. The training part also serves
    /// [`Split::Develop`].
    pub fn hub_file(&self, split: Split) -> Option<HubFile> {
        match (self.source, split) {
            (QuestionSource::Generated, _) => None,
            (QuestionSource::Hub { test, .. }, Split::Test) => Some(test),
            (QuestionSource::Hub { train, .. }, Split::Train | Split::Develop) => train,
        }
    }
}

/// The task sets as a Markdown table, for the documentation.
pub fn reference_table() -> String {
    let mut table = String::from(
        "| `--tasks` | questions | from | fields | graded as |\n|---|---|---|---|---|\n",
    );
    let mut row = |name: &str, help: &str, source: &str, fields: &FieldNames, grader: Grader| {
        let graded = grader_text(grader);
        let _ = writeln!(table, "| {name} | {help} | {source} | {} | {graded} |", fields.list());
    };
    for spec in &TASK_SETS {
        let source = spec.source_text();
        row(&format!("`{}`", spec.name), spec.help, &source, &spec.fields, spec.grader);
    }
    row("a file", "yours", "JSON lines, a JSON array or Parquet", &FILE_FIELDS, FILE_GRADER);
    table
}

fn grader_text(grader: Grader) -> &'static str {
    match grader {
        Grader::Arithmetic => "the number after the last `Answer:`",
        Grader::Number => "one number",
        Grader::Math => "a final answer in LaTeX or words",
    }
}

/// The grader of the task set with this name, which may also be that of a user's file.
pub fn grader_of(name: &str) -> Grader {
    TaskSetSpec::find(name).map_or(FILE_GRADER, |spec| spec.grader)
}

/// The names of all task sets, for messages: `arithmetic, gsm8k, math500, omni-math`.
pub fn task_set_names() -> String {
    TASK_SETS.map(|spec| spec.name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_distinct_names_and_the_fields_of_their_files() {
        for (i, spec) in TASK_SETS.iter().enumerate() {
            assert_eq!(TaskSetSpec::find(spec.name), Some(spec));
            assert!(TASK_SETS[..i].iter().all(|other| other.name != spec.name), "{}", spec.name);
            let from_hub = spec.hub_file(Split::Test).is_some();
            assert_eq!(from_hub, !spec.fields.question.is_empty(), "{}", spec.name);
            assert_eq!(from_hub, !spec.fields.answer.is_empty(), "{}", spec.name);
        }
        assert_eq!(TaskSetSpec::default_set().source, QuestionSource::Generated);
    }

    #[test]
    fn graders_are_those_of_the_rows() {
        assert_eq!(grader_of("gsm8k"), Grader::Number);
        assert_eq!(grader_of("math500"), Grader::Math);
        assert_eq!(grader_of("omni-math"), Grader::Math);
        assert_eq!(grader_of("arithmetic"), Grader::Arithmetic);
        assert_eq!(grader_of("mine.jsonl"), Grader::Math);
    }

    #[test]
    fn the_reference_table_has_a_row_for_each_task_set_and_for_files() {
        let table = reference_table();
        assert_eq!(table.lines().count(), 2 + TASK_SETS.len() + 1);
        let row = "| `gsm8k` | GSM8K: grade-school word problems | `openai/gsm8k`: 7473 train, 1319 test | `question`, `answer` | one number |\n";
        assert!(table.contains(row), "{table}");
        assert!(
            table.lines().all(|line| line.matches(" | ").count() == 4 || line.starts_with("|--"))
        );
    }
}
