//! Variables that each side named itself: `f(x) = cx` is `f(t) = kt`, and `+ C` is `+ c`.

use super::conditions::ANY_INTEGER;
use super::equivalence::{equivalent, variable_names};
use super::expression::Expr;

/// At most this many names are matched.
const MAX_RENAMED: usize = 3;

/// Names commonly used for integers.
fn is_index_name(name: &str) -> bool {
    matches!(name, "k" | "m" | "n" | "j" | "l" | "t" | "p" | "q" | "s" | "r" | "N" | ANY_INTEGER)
}

/// Names commonly used for a constant of integration.
fn is_constant_name(name: &str) -> bool {
    let letter = name.split('_').next().unwrap_or(name);
    matches!(letter, "c" | "C" | "k" | "K" | "D" | "a" | "A" | ANY_INTEGER)
}

/// The names that only one side uses; as many on either side.
fn unshared_names(gold: &Expr, answer: &Expr) -> Option<(Vec<String>, Vec<String>)> {
    let (g, a) =
        (variable_names(std::slice::from_ref(gold)), variable_names(std::slice::from_ref(answer)));
    let only_gold: Vec<String> = g.difference(&a).cloned().collect();
    let only_answer: Vec<String> = a.difference(&g).cloned().collect();
    let fit = only_gold.len() == only_answer.len() && (1..=MAX_RENAMED).contains(&only_gold.len());
    fit.then_some((only_gold, only_answer))
}

/// The renaming (gold, answer) that makes the two equal.
fn find_renaming(gold: &Expr, answer: &Expr, rounded: bool) -> Option<Vec<(String, String)>> {
    let (g, a) = unshared_names(gold, answer)?;
    permutations(a.len()).into_iter().find_map(|order| {
        let pairs: Vec<(String, String)> =
            g.iter().cloned().zip(order.iter().map(|i| a[*i].clone())).collect();
        let apply_renaming = apply_renaming(answer, &pairs);
        (equivalent(gold, &apply_renaming, rounded) == Some(true)).then_some(pairs)
    })
}

/// All permutations of a few items.
fn permutations(n: usize) -> Vec<Vec<usize>> {
    match n {
        0 | 1 => vec![vec![0]],
        2 => vec![vec![0, 1], vec![1, 0]],
        _ => (0..3)
            .flat_map(|first| {
                let others = [(first + 1) % 3, (first + 2) % 3];
                [vec![first, others[0], others[1]], vec![first, others[1], others[0]]]
            })
            .collect(),
    }
}

/// The expression with the answer's names replaced by the gold answer's.
fn apply_renaming(expr: &Expr, pairs: &[(String, String)]) -> Expr {
    expr.rename_variables(&|name| {
        pairs.iter().find(|(_, theirs)| theirs == name).map_or(name, |(ours, _)| ours).to_owned()
    })
}

/// Whether two expressions are equal up to renaming; `None` if the names may be those of the question.
///
/// `argument` holds the names of the function's argument, where both sides define a function.
pub(super) fn equal_up_to_renaming(
    gold: &Expr,
    answer: &Expr,
    argument: Option<(&str, &str)>,
    defined: bool,
    rounded: bool,
) -> Option<bool> {
    let answer = &match argument {
        // The argument first: `f(x) = cx` and `f(c) = xc`.
        Some((ours, theirs)) if ours != theirs => {
            let swap = |name: &str| {
                if name == theirs {
                    ours.to_owned()
                } else if name == ours {
                    theirs.to_owned()
                } else {
                    name.to_owned()
                }
            };
            answer.rename_variables(&swap)
        }
        _ => answer.clone(),
    };
    if equivalent(gold, answer, rounded) == Some(true) {
        return Some(true);
    }
    if let Some(same) = equal_ignoring_case(gold, answer, rounded) {
        return Some(same);
    }
    let Some(pairs) = find_renaming(gold, answer, rounded) else { return Some(false) };
    let bound = |name: &str| argument.is_some_and(|(ours, _)| ours == name);
    if pairs.iter().any(|(g, a)| bound(g) || bound(a)) {
        return Some(false);
    }
    let alone = variable_names(std::slice::from_ref(gold)).len() == 1;
    let both = |is: fn(&str) -> bool| pairs.iter().all(|(g, a)| is(g) && is(a));
    let unknown = |name: &str| matches!(name, "x" | "y" | "z" | "u" | "v" | "w" | "b" | "d");
    let any = pairs.iter().any(|(g, a)| {
        g == ANY_INTEGER && (is_index_name(a) || is_constant_name(a))
            || a == ANY_INTEGER && (is_index_name(g) || is_constant_name(g))
    });
    let one = pairs.len() == 1;
    let free = argument.is_some() && one && pairs.iter().all(|(g, a)| !unknown(g) && !unknown(a));
    // `n = 3^k`
    let solved = |name: &str| matches!(name, "x" | "y" | "z" | "u" | "v" | "w");
    let exponent = pairs.iter().all(|(g, a)| gold.only_in_exponents(g) && !solved(g) && !solved(a));
    if one && (any || both(is_constant_name) && has_constant_term(gold, &pairs[0].0))
        || free
        || defined && one && (alone && both(is_index_name) || exponent)
    {
        return Some(true);
    }
    // A plain expression in another variable than that of the question differs.
    if argument.is_none() && !defined { Some(false) } else { None }
}

/// Whether the two differ only in case.
fn equal_ignoring_case(gold: &Expr, answer: &Expr, rounded: bool) -> Option<bool> {
    let small = |expr: &Expr| {
        let names = variable_names(std::slice::from_ref(expr));
        let lower: std::collections::BTreeSet<String> =
            names.iter().map(|n| n.to_lowercase()).collect();
        (lower.len() == names.len()).then(|| expr.rename_variables(&str::to_lowercase))
    };
    let (g, a) = (small(gold)?, small(answer)?);
    (equivalent(&g, &a, rounded) == Some(true)).then_some(true)
}

/// Whether a name is a summand by itself: `x^2 + C`.
fn has_constant_term(expr: &Expr, name: &str) -> bool {
    match expr {
        Expr::Add(a, b) => [a, b].iter().any(|part| match &***part {
            Expr::Variable(own) => own == name,
            sum => has_constant_term(sum, name),
        }),
        _ => false,
    }
}
