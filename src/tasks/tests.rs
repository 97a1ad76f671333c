use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;

use super::read_rows::parse_rows;
use super::*;

const LINES: &str = r#"{"problem": "1+1?", "answer": "2", "subject": "Algebra", "level": 1}
{"problem": "2+2?", "answer": "4", "subject": "Algebra", "level": 3}

{"problem": "3+3?", "solution": "It is \\boxed{6}.", "type": "Number Theory", "level": "Level 5"}
{"question": "4+4?", "answer": 8, "domain": ["Mathematics -> Algebra -> Sums"], "difficulty": 4.5}
"#;

fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn numbered_lines(n: usize) -> String {
    let line = |i| format!("{{\"question\": \"{i}?\", \"answer\": \"{i}\"}}\n");
    (0..n).map(line).collect::<Vec<_>>().concat()
}

fn request(path: &Path) -> TaskSetRequest {
    TaskSetRequest {
        name: "math500".into(),
        data: Some(path.into()),
        split: None,
        default_split: Split::Test,
        filter: QuestionFilter::default(),
        on_bad_line: OnBadLine::Stop,
    }
}

fn golds(set: &TaskSet, seed: u64) -> Vec<(usize, String)> {
    let place = |q: Question| (q.origin.unwrap().index, q.gold.unwrap());
    set.questions(seed).map(place).collect()
}

fn sorted(set: &TaskSet) -> Vec<String> {
    let mut all: Vec<String> = golds(set, 0).into_iter().map(|(_, gold)| gold).collect();
    all.sort();
    all
}

#[test]
fn fields_of_a_file_may_have_any_usual_name() {
    let file = file(LINES);
    let set = TaskSet::open(&request(file.path())).unwrap();
    assert_eq!((set.name(), set.split_name(), set.size()), ("math500", "whole", Some(4)));
    let mut all = golds(&set, 1);
    all.sort();
    let expected = [(0, "2"), (1, "4"), (2, "6"), (3, "8")].map(|(i, g)| (i, g.to_owned()));
    assert_eq!(all, expected);
    let array =
        format!("[{}]", LINES.lines().filter(|l| !l.is_empty()).collect::<Vec<_>>().join(","));
    let array = self::file(&array);
    assert_eq!(golds(&TaskSet::open(&request(array.path())).unwrap(), 1), golds(&set, 1));
}

#[test]
fn a_seed_determines_the_sample_and_a_larger_sample_begins_with_it() {
    let file = file(&numbered_lines(50));
    let set = TaskSet::open(&request(file.path())).unwrap();
    let take = |seed, n| -> Vec<usize> {
        golds(&set, seed).into_iter().take(n).map(|(index, _)| index).collect()
    };
    assert_eq!(take(7, 10), take(7, 10));
    assert_eq!(take(7, 10), take(7, 20)[..10]);
    assert_ne!(take(7, 10), take(8, 10));
    let mut all = take(7, 1000);
    all.sort_unstable();
    assert_eq!(all, (0..50).collect::<Vec<_>>(), "without replacement");
}

#[test]
fn levels_and_subjects_filter() {
    let file = file(LINES);
    let with = |levels: Option<&str>, subjects: &[&str]| {
        let mut request = request(file.path());
        request.filter = QuestionFilter {
            levels: levels.map(|l| l.parse().unwrap()),
            subjects: subjects.iter().map(|s| (*s).to_owned()).collect(),
        };
        TaskSet::open(&request)
    };
    assert_eq!(sorted(&with(Some("3-5"), &[]).unwrap()), ["4", "6", "8"]);
    assert_eq!(sorted(&with(Some("4.5"), &[]).unwrap()), ["8"]);
    assert_eq!(sorted(&with(None, &["algebra"]).unwrap()), ["2", "4", "8"]);
    assert_eq!(sorted(&with(Some("3-5"), &["Algebra", "Number Theory"]).unwrap()), ["4", "6", "8"]);
    let error = with(Some("9"), &[]).unwrap_err().to_string();
    assert!(error.contains("levels 1 to 5") && error.contains("Number Theory"), "{error}");
    assert!("5-3".parse::<LevelRange>().is_err() && "hard".parse::<LevelRange>().is_err());
}

#[test]
fn a_bad_line_is_an_error_unless_it_may_be_skipped() {
    for (bad, reason) in [
        ("{\"question\": 1,", "not JSON"),
        ("[]x", "not JSON"),
        ("7", "not a JSON object"),
        ("{\"answer\": \"3\"}", "`question` or `problem`"),
        ("{\"question\": \"  \", \"answer\": \"3\"}", "`question` or `problem`"),
        ("{\"question\": \"1?\"}", "`answer` or `solution`"),
    ] {
        let file = file(&format!("{LINES}{bad}\n"));
        let mut request = request(file.path());
        let error = TaskError::to_string(&TaskSet::open(&request).unwrap_err());
        assert!(error.contains(", line 6: ") && error.contains(reason), "{error}");
        assert!(error.contains("--on-bad-line skip"), "{error}");
        request.on_bad_line = OnBadLine::Skip;
        let set = TaskSet::open(&request).unwrap();
        assert_eq!((set.size(), set.skipped().len()), (Some(4), 1));
        assert!(set.skipped()[0].contains("line 6"), "{:?}", set.skipped());
    }
}

#[test]
fn errors_are_sentences() {
    let error = |request: &TaskSetRequest| TaskSet::open(request).unwrap_err().to_string();
    let mut absent = request(Path::new("/nowhere/at/all.jsonl"));
    assert!(error(&absent).contains("/nowhere/at/all.jsonl"));
    absent.data = None;
    absent.name = "gsm9k".into();
    assert!(error(&absent).contains("no task set `gsm9k`"));
    absent.name = "math500".into();
    absent.split = Some(Split::Train);
    assert!(error(&absent).contains("only a test part"));
    let empty = file("\n\n");
    assert!(error(&request(empty.path())).contains("no question of"));
    let mut arithmetic = request(empty.path());
    arithmetic.name = "arithmetic".into();
    assert!(error(&arithmetic).contains("leave out --data"));
}

#[test]
fn a_file_is_a_task_set_with_the_name_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.jsonl");
    std::fs::write(&path, LINES).unwrap();
    let mut request = request(&path);
    request.data = None;
    request.name = path.to_str().unwrap().into();
    let set = TaskSet::open(&request).unwrap();
    assert_eq!(set.name(), "mine.jsonl");
    assert_eq!(set.questions(0).next().unwrap().origin.unwrap().task, "mine.jsonl");
}

#[test]
fn parts_of_a_file_share_no_question() {
    let file = file(&numbered_lines(400));
    let of = |split| {
        let mut request = request(file.path());
        request.split = Some(split);
        sorted(&TaskSet::open(&request).unwrap())
    };
    let (train, develop, test) = (of(Split::Train), of(Split::Develop), of(Split::Test));
    assert_eq!(train.len() + develop.len() + test.len(), 400);
    assert!(develop.iter().all(|q| !test.contains(q) && !train.contains(q)));
}

/// A Parquet file with the columns of GSM8K and a level.
fn parquet() -> tempfile::NamedTempFile {
    let schema = "message rows { OPTIONAL BYTE_ARRAY question (UTF8); OPTIONAL BYTE_ARRAY answer (UTF8); OPTIONAL INT64 level; }";
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties =
        WriterProperties::builder().set_compression(parquet::basic::Compression::SNAPPY).build();
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut writer =
        SerializedFileWriter::new(file.reopen().unwrap(), schema, Arc::new(properties)).unwrap();
    let mut group = writer.next_row_group().unwrap();
    for column in [["1+1?", "2+2?"], ["1+1=2\n#### 2", "2+2=4\n#### 4"]] {
        let mut out = group.next_column().unwrap().unwrap();
        let values = column.map(ByteArray::from);
        out.typed::<ByteArrayType>().write_batch(&values, Some(&[1, 1]), None).unwrap();
        out.close().unwrap();
    }
    let mut out = group.next_column().unwrap().unwrap();
    out.typed::<Int64Type>().write_batch(&[3], Some(&[1, 0]), None).unwrap();
    out.close().unwrap();
    group.close().unwrap();
    writer.close().unwrap();
    file
}

#[test]
fn parquet_files_of_the_hub_are_read() {
    let file = parquet();
    let mut request = request(file.path());
    request.name = "gsm8k".into();
    let set = TaskSet::open(&request).unwrap();
    assert_eq!(sorted(&set), ["2", "4"]);
    request.filter.levels = Some(LevelRange { low: 3.0, high: 3.0 });
    assert_eq!(sorted(&TaskSet::open(&request).unwrap()), ["2"]);
    let bytes = std::fs::read(file.path()).unwrap();
    let piped = parse_rows(&bytes, Path::new("-")).unwrap();
    assert_eq!(piped, read_rows(file.path()).unwrap(), "from a pipe, too");
    let broken = self::file("PAR1 and then nothing");
    request.data = Some(broken.path().into());
    assert!(matches!(TaskSet::open(&request), Err(TaskError::Read { .. })));
}
