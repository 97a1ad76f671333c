//! Verbs in a closing sentence.

/// Verbs that link a number to its meaning.
const VERBS: [&str; 40] = [
    "is", "are", "was", "were", "makes", "make", "made", "gives", "give", "equals", "costs",
    "cost", "has", "have", "had", "earns", "earned", "needs", "need", "pays", "pay", "paid",
    "spends", "spent", "gets", "get", "leaves", "sells", "buys", "will", "would", "can", "takes",
    "comes", "adds", "weighs", "saves", "becomes", "totals", "yields",
];

/// Whether a text has such a verb.
pub(crate) fn has_verb(text: &str) -> bool {
    text.split(|c: char| !c.is_alphabetic())
        .any(|word| VERBS.contains(&word.to_lowercase().as_str()))
}
