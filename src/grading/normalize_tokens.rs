//! Normalizes tokens before parsing: removes what writers add around an answer, and resolves tokens whose meaning
//! depends on their neighbours.

use super::tokens::{MathToken, SpacedToken};
use super::words;

/// The tokens of an answer, ready for the parser.
pub(super) fn normalize(mut tokens: Vec<SpacedToken>) -> Vec<SpacedToken> {
    unwrap_words(&mut tokens);
    join_units(&mut tokens);
    drop_temperature_scale(&mut tokens);
    drop_commas_before_relations(&mut tokens);
    mark_repeating_decimals(&mut tokens);
    unwrap_alternative(&mut tokens);
    unwrap_index(&mut tokens);
    unwrap_modulus(&mut tokens);
    drop_remark(&mut tokens);
    drop_fillers(&mut tokens);
    drop_marks(&mut tokens);
    merge_words(&mut tokens);
    tokens
}

fn is_sign(spaced: Option<&SpacedToken>, sign: char) -> bool {
    spaced.is_some_and(|s| s.token == MathToken::Sign(sign))
}

fn is_words(spaced: Option<&SpacedToken>) -> bool {
    spaced.is_some_and(|s| matches!(&s.token, MathToken::Words(w) if !words::is_conjunction(w)))
}

/// `{\rm cm}` and `5^{\text{th}}`: the words alone.
fn unwrap_words(tokens: &mut Vec<SpacedToken>) {
    let mut at = 0;
    while at + 2 < tokens.len() {
        let wrapped = is_sign(tokens.get(at), '{')
            && is_words(tokens.get(at + 1))
            && is_sign(tokens.get(at + 2), '}')
            && !(at > 0 && is_sign(tokens.get(at - 1), '_'));
        if wrapped {
            tokens.remove(at + 2);
            tokens.remove(at);
            if at > 0 && is_sign(tokens.get(at - 1), '^') {
                tokens.remove(at - 1);
            }
            at = at.saturating_sub(1);
        } else {
            at += 1;
        }
    }
}

/// `\frac{\text{m}}{\text{s}}`, `\text{cm}\cdot\text{cm}` and `km/h`: one unit.
fn join_units(tokens: &mut Vec<SpacedToken>) {
    let mut at = 0;
    while at + 1 < tokens.len() {
        let fraction = tokens[at].token == MathToken::Command("frac".into())
            && is_words(tokens.get(at + 1))
            && is_words(tokens.get(at + 2));
        let product = is_words(tokens.get(at))
            && is_sign(tokens.get(at + 1), '*')
            && is_words(tokens.get(at + 2));
        let quotient = at > 0
            && is_words(tokens.get(at))
            && matches!(tokens[at - 1].token, MathToken::Number(_))
            && is_sign(tokens.get(at + 1), '/')
            && matches!(tokens.get(at + 2).map(|s| &s.token), Some(MathToken::Letter(_)));
        if fraction {
            tokens.drain(at..=at + 1);
        } else if product || quotient {
            tokens.drain(at + 1..=at + 2);
        } else {
            at += 1;
        }
    }
}

/// `42^\circ C`
fn drop_temperature_scale(tokens: &mut Vec<SpacedToken>) {
    let scale = matches!(tokens.last().map(|s| &s.token), Some(MathToken::Letter('C' | 'F')));
    let mut before = tokens.len().saturating_sub(1);
    while before > 0 && is_sign(tokens.get(before - 1), '}') {
        before -= 1;
    }
    let degrees = before > 0 && tokens[before - 1].token == MathToken::Command("circ".into());
    if scale && degrees {
        tokens.pop();
    }
}

/// `a &= 9 \\ &= 3^2`: the second row continues the first.
fn drop_commas_before_relations(tokens: &mut Vec<SpacedToken>) {
    let relation = |s: &SpacedToken| match &s.token {
        MathToken::Sign('=' | '<' | '>') => true,
        MathToken::Command(c) => matches!(c.as_str(), "leq" | "geq" | "approx"),
        _ => false,
    };
    let mut at = 0;
    while at + 1 < tokens.len() {
        if is_sign(tokens.get(at), ',') && relation(&tokens[at + 1]) {
            tokens.remove(at);
        } else {
            at += 1;
        }
    }
}

/// `0.5333\ldots`
fn mark_repeating_decimals(tokens: &mut Vec<SpacedToken>) {
    let dots = MathToken::Command("dots".into());
    let mut at = 0;
    while at + 1 < tokens.len() {
        if let MathToken::Number(digits) = &tokens[at].token
            && tokens[at + 1].token == dots
            && let Some((before, repeat)) = repeating_digits(digits)
        {
            tokens[at].token = MathToken::Repeating(before, repeat);
            tokens.remove(at + 1);
        }
        at += 1;
    }
}

/// The digits of a decimal before its repeating part, and the repeating part.
fn repeating_digits(digits: &str) -> Option<(String, String)> {
    let (_, decimals) = digits.split_once('.')?;
    (1..=decimals.len() / 2).find_map(|period| {
        let times = if period == 1 { 3 } else { 2 };
        let unit = decimals.get(decimals.len() - period..)?;
        let mut rest = digits.strip_suffix(&unit.repeat(times))?;
        while let Some(shorter) = rest.strip_suffix(unit) {
            rest = shorter;
        }
        Some((rest.to_owned(), unit.to_owned()))
    })
}

/// `\frac12 (\text{or } 0.5)`: a second way to write it.
fn unwrap_alternative(tokens: &mut Vec<SpacedToken>) {
    let other = |s: Option<&SpacedToken>| {
        s.is_some_and(|s| matches!(&s.token, MathToken::Words(w) if w.eq_ignore_ascii_case("or")))
    };
    let Some(open) =
        (1..tokens.len()).find(|i| is_sign(tokens.get(*i), '(') && other(tokens.get(i + 1)))
    else {
        return;
    };
    if is_sign(tokens.last(), ')') {
        tokens.pop();
        tokens.remove(open);
    }
}

/// `k\pi \ (k \in \mathbb{Z})`: without the brackets.
fn unwrap_index(tokens: &mut Vec<SpacedToken>) {
    let Some(open) = tokens.iter().rposition(|s| s.token == MathToken::Sign('(')) else { return };
    let index = matches!(tokens.get(open + 1).map(|s| &s.token), Some(MathToken::Letter(_)))
        && tokens.get(open + 2).is_some_and(|s| s.token == MathToken::Command("in".into()));
    if index && open > 0 && is_sign(tokens.last(), ')') {
        tokens.pop();
        tokens[open].token = MathToken::Sign(',');
    }
}

/// `n \equiv 1\ (\text{mod } 4)`
fn unwrap_modulus(tokens: &mut Vec<SpacedToken>) {
    let modulus = |at: usize| match (tokens.get(at + 1).map(|s| &s.token), tokens.get(at + 2)) {
        (Some(MathToken::Words(w)), Some(SpacedToken { token: MathToken::Number(n), .. }))
            if w.trim() == "mod" && is_sign(tokens.get(at + 3), ')') =>
        {
            Some((at, n.clone()))
        }
        _ => None,
    };
    let opening = (0..tokens.len()).filter(|at| is_sign(tokens.get(*at), '('));
    let Some((at, n)) = opening.into_iter().find_map(modulus) else { return };
    tokens[at].token = MathToken::Words(format!("mod {n}"));
    tokens.drain(at + 1..=at + 3);
}

/// A remark in brackets at the end: `x = 2 \ (x \ne -1)`, `x = 2 \text{ (since } x > 0)`.
fn drop_remark(tokens: &mut Vec<SpacedToken>) {
    let Some(open) = tokens.iter().rposition(|s| s.token == MathToken::Sign('(')) else { return };
    let inside = tokens.get(open + 1..tokens.len().saturating_sub(1)).unwrap_or(&[]);
    let order = |s: &SpacedToken| match &s.token {
        MathToken::Sign('<' | '>') => true,
        MathToken::Command(c) => matches!(c.as_str(), "leq" | "geq" | "neq"),
        _ => false,
    };
    let reason = matches!(
        inside.first().map(|s| &s.token),
        Some(MathToken::Words(w)) if words::is_condition(w) || words::begins_reason(w)
    );
    let closed = inside.iter().all(|s| s.token != MathToken::Sign(')'));
    let remark = reason || inside.iter().any(order);
    if open > 0 && closed && remark && is_sign(tokens.last(), ')') {
        tokens.truncate(open);
    }
}

/// Words that only introduce the answer: `\text{the point }(5,3)`, `\text{only } n = 1`.
fn drop_fillers(tokens: &mut Vec<SpacedToken>) {
    let filler = |s: &SpacedToken| matches!(&s.token, MathToken::Words(w) if words::is_filler(w));
    let word = |s: &SpacedToken| matches!(s.token, MathToken::Words(_));
    if tokens.iter().any(|s| !word(s)) && !tokens.iter().all(|s| filler(s) || is_punctuation(s)) {
        tokens.retain(|s| !filler(s));
    }
}

/// Adjacent words become one text; a condition and a conjunction stay apart.
fn merge_words(tokens: &mut Vec<SpacedToken>) {
    let apart =
        |w: &str| words::is_conjunction(w) || words::is_condition(w) || w.starts_with("mod ");
    let mut merged: Vec<SpacedToken> = Vec::new();
    for spaced in tokens.drain(..) {
        if let MathToken::Words(more) = &spaced.token
            && let Some(SpacedToken { token: MathToken::Words(before), .. }) = merged.last_mut()
            && !apart(more)
            && !words::is_conjunction(before)
            && !before.starts_with("mod ")
        {
            before.push(' ');
            before.push_str(more);
        } else {
            merged.push(spaced);
        }
    }
    *tokens = merged;
}

/// `42\text{ ways}!` and `'42'`
fn drop_marks(tokens: &mut Vec<SpacedToken>) {
    if tokens.len() > 1 && is_sign(tokens.last(), '!') && is_words(tokens.get(tokens.len() - 2)) {
        tokens.pop();
    }
    if tokens.len() > 2 && is_sign(tokens.first(), '\'') && is_sign(tokens.last(), '\'') {
        tokens.pop();
        tokens.remove(0);
    }
}

fn is_punctuation(spaced: &SpacedToken) -> bool {
    matches!(spaced.token, MathToken::Sign(',' | ';' | '.' | ':'))
}
