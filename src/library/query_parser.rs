//! The query language: one line of words separated by spaces.

use std::ops::Range;

use super::{
    Calendar, Clause, CompareOp, Date, EpisodeOutcome, NameField, NumericField, Predicate, Query,
    QueryError, QueryProblem, Sort,
};

/// Examples of filters with their meaning, for help texts.
pub(crate) const FILTER_HELP: &[(&str, &str)] = &[
    ("pens \"4 boxes\"", "the question contains these words"),
    ("correct wrong undecided", "the verdict; several: any of them"),
    ("unfinished failed", "interrupted; ended by an error"),
    ("task: router: policy: preset:", "has this name; also collection:"),
    ("cost<5e8 cost>=100M share>0.9", "cost; large's share; also <=, ="),
    ("steps>4 large=0 switches>2", "steps; large's steps; also tokens"),
    ("after:2026-11-01 before:2026-11-20", "from that day on; before it; today"),
    ("user", "you chose the model of a step"),
    ("parent:12", "a fork of episode 12"),
    ("tag:foo starred note:\"ask Ava\"", "your tags, star and note"),
    ("in:\"4 × 12\"", "the trace contains this; slow"),
    ("-tag:foo -correct", "does not match this filter"),
    ("sort:cost sort:-cost", "the order: date, or a number above"),
];

const NAME_FILTERS: [(&str, NameField); 5] = [
    ("task", NameField::Task),
    ("router", NameField::Router),
    ("policy", NameField::Policy),
    ("preset", NameField::Preset),
    ("collection", NameField::Collection),
];
const KEYWORDS: [(&str, Predicate); 9] = [
    ("correct", Predicate::EpisodeOutcome(EpisodeOutcome::Correct)),
    ("wrong", Predicate::EpisodeOutcome(EpisodeOutcome::Wrong)),
    ("undecided", Predicate::EpisodeOutcome(EpisodeOutcome::Undecided)),
    ("unfinished", Predicate::EpisodeOutcome(EpisodeOutcome::Unfinished)),
    ("failed", Predicate::EpisodeOutcome(EpisodeOutcome::Failed)),
    ("starred", Predicate::Starred),
    ("user", Predicate::User),
    // Former words.
    ("right", Predicate::EpisodeOutcome(EpisodeOutcome::Correct)),
    ("person", Predicate::User),
];
const NUMERIC_FIELDS: [(&str, NumericField); 7] = [
    ("date", NumericField::Date),
    ("cost", NumericField::Cost),
    ("share", NumericField::LargeCostShare),
    ("steps", NumericField::Steps),
    ("large", NumericField::LargeSteps),
    ("switches", NumericField::Switches),
    ("tokens", NumericField::Tokens),
];
const COMPARISONS: [(&str, CompareOp); 5] = [
    // The longer ones first, because they are matched as prefixes.
    ("<=", CompareOp::AtMost),
    (">=", CompareOp::AtLeast),
    ("<", CompareOp::Less),
    (">", CompareOp::More),
    ("=", CompareOp::Equal),
];

/// Keys with a colon that are not names.
const COLON_KEYS: [&str; 7] = ["tag", "note", "after", "before", "parent", "in", "sort"];

impl Query {
    /// Parses a query; `calendar` says when days begin. An empty line matches every episode.
    ///
    /// # Errors
    /// [`QueryError`] for the first word that cannot be parsed.
    pub fn parse(line: &str, calendar: &impl Calendar) -> Result<Self, QueryError> {
        let mut query = Self::default();
        let mut at = 0;
        while let Some(word) = QueryWord::next(line, at)? {
            at = word.span.end;
            let parsed = match &word.filter {
                Some((key, ":")) if key == "sort" => query.sort_by(&word),
                _ => word.predicate(calendar).map(|test| query.add(word.negated, test)),
            };
            parsed.map_err(|problem| QueryError::new(line, word.span, problem))?;
        }
        Ok(query)
    }

    fn sort_by(&mut self, word: &QueryWord) -> Result<(), QueryProblem> {
        if word.negated {
            return Err(QueryProblem::NegatedSort);
        }
        let value = word.required_value()?;
        let name = value.strip_prefix('-').unwrap_or(value);
        let by = look_up(&NUMERIC_FIELDS, name)
            .ok_or_else(|| QueryProblem::UnknownSort(word.value.clone()))?;
        let descending = name != value;
        match self.sort.replace(Sort { by, descending }) {
            Some(_) => Err(QueryProblem::DuplicateSort),
            None => Ok(()),
        }
    }

    fn add(&mut self, negated: bool, test: Predicate) {
        let joins = !negated && test.is_single_valued();
        let same_kind = |clause: &&mut Clause| {
            joins
                && !clause.negated
                && clause.alternatives.iter().all(|other| other.same_kind(&test))
        };
        match self.clauses.iter_mut().find(same_kind) {
            Some(clause) => clause.alternatives.push(test),
            None => self.clauses.push(Clause { negated, alternatives: vec![test] }),
        }
    }
}

/// A word of a query.
struct QueryWord<'a> {
    /// Its bytes in the line, quotes included.
    span: Range<usize>,
    /// Those bytes.
    source: &'a str,
    negated: bool,
    /// Key and operator, as `cost` and `<`; `None` for a word of the question.
    filter: Option<(String, &'static str)>,
    /// The rest, without quotes.
    value: String,
    quoted: bool,
}

impl<'a> QueryWord<'a> {
    /// The first word at or after byte `from` of `line`; `None` at the end.
    fn next(line: &'a str, from: usize) -> Result<Option<Self>, QueryError> {
        let start = line.len() - line[from..].trim_start().len();
        if start == line.len() {
            return Ok(None);
        }
        let mut at = start;
        let negated = line[at..].starts_with('-');
        at += usize::from(negated);
        if negated && line[at..].starts_with('-') {
            let word = line[start..].split(char::is_whitespace).next().unwrap_or_default();
            let problem = QueryProblem::DoubleNegation(word.to_owned());
            return Err(QueryError::new(line, start..start + word.len(), problem));
        }
        let filter = filter_of(&line[at..]);
        at += filter.as_ref().map_or(0, |(key, sign)| key.len() + sign.len());
        let rest = &line[at..];
        let quoted = rest.starts_with('"');
        let (value, length) = if quoted {
            let open = || QueryError::new(line, at..line.len(), QueryProblem::UnclosedQuote);
            unquote(rest).ok_or_else(open)?
        } else {
            let word = rest.split(char::is_whitespace).next().unwrap_or_default();
            (word.to_owned(), word.len())
        };
        let span = start..at + length;
        Ok(Some(Self { source: &line[span.clone()], span, negated, filter, value, quoted }))
    }

    fn predicate(&self, calendar: &impl Calendar) -> Result<Predicate, QueryProblem> {
        match &self.filter {
            Some((key, ":")) => self.colon_predicate(key, calendar),
            Some((key, sign)) => self.comparison_predicate(key, sign),
            None => {
                let lower = self.required_value()?.to_lowercase();
                let filter = look_up(&KEYWORDS, &lower).filter(|_| !self.quoted);
                Ok(match filter {
                    Some(test) => test,
                    None if lower == "today" && !self.quoted => {
                        let today = calendar.today();
                        let (from_ms, until_ms) =
                            (calendar.start_of(today), calendar.end_of(today));
                        Predicate::StartedBetween { from_ms, until_ms }
                    }
                    None => Predicate::Question(lower),
                })
            }
        }
    }

    /// The predicate of a key with a colon.
    fn colon_predicate(
        &self,
        key: &str,
        calendar: &impl Calendar,
    ) -> Result<Predicate, QueryProblem> {
        let lower = || self.required_value().map(str::to_lowercase);
        let midnight = || {
            let day = self.required_value()?.parse::<Date>();
            day.map(|day| calendar.start_of(day))
                .map_err(|_| QueryProblem::InvalidDate(self.value.clone()))
        };
        Ok(match key {
            "tag" => Predicate::Tag(self.required_value()?.parse()?),
            "note" => Predicate::Note(lower()?),
            "in" => Predicate::Trace(lower()?),
            "after" => Predicate::StartedBetween { from_ms: midnight()?, until_ms: u64::MAX },
            "before" => Predicate::StartedBetween { from_ms: 0, until_ms: midnight()? },
            "parent" => {
                let id = self.required_value()?.parse();
                Predicate::Parent(id.map_err(|_| QueryProblem::InvalidEpisode(self.value.clone()))?)
            }
            "date" => return Err(QueryProblem::DateComparison),
            _ if look_up(&NUMERIC_FIELDS, key).is_some() => {
                return Err(QueryProblem::MissingComparison(key.to_owned()));
            }
            _ => match look_up(&NAME_FILTERS, key) {
                Some(name) => Predicate::NameField(name, lower()?),
                None => return Err(QueryProblem::UnknownFilter(key.to_owned())),
            },
        })
    }

    /// The predicate of a key with a comparison.
    fn comparison_predicate(&self, key: &str, sign: &str) -> Result<Predicate, QueryProblem> {
        let comparison = look_up(&COMPARISONS, sign);
        let (Some(quantity), Some(comparison)) = (look_up(&NUMERIC_FIELDS, key), comparison) else {
            let colon = look_up(&NAME_FILTERS, key).is_some() || COLON_KEYS.contains(&key);
            let problem =
                if colon { QueryProblem::MissingColon } else { QueryProblem::UnknownQuantity };
            return Err(problem(key.to_owned()));
        };
        if quantity == NumericField::Date {
            return Err(QueryProblem::DateComparison);
        }
        let number = parse_number(self.required_value()?)
            .ok_or_else(|| QueryProblem::InvalidNumber(self.value.clone()))?;
        Ok(Predicate::Number(quantity, comparison, number))
    }

    /// The value, which must not be empty.
    fn required_value(&self) -> Result<&str, QueryProblem> {
        if self.value.is_empty() {
            return Err(QueryProblem::MissingValue(self.source.to_owned()));
        }
        Ok(&self.value)
    }
}

/// Key and operator at the beginning of `text`; `None` if it does not begin with a filter.
fn filter_of(text: &str) -> Option<(String, &'static str)> {
    let end = text.find(|c: char| !c.is_ascii_alphabetic())?;
    let (key, rest) = text.split_at(end);
    let mut signs = std::iter::once(":").chain(COMPARISONS.map(|(sign, _)| sign));
    let sign = signs.find(|sign| rest.starts_with(sign)).filter(|_| !key.is_empty())?;
    Some((key.to_lowercase(), sign))
}

/// The text of the quote that `text` begins with, and its length in bytes including the quotes; `None` if it is not
/// closed. `\"` stands for a quote, `\\` for a backslash.
fn unquote(text: &str) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return Some((value, at + 1)),
            _ => {
                if escaped && c != '"' && c != '\\' {
                    value.push('\\');
                }
                value.push(c);
                escaped = false;
            }
        }
    }
    None
}

/// Parses a number, which may have an SI prefix for large ones: `0.5`, `200M`.
pub(crate) fn parse_number(text: &str) -> Option<f64> {
    let scales = [("k", 1e3), ("M", 1e6), ("G", 1e9), ("T", 1e12)];
    let scaled = scales.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, *scale)));
    let (digits, scale) = scaled.unwrap_or((text, 1.0));
    // Rust parses `inf` and `nan` as numbers.
    let number = digits.parse::<f64>().ok().filter(|n| n.is_finite())?;
    Some(number * scale)
}

fn look_up<T: Clone>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 25 November 2026; every day begins at a round number.
    struct Fixed;

    impl Calendar for Fixed {
        fn today(&self) -> Date {
            Date { year: 2026, month: 11, day: 25 }
        }

        fn start_of(&self, day: Date) -> u64 {
            u64::from(day.month) * 1000 + u64::from(day.day) * 10
        }

        fn end_of(&self, day: Date) -> u64 {
            self.start_of(day) + 10
        }
    }

    fn parse(line: &str) -> Query {
        Query::parse(line, &Fixed).unwrap_or_else(|e| panic!("{line}: {e}"))
    }

    /// The predicate of a query of one word.
    fn predicate(line: &str) -> Predicate {
        let query = parse(line);
        assert_eq!((query.clauses.len(), query.sort), (1, None), "{line}");
        let Clause { negated, mut alternatives } = query.clauses[0].clone();
        assert_eq!((negated, alternatives.len()), (line.starts_with('-'), 1), "{line}");
        alternatives.remove(0)
    }

    #[test]
    fn every_filter_is_parsed() {
        let number = |quantity, comparison, value| Predicate::Number(quantity, comparison, value);
        let text = str::to_owned;
        let cases = [
            ("Pens", Predicate::Question(text("pens"))),
            ("\"4 boxes\"", Predicate::Question(text("4 boxes"))),
            ("\"right\"", Predicate::Question(text("right"))),
            ("\"a \\\"b\\\" \\\\ \\n\"", Predicate::Question(text("a \"b\" \\ \\n"))),
            ("3:4", Predicate::Question(text("3:4"))),
            ("<5", Predicate::Question(text("<5"))),
            ("привет", Predicate::Question(text("привет"))),
            ("task:Arithmetic", Predicate::NameField(NameField::Task, text("arithmetic"))),
            ("ROUTER:policy", Predicate::NameField(NameField::Router, text("policy"))),
            ("policy:tiny-3", Predicate::NameField(NameField::Policy, text("tiny-3"))),
            ("preset:\"my own\"", Predicate::NameField(NameField::Preset, text("my own"))),
            ("collection:c", Predicate::NameField(NameField::Collection, text("c"))),
            ("right", Predicate::EpisodeOutcome(EpisodeOutcome::Correct)),
            ("correct", Predicate::EpisodeOutcome(EpisodeOutcome::Correct)),
            ("-wrong", Predicate::EpisodeOutcome(EpisodeOutcome::Wrong)),
            ("undecided", Predicate::EpisodeOutcome(EpisodeOutcome::Undecided)),
            ("unfinished", Predicate::EpisodeOutcome(EpisodeOutcome::Unfinished)),
            ("failed", Predicate::EpisodeOutcome(EpisodeOutcome::Failed)),
            ("cost<5e8", number(NumericField::Cost, CompareOp::Less, 5e8)),
            ("cost>=100M", number(NumericField::Cost, CompareOp::AtLeast, 1e8)),
            ("share<=.5", number(NumericField::LargeCostShare, CompareOp::AtMost, 0.5)),
            ("steps>4", number(NumericField::Steps, CompareOp::More, 4.0)),
            ("large=0", number(NumericField::LargeSteps, CompareOp::Equal, 0.0)),
            ("-switches>2k", number(NumericField::Switches, CompareOp::More, 2e3)),
            ("tokens<1", number(NumericField::Tokens, CompareOp::Less, 1.0)),
            ("tag:Foo", Predicate::Tag("foo".parse().unwrap())),
            ("starred", Predicate::Starred),
            ("note:\"ask Ava\"", Predicate::Note(text("ask ava"))),
            ("person", Predicate::User),
            ("parent:12", Predicate::Parent(12)),
            ("in:\"4 × 12\"", Predicate::Trace(text("4 × 12"))),
            ("-in:x", Predicate::Trace(text("x"))),
            ("after:2026-11-01", Predicate::StartedBetween { from_ms: 11_010, until_ms: u64::MAX }),
            ("before:2026-11-20", Predicate::StartedBetween { from_ms: 0, until_ms: 11_200 }),
            ("today", Predicate::StartedBetween { from_ms: 11_250, until_ms: 11_260 }),
        ];
        for (line, expected) in cases {
            assert_eq!(predicate(line), expected, "{line}");
        }
    }

    #[test]
    fn filters_of_a_single_valued_property_are_alternatives() {
        let query = parse("right pens task:a wrong  task:b router:a -task:c boxes tag:x tag:y");
        let sizes: Vec<_> =
            query.clauses.iter().map(|c| (c.negated, c.alternatives.len())).collect();
        let one = (false, 1);
        let expected = [(false, 2), one, (false, 2), one, (true, 1), one, one, one];
        assert_eq!(sizes, expected, "{query:?}");
    }

    #[test]
    fn an_order_is_parsed_and_an_empty_line_matches_everything() {
        let by = |by, descending| Some(Sort { by, descending });
        assert_eq!(parse("sort:cost").sort, by(NumericField::Cost, false));
        assert_eq!(parse("x sort:-date y").sort, by(NumericField::Date, true));
        assert_eq!(parse("  \t "), Query::default());
    }

    #[test]
    fn a_wrong_query_is_an_error_with_position_and_remedy() {
        let cases = [
            ("pens foo:x", 6, "no filter `foo:`; use task:, router:"),
            ("x cots<5", 3, "`cots` cannot be compared; use cost, share"),
            ("cost:5", 1, "`cost` is followed by <"),
            ("é task<5", 3, "`task` is followed by a colon"),
            ("in=x", 1, "`in` is followed by a colon"),
            ("date>2026-11-01", 1, "after: and before:"),
            ("date:2026-11-01", 1, "after: and before:"),
            ("steps>four", 1, "`four` is not a number"),
            ("cost<nan", 1, "`nan` is not a number"),
            ("cost<1e999", 1, "`1e999` is not a number"),
            ("cost<", 1, "nothing follows `cost<`"),
            ("after:2026-02-30", 1, "`2026-02-30` is not a day"),
            ("parent:-1", 1, "`-1` is not an episode"),
            ("tag:\"two words\"", 1, "`two words` cannot be a tag"),
            ("a tag: b", 3, "nothing follows `tag:`"),
            ("in:\"\"", 1, "nothing follows `in:\"\"`"),
            ("a -", 3, "nothing follows `-`"),
            ("a --jsn", 3, "`--jsn` is neither"),
            ("a note:\"b c", 8, "not closed"),
            ("sort:colour", 1, "`colour`; use date, cost"),
            ("sort:", 1, "nothing follows `sort:`"),
            ("sort:cost sort:date", 11, "one `sort:` is enough"),
            ("-sort:cost", 1, "cannot be negated"),
        ];
        for (line, character, words) in cases {
            let error = Query::parse(line, &Fixed).expect_err(line);
            let text = error.to_string();
            assert_eq!(error.character, character, "{line}: {text}");
            assert!(text.contains(words), "{line}: {text}");
            assert!(text.contains(&format!("character {character}:")), "{text}");
            assert!(line.get(error.span).is_some_and(|span| !span.is_empty()), "{line}");
        }
    }

    #[test]
    fn former_words_are_parsed() {
        // The keywords of the query language before `user` replaced `person`.
        for (former, current) in [
            ("right", "correct"),
            ("correct", "correct"),
            ("wrong", "wrong"),
            ("undecided", "undecided"),
            ("unfinished", "unfinished"),
            ("failed", "failed"),
            ("starred", "starred"),
            ("person", "user"),
        ] {
            let predicate = predicate(former);
            assert_eq!(predicate, self::predicate(current), "{former}");
            assert!(!matches!(predicate, Predicate::Question(_)), "{former}");
        }
        // Its other keys have not changed.
        for line in [
            "task:x router:x policy:x preset:x collection:x",
            "tag:x note:x after:2026-11-25 before:2026-11-25 parent:1 in:x sort:date",
            "cost<1 share<=1 steps=1 large>=1 switches>1 tokens>1",
            "sort:cost",
            "sort:share",
            "sort:steps",
            "sort:large",
            "sort:switches",
            "sort:-tokens",
            "today",
        ] {
            let clauses = parse(line).clauses;
            let words = clauses.iter().flat_map(|clause| &clause.alternatives);
            assert!(!words.clone().any(|p| matches!(p, Predicate::Question(_))), "{line}");
        }
    }

    #[test]
    fn messages_list_every_key() {
        let unknown_filter = QueryProblem::UnknownFilter(String::new()).to_string();
        for key in NAME_FILTERS.map(|(key, _)| key).into_iter().chain(COLON_KEYS) {
            assert!(unknown_filter.contains(&format!("{key}:")), "{key}");
        }
        let unknown_quantity = QueryProblem::UnknownQuantity(String::new()).to_string();
        let unknown_sort = QueryProblem::UnknownSort(String::new()).to_string();
        for (key, field) in NUMERIC_FIELDS {
            assert!(unknown_sort.contains(key), "{key}");
            assert!(field == NumericField::Date || unknown_quantity.contains(key), "{key}");
        }
    }
}
