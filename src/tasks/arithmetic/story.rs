//! Draws stories: one or two counts, a few events, a question.

use rand::Rng;
use rand::seq::IndexedRandom;

use super::operation::{Operation, OperationKind, Operator};
use super::problem::Problem;
use super::vocabulary::{CHARACTERS, CONTAINERS, Character, THINGS};

/// Greatest value of a count.
const LARGEST: u32 = 99;
/// Greatest factor of a product.
const LARGEST_FACTOR: u32 = 25;
/// Greatest number that is added or subtracted at once.
const LARGEST_CHANGE: u32 = 60;

/// Probabilities with which stories with an operation of each kind are kept.
///
/// [`OperationMix::full`] is the task set. Narrower mixes train a model that has rarely seen some operations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OperationMix {
    keep: [f64; OperationKind::ALL.len()],
    last_asked_share: f64,
}

impl OperationMix {
    /// Keeps everything, as the task set does.
    pub const fn full() -> Self {
        Self { keep: [1.0; OperationKind::ALL.len()], last_asked_share: 1.0 }
    }

    /// If a story counts two things, asks about the second one with probability `share` in [0, 1], else about the
    /// first.
    #[must_use]
    pub fn with_last_asked(mut self, share: f64) -> Self {
        self.last_asked_share = share.clamp(0.0, 1.0);
        self
    }

    /// Keeps operations of `kind` with probability `keep` in [0, 1].
    #[must_use]
    pub fn with(mut self, kind: OperationKind, keep: f64) -> Self {
        self.keep[kind as usize] = keep.clamp(0.0, 1.0);
        self
    }

    fn keeps(&self, kind: OperationKind, rng: &mut impl Rng) -> bool {
        let keep = self.keep[kind as usize];
        keep >= 1.0 || rng.random_bool(keep)
    }
}

/// The count of a thing in the course of the story.
struct ItemCount {
    thing: &'static str,
    value: u32,
    /// Indices of the operations that led to its value.
    operations: Vec<usize>,
}

/// How the story continues after an event.
#[derive(PartialEq)]
enum AfterEvent {
    /// With another event.
    Continue,
    /// With the question about one of the containers that the count was packed into.
    AskNow(&'static str),
}

struct Story<'a, R: Rng> {
    rng: &'a mut R,
    who: Character,
    sentences: Vec<String>,
    operations: Vec<Operation>,
    lines: Vec<String>,
}

/// Draws a problem; `None` if the draw led to a number out of range or to an operation that `mix` drops.
pub(super) fn generate(rng: &mut impl Rng, mix: &OperationMix) -> Option<Problem> {
    let wanted = *[2, 2, 2, 3, 3, 3, 4, 4, 5, 6].choose(rng)?;
    let two = wanted >= 3 && rng.random_bool(0.5);
    // If the question is about one of two counts, the answer does not depend on the other's lines.
    let main = usize::from(two && rng.random_bool(mix.last_asked_share));
    let total = two && rng.random_bool(0.35);
    let who = *CHARACTERS.choose(rng)?;
    let things: Vec<&'static str> = THINGS.choose_multiple(rng, 2).copied().collect();
    let until = if total { wanted - 1 } else { wanted };
    // Operations of the first count; those of the second follow.
    let first = if two { rng.random_range(1..until) } else { until };

    let mut story = Story { rng, who, sentences: vec![], operations: vec![], lines: vec![] };
    let mut counts = Vec::new();
    let mut asked = None;
    for (which, &thing) in things.iter().enumerate().take(1 + usize::from(two)) {
        let until = if which == 0 { first } else { until };
        let mut count = story.introduce(thing, which == 0);
        while story.operations.len() < until {
            let left = until - story.operations.len();
            let last = left == 1 && which == usize::from(two) && which == main && !total;
            match story.event(&mut count, left, last)? {
                AfterEvent::Continue => {}
                AfterEvent::AskNow(container) => asked = Some(container),
            }
        }
        counts.push(count);
    }
    if story.operations.len() != until || counts.iter().any(|c| c.operations.is_empty()) {
        return None;
    }

    let answer = if total {
        let (a, b) = (counts[0].value, counts[1].value);
        let all = a + b;
        let line = story.pick(&["In all", "Both together", "Altogether", "Sum of both"]);
        story.add_operation(Operator::Add, a, b, line)?;
        for operation in &mut story.operations {
            operation.matters = true;
        }
        all
    } else {
        for &i in &counts[main].operations {
            story.operations[i].matters = true;
        }
        counts[main].value
    };
    story.ask(&counts, main, total, asked);
    if story.operations.iter().any(|o| !mix.keeps(o.kind(), story.rng)) {
        return None;
    }

    story.lines.push(format!("Answer: {answer}"));
    let solution = story.lines.join("\n") + "\n";
    Some(Problem {
        question: story.sentences.join(" "),
        operations: story.operations,
        solution,
        answer,
    })
}

impl<R: Rng> Story<'_, R> {
    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.rng.random_range(0..of.len())]
    }

    /// The subject of a sentence: usually the pronoun.
    fn subject(&mut self) -> &'static str {
        if self.rng.random_bool(0.75) { self.who.subject } else { self.who.name }
    }

    /// Adds an operation and its line; `None` if the result is out of range.
    fn add_operation(
        &mut self,
        operator: Operator,
        left: u32,
        right: u32,
        label: &str,
    ) -> Option<u32> {
        let result = match operator {
            Operator::Add => left + right,
            Operator::Subtract => left.checked_sub(right)?,
            Operator::Multiply => left * right,
            Operator::Divide => left.is_multiple_of(right).then(|| left / right)?,
        };
        if !(2..=LARGEST).contains(&result) {
            return None;
        }
        self.lines.push(format!("{label}: {left} {} {right} = {result}", operator.sign()));
        self.operations.push(Operation { operator, left, right, result, matters: false });
        Some(result)
    }

    /// A label for a new value of a count, in a random wording.
    fn label_now(&mut self, thing: &str, fewer: bool) -> String {
        let thing = capitalized(thing);
        if fewer {
            let end = self.pick(&["left", "now", "after that"]);
            format!("{thing} {end}")
        } else {
            let end = self.pick(&["now", "so far", "after that"]);
            format!("{thing} {end}")
        }
    }

    /// A number of containers, the number of things in each, and the containers' name.
    fn boxes(&mut self) -> (u32, u32, &'static str) {
        let k = self.rng.random_range(2..=9);
        let m = self.rng.random_range(2..=LARGEST_FACTOR);
        (k, m, self.pick(CONTAINERS))
    }

    fn introduce(&mut self, thing: &'static str, first: bool) -> ItemCount {
        let name = self.who.name;
        let subject = if first { name } else { self.subject() };
        let also = if first { "" } else { self.pick(&["also ", ""]) };
        if self.rng.random_bool(0.35) {
            let (k, m, boxes) = self.boxes();
            let form = self.rng.random_range(0..3);
            let label = self.pick(&["at first", "to begin with", "at the start"]);
            let label = format!("{} {label}", capitalized(thing));
            let before = self.operations.len();
            if let Some(value) = self.add_operation(Operator::Multiply, k, m, &label) {
                self.sentences.push(match form {
                    0 => format!("{subject} {also}has {k} {boxes} of {m} {thing}."),
                    1 => format!("{subject} {also}has {k} {boxes} with {m} {thing} each."),
                    _ => format!("{subject} {also}keeps {k} {boxes} of {m} {thing} each."),
                });
                return ItemCount { thing, value, operations: vec![before] };
            }
        }
        let value = self.rng.random_range(5..=LARGEST_CHANGE);
        let form = self.rng.random_range(0..4);
        self.sentences.push(match form {
            0 | 1 => format!("{subject} {also}has {value} {thing}."),
            2 => format!("{subject} {also}starts with {value} {thing}."),
            _ => format!("{subject} {also}owns {value} {thing}."),
        });
        ItemCount { thing, value, operations: vec![] }
    }

    /// Adds an event that changes `count` with at most `limit` operations.
    fn event(&mut self, count: &mut ItemCount, limit: usize, last: bool) -> Option<AfterEvent> {
        let before = self.operations.len();
        let mut flow = AfterEvent::Continue;
        let draw = self.rng.random_range(0..100);
        let value = match draw {
            0..=25 => self.gain(count)?,
            26..=51 => self.lose(count)?,
            52..=67 if limit >= 2 => self.gain_boxes(count)?,
            68..=79 if limit >= 2 => self.give_each(count)?,
            80..=85 => self.grow(count)?,
            86..=93 => self.keep_share(count)?,
            94..=99 if last => {
                let (value, boxes) = self.pack(count)?;
                flow = AfterEvent::AskNow(boxes);
                value
            }
            _ => return Some(AfterEvent::Continue),
        };
        count.value = value;
        count.operations.extend(before..self.operations.len());
        Some(flow)
    }

    fn gain(&mut self, count: &ItemCount) -> Option<u32> {
        let n = self.rng.random_range(2..=LARGEST_CHANGE);
        let thing = count.thing;
        let who = self.subject();
        let friend = self.friend();
        let (pronoun, possessive) = (self.who.name, self.who.possessive);
        let sentence = match self.rng.random_range(0..7) {
            0 => format!("{who} buys {n} more {thing}."),
            1 => format!("{who} finds {n} {thing}."),
            2 => format!("{friend} gives {pronoun} {n} {thing}."),
            3 => format!("{who} gets {n} {thing} from {friend}."),
            4 => format!("{who} adds {n} {thing} to {possessive} {thing}."),
            5 => format!("Then {n} more {thing} arrive."),
            _ => format!("{who} wins {n} {thing}."),
        };
        self.sentences.push(sentence);
        let label = self.label_now(thing, false);
        self.add_operation(Operator::Add, count.value, n, &label)
    }

    fn lose(&mut self, count: &ItemCount) -> Option<u32> {
        if count.value < 6 {
            return None;
        }
        let n = self.rng.random_range(2..=LARGEST_CHANGE.min(count.value - 2));
        let thing = count.thing;
        let who = self.subject();
        let friend = self.friend();
        let sentence = match self.rng.random_range(0..7) {
            0 => format!("{who} gives away {n} {thing}."),
            1 => format!("{who} loses {n} {thing}."),
            2 => format!("{who} gives {n} {thing} to {friend}."),
            3 => format!("{who} sells {n} {thing}."),
            4 => format!("{friend} takes {n} {thing}."),
            5 => format!("Then {n} of the {thing} break."),
            _ => format!("{who} uses {n} {thing}."),
        };
        self.sentences.push(sentence);
        let label = self.label_now(thing, true);
        self.add_operation(Operator::Subtract, count.value, n, &label)
    }

    fn gain_boxes(&mut self, count: &ItemCount) -> Option<u32> {
        let (k, m, boxes) = self.boxes();
        let thing = count.thing;
        let who = self.subject();
        let (verb, done) = self.pick(&[("buys", "bought"), ("gets", "added"), ("finds", "found")]);
        let sentence = match self.rng.random_range(0..3) {
            0 => format!("{who} {verb} {k} {boxes} of {m} {thing}."),
            1 => format!("{who} {verb} {k} more {boxes} with {m} {thing} each."),
            _ => format!("{who} {verb} {k} {boxes}, each with {m} {thing}."),
        };
        self.sentences.push(sentence);
        let label = format!("{} {done}", capitalized(thing));
        let many = self.add_operation(Operator::Multiply, k, m, &label)?;
        let label = self.label_now(thing, false);
        self.add_operation(Operator::Add, count.value, many, &label)
    }

    fn give_each(&mut self, count: &ItemCount) -> Option<u32> {
        let k = self.rng.random_range(2..=9);
        let m = self.rng.random_range(2..=12);
        let thing = count.thing;
        let who = self.subject();
        let people = self.pick(&["friends", "children", "neighbors"]);
        let sentence = match self.rng.random_range(0..3) {
            0 => format!("{who} gives {m} {thing} to each of {k} {people}."),
            1 => format!("{who} hands {k} {people} {m} {thing} each."),
            _ => format!("{k} {people} take {m} {thing} each."),
        };
        self.sentences.push(sentence);
        let label = format!("{} given away", capitalized(thing));
        let many = self.add_operation(Operator::Multiply, k, m, &label)?;
        let label = self.label_now(thing, true);
        self.add_operation(Operator::Subtract, count.value, many, &label)
    }

    fn grow(&mut self, count: &ItemCount) -> Option<u32> {
        let (word, times) = self.pick(&[("doubles", 2), ("doubles", 2), ("triples", 3)]);
        let possessive = self.who.possessive;
        let thing = count.thing;
        let sentence = match self.rng.random_range(0..2) {
            0 => format!("Then the number of {thing} {word}."),
            _ => format!("{} {word} {possessive} {thing}.", self.subject()),
        };
        self.sentences.push(sentence);
        let label = self.label_now(thing, false);
        self.add_operation(Operator::Multiply, count.value, times, &label)
    }

    fn keep_share(&mut self, count: &ItemCount) -> Option<u32> {
        let divisor = self.divisor(count.value)?;
        let thing = count.thing;
        let who = self.subject();
        let possessive = self.who.possessive;
        let sentence = if divisor == 2 {
            format!("{who} gives away half of {possessive} {thing}.")
        } else {
            match self.rng.random_range(0..2) {
                0 => format!("{who} splits the {thing} into {divisor} equal parts and keeps one."),
                _ => format!(
                    "{who} shares the {thing} equally among {divisor} people and keeps one share."
                ),
            }
        };
        self.sentences.push(sentence);
        let label = self.label_now(thing, true);
        self.add_operation(Operator::Divide, count.value, divisor, &label)
    }

    /// The last event: the things are packed evenly into containers, and the question is about one of them.
    fn pack(&mut self, count: &ItemCount) -> Option<(u32, &'static str)> {
        let divisor = self.divisor(count.value)?;
        let boxes = self.pick(CONTAINERS);
        let thing = count.thing;
        let who = self.subject();
        let sentence = match self.rng.random_range(0..2) {
            0 => format!("{who} puts all the {thing} equally into {divisor} {boxes}."),
            _ => format!("{who} packs the {thing} into {divisor} equal {boxes}."),
        };
        self.sentences.push(sentence);
        let label = format!("{} in each", capitalized(thing));
        Some((self.add_operation(Operator::Divide, count.value, divisor, &label)?, boxes))
    }

    /// A divisor of `value` with a quotient of at least two.
    fn divisor(&mut self, value: u32) -> Option<u32> {
        let all: Vec<u32> =
            (2..=9).filter(|d| value.is_multiple_of(*d) && value / d >= 2).collect();
        all.choose(self.rng).copied()
    }

    fn friend(&mut self) -> &'static str {
        loop {
            let friend = self.pick(CHARACTERS).name;
            if friend != self.who.name {
                return friend;
            }
        }
    }

    fn ask(&mut self, counts: &[ItemCount], main: usize, total: bool, each: Option<&'static str>) {
        let name = self.who.name;
        let pronoun = self.who.subject.to_lowercase();
        let thing = counts[main].thing;
        let question = match (each, total) {
            (Some(boxes), _) => format!("How many {thing} are in each of the {boxes}?"),
            (None, true) => {
                let other = counts[1 - main].thing;
                match self.rng.random_range(0..2) {
                    0 => format!("How many {thing} and {other} does {name} have in all?"),
                    _ => format!("How many {thing} and {other} are there together?"),
                }
            }
            (None, false) => match self.rng.random_range(0..4) {
                0 => format!("How many {thing} does {name} have?"),
                1 => format!("How many {thing} does {pronoun} have now?"),
                2 => format!("How many {thing} are there in the end?"),
                _ => format!("How many {thing} does {name} have at the end?"),
            },
        };
        self.sentences.push(question);
    }
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}
