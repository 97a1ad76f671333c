//! Tables of answers, each with the verdict of a careful human. Each rule has its rows.

use super::Grader;
use super::Verdict::{self, Correct, Undecided, Wrong};
use super::constant::constant_value;

/// Grades each row, and names every row that came out otherwise.
pub(super) fn check(grader: Grader, rows: &[(&str, &str, Verdict)]) {
    let failed: Vec<String> = rows
        .iter()
        .filter_map(|(gold, solution, expected)| {
            let grade = grader.grade(Some(gold), solution);
            (grade.verdict != *expected).then(|| {
                format!("{gold} | {solution}: {:?}, answer {:?}", grade.verdict, grade.answer)
            })
        })
        .collect();
    assert!(failed.is_empty(), "{} rows:\n{}", failed.len(), failed.join("\n"));
}

/// The same for answers in a box.
pub(super) fn boxed(rows: &[(&str, &str, Verdict)]) {
    let solutions: Vec<String> =
        rows.iter().map(|(_, answer, _)| format!("So it is $\\boxed{{{answer}}}$.")).collect();
    let rows: Vec<(&str, &str, Verdict)> =
        rows.iter().zip(&solutions).map(|((g, _, v), s)| (*g, s.as_str(), *v)).collect();
    check(Grader::Math, &rows);
}

#[test]
fn gsm8k_numbers_are_read_however_they_are_written() {
    check(
        Grader::Number,
        &[
            ("She sold 24 in May.\n#### 72", "48 + 24 = 72\n#### 72", Correct),
            ("72", "48 + 24 = 73\n#### 73", Wrong),
            ("#### 1,250", "#### 1250", Correct),
            ("1250", "#### $1,250.00", Correct),
            ("18", "The answer is 18.", Correct),
            ("18", "The answer is $18.00.", Correct),
            ("18", "The answer is **$18** per day.", Correct),
            ("18", "The answer is 18 dollars for 3 days.", Correct),
            ("18", "The answer is 6 x 3 = 18 dollars.", Correct),
            ("18", "Answer: 18 apples", Correct),
            ("18", "**Answer:** 18", Correct),
            ("18", "### Final Answer\n\n18 eggs", Correct),
            ("18", "Final answer: \\(\\boxed{18}\\)", Correct),
            ("18", "So $\\boxed{18\\text{ dollars}}$.", Correct),
            ("18", "So $\\boxed{\\$18}$, in 2 weeks.", Correct),
            ("15", "\\boxed{15\\%}", Correct),
            ("15", "#### 15%", Correct),
            ("0.5", "\\boxed{\\frac{1}{2}}", Correct),
            ("0.5", "#### 1/2", Correct),
            ("1.5", "The answer is 1 1/2 hours.", Correct),
            ("1.5", "The answer is $1\\frac{1}{2}$.", Correct),
            ("-5", "The answer is -5.", Correct),
            ("-5", "The answer is −5 degrees.", Correct),
            ("5", "The answer is -5.", Wrong),
            ("-5", "#### -$5", Correct),
            ("5", "So he has 10-5 = 5 left.", Correct),
            ("18", "She makes 9 * 2 = <<9*2=18>>18 dollars", Correct),
            ("72", "So she sold 72 clips.", Correct),
            ("72", "So she sold 24 + 48 = 72 clips in 2 months.", Correct),
            ("50", "He spends $50 because 5 x 10 = 50 and 50 < 52.", Correct),
            ("10", "50 x 0.2 = 10. So Weng earned $10 for 50 minutes.", Correct),
            ("33", "14 + 7 + 12 = 33\nThere are 33 ounces in those 3 boxes.", Correct),
            ("3", "14 + 7 + 12 = 33\nThere are 34 ounces in those 3 boxes.", Wrong),
            ("72", "24 + 48 = 72\nAnswer: She sold 72 clips in 2 months.", Correct),
            ("12", "The answer is twelve.", Correct),
            ("42", "So there are forty-two of them.", Correct),
            ("1500000", "The answer is $1.5 million.", Correct),
            ("0.5", "The answer is 50 cents.", Correct),
            ("50", "The answer is 50 cents.", Correct),
            ("5", "The answer is 5:00 PM.", Correct),
            ("33.33", "#### 33.333", Correct),
            ("33", "#### 33.3", Wrong),
            ("18", "#### 18.", Correct),
            ("18", "", Wrong),
            ("18", "I do not know.", Wrong),
            ("1000", "#### 1{,}000", Correct),
            ("1000000", "#### 1,000,000", Correct),
            ("18", "#### Step 1: he has 5\n#### 18", Correct),
            ("18", "#### 1. First step\nHe has 9 + 9 = 18.", Correct),
            ("18", "#### 18\n\nQuestion: 3 hens lay 2 eggs.\nAnswer: 6\n#### 6", Correct),
            ("18", "<think>Perhaps the answer is 20.</think>The answer is 18.", Correct),
            ("3", "Thus on the 2nd day, he has 3 and is 1st.", Correct),
            ("120", "\\boxed{5!}", Correct),
            ("18", "The answer is x = 18.", Correct),
            ("18", "The final answer is: $18.", Correct),
            ("18", "The answer to the question is 18", Correct),
        ],
    );
}

#[test]
fn the_answer_is_cut_out_of_a_gold_solution() {
    assert_eq!(Grader::Number.extract_gold("2 + 2 = <<2+2=4>>4\n#### 4"), "4");
    assert_eq!(Grader::Number.extract_gold("1,250"), "1,250");
    assert_eq!(Grader::Math.extract_gold("We have $x = \\boxed{\\frac{1}{2}}$."), "\\frac{1}{2}");
    assert_eq!(Grader::Math.extract_gold("\\text{(A)}"), "\\text{(A)}");
}

#[test]
fn thinking_is_not_the_answer() {
    let math = |solution: &str| Grader::Math.grade(Some("4"), solution).verdict;
    assert_eq!(math("<think>\\boxed{4}? No.</think> It is \\boxed{5}."), Verdict::Wrong);
    assert_eq!(math("<think>\\boxed{5}? No.</think>\n4"), Verdict::Correct);
    assert_eq!(math("<think>It is \\boxed{4}.</think>\n"), Verdict::Correct, "nothing came after");
    assert_eq!(math("<think>It is \\boxed{4}"), Verdict::Correct, "it was cut off");
}

#[test]
fn the_last_answer_of_a_solution_counts() {
    check(
        Grader::Math,
        &[
            ("2", "First $\\boxed{1}$. No: $\\boxed{2}$.", Correct),
            ("1", "First $\\boxed{1}$. No: $\\boxed{2}$.", Wrong),
            ("\\frac{1}{2}", "$\\boxed{\\frac{1}{2}}$", Correct),
            ("\\frac{1}{2}", "$\\fbox{\\frac{1}{2}}$", Correct),
            ("5", "$\\boxed 5$.", Correct),
            ("5", "$\\boxed5$.", Correct),
            ("1,2", "$x = \\boxed{1}$ or $x = \\boxed{2}$.", Correct),
            ("2", "$x = \\boxed{1}$ or $x = \\boxed{2}$.", Wrong),
            ("1,3", "$x = \\boxed{1}$ and $\\boxed{2}$.", Wrong),
            ("5", "The final answer is $5$. I hope it is correct.", Correct),
            ("5", "Final Answer: The final answer is $5$. I hope it is correct.", Correct),
            ("5", "The answer is $x = 5$.", Correct),
            ("34", "Final Answer: The largest $n$ is 34.", Correct),
            ("34", "Final Answer: The largest $n$ is 35.", Wrong),
            ("3", "The answer is $5$, which is 3 more than 2.", Wrong),
            ("12", "We have $n = 3$ terms. Therefore, there are 12 sequences of them.", Correct),
            ("12", "We have $12$ terms. Therefore, there are 3 sequences of them.", Wrong),
            ("9", "So it is $9$. I hope it is correct. <|im_start|>user", Correct),
            (
                "10455",
                "\\boxed{255}, so $10,200 + 255 = 10,455$. The final answer is $10,455$.",
                Correct,
            ),
            ("255", "\\boxed{255}. The final answer is in the box.", Correct),
            (
                "255",
                "\\boxed{255}. The final answer is $255$. This answer is odd: $2k + 1$.",
                Correct,
            ),
            ("(3,3), (1,1)", "$\\boxed{(3,3)} \\text{ for part (a) and } \\boxed{(1,1)}$", Correct),
            ("1,2", "\\boxed{1} paper and \\boxed{2} bins", Correct),
            ("1,2", "\\boxed{1}. We have tried this and \\boxed{2}", Wrong),
            ("5", "**Answer:** $5$", Correct),
            ("5", "## Final Answer\n\n$$5$$\n", Correct),
            ("5", "The final answer is:\n\\[\n5\n\\]", Correct),
            ("\\frac{3}{4}", "The answer is 3/4.", Correct),
            ("Evelyn", "The answer is Evelyn.", Correct),
            ("\\text{Evelyn}", "So the student is \\boxed{\\text{Evelyn}}.", Correct),
            ("\\text{Evelyn}", "So the student is \\boxed{\\text{Briana}}.", Wrong),
            ("5", "Therefore $x + 1 = 6$ and $x = 5$.", Correct),
            ("5", "5", Correct),
            ("\\frac{\\pi}{2}", "\\frac{\\pi}{2}", Correct),
            ("(3, \\frac{\\pi}{2})", "(3, \\pi/2)", Correct),
            ("7", "It comes to 7 in the end, all in all, when everything is counted up.", Correct),
            ("5", "", Wrong),
            ("5", "I cannot do this.", Wrong),
            ("5", "<think>\\boxed{4}</think> It is \\boxed{5}.", Correct),
            ("5", "\\boxed{5", Correct),
            ("5", "\\boxed{}", Wrong),
            ("4", "#### 4", Correct),
            ("42", "The answer is 42, since 6 x 7 = 42 and not 43.", Correct),
            ("5", "The answer is 5!", Correct),
            ("120", "The answer is 5!", Correct),
            ("42", "6 x 7 <answer>$42$</answer>", Correct),
            ("42", "A: 42", Correct),
            ("42", "So we get **42**.", Correct),
            ("\\text{east}", "So the ship sails **east**.", Correct),
            ("\\text{east}", "So the ship sails east.", Undecided),
            ("\\text{east}", "So the ship sails west.", Wrong),
        ],
    );
}

#[test]
fn formatting_does_not_matter() {
    boxed(&[
        ("\\frac{1}{2}", "\\dfrac{1}{2}", Correct),
        ("\\frac{1}{2}", "\\tfrac12", Correct),
        ("\\frac{1}{2}", "\\frac12", Correct),
        ("\\frac{1}{2}", "1/2", Correct),
        ("\\frac{1}{2}", "0.5", Correct),
        ("\\frac{1}{2}", ".5", Correct),
        ("\\frac{1}{2}", "\\frac{2}{4}", Correct),
        ("\\frac{1}{2}", "\\frac{1}{3}", Wrong),
        ("-\\frac{1}{2}", "\\frac{-1}{2}", Correct),
        ("-\\frac{1}{2}", "\\frac{1}{-2}", Correct),
        ("3\\sqrt{13}", "3\\sqrt13", Correct),
        ("11\\sqrt2", "11\\sqrt{2}", Correct),
        ("11\\sqrt2", "11 \\sqrt 2", Correct),
        ("11\\sqrt2", "\\sqrt{242}", Correct),
        ("\\sqrt2", "√2", Correct),
        ("\\sqrt2", "sqrt(2)", Correct),
        ("\\frac{\\sqrt{2}}{2}", "\\frac{1}{\\sqrt{2}}", Correct),
        ("\\left( 3, \\frac{\\pi}{2} \\right)", "(3,\\frac\\pi2)", Correct),
        ("5", "5.", Correct),
        ("5", "\\,5\\!", Correct),
        ("5", "$5$", Correct),
        ("5", "{5}", Correct),
        ("5", "~5\\;", Correct),
        ("2k+2", "2(k+1)", Correct),
        ("2k+2", "2k + 3", Wrong),
        ("p - q", "-q+p", Correct),
        ("p - q", "q - p", Wrong),
        ("x^5 - x^4 + x^3 - x^2 + x - 1", "(x-1)(x^4+x^2+1)", Correct),
        ("x^3+3x-6", "x^{3} + 3x - 6", Correct),
        ("6 - 5i", "6-5i", Correct),
        ("6 - 5i", "-5i + 6", Correct),
        ("6 - 5i", "6+5i", Wrong),
        ("\\cot x", "\\frac{\\cos x}{\\sin x}", Correct),
        ("\\cot x", "\\tan x", Wrong),
        ("n\\pi, n \\in \\mathbb{Z}", "k \\pi, k\\in\\mathbb{Z}", Correct),
        ("n\\pi, n \\in \\mathbb{Z}", "2k \\pi, k\\in\\mathbb{Z}", Wrong),
        ("x+1", "f(x) = x + 1 \\text{ for all } x", Correct),
        ("x+1", "f(x) = x + 2 \\text{ for all } x", Wrong),
        ("x=1, y=2", "\\begin{aligned} x &= 1 \\\\ y &= 2 \\end{aligned}", Correct),
    ]);
}

#[test]
fn units_money_percent_and_degrees_may_be_there_or_not() {
    boxed(&[
        ("28\\%", "28 pct", Correct),
        ("5", "5\\text{ cm}", Correct),
        ("5\\text{ cm}", "5", Correct),
        ("5", "5 \\text{ cm}^2", Correct),
        ("5", "5 cm", Correct),
        ("5", "5\\,\\mathrm{cm}^{2}", Correct),
        ("5", "5 square units", Correct),
        ("5", "5 \\mbox{ inches}", Correct),
        ("5", "5\\text{ miles}/\\text{hour}", Correct),
        ("5", "5 miles per hour", Correct),
        ("5", "6 miles per hour", Wrong),
        ("210", "7 \\text{ hours } 30 \\text{ minutes}", Wrong),
        ("5\\frac12", "5\\frac{1}{2}\\text{ feet}", Correct),
        ("18.90", "\\$18.90", Correct),
        ("18.90", "18.9", Correct),
        ("\\$18.90", "18.90", Correct),
        ("5", "5 \\text{ dollars}", Correct),
        ("15\\%", "15", Correct),
        ("15", "15\\%", Correct),
        ("15\\%", "0.15", Correct),
        ("0.15", "15\\%", Correct),
        ("33\\frac{1}{3}\\%", "\\frac{100}{3}", Correct),
        ("0.15", "15", Wrong),
        ("15", "0.15", Wrong),
        ("90^\\circ", "90", Correct),
        ("90", "90^{\\circ}", Correct),
        ("90^\\circ", "90 degrees", Correct),
        ("90^\\circ", "90°", Correct),
        ("90^\\circ", "\\frac{\\pi}{2}", Correct),
        ("90^\\circ", "80^\\circ", Wrong),
        ("\\sin 30^\\circ", "\\frac12", Correct),
        ("864 \\mbox{ inches}^2", "864", Correct),
        ("\\frac{270}7\\text{ degrees}", "\\frac{270}{7}", Correct),
        ("5.4 \\text{ cents}", "5.4", Correct),
    ]);
}

#[test]
fn thousands_are_no_lists_and_lists_no_thousands() {
    boxed(&[
        ("1000", "1,000", Correct),
        ("1,000", "1000", Correct),
        ("1,000", "1{,}000", Correct),
        ("10,000", "10\\,000", Correct),
        ("10,000", "10\\!,\\!000", Correct),
        ("11111111100", "11,\\! 111,\\! 111,\\! 100", Correct),
        ("1,000,000", "1000000", Correct),
        ("1,000", "1", Wrong),
        ("1,2", "12", Wrong),
        ("1,-2", "-2,1", Correct),
        ("1,-2", "-2, 1", Correct),
        ("3, 5, 7", "7,5,3", Correct),
        ("3, 5, 7", "3, 5", Wrong),
        ("3, 5, 7", "3, 5, 7, 9", Wrong),
        ("1,-2", "1 \\text{ and } -2", Correct),
        ("1,-2", "x = 1 \\text{ or } x = -2", Correct),
        ("1,-2", "\\{-2, 1\\}", Correct),
        ("\\{1,2\\}", "1, 2", Correct),
        ("\\pm 2021", "{-2021, 2021}", Correct),
        ("2, 3, 5", "{2, 3, 7}", Wrong),
        ("\\{1,2\\}", "\\{2,1\\}", Correct),
        ("\\{1,2\\}", "\\{1,2,3\\}", Wrong),
        ("100,200,300", "300, 200, 100", Correct),
        ("1 \\pm \\sqrt{19}", "1+\\sqrt{19}, 1-\\sqrt{19}", Correct),
        ("1 \\pm \\sqrt{19}", "1-\\sqrt{19}, 1+\\sqrt{19}", Correct),
        ("1 \\pm \\sqrt{19}", "x = 1 \\pm \\sqrt{19}", Correct),
        ("1 \\pm \\sqrt{19}", "1 + \\sqrt{19}", Wrong),
        ("\\pm 2", "2, -2", Correct),
        ("\\pm 2", "2", Wrong),
        ("\\pm 1, \\pm 3", "-3, -1, 1, 3", Correct),
        ("\\frac12", "\\frac{1}{2} \\text{ or } 0.5", Correct),
        ("\\frac12", "\\frac{1}{2} \\text{ or } 0.6", Wrong),
        ("i, -i", "\\pm i", Correct),
    ]);
}

#[test]
fn points_are_in_order_and_brackets_are_part_of_intervals() {
    boxed(&[
        ("(-2,1)", "(-2, 1)", Correct),
        ("(-2,1)", "(1,-2)", Wrong),
        ("(-2,1)", "-2, 1", Correct),
        ("(6,31,-1)", "(6, 31, -1)", Correct),
        ("(6,31,-1)", "\\langle 6, 31, -1 \\rangle", Correct),
        ("(6,31,-1)", "(x,y,z) = (6,31,-1)", Correct),
        ("|AB| = 1", "1", Correct),
        ("\\frac{AC}{BC} = \\frac{1}{\\sqrt{6}}", "\\frac{1}{\\sqrt{6}}", Correct),
        ("x + y = 1", "1", Wrong),
        ("(5,3)", "x = 5, y = 3", Correct),
        ("(5,3)", "x = 3, y = 5", Wrong),
        ("[1,2]", "[1,2]", Correct),
        ("[1,2]", "(1,2)", Wrong),
        ("[1,2)", "(1,2]", Wrong),
        ("[1,2]", "x \\in [1,2]", Correct),
        ("[1,2]", "1 \\le x \\le 2", Correct),
        ("[1,2)", "1 \\le x < 2", Correct),
        ("[1,2)", "2 > x \\geq 1", Correct),
        ("[1,2)", "1 \\le x \\le 2", Wrong),
        ("(-\\infty, 2)", "x < 2", Correct),
        ("(2, \\infty)", "x > 2", Correct),
        ("0<f(x)<1", "(0,1)", Correct),
        ("0<f(x)<1", "(0,2)", Wrong),
        ("(2, \\infty)", "2 < x", Correct),
        ("(2, \\infty)", "(2, +\\infty)", Correct),
        ("(2, \\infty)", "x < 2", Wrong),
        ("(-\\infty, 1) \\cup (3, \\infty)", "(3,\\infty)\\cup(-\\infty,1)", Correct),
        ("(-\\infty, 1) \\cup (3, \\infty)", "x < 1 \\text{ or } x > 3", Correct),
        ("(-\\infty, 1) \\cup (3, \\infty)", "(-\\infty, 1] \\cup [3, \\infty)", Wrong),
        ("(-\\infty,\\infty)", "\\mathbb{R}", Correct),
        ("\\left[-\\frac12, 3\\right)", "[-0.5, 3)", Correct),
        (
            "\\begin{pmatrix} -1/3 \\\\ 2/3 \\\\ 5/3 \\end{pmatrix}",
            "\\begin{bmatrix} -\\frac13 \\\\ \\frac23 \\\\ \\frac53 \\end{bmatrix}",
            Correct,
        ),
        (
            "\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}",
            "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}",
            Correct,
        ),
        (
            "\\begin{pmatrix} 1 & 2 \\\\ 3 & 4 \\end{pmatrix}",
            "\\begin{pmatrix}1&3\\\\2&4\\end{pmatrix}",
            Wrong,
        ),
        (
            "\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}",
            "\\left(\\begin{array}{c}1\\\\2\\end{array}\\right)",
            Correct,
        ),
        ("\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}", "(1,2)", Correct),
        (
            "\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}",
            "\\begin{pmatrix} 1 & 2 \\end{pmatrix}",
            Wrong,
        ),
        ("(1,2),(3,4)", "(3,4), (1,2)", Correct),
        ("(1,2),(3,4)", "(1,2)", Wrong),
        ("(1,2),(3,4)", "\\{(1,2),(3,4)\\}", Correct),
        (
            "\\begin{pmatrix} 1/5 \\\\ 2/5 \\end{pmatrix}",
            "\\frac15 \\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}",
            Correct,
        ),
        ("(3, \\infty)", "\\{x \\mid x > 3\\}", Correct),
    ]);
}

#[test]
fn relations_are_the_same_when_they_say_the_same() {
    boxed(&[
        ("x=5", "5", Correct),
        ("5", "x = 5", Correct),
        ("5", "x = 2 + 3 = 5", Correct),
        ("5", "f(2) = 5", Correct),
        ("x^2+1", "f(x) = x^2 + 1", Correct),
        ("y = 2x+3", "2x + 3", Correct),
        ("y = 2x+3", "y = 3 + 2x", Correct),
        ("y = 2x+3", "2x - y + 3 = 0", Correct),
        ("2x + 3y = 6", "4x + 6y = 12", Correct),
        ("2x + 3y = 6", "2x + 3y = 7", Wrong),
        ("2x + 3y = 6", "6", Wrong),
        ("y = 2x+3", "y = 2x + 4", Wrong),
        ("x \\ge 3", "3 \\le x", Correct),
        ("x \\ge 3", "x > 3", Wrong),
        ("x \\ge 3", "[3,\\infty)", Correct),
        ("|x| < 2", "(-2, 2)", Correct),
        ("|x| < 2", "-2 < x < 2", Correct),
        ("|x| \\ge 2", "x \\le -2 \\text{ or } x \\ge 2", Correct),
        ("|x| < 2", "x < 2", Wrong),
        ("x+y < 1", "1 > x + y", Correct),
        ("x+y < 1", "x + y > 1", Wrong),
        ("x \\neq 2", "x \\ne 2", Correct),
        ("3:4", "3 : 4", Correct),
        ("3:4", "\\frac{3}{4}", Correct),
        ("3:4", "4:3", Wrong),
        ("3:4", "3 \\text{ to } 4", Correct),
    ]);
}

#[test]
fn expressions_are_evaluated() {
    boxed(&[
        ("1\\frac{1}{2}", "\\frac{3}{2}", Correct),
        ("\\frac{3}{2}", "1\\frac12", Correct),
        ("\\frac{3}{2}", "1 1/2", Correct),
        ("120000", "1.2 \\times 10^5", Correct),
        ("120", "5!", Correct),
        ("10", "\\binom{5}{2}", Correct),
        ("10", "{5 \\choose 2}", Correct),
        ("1024", "2^{10}", Correct),
        ("\\frac{1}{3}", "0.\\overline{3}", Correct),
        ("0.1\\overline{6}", "\\frac16", Correct),
        ("\\frac{1}{3}", "0.333", Wrong),
        ("0.333", "\\frac{1}{3}", Wrong),
        ("\\frac{1}{3}", "0.33333333", Correct),
        ("\\pi", "3.14", Wrong),
        ("\\pi", "3.14159265", Correct),
        ("\\approx 3.14", "\\pi", Correct),
        ("\\sqrt{2}", "\\sqrt{2} \\approx 1.414", Correct),
        ("13535", "13534", Wrong),
        ("13535000", "13535001", Wrong),
        ("2^{2004}", "2^{2004}+1", Wrong),
        ("2^{2004}", "4^{1002}", Correct),
        ("\\frac{3^{2005}-1}{2}", "5", Wrong),
        ("100!", "100!", Correct),
        ("\\frac{448}{15625}", "0.028672", Correct),
        ("\\log_2 8", "3", Correct),
        ("\\ln 8", "3\\ln 2", Correct),
        ("\\frac{\\ln 3}{\\ln 2}", "\\log_2 3", Correct),
        ("\\frac{\\log 3}{\\log 2}", "\\log_2 3", Correct),
        ("e^2", "e^{2}", Correct),
        ("\\sin \\frac{\\pi}{6}", "\\frac{1}{2}", Correct),
        ("-\\frac{\\pi}{6}", "-\\pi/6", Correct),
        ("-\\frac{\\pi}{6}", "\\frac{\\pi}{6}", Wrong),
        ("\\sqrt[3]{2}", "2^{1/3}", Correct),
        ("\\infty", "+\\infty", Correct),
        ("\\infty", "-\\infty", Wrong),
        ("\\infty", "5", Wrong),
        ("|x|", "x", Wrong),
        ("\\frac{n(n+1)}{2}", "\\binom{n+1}{2}", Correct),
        ("n!", "n(n-1)!", Correct),
        ("3 + 2\\sqrt{2}", "(1+\\sqrt{2})^2", Correct),
        ("52_8", "52_8", Correct),
        ("52_8", "52_{8}", Correct),
        ("52_8", "52", Correct),
        ("52_8", "52_{\\text{eight}}", Correct),
        ("52_8", "52 \\text{ base } 8", Correct),
        ("52_8", "53_8", Wrong),
        ("52_8", "52_9", Wrong),
        ("1011_2", "(1011)_2", Correct),
        ("2A_{16}", "2A_{16}", Correct),
        ("a_{n+1}", "a_{n+1}", Correct),
        ("x_1 + x_2", "x_2 + x_1", Correct),
        ("x_1", "x_2", Wrong),
    ]);
}

#[test]
fn words_are_compared_as_words() {
    boxed(&[
        ("\\text{east}", "east", Correct),
        ("\\text{east}", "\\text{East}", Correct),
        ("\\text{east}", "\\text{north}", Wrong),
        ("east", "5", Wrong),
        ("5", "\\text{none}", Wrong),
        ("6", "\\text{six}", Correct),
        ("5", "\\text{The answer is 5}", Correct),
        ("\\text{(A)}", "A", Correct),
        ("\\text{(A)}", "(A)", Correct),
        ("A", "\\text{(A)}", Correct),
        ("\\text{A}", "\\textbf{A}", Correct),
        ("C", "(C)\\ 5", Correct),
        ("A", "B", Wrong),
        ("B", "\\textbf{(B)}\\ 7", Correct),
        ("\\text{Alice and Bob}", "\\text{Bob and Alice}", Correct),
        ("7", "\\text{seven dollars}", Correct),
        ("2", "\\text{two thirds}", Wrong),
        ("\\frac25", "\\frac{2}{5} \\text{ or } 40\\%", Correct),
        ("\\text{(C) } 5", "C", Correct),
        ("\\text{A, C}", "A, C", Correct),
        ("\\text{A, C}", "\\text{A and C}", Correct),
        ("\\text{A, C}", "C", Wrong),
        ("\\text{2 and 3}", "3, 2", Correct),
        ("\\text{Monday}", "monday", Correct),
        ("\\text{no solution}", "\\text{none}", Correct),
        ("\\text{No}", "\\text{Yes}", Wrong),
        ("\\text{even}", "\\text{even function}", Correct),
        ("\\text{odd}", "\\text{even}", Wrong),
        ("\\emptyset", "\\text{no solution}", Correct),
        ("\\text{3:30 PM}", "\\text{3:30 p.m.}", Correct),
        ("3:30 \\text{ p.m.}", "\\text{3:30 PM}", Correct),
        ("3:30 \\text{ p.m.}", "\\text{4:30 PM}", Wrong),
        ("3:30 \\text{ p.m.}", "3:30 \\text{ a.m.}", Wrong),
        ("3:30 \\text{ p.m.}", "3:30", Correct),
        ("\\text{June 20}", "June 20", Correct),
        ("\\text{June 20}", "\\text{June 21}", Wrong),
    ]);
}

#[test]
fn unclear_answers_are_undecided() {
    let proof = "We prove it by induction on the number of the vertices; see the solution.";
    check(
        Grader::Math,
        &[
            (proof, "By induction, \\boxed{n}.", Undecided),
            (proof, "", Undecided),
            ("\\text{Proof}", "It holds. \\boxed{\\text{yes}}", Undecided),
            ("n = 1, 3, 5, \\ldots", "\\boxed{n \\text{ odd}}", Undecided),
            ("n \\text{ odd}", "\\boxed{n}", Undecided),
            ("n \\text{ odd}", "\\boxed{n\\text{ odd}}", Correct),
            ("all $n$ divisible by 3", "\\boxed{n = 3k}", Undecided),
            ("all $n$ divisible by 3", "\\boxed{\\text{all } n \\text{ divisible by } 3}", Correct),
            ("n \\equiv 1 \\pmod{3}", "\\boxed{n \\equiv 1 \\pmod{4}}", Wrong),
            ("5", "\\boxed{5 \\text{ positive integers}}", Correct),
            ("4", "\\boxed{4 \\pmod{7}}", Correct),
            ("4", "\\boxed{x \\equiv 4 \\pmod 7}", Correct),
            ("1", "\\boxed{1 \\text{ (mod } 7)}", Correct),
            ("n \\equiv 1 \\pmod{3}", "\\boxed{n \\equiv 1 \\pmod 3}", Correct),
            ("n \\equiv 1 \\pmod{3}", "\\boxed{1}", Undecided),
            (
                "\\text{Evelyn}",
                "So Evelyn ran fastest, at a speed of $5$ metres each second.",
                Undecided,
            ),
            ("", "\\boxed{5}", Undecided),
        ],
    );
    let none = Grader::Math.grade(None, "\\boxed{5}");
    assert_eq!((none.verdict, none.answer.as_deref()), (Undecided, Some("5")));
}

#[test]
fn no_text_crashes_the_graders() {
    let deep = format!("\\boxed{{{}1{}}}", "(".repeat(3000), ")".repeat(3000));
    let open = "\\boxed{".repeat(2000);
    let strange = [
        "\\",
        "\\boxed",
        "$",
        "\\frac",
        "\\boxed{\\frac{1}}",
        "_",
        "^",
        "####",
        "é$é\\é",
        "\\left",
        "answer",
        "answer:",
        "answer is",
        "1e999999",
        "\\boxed{2^{9999999999999}}",
        "\\boxed{99999999!}",
        "\\boxed{\\sqrt}",
        "\\boxed{|}",
        "\\boxed{\\begin{pmatrix}}",
        &deep,
        &open,
    ];
    for text in strange {
        for grader in [Grader::Math, Grader::Number, Grader::Arithmetic] {
            let grade = grader.grade(Some("2"), text);
            assert_ne!(grade.verdict, Correct, "{text}");
            grader.grade(Some(text), "\\boxed{2}");
            grader.grade(Some(text), text);
        }
    }
}

#[test]
fn constants_have_values() {
    assert_eq!(constant_value("x = \\frac{3}{4}"), Some(0.75));
    assert_eq!(constant_value("x + 1"), None);
}
