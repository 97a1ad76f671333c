//! More tables of answers that are, or are not, the same: each rule with what it must leave alone.

use super::Verdict::{Correct, Undecided, Wrong};
use super::tests::boxed;

#[test]
fn small_and_large_numbers_are_told_apart() {
    boxed(&[
        ("7.1 \\times 10^{-33}", "2\\times10^{-21}", Wrong),
        ("7.1 \\times 10^{-33}", "7.1 \\cdot 10^{-33}", Correct),
        ("7.1 \\times 10^{-33}", "7.2 \\times 10^{-33}", Wrong),
        ("e^{-60}", "e^{-110}", Wrong),
        ("e^{-60}", "\\frac{1}{e^{60}}", Correct),
        ("0.5^{90}", "0.3^{90}", Wrong),
        ("0.5^{90}", "2^{-90}", Correct),
        ("\\frac{\\sqrt5}{10^{16}}", "\\frac{\\sqrt7}{10^{16}}", Wrong),
        ("\\frac{\\sqrt5}{10^{16}}", "\\sqrt{5}\\cdot 10^{-16}", Correct),
        ("223456789012", "223456789013.0", Wrong),
        ("223456789012", "223456789012.0", Correct),
        ("10^{15}\\sqrt3", "10^{15}\\sqrt3+1", Undecided),
        ("10^{15}\\sqrt3", "\\sqrt{3\\cdot 10^{30}}", Correct),
        ("0", "\\sin(2\\pi)", Correct),
        ("0", "10^{-20}", Wrong),
        ("1", "\\sin^2 x+\\cos^2 x", Correct),
        ("\\frac{5}{9}", "0.5555555556", Correct),
        ("\\frac{5}{9}", "0.5555555559", Wrong),
        ("\\sqrt2+\\sqrt3", "\\sqrt{5+2\\sqrt6}", Correct),
        ("2\\ln x", "\\ln x^2", Correct),
        ("\\ln(x+3)", "\\ln|x+3|", Correct),
        ("\\ln(x+3)", "\\ln|x+2|", Wrong),
        ("3+\\sqrt{5}i", "3+\\sqrt{-5}", Correct),
        ("3+\\sqrt{5}i", "3-\\sqrt{-5}", Wrong),
        ("(-1)^n", "(-1)^{-n}", Correct),
        ("(-1)^n", "\\cos n\\pi", Correct),
        ("(-1)^n", "(-1)^{n+1}", Wrong),
        ("3.5 \\times 10^{-4}", "3.5e-4", Correct),
        ("3.5 \\times 10^{-4}", "3.5e-5", Wrong),
        ("3e-2", "3e - 2", Correct),
        ("10^{-5}", "10⁻⁵", Correct),
        ("2^{12}", "2¹²", Correct),
        ("0.2\\overline{7}", "0.2777\\ldots", Correct),
        ("0.2\\overline{7}", "0.2778\\ldots", Undecided),
        ("\\operatorname{arccot} 3", "\\cot^{-1} 3", Correct),
        ("\\frac12", "1⁄2", Correct),
        ("\\frac12", "1 \\over 2", Correct),
    ]);
}

#[test]
fn rows_of_matrices_may_have_space_between_them() {
    boxed(&[
        (
            "\\begin{pmatrix} 3 \\\\ 4 \\end{pmatrix}",
            "\\begin{pmatrix} 3 \\\\[4pt] 4 \\end{pmatrix}",
            Correct,
        ),
        (
            "\\begin{pmatrix} 3 \\\\ 4 \\end{pmatrix}",
            "\\begin{bmatrix} 3 \\\\[0.5em]4 \\end{bmatrix}",
            Correct,
        ),
        (
            "\\begin{pmatrix} 3 \\\\ 4 \\end{pmatrix}",
            "\\begin{pmatrix} 3 \\cr 4 \\end{pmatrix}",
            Correct,
        ),
        (
            "\\begin{pmatrix} 3 \\\\ 4 \\end{pmatrix}",
            "\\begin{pmatrix} 3 \\\\[4pt] 5 \\end{pmatrix}",
            Wrong,
        ),
        (
            "\\begin{pmatrix} 3 \\\\ 4 \\end{pmatrix}",
            "\\begin{pmatrix} 3 & 4 \\end{pmatrix}^T",
            Correct,
        ),
        ("\\begin{pmatrix} 3 \\\\ 4 \\end{pmatrix}", "(3, 4)^T", Correct),
        ("\\begin{pmatrix} 3 \\\\ 4 \\end{pmatrix}", "3\\mathbf{i}+4\\mathbf{j}", Correct),
        ("\\begin{pmatrix} 3 \\\\ 4 \\end{pmatrix}", "4\\mathbf{i}+3\\mathbf{j}", Wrong),
        ("\\begin{pmatrix} 3 & 1 \\\\ 4 & 2 \\end{pmatrix}", "[[3,1],[4,2]]", Correct),
        ("\\begin{pmatrix} 3 & 1 \\\\ 4 & 2 \\end{pmatrix}", "[[3,4],[1,2]]", Wrong),
        ("24", "\\begin{aligned} s &= 3\\cdot 8 \\\\ &= 24\\end{aligned}", Correct),
        ("24", "\\begin{aligned} s &= 3\\cdot 8 \\\\ &= 25\\end{aligned}", Wrong),
    ]);
}

#[test]
fn units_of_one_letter_are_units_behind_numbers() {
    boxed(&[
        ("7", "7 m", Correct),
        ("7", "7\\,\\mathrm{m}", Correct),
        ("7", "7 \\mathrm{~m}", Correct),
        ("7", "8 \\mathrm{~m}", Wrong),
        ("7", "7 m/s", Correct),
        ("7", "7 km/h", Correct),
        ("7", "7 \\mathrm{~g}", Correct),
        ("7", "7 {\\rm cm}", Correct),
        ("7", "7\\frac{\\text{m}}{\\text{s}}", Correct),
        ("7", "7^\\circ\\mathrm{C}", Correct),
        ("7", "7 min", Correct),
        ("7", "7^{\\text{th}}", Correct),
        ("9\\pi", "9\\pi \\mathrm{~m}^2", Correct),
        ("9\\pi", "9\\pi m^2", Correct),
        ("7m", "7", Wrong),
        ("7m", "7m", Correct),
        ("7m+1", "7m", Wrong),
        ("7x", "7 m", Wrong),
        ("90^\\circ", "90^{\\mathrm{o}}", Correct),
        ("30{,}000", "30\\text{ thousand}", Correct),
        ("2.5\\text{ million}", "2500000", Correct),
        ("2.5\\text{ million}", "250000", Wrong),
    ]);
}

#[test]
fn the_right_side_counts_where_the_left_one_only_says_what_it_is() {
    boxed(&[
        ("24", "\\sum_{k=1}^3 4k = 24", Correct),
        ("24", "\\sum_{k=1}^3 4k = 25", Wrong),
        ("24", "\\lim_{x\\to 2} g(x) = 24", Correct),
        ("24", "\\int_0^2 g = 24", Correct),
        ("24", "1+2+\\cdots+n = 24", Correct),
        ("24", "|A\\cup B| = 24", Correct),
        ("24", "\\text{max}=24", Correct),
        ("24", "1990\\bmod 38=24", Correct),
        ("24", "2x + 4 = 8\\cdot 3 = 24", Correct),
        ("a - b", "\\sum_{k=1}^\\infty c_k = a - b", Correct),
        ("24", "AB + BC = 24", Correct),
        ("24", "\\angle ABC = 24", Correct),
        ("24", "f^{-1}(2) = 24", Correct),
        ("24", "m^2 + n^2 = 24", Correct),
        ("24", "n - 5 = 24", Correct),
        ("24", "x - 5 = 24", Wrong),
        ("0", "x^2-7x+12=0", Wrong),
        ("0", "3x-y=0", Wrong),
        ("12", "3x+4y=12", Wrong),
        ("6\\pi", "6\\pi = 18.85", Correct),
        ("\\pm 3", "|x| = 3", Correct),
        ("3", "|x| = 3", Undecided),
        ("3", "|z| = 3", Correct),
    ]);
}

#[test]
fn each_side_may_choose_its_own_names() {
    boxed(&[
        ("\\frac{x^4}{4}+C", "\\frac{x^4}{4}+c", Correct),
        ("5x+C", "5x+C_1", Correct),
        ("5x+C", "6x+c", Wrong),
        ("f(x)=cx", "f(x)=kx \\text{ for some constant } k", Correct),
        ("f(x)=x+1", "f(t)=t+1", Correct),
        ("f(x)=x+1", "f(t)=t+2", Wrong),
        ("f(n)=cn", "f(x)=cx", Correct),
        ("n=3^k", "n=3^m", Correct),
        ("n=3^k", "n=2^m", Wrong),
        ("n=3^b", "n=3^k", Correct),
        ("n=3^b", "n=b^3", Wrong),
        ("n=3^b \\text{ for natural } b", "n=3^k \\text{ for } k \\ge 2", Undecided),
        (
            "n=3^b \\text{ for whole } b\\ge 0",
            "n=3^k \\text{ for a nonnegative integer } k",
            Correct,
        ),
        ("y=3^x", "y=3^t", Undecided),
        ("n = p^m \\text{ for a prime } p", "n = p^k \\text{ for a prime } p", Correct),
        ("All integers $n=5^{b}$, where $b$ is an integer.", "n = 5^k", Correct),
        ("All integers $n=5^{b}$, where $b$ is an integer.", "n = 5", Wrong),
        ("n=3^k \\text{ for } k\\ge 2", "n=3^k \\text{ for } k\\ge 1", Undecided),
        ("\\frac{\\pi}{3}+k\\pi, k\\in\\mathbb{Z}", "\\frac{\\pi}{3}+n\\pi", Correct),
        (
            "\\frac{\\pi}{3}+k\\pi, k\\in\\mathbb{Z}",
            "x=\\frac{\\pi}{3}+n\\pi \\text{ for any integer } n",
            Correct,
        ),
        ("\\frac{\\pi}{3}+k\\pi, k\\in\\mathbb{Z}", "\\frac{\\pi}{3}+2n\\pi", Wrong),
        (
            "\\frac{\\pi}{3}+k\\pi, k\\in\\mathbb{Z}",
            "\\frac{\\pi}{3}+k\\pi\\ (k\\in\\mathbb{Z})",
            Correct,
        ),
        ("x^2+5x-6", "X^2+5X-6", Correct),
        ("x^2+5x-6", "y^2+5y-6", Wrong),
        ("xX", "x^2", Wrong),
        ("S = ab + c", "S = ab + d", Undecided),
        ("f(x)=c", "f(x)=x", Wrong),
        ("n=2^k", "k=2^n", Undecided),
        ("f(x)=ax+b", "f(x)=cx+d", Undecided),
        ("\\frac{1}{x-1}, x\\ne 1", "\\frac{1}{x-1}, x\\ne -1", Undecided),
    ]);
}

#[test]
fn names_of_unknowns_say_which_is_which() {
    boxed(&[
        ("a=6, b=-1", "a=-1, b=6", Wrong),
        ("a=6, b=-1", "b=-1, a=6", Correct),
        ("a=6, b=-1", "(6,-1)", Correct),
        ("a=6, b=-1", "(-1,6)", Wrong),
        ("x=2, y=7", "x=7, y=2", Wrong),
        ("x=2, y=7", "u=2, v=7", Undecided),
        ("x=6", "y=6", Wrong),
        ("x=6", "n=6", Undecided),
        ("x=1, x=2", "x=2, x=1", Correct),
        ("(6,2)", "y=2, x=6", Correct),
        ("(6,2)", "\\{x=6, y=2\\}", Correct),
        ("(6,2)", "\\begin{cases}x=6\\\\y=2\\end{cases}", Correct),
        ("(6,2)", "\\begin{cases}x=2\\\\y=6\\end{cases}", Wrong),
        ("(6,2)", "\\left\\{\\begin{array}{l}x=6\\\\y=2\\end{array}\\right.", Correct),
        ("(6,2)", "x=6\\\\y=2", Correct),
        ("(2,2,2)", "a=b=c=2", Correct),
        ("(2,2,2)", "a=b=c=3", Wrong),
        ("x=y=z=2", "(2,2,2)", Correct),
        ("x=y=z=2", "x = 2, y = 2, z = 2", Correct),
        ("(1,5),(5,1)", "x=1, y=5 \\text{ or } x=5, y=1", Correct),
        ("(1,5),(5,1)", "x=1, y=5 \\text{ or } x=5, y=2", Wrong),
        ("1,2", "[1,2]", Wrong),
        ("1,2", "(1,2]", Wrong),
        ("1,2", "1<x<2", Wrong),
        ("1,2", "1,2,2", Correct),
        ("1,1,2", "1,2", Wrong),
        ("3:5", "6:10", Correct),
        ("3:5", "6:9", Wrong),
        ("2:3:4", "4:6:8", Correct),
        ("11:00", "1:00", Wrong),
        ("20,000", "20,00", Wrong),
        ("6", "6:1", Undecided),
    ]);
}

#[test]
fn words_round_an_answer_are_no_part_of_it() {
    boxed(&[
        ("(6,2)", "\\text{The point }(6,2)", Correct),
        ("(6,2)", "A(6,2)", Correct),
        ("(6,2)", "A(2,6)", Wrong),
        ("(6,2)", "\\text{center }(6,2)", Correct),
        ("(6,2)", "\\boldsymbol{(6,2)}", Correct),
        ("n=4", "\\text{only } n=4", Correct),
        ("n=4", "\\text{the only solution is } n=5", Wrong),
        ("\\frac14", "\\frac14 (\\text{or } 0.25)", Correct),
        ("\\frac14", "\\frac14 (\\text{or } 0.5)", Wrong),
        ("49", "49\\text{ (or }7^2)", Correct),
        ("15", "C(6,2)", Correct),
        ("16", "C(6,2)", Wrong),
        ("5", "5\\text{ ways}!", Correct),
        ("5", "\\text{5 is not possible}", Undecided),
        ("5", "\\text{less than } 5", Wrong),
        ("5", "x = 5 \\ (x \\ne -1)", Correct),
        ("5", "x = 5 \\text{ (since } x > 0)", Correct),
        ("2", "\\text{powers of } 2", Wrong),
    ]);
}

#[test]
fn looks_are_no_variables_and_unknown_commands_are_not_read() {
    boxed(&[
        ("8", "\\underline{8}", Correct),
        ("8", "\\large 8", Correct),
        ("8", "\\Huge{8}", Correct),
        ("8", "\\pmb{8}", Correct),
        ("8", "\\phantom{0}8", Correct),
        ("8", "8\\blacksquare", Correct),
        ("8", "\\textdollar8", Correct),
        ("8", "8\\cent", Correct),
        ("8", "\\bbox[5px]{8}", Correct),
        ("8", "\\large 9", Wrong),
        ("8", "\\strangesign 8", Undecided),
        ("\\frac18", "\\nicefrac18", Correct),
        ("6 - 7i", "6-7\\text{i}", Correct),
        ("\\theta + 1", "\\theta+1", Correct),
        ("\\theta + 1", "\\phi+1", Wrong),
        ("\\frac18", "\\\\frac{1}{8}", Correct),
    ]);
}

#[test]
fn a_letter_is_chosen_however_it_is_said() {
    boxed(&[
        ("\\text{(E)}", "\\text{Option E}", Correct),
        ("\\text{(E)}", "\\text{E. }15", Correct),
        ("\\text{(E)}", "\\text{Option D}", Wrong),
        ("\\text{(C)}", "\\text{Graph C}", Correct),
        ("\\text{(C)}", "\\text{The correct option is (C)}", Correct),
        ("A", "A. 12", Correct),
        ("B", "A. 12", Wrong),
        ("\\text{A}", "\\boxed{A}", Correct),
        ("\\text{A}", "\\mathbf{A}", Correct),
        ("\\text{(A)}", "(A)\\text{ and }(B)", Wrong),
        ("\\text{(B), (D)}", "B", Wrong),
        ("\\text{(B), (D)}", "\\text{(B) and (D)}", Correct),
        ("A", "Thus, option C is correct", Wrong),
        ("C", "Thus, option C is correct", Correct),
        ("7", "(B)\\ 7", Correct),
        ("7", "(B)\\ 8", Wrong),
    ]);
}

#[test]
fn sets_of_numbers_are_the_same_however_they_are_said() {
    let line = "(-\\infty,3)\\cup(3,\\infty)";
    boxed(&[
        (line, "\\mathbb{R}\\setminus\\{3\\}", Correct),
        (line, "\\mathbb{R}\\setminus\\{4\\}", Wrong),
        (line, "\\mathbb{R} - \\{3\\}", Correct),
        (line, "\\{x\\in\\mathbb{R} : x \\ne 3\\}", Correct),
        (line, "\\text{all real numbers except }3", Correct),
        (line, "x\\in(-\\infty,3) \\text{ or } x\\in(3,\\infty)", Correct),
        (line, "\\mathbb{R}", Wrong),
        ("(-\\infty,1)\\cup(5,\\infty)", "\\mathbb{R}\\setminus[1,5]", Correct),
        ("(-\\infty,1)\\cup(5,\\infty)", "\\mathbb{R}\\setminus(1,5)", Wrong),
        ("(-2,0)\\cup(0,2)", "-2<x<2, x\\ne0", Correct),
        ("(-2,0)\\cup(0,2)", "0<|x|<2", Correct),
        ("(-2,0)\\cup(0,2)", "-2<x<2", Wrong),
        ("-\\frac13<x<4", "x>-\\frac13 \\text{ and } x<4", Correct),
        ("-\\frac13<x<4", "x>-\\frac13 \\text{ and } x<5", Wrong),
        ("x<1 \\text{ or } x>4", "(-\\infty,1)\\cup(4,\\infty)", Correct),
        ("\\frac{x+1}{x-4}", "\\frac{x+1}{x-4}, x\\ne4", Correct),
        ("\\frac{x+1}{x-4}", "\\frac{x+2}{x-4}, x\\ne4", Wrong),
        ("x\\in\\mathbb{R}", "\\text{all real values of }x", Correct),
        ("x \\ne 0", "\\text{all nonzero real numbers}", Correct),
        ("n \\ge 4", "\\text{all integers } n \\ge 4", Correct),
        ("n \\ge 4", "\\text{all integers } n \\ge 5", Wrong),
        ("(-\\infty,6]", "f(x)\\le6", Correct),
        ("\\infty", "\\text{infinity}", Correct),
        ("0", "\\text{no solutions}", Undecided),
        ("5", "\\text{no solutions}", Wrong),
    ]);
}

#[test]
fn digits_in_a_base_are_compared_with_it() {
    boxed(&[
        ("43_8", "43_{(8)}", Correct),
        ("43_8", "43_{\\text{base }8}", Correct),
        ("43_8", "43₈", Correct),
        ("43_8", "-43", Wrong),
        ("43_8", "43\\text{ (base 9)}", Wrong),
        ("43_8", "43\\text{ (base 8)}", Correct),
    ]);
}

#[test]
fn phrases_say_yes_no_or_who() {
    boxed(&[
        ("\\text{Yes}", "\\text{Yes, such a set } M \\text{ exists.}", Correct),
        ("\\text{Yes}", "\\text{No, such a set does not exist.}", Wrong),
        ("\\text{No}", "\\text{No, it cannot be done.}", Correct),
        ("\\text{No}", "\\text{Does not exist}", Correct),
        ("\\text{No}", "\\text{It is impossible}", Undecided),
        ("No, there is no such triangle.", "\\text{No}", Correct),
        ("No, there is no such triangle.", "\\text{Yes}", Wrong),
        ("\\text{Alice}", "\\text{Alice wins}", Correct),
        ("\\text{Alice}", "\\text{Alice has a winning strategy}", Correct),
        ("\\text{Alice}", "\\text{Alice does not win}", Undecided),
        ("\\text{Alice}", "\\text{Bob wins}", Wrong),
        ("\\text{Dora}", "\\text{Dora is the fastest}", Correct),
        ("\\text{Dora}", "\\text{Dora is slower}", Undecided),
        ("\\text{No solutions}", "\\text{There are no such integers}", Correct),
        ("n \\text{ odd}", "n\\text{ is odd}", Correct),
        ("n \\text{ odd}", "\\text{all odd integers}", Correct),
        ("n \\text{ odd}", "\\text{all even integers}", Wrong),
        ("n \\text{ odd}", "\\text{all primes}", Undecided),
        ("n=p^2 \\text{ for a prime } p", "\\text{squares of prime numbers}", Undecided),
        ("\\text{May 4}", "\\text{May 4th}", Correct),
        ("\\text{May 4}", "\\text{4 May}", Correct),
        ("\\text{May 4}", "\\text{May 14}", Wrong),
        ("\\text{three circles}", "\\text{3 circles}", Correct),
        ("12 (minimum), 30 (maximum)", "30 (minimum), 12 (maximum)", Wrong),
        ("12 (minimum), 30 (maximum)", "\\text{max}=30, \\text{min}=12", Correct),
        ("-4 (minimum), 9 (maximum)", "4 \\text{ (minimum)}, 9 \\text{ (maximum)}", Wrong),
    ]);
}

#[test]
fn conditions_do_not_hide_other_answers() {
    let cases = "\\frac{1}{n} \\text{ if } n \\text{ is odd, } 0 \\text{ if } n \\text{ is even}";
    boxed(&[
        (cases, "\\frac{1}{n}", Undecided),
        (cases, cases, Correct),
        (
            "f(x)=0 \\text{ and } f(x)=2x",
            "f(x)=0 \\text{ for all } x \\text{ and } f(x)=2x \\text{ for all } x",
            Correct,
        ),
        ("f(x)=0 \\text{ and } f(x)=2x", "f(x)=0 \\text{ for all } x", Wrong),
        (
            "\\begin{cases} x & x\\ge0 \\\\ -x & x<0\\end{cases}",
            "\\begin{cases} x & \\text{if } x\\ge0 \\\\ -x & \\text{if } x<0\\end{cases}",
            Correct,
        ),
    ]);
}

#[test]
fn conditions_and_sets_are_the_same_however_they_are_said() {
    boxed(&[
        ("f(x) = 3x - 1", "f(x) = 3x - 1 \\quad \\forall x \\in \\mathbb{R}", Correct),
        ("f(x) = 3x - 1", "f(x) = 3x + 1 \\quad \\forall x \\in \\mathbb{R}", Wrong),
        (
            "(n, 2n) \\text{ for all integers } n",
            "(k, 2k) \\text{ for } k \\in \\mathbb{Z}",
            Correct,
        ),
        ("(n, 2n) \\text{ for all integers } n", "(k, 3k) \\text{ for } k \\in \\mathbb{Z}", Wrong),
        ("\\text{all positive integers}", "n \\in \\mathbb{Z}^+", Correct),
        ("\\text{all positive integers}", "\\mathbb{N}", Correct),
        ("\\text{all integers}", "\\mathbb{Z}", Correct),
        ("n \\ge 6 \\text{ even}", "\\text{all even } n \\geq 6", Correct),
        ("n \\ge 6 \\text{ even}", "\\text{all even } n \\geq 4", Undecided),
        ("n \\text{ odd}", "\\text{all odd positive integers}", Correct),
        ("n \\text{ odd}", "\\text{all even positive integers}", Undecided),
        ("\\text{all primes } p \\equiv 1 \\pmod 6", "p \\equiv 1 \\pmod{6}", Correct),
        ("\\text{all primes } p \\equiv 1 \\pmod 6", "p \\equiv 5 \\pmod{6}", Wrong),
        ("\\text{Dora has a winning strategy}", "\\text{Dora}", Correct),
        ("\\text{Dora has a winning strategy}", "\\text{Dora wins}", Correct),
        ("\\text{Dora has a winning strategy}", "\\text{Emil wins}", Wrong),
        ("\\text{The first player wins}", "\\text{first player}", Correct),
        ("\\text{odd}", "\\text{odd function}", Correct),
        ("\\text{odd}", "\\text{even function}", Wrong),
        ("\\text{B, D, E}", "B, D", Wrong),
        ("\\text{B, D, E}", "E, B, D", Correct),
    ]);
}

#[test]
fn hostile_answers_terminate() {
    // Without bounds on the effort, they would not.
    let numbers: Vec<String> = (0..700).map(|n| n.to_string()).collect();
    let letters = "a,b,".repeat(900);
    let members = "x\\in ".repeat(600);
    let conditions = "x=1 \\text{ for } x,".repeat(180);
    let sums = "\\sin(".repeat(500);
    let rows = "\\begin{cases}".repeat(280);
    for text in [&numbers.join(";"), &letters, &members, &conditions, &sums, &rows] {
        assert_ne!(verdict("f(q) = 2q+\\theta", text), Correct);
        let turned: String = text.chars().rev().collect();
        verdict(text, &turned);
    }
}

fn verdict(gold: &str, answer: &str) -> crate::grading::Verdict {
    super::Grader::Math.grade(Some(gold), &format!("$\\boxed{{{answer}}}$")).verdict
}
