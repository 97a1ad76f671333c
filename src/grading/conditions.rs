//! Conditions, quantifiers and sets of numbers around the mathematics of an answer. They are removed before the
//! answer is parsed.

use super::tokens::{MathToken, SpacedToken};
use super::words;

/// The name given to an index that runs over all integers.
pub(super) const ANY_INTEGER: &str = "index";

fn is_command(spaced: &SpacedToken, name: &str) -> bool {
    matches!(&spaced.token, MathToken::Command(c) if c == name)
}

fn is_separator(spaced: &SpacedToken) -> bool {
    match &spaced.token {
        MathToken::Sign(',' | ';') | MathToken::Row => true,
        MathToken::Words(w) => words::is_conjunction(w),
        _ => false,
    }
}

/// Whether a token begins a condition on the preceding text: `where`, `\forall`.
fn begins_condition(spaced: &SpacedToken) -> bool {
    is_command(spaced, "forall")
        || matches!(&spaced.token, MathToken::Words(w) if words::is_condition(w))
}

/// The tokens without `…, where …` and `… for all x`; `None` if several conditions make the answer one of several
/// cases.
pub(super) fn strip_conditions(tokens: &[SpacedToken]) -> Option<Vec<SpacedToken>> {
    let condition = begins_condition;
    let cases = |s: &&SpacedToken| matches!(&s.token, MathToken::Words(w) if words::begins_case(w));
    if tokens.iter().filter(cases).count() > 1 {
        return None;
    }
    let mut kept = Vec::new();
    let mut rest = tokens;
    // At most this many answers are searched.
    for _ in 0..20 {
        let Some(at) = rest.iter().position(condition).filter(|at| *at + kept.len() > 0) else {
            kept.extend_from_slice(rest);
            return Some(kept);
        };
        kept.extend_from_slice(&rest[..at]);
        // `f(x) = 0 for all x and f(x) = x for all x`: another answer that begins like the first.
        let behind = &rest[at..];
        let first = tokens.first().map(|s| &s.token);
        let again = (1..behind.len()).find(|i| {
            is_separator(&behind[*i])
                && behind[*i..].iter().find(|s| !is_separator(s)).map(|s| &s.token) == first
                && behind[*i..].iter().any(|s| s.token == MathToken::Sign('='))
        });
        match again {
            Some(next) => rest = &behind[next..],
            None => return Some(kept),
        }
    }
    None
}

/// A point with one letter that ran over the integers in the removed condition: `(n, n)` for all `n`. The letter
/// becomes [`ANY_INTEGER`].
pub(super) fn generalize_index(
    all: &[SpacedToken],
    mut kept: Vec<SpacedToken>,
) -> Vec<SpacedToken> {
    let letter = |s: &SpacedToken| matches!(s.token, MathToken::Letter(_));
    let condition = all.iter().position(begins_condition).filter(|at| *at > 0);
    let name = condition.and_then(|at| all[at..].iter().find(|s| letter(s)));
    let ends = |s: Option<&SpacedToken>, sign| s.is_some_and(|s| s.token == MathToken::Sign(sign));
    let point = ends(kept.first(), '(') && ends(kept.last(), ')');
    if let Some(name) = name.filter(|_| point)
        && kept.iter().filter(|s| letter(s)).all(|s| s.token == name.token)
    {
        for spaced in kept.iter_mut().filter(|s| s.token == name.token) {
            spaced.token = MathToken::Command(ANY_INTEGER.into());
        }
    }
    kept
}

/// The distinct numbers in the removed condition.
pub(super) fn condition_numbers(tokens: &[SpacedToken]) -> Option<Vec<String>> {
    let begins = |s: &SpacedToken| begins_condition(s) || is_command(s, "in");
    let at = tokens.iter().position(begins).filter(|at| *at > 1)?;
    let number = |s: &SpacedToken| match &s.token {
        MathToken::Number(n) => Some(n.clone()),
        _ => None,
    };
    let mut found: Vec<String> = tokens[at..].iter().filter_map(number).collect();
    found.sort();
    found.dedup();
    Some(found)
}

/// `\text{all real numbers}`, perhaps `\text{except } 2`, as a set.
pub(super) fn all_reals_as_set(tokens: &[SpacedToken]) -> Option<Vec<SpacedToken>> {
    let Some((SpacedToken { token: MathToken::Words(first), .. }, mut rest)) = tokens.split_first()
    else {
        return None;
    };
    let lower = first.to_lowercase();
    let (subject, except) = match lower.split_once("except") {
        Some((subject, more)) => (subject, Some(more.trim())),
        None => (lower.as_str(), None),
    };
    let spaced = |token| SpacedToken { token, space_before: false };
    let nonzero = subject.contains("nonzero") || subject.contains("non-zero");
    let subject = subject.replace("nonzero", "").replace("non-zero", "");
    if !words::means_all_reals(&subject) {
        return None;
    }
    if nonzero {
        let zero = MathToken::Number("0".into());
        let less = [
            MathToken::Command("setminus".into()),
            MathToken::Sign('⦃'),
            zero,
            MathToken::Sign('⦄'),
        ];
        let mut out = vec![spaced(MathToken::Command("reals".into()))];
        out.extend(less.map(spaced));
        return (rest.is_empty() && except.is_none()).then_some(out);
    }
    let mut out = vec![spaced(MathToken::Command("reals".into()))];
    let Some(more) = except else {
        let name_only = match rest {
            [] => true,
            [one] => matches!(one.token, MathToken::Letter(_)),
            _ => false,
        };
        return name_only.then_some(out);
    };
    if !(more.is_empty() || more == "for") {
        return None;
    }
    // `x = 2`
    if let [SpacedToken { token: MathToken::Letter(_), .. }, equals, ..] = rest
        && matches!(&equals.token, MathToken::Sign('='))
    {
        rest = &rest[2..];
    }
    out.push(spaced(MathToken::Command("setminus".into())));
    out.push(spaced(MathToken::Sign('⦃')));
    out.extend_from_slice(rest);
    out.push(spaced(MathToken::Sign('⦄')));
    Some(out)
}

/// The tokens without `x \in` before sets and without `, n \in \mathbb{Z}` behind an answer, where the index becomes
/// [`ANY_INTEGER`].
pub(super) fn strip_membership(mut tokens: Vec<SpacedToken>) -> Vec<SpacedToken> {
    while let Some(at) = tokens.iter().position(|s| is_command(s, "in")) {
        let start = last_outer_separator(&tokens[..at]).map_or(0, |i| i + 1);
        let comma = last_outer_comma(&tokens[..at]);
        let joined = at > 0 && start > 0 && matches!(&tokens[start - 1].token, MathToken::Words(_));
        if comma.is_some() && !joined && !inside_set_braces(&tokens[..at]) {
            let name = (at - start == 1).then(|| tokens[start].token.clone());
            tokens.truncate(comma.unwrap_or(0));
            if let Some(name @ MathToken::Letter(_)) = name {
                for spaced in tokens.iter_mut().filter(|s| s.token == name) {
                    spaced.token = MathToken::Command(ANY_INTEGER.into());
                }
            }
            return tokens;
        }
        if inside_set_braces(&tokens[..at]) {
            return tokens;
        }
        let numbers = tokens
            .get(at + 1)
            .is_some_and(|s| is_command(s, "mathbbN") || is_command(s, "mathbbZ"));
        let goes_on = numbers && tokens.get(at + 2).is_some_and(is_separator);
        tokens.drain(start..=at + if goes_on { 2 } else { 0 });
    }
    tokens
}

/// Whether the opening brace of a set is not closed yet.
fn inside_set_braces(tokens: &[SpacedToken]) -> bool {
    let count = |sign| tokens.iter().filter(|s| s.token == MathToken::Sign(sign)).count();
    count('⦃') > count('⦄')
}

/// The last comma outside brackets.
fn last_outer_comma(tokens: &[SpacedToken]) -> Option<usize> {
    last_outside_brackets(tokens, |s| s.token == MathToken::Sign(','))
}

/// The last comma or conjunction outside brackets.
fn last_outer_separator(tokens: &[SpacedToken]) -> Option<usize> {
    last_outside_brackets(tokens, is_separator)
}

/// The last token of a kind outside brackets.
pub(super) fn last_outside_brackets(
    tokens: &[SpacedToken],
    is: impl Fn(&SpacedToken) -> bool,
) -> Option<usize> {
    let mut depth = 0_i32;
    tokens.iter().enumerate().rev().find_map(|(at, spaced)| {
        match &spaced.token {
            MathToken::Sign(')' | ']' | '}' | '⦄') => depth += 1,
            MathToken::Sign('(' | '[' | '{' | '⦃') => depth -= 1,
            _ if depth <= 0 && is(spaced) => return Some(at),
            _ => {}
        }
        None
    })
}

/// The right side of a text that is a single equation or chain, whatever its left side is.
pub(super) fn after_last_equals(tokens: &[SpacedToken]) -> Option<&[SpacedToken]> {
    let mut depth = 0_i32;
    let mut last = None;
    let mut separated = false;
    for (at, spaced) in tokens.iter().enumerate() {
        match &spaced.token {
            MathToken::Sign('(' | '[' | '{' | '⦃') | MathToken::Begin(_) => depth += 1,
            MathToken::Sign(')' | ']' | '}' | '⦄') | MathToken::End(_) => depth -= 1,
            MathToken::Sign('<' | '>') if depth == 0 => return None,
            MathToken::Command(c) if depth == 0 && matches!(c.as_str(), "leq" | "geq" | "neq") => {
                return None;
            }
            MathToken::Sign('=') if depth == 0 => {
                if separated {
                    return None;
                }
                last = Some(at);
            }
            _ if depth == 0 && is_separator(spaced) => separated = true,
            _ => {}
        }
    }
    last.map(|at| &tokens[at + 1..])
}
