//! Names that each side chose for itself: `f(x) = cx` is `f(t) = kt`, and `+ C` is `+ c`.

use super::conditions::ANY;
use super::expr::Expr;
use super::numeric::{names_of, same_expr};

/// More names than this are not matched.
const MOST: usize = 3;

/// Names that are used for whole numbers.
fn is_index(name: &str) -> bool {
    matches!(name, "k" | "m" | "n" | "j" | "l" | "t" | "p" | "q" | "s" | "r" | "N" | ANY)
}

/// Names that are used for a constant of integration and the like.
fn is_constant(name: &str) -> bool {
    let letter = name.split('_').next().unwrap_or(name);
    matches!(letter, "c" | "C" | "k" | "K" | "D" | "a" | "A" | ANY)
}

/// The names of one side only, by which they differ: as many on either side.
fn own_names(gold: &Expr, answer: &Expr) -> Option<(Vec<String>, Vec<String>)> {
    let (g, a) = (names_of(std::slice::from_ref(gold)), names_of(std::slice::from_ref(answer)));
    let only_gold: Vec<String> = g.difference(&a).cloned().collect();
    let only_answer: Vec<String> = a.difference(&g).cloned().collect();
    let fit = only_gold.len() == only_answer.len() && (1..=MOST).contains(&only_gold.len());
    fit.then_some((only_gold, only_answer))
}

/// The pairs of names, gold and answer, by which the two become equal.
fn pairing(gold: &Expr, answer: &Expr, rounded: bool) -> Option<Vec<(String, String)>> {
    let (g, a) = own_names(gold, answer)?;
    orders(a.len()).into_iter().find_map(|order| {
        let pairs: Vec<(String, String)> =
            g.iter().cloned().zip(order.iter().map(|i| a[*i].clone())).collect();
        let renamed = renamed(answer, &pairs);
        (same_expr(gold, &renamed, rounded) == Some(true)).then_some(pairs)
    })
}

/// All orders of so many things, which are few.
fn orders(n: usize) -> Vec<Vec<usize>> {
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
fn renamed(expr: &Expr, pairs: &[(String, String)]) -> Expr {
    expr.map_names(&|name| {
        pairs.iter().find(|(_, theirs)| theirs == name).map_or(name, |(ours, _)| ours).to_owned()
    })
}

/// Whether two expressions are the same but for the names of what they are about; nothing where
/// they are so by names that the question may have given.
///
/// `argument` holds the names of the function's argument, where both sides define a function.
pub fn same_renamed(
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
            answer.map_names(&swap)
        }
        _ => answer.clone(),
    };
    if same_expr(gold, answer, rounded) == Some(true) {
        return Some(true);
    }
    if let Some(same) = in_small_letters(gold, answer, rounded) {
        return Some(same);
    }
    let Some(pairs) = pairing(gold, answer, rounded) else { return Some(false) };
    let bound = |name: &str| argument.is_some_and(|(ours, _)| ours == name);
    if pairs.iter().any(|(g, a)| bound(g) || bound(a)) {
        return Some(false);
    }
    let alone = names_of(std::slice::from_ref(gold)).len() == 1;
    let both = |is: fn(&str) -> bool| pairs.iter().all(|(g, a)| is(g) && is(a));
    let unknown = |name: &str| matches!(name, "x" | "y" | "z" | "u" | "v" | "w" | "b" | "d");
    let any = pairs.iter().any(|(g, a)| {
        g == ANY && (is_index(a) || is_constant(a)) || a == ANY && (is_index(g) || is_constant(g))
    });
    let one = pairs.len() == 1;
    let free = argument.is_some() && one && pairs.iter().all(|(g, a)| !unknown(g) && !unknown(a));
    // `n = 3^k`
    let solved = |name: &str| matches!(name, "x" | "y" | "z" | "u" | "v" | "w");
    let exponent = pairs.iter().all(|(g, a)| gold.only_raises(g) && !solved(g) && !solved(a));
    if one && (any || both(is_constant) && adds_constant(gold, &pairs[0].0))
        || free
        || defined && one && (alone && both(is_index) || exponent)
    {
        return Some(true);
    }
    // A plain expression in another variable than the question's is another one.
    if argument.is_none() && !defined { Some(false) } else { None }
}

/// Whether the two differ only by capital letters.
fn in_small_letters(gold: &Expr, answer: &Expr, rounded: bool) -> Option<bool> {
    let small = |expr: &Expr| {
        let names = names_of(std::slice::from_ref(expr));
        let lower: std::collections::BTreeSet<String> =
            names.iter().map(|n| n.to_lowercase()).collect();
        (lower.len() == names.len()).then(|| expr.map_names(&str::to_lowercase))
    };
    let (g, a) = (small(gold)?, small(answer)?);
    (same_expr(&g, &a, rounded) == Some(true)).then_some(true)
}

/// Whether a name is a term of its own: `x^2 + C`.
fn adds_constant(expr: &Expr, name: &str) -> bool {
    match expr {
        Expr::Add(a, b) => [a, b].iter().any(|part| match &***part {
            Expr::Variable(own) => own == name,
            sum => adds_constant(sum, name),
        }),
        _ => false,
    }
}
