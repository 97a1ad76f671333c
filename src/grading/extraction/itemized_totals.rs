//! Totals followed by a list of their parts.

use super::linking_verbs::has_verb;
use super::number_spans::NumberSpan;

/// The total whose parts the sentence lists after it: `30 pens: 10 red and 20 blue`, `12 pens: 3 in each
/// of 4 boxes`.
pub(crate) fn itemized_total<'a>(text: &str, spots: &'a [NumberSpan]) -> Option<&'a NumberSpan> {
    // At most this many parts are searched.
    let most = 12;
    let from = spots.len().saturating_sub(most + 1);
    let mut sum = spots[from..].iter().map(first_value).sum::<f64>();
    spots[from..].iter().enumerate().find_map(|(i, total)| {
        sum -= first_value(total);
        let items = &spots[from + i + 1..];
        let same = |value: f64| (value - first_value(total)).abs() < 1e-9;
        let found = match items {
            [] | [_] => false,
            [a, b] if same(first_value(a) * first_value(b)) => is_product_of(text, total, a, b),
            _ => same(sum) && lists_items(text, total, items),
        };
        found.then_some(total)
    })
}

/// Whether the two factors of the total follow it.
fn is_product_of(text: &str, total: &NumberSpan, a: &NumberSpan, b: &NumberSpan) -> bool {
    let between = &text[a.end..b.begin];
    let behind = &text[a.begin..];
    opens_list(&text[total.end..a.begin])
        && [" of ", " each ", " per "].iter().any(|word| behind.contains(word))
        && !has_verb(between)
        && !says_used_up(behind)
}

/// Whether the words between a total and its first part lead to a list.
fn opens_list(between: &str) -> bool {
    const LEADS: [&str; 6] = [":", ",", " (", ", that is,", ", i.e.", ", namely"];
    let between = between.trim_end_matches([' ', '$']).to_lowercase();
    LEADS.iter().any(|lead| between.ends_with(lead))
}

/// The value of a number.
fn first_value(spot: &NumberSpan) -> f64 {
    spot.values.first().copied().unwrap_or(f64::NAN)
}

/// Whether a list of these items follows the total, each beginning with its number.
fn lists_items(text: &str, total: &NumberSpan, items: &[NumberSpan]) -> bool {
    let ends = items[1..].iter().map(|s| s.begin).chain([text.len()]);
    let first = items.first().map_or(total.end, |s| s.begin);
    let opened = opens_list(&text[total.end..first]);
    let said = |i: usize, item: &NumberSpan, end: usize| {
        let words = text[item.end..end].trim_end_matches([' ', '$']);
        let joined = words.ends_with([',', '+']) || words.ends_with(" and");
        (joined || i + 1 == items.len()) && !has_verb(words) && !says_used_up(words)
    };
    opened && items.iter().zip(ends).enumerate().all(|(i, (item, end))| said(i, item, end))
}

/// Whether words say what happened to a part of a number: `30 pens, 10 sold, 20 left`.
fn says_used_up(words: &str) -> bool {
    const VERBS: [&str; 9] =
        ["left", "leaving", "remain", "remaining", "sold", "used", "eaten", "gone", "lost"];
    words.split(|c: char| !c.is_alphabetic()).any(|w| VERBS.contains(&w))
}
