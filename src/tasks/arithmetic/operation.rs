//! Operations of a solution, and the lines that state them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the four operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `×`
    Multiply,
    /// `÷`
    Divide,
}

impl Operator {
    /// The sign as the models write it.
    pub const fn sign(self) -> char {
        match self {
            Self::Add => '+',
            Self::Subtract => '-',
            Self::Multiply => '×',
            Self::Divide => '÷',
        }
    }

    fn from_sign(sign: &str) -> Option<Self> {
        Some(match sign {
            "+" => Self::Add,
            "-" | "−" => Self::Subtract,
            "×" | "*" | "x" => Self::Multiply,
            "÷" | "/" => Self::Divide,
            _ => return None,
        })
    }
}

/// Operations by difficulty for a model that computes digit by digit: the rows of the accuracy tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Addition without a carry.
    Add,
    /// Addition with at least one carry.
    AddCarry,
    /// Subtraction without a borrow.
    Subtract,
    /// Subtraction with at least one borrow.
    SubtractBorrow,
    /// A product of at most [`SMALL_FACT`].
    Multiply,
    /// A larger product.
    MultiplyLarge,
    /// Division of at most [`SMALL_FACT`].
    Divide,
    /// Division of a larger number.
    DivideLarge,
    /// The last line, which repeats a number as the answer.
    Answer,
}

/// Greatest product or dividend that counts as an easy one.
pub const SMALL_FACT: u32 = 24;

impl OperationKind {
    /// Every kind, in the order of the tables.
    pub const ALL: [Self; 9] = [
        Self::Add,
        Self::AddCarry,
        Self::Subtract,
        Self::SubtractBorrow,
        Self::Multiply,
        Self::MultiplyLarge,
        Self::Divide,
        Self::DivideLarge,
        Self::Answer,
    ];

    fn of(operator: Operator, left: u32, right: u32, result: u32) -> Self {
        match operator {
            Operator::Add if carries(left, right) => Self::AddCarry,
            Operator::Add => Self::Add,
            Operator::Subtract if carries(result, right) => Self::SubtractBorrow,
            Operator::Subtract => Self::Subtract,
            Operator::Multiply if result > SMALL_FACT => Self::MultiplyLarge,
            Operator::Multiply => Self::Multiply,
            Operator::Divide if left > SMALL_FACT => Self::DivideLarge,
            Operator::Divide => Self::Divide,
        }
    }
}

impl fmt::Display for OperationKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Add => "add",
            Self::AddCarry => "add, carry",
            Self::Subtract => "subtract",
            Self::SubtractBorrow => "subtract, borrow",
            Self::Multiply => "multiply",
            Self::MultiplyLarge => "multiply, large",
            Self::Divide => "divide",
            Self::DivideLarge => "divide, large",
            Self::Answer => "answer",
        })
    }
}

/// Whether the addition `a + b` carries between decimal digits.
fn carries(mut a: u32, mut b: u32) -> bool {
    while a > 0 || b > 0 {
        if a % 10 + b % 10 > 9 {
            return true;
        }
        a /= 10;
        b /= 10;
    }
    false
}

/// One operation of a solution: `left operator right = result`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The operator.
    pub operator: Operator,
    /// The left operand.
    pub left: u32,
    /// The right operand.
    pub right: u32,
    /// The result.
    pub result: u32,
    /// Whether the answer depends on the result.
    pub matters: bool,
}

impl Operation {
    /// The difficulty of the operation.
    pub fn kind(&self) -> OperationKind {
        OperationKind::of(self.operator, self.left, self.right, self.result)
    }

    /// Whether `line` states this operation with this result, in any wording. The operands of sums and products may be
    /// in either order.
    pub fn matches(&self, line: &str) -> bool {
        let Some((left, operator, right, result)) = parse_equation(line) else {
            return false;
        };
        let same = left == self.left && right == self.right;
        let swapped = left == self.right
            && right == self.left
            && matches!(operator, Operator::Add | Operator::Multiply);
        operator == self.operator && result == self.result && (same || swapped)
    }
}

/// Whether the first sum or difference in `text` carries or borrows between decimal digits.
pub(crate) fn carries_in(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let first = words.windows(3).find_map(|w| {
        Some((w[0].parse::<u32>().ok()?, Operator::from_sign(w[1])?, w[2].parse::<u32>().ok()?))
    });
    match first {
        Some((left, Operator::Add, right)) => carries(left, right),
        Some((left, Operator::Subtract, right)) => {
            left.checked_sub(right).is_some_and(|rest| carries(rest, right))
        }
        _ => false,
    }
}

/// The first equation `left operator right = result` in a line.
pub(super) fn parse_equation(line: &str) -> Option<(u32, Operator, u32, u32)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    words.windows(5).find_map(|w| {
        let number = |s: &str| s.trim_end_matches(['.', ',']).parse::<u32>().ok();
        (w[3] == "=").then_some(())?;
        Some((number(w[0])?, Operator::from_sign(w[1])?, number(w[2])?, number(w[4])?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_distinguish_carries_and_borrows() {
        let kind = |operator, left, right, result| {
            Operation { operator, left, right, result, matters: true }.kind()
        };
        assert_eq!(kind(Operator::Add, 37, 48, 85), OperationKind::AddCarry);
        assert_eq!(kind(Operator::Add, 31, 48, 79), OperationKind::Add);
        assert_eq!(kind(Operator::Add, 99, 1, 100), OperationKind::AddCarry);
        assert_eq!(kind(Operator::Subtract, 85, 18, 67), OperationKind::SubtractBorrow);
        assert_eq!(kind(Operator::Subtract, 85, 13, 72), OperationKind::Subtract);
        assert_eq!(kind(Operator::Multiply, 4, 12, 48), OperationKind::MultiplyLarge);
        assert_eq!(kind(Operator::Divide, 24, 4, 6), OperationKind::Divide);
    }

    #[test]
    fn operations_match_in_any_wording_and_equivalent_order() {
        let sum =
            Operation { operator: Operator::Add, left: 37, right: 48, result: 85, matters: true };
        assert!(sum.matches("Pens now: 37 + 48 = 85\n"));
        assert!(sum.matches("so 48 + 37 = 85."));
        for wrong in ["37 + 48 = 84", "37 - 48 = 85", "37 + 48", "", "= = = = =", "37 × 48 = 85"] {
            assert!(!sum.matches(wrong), "{wrong}");
        }
        assert!(carries_in("Pens now: 37 + 48 = 8") && carries_in("85 - 18"));
        for easy in ["Pens now: 31 + 48", "85 - 13", "4 × 12", "18 - 85", "", "37 +"] {
            assert!(!carries_in(easy), "{easy}");
        }
    }
}
