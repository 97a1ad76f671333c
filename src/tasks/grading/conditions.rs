//! What stands round the mathematics of an answer: conditions, quantifiers, sets of numbers. It is
//! taken away before the answer is read.

use super::token::{Spaced, Token};
use super::words;

/// The name of an index that runs over all whole numbers.
pub const ANY: &str = "index";

fn is(spaced: &Spaced, name: &str) -> bool {
    matches!(&spaced.token, Token::Command(c) if c == name)
}

fn is_joint(spaced: &Spaced) -> bool {
    match &spaced.token {
        Token::Sign(',' | ';') | Token::Row => true,
        Token::Words(w) => words::joins(w),
        _ => false,
    }
}

/// Whether a token begins a condition on what stands before it: `where`, `\forall`.
fn begins_condition(spaced: &Spaced) -> bool {
    is(spaced, "forall") || matches!(&spaced.token, Token::Words(w) if words::is_condition(w))
}

/// The tokens without `…, where …` and `… for all x`; nothing where several conditions make several
/// cases of the answer.
pub fn removed(tokens: &[Spaced]) -> Option<Vec<Spaced>> {
    let condition = begins_condition;
    let cases = |s: &&Spaced| matches!(&s.token, Token::Words(w) if words::makes_cases(w));
    if tokens.iter().filter(cases).count() > 1 {
        return None;
    }
    let mut kept = Vec::new();
    let mut rest = tokens;
    // More answers than these are not looked for.
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
            is_joint(&behind[*i])
                && behind[*i..].iter().find(|s| !is_joint(s)).map(|s| &s.token) == first
                && behind[*i..].iter().any(|s| s.token == Token::Sign('='))
        });
        match again {
            Some(next) => rest = &behind[next..],
            None => return Some(kept),
        }
    }
    None
}

/// A point with one letter, which a condition that was cut off lets run: `(n, n)` for all `n`. Whatever its name,
/// it stands for any whole number.
pub fn indexed(all: &[Spaced], mut kept: Vec<Spaced>) -> Vec<Spaced> {
    let letter = |s: &Spaced| matches!(s.token, Token::Letter(_));
    let condition = all.iter().position(begins_condition).filter(|at| *at > 0);
    let name = condition.and_then(|at| all[at..].iter().find(|s| letter(s)));
    let ends = |s: Option<&Spaced>, sign| s.is_some_and(|s| s.token == Token::Sign(sign));
    let point = ends(kept.first(), '(') && ends(kept.last(), ')');
    if let Some(name) = name.filter(|_| point)
        && kept.iter().filter(|s| letter(s)).all(|s| s.token == name.token)
    {
        for spaced in kept.iter_mut().filter(|s| s.token == name.token) {
            spaced.token = Token::Command(ANY.into());
        }
    }
    kept
}

/// The numbers in a condition that is cut off, each once.
pub fn numbers(tokens: &[Spaced]) -> Option<Vec<String>> {
    let begins = |s: &Spaced| begins_condition(s) || is(s, "in");
    let at = tokens.iter().position(begins).filter(|at| *at > 1)?;
    let number = |s: &Spaced| match &s.token {
        Token::Number(n) => Some(n.clone()),
        _ => None,
    };
    let mut found: Vec<String> = tokens[at..].iter().filter_map(number).collect();
    found.sort();
    found.dedup();
    Some(found)
}

/// `\text{all real numbers}`, perhaps `\text{except } 2`, as the set that it is.
pub fn real_numbers(tokens: &[Spaced]) -> Option<Vec<Spaced>> {
    let Some((Spaced { token: Token::Words(first), .. }, mut rest)) = tokens.split_first() else {
        return None;
    };
    let lower = first.to_lowercase();
    let (subject, except) = match lower.split_once("except") {
        Some((subject, more)) => (subject, Some(more.trim())),
        None => (lower.as_str(), None),
    };
    let spaced = |token| Spaced { token, space: false };
    let nonzero = subject.contains("nonzero") || subject.contains("non-zero");
    let subject = subject.replace("nonzero", "").replace("non-zero", "");
    if !words::is_reals(&subject) {
        return None;
    }
    if nonzero {
        let zero = Token::Number("0".into());
        let less = [Token::Command("setminus".into()), Token::Sign('⦃'), zero, Token::Sign('⦄')];
        let mut out = vec![spaced(Token::Command("reals".into()))];
        out.extend(less.map(spaced));
        return (rest.is_empty() && except.is_none()).then_some(out);
    }
    let mut out = vec![spaced(Token::Command("reals".into()))];
    let Some(more) = except else {
        let name_only = match rest {
            [] => true,
            [one] => matches!(one.token, Token::Letter(_)),
            _ => false,
        };
        return name_only.then_some(out);
    };
    if !(more.is_empty() || more == "for") {
        return None;
    }
    // `x = 2`
    if let [Spaced { token: Token::Letter(_), .. }, equals, ..] = rest
        && matches!(&equals.token, Token::Sign('='))
    {
        rest = &rest[2..];
    }
    out.push(spaced(Token::Command("setminus".into())));
    out.push(spaced(Token::Sign('⦃')));
    out.extend_from_slice(rest);
    out.push(spaced(Token::Sign('⦄')));
    Some(out)
}

/// Without `x \in` before sets, and without `, n \in \mathbb{Z}` behind an answer: there, whatever
/// its name, the index stands for any whole number.
pub fn members(mut tokens: Vec<Spaced>) -> Vec<Spaced> {
    while let Some(at) = tokens.iter().position(|s| is(s, "in")) {
        let start = outer_joint(&tokens[..at]).map_or(0, |i| i + 1);
        let comma = outer_comma(&tokens[..at]);
        let joined = at > 0 && start > 0 && matches!(&tokens[start - 1].token, Token::Words(_));
        if comma.is_some() && !joined && !inside_set(&tokens[..at]) {
            let name = (at - start == 1).then(|| tokens[start].token.clone());
            tokens.truncate(comma.unwrap_or(0));
            if let Some(name @ Token::Letter(_)) = name {
                for spaced in tokens.iter_mut().filter(|s| s.token == name) {
                    spaced.token = Token::Command(ANY.into());
                }
            }
            return tokens;
        }
        if inside_set(&tokens[..at]) {
            return tokens;
        }
        let numbers = tokens.get(at + 1).is_some_and(|s| is(s, "mathbbN") || is(s, "mathbbZ"));
        let goes_on = numbers && tokens.get(at + 2).is_some_and(is_joint);
        tokens.drain(start..=at + if goes_on { 2 } else { 0 });
    }
    tokens
}

/// Whether a set's brace is open.
fn inside_set(tokens: &[Spaced]) -> bool {
    let count = |sign| tokens.iter().filter(|s| s.token == Token::Sign(sign)).count();
    count('⦃') > count('⦄')
}

/// The last comma that is in no bracket.
fn outer_comma(tokens: &[Spaced]) -> Option<usize> {
    outer(tokens, |s| s.token == Token::Sign(','))
}

/// The last comma or joining word that is in no bracket.
fn outer_joint(tokens: &[Spaced]) -> Option<usize> {
    outer(tokens, is_joint)
}

/// The last token of a kind that is in no bracket.
pub fn outer(tokens: &[Spaced], is: impl Fn(&Spaced) -> bool) -> Option<usize> {
    let mut depth = 0_i32;
    tokens.iter().enumerate().rev().find_map(|(at, spaced)| {
        match &spaced.token {
            Token::Sign(')' | ']' | '}' | '⦄') => depth += 1,
            Token::Sign('(' | '[' | '{' | '⦃') => depth -= 1,
            _ if depth <= 0 && is(spaced) => return Some(at),
            _ => {}
        }
        None
    })
}

/// What follows the last equals sign of a text that is one equation: the left side may be anything.
pub fn after_last_equals(tokens: &[Spaced]) -> Option<&[Spaced]> {
    let mut depth = 0_i32;
    let mut last = None;
    let mut separated = false;
    for (at, spaced) in tokens.iter().enumerate() {
        match &spaced.token {
            Token::Sign('(' | '[' | '{' | '⦃') | Token::Begin(_) => depth += 1,
            Token::Sign(')' | ']' | '}' | '⦄') | Token::End(_) => depth -= 1,
            Token::Sign('<' | '>') if depth == 0 => return None,
            Token::Command(c) if depth == 0 && matches!(c.as_str(), "leq" | "geq" | "neq") => {
                return None;
            }
            Token::Sign('=') if depth == 0 => {
                if separated {
                    return None;
                }
                last = Some(at);
            }
            _ if depth == 0 && is_joint(spaced) => separated = true,
            _ => {}
        }
    }
    last.map(|at| &tokens[at + 1..])
}
