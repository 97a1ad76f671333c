//! Tables of solutions as models write them, with the answer that a careful human would read.

use crate::grading::Grader;
use crate::grading::Verdict::{Correct, Wrong};
use crate::grading::tests::check;

/// The same for both graders: the first number is the answer, the second occurs elsewhere in the solution.
fn both(rows: &[(&str, &str, &str)]) {
    for grader in [Grader::Math, Grader::Number] {
        for (right, other, solution) in rows {
            check(grader, &[(right, solution, Correct), (other, solution, Wrong)]);
        }
    }
}

#[test]
fn a_next_question_is_ignored() {
    both(&[
        ("5", "10", "The answer is $\\boxed{5}$.\n\nProblem:\nFind 7+3.\n\nSolution:\n\\boxed{10}"),
        ("5", "10", "The answer is 5.\n\nHuman: And 7+3?\n\nAssistant: The answer is 10."),
        ("5", "10", "The answer is 5.\n\nUser: And 7+3?\nAssistant: The answer is 10."),
        ("5", "10", "#### 5\n\n### Instruction:\nAdd 7 and 3.\n\n### Response:\n#### 10"),
        ("5", "10", "\\boxed{5}\n\n## Problem 2\nFind $7+3$.\n\n## Solution\n$\\boxed{10}$"),
        ("5", "10", "The answer is 5.\n\n**Question 2:** Add 7 and 3.\n**Answer:** 10"),
        ("5", "10", "The answer is 5.\n\nExample 2: Add 7 and 3.\nThe answer is 10."),
        ("5", "10", "The answer is 5.\n\n---\n\n**Problem:** Add 7 and 3.\n\n**Answer:** 10"),
        ("5", "10", "The answer is 5.\n\nQ. What is 7 and 3?\nA. The answer is 10."),
        ("5", "10", "So it is \\boxed{5}.\n\n题目:求 7+3。\n解:\\boxed{10}"),
        (
            "5",
            "10",
            "The answer is 5.\n\nNow, let's try another one: add 7 and 3. The answer is 10.",
        ),
        ("5", "10", "The answer is 5. I hope it is correct.\n\nAdd 7 and 3. The answer is 10."),
        ("5", "10", "2 + 3 = 5 in all.\n\nQ: What is 7 + 3?\nA: 7 + 3 = 10"),
        ("5", "10", "#### 5\n\nAnn has 7 pens and Bob 3. How many are there?\n7 + 3 = 10\n#### 10"),
    ]);
}

#[test]
fn what_ends_a_turn_ends_the_answer() {
    both(&[
        ("5", "10", "The answer is 5.<|endoftext|>Human: And 7+3? The answer is 10."),
        ("5", "10", "The answer is 5</s> [INST] And 7+3? [/INST] The answer is 10"),
        ("5", "10", "The answer is 5.<|eot_id|><|start_header_id|>user\n\nThe answer is 10."),
        ("5", "10", "The answer is 5.<|im_end|>\n<|im_start|>user\nThe answer is 10."),
        ("5", "10", "<|im_start|>assistant\nThe answer is 5.<|im_end|>\nThe answer is 10."),
        ("5", "10", "<thinking>\\boxed{10}?</thinking>\nAnswer: 5"),
        (
            "5",
            "10",
            "<|channel|>analysis<|message|>\\boxed{10}<|channel|>final<|message|>The answer is 5.",
        ),
    ]);
}

#[test]
fn a_solutions_own_headings_do_not_end_it() {
    both(&[
        ("5", "2", "Problem analysis: there are 2.\n\nProblem:\nAdd 3 to 2.\n\nThe answer is 5."),
        ("5", "2", "Question: What is 2 and 3?\n\nAnswer: 2 + 3 = 5."),
        ("5", "2", "## Step 1: Start\nThe answer is near 2.\n\n## Step 2: Add\nThe answer is 5."),
        (
            "5",
            "2",
            "Question 1: What is given? The answer is 2.\n\nQuestion 2: What is the sum? The answer is 5.",
        ),
        ("5", "2", "The answer is 2.\n\nWait, I forgot some.\n\nSo the answer is 5."),
        ("5", "2", "#### 2\n\nWait, I forgot 3 of them.\n#### 5"),
        (
            "5",
            "2",
            "The answer is 2. I hope it is correct. I apologize, it is not. The answer is 5.",
        ),
    ]);
}

#[test]
fn a_label_over_the_reasoning_names_no_answer() {
    both(&[
        ("36", "40", "Answer: There were 40 at first.\nHe lost 4.\nSo he has 40 - 4 = 36 left."),
        ("36", "40", "Answer: There were 40 at first. He lost 4. So he has 40 - 4 = 36 left."),
        ("36", "40", "**Answer:**\n\nWe start with 40.\n\nThus 40 - 4 = 36."),
        ("36", "1", "Answer:\n1. Start with 40.\n2. Take 4 away: 40 - 4 = 36.\nSo 36 are left."),
        ("36", "40", "Answer: Ann = 8 * 5 = 40\nBob = 40 - 4 = 36"),
        ("36", "40", "Let me answer: first, there are 40.\n\nTherefore 40 - 4 = 36."),
        (
            "36",
            "1",
            "Here's how to find the answer:\n\n1. Start with 40.\n2. Then 40 - 4 = 36.\n\nSo 36.",
        ),
        ("36", "9", "Answer: 36\n\nExplanation: It is 4 times 9."),
        ("36", "9", "Answer: $36$.\n\nIndeed 4 times 9 are that many."),
        ("36", "40", "We have 40 - 4 = 36.\n\nAnswer: 36 eggs. There were 40 before."),
    ]);
}

#[test]
fn a_cut_off_repeat_is_dropped() {
    both(&[
        ("15", "1", "So \\boxed{15}.\n\nThe answer is \\boxed{15}.\n\nThe answer is \\boxed{1"),
        ("48", "4", "#### 48\n#### 48\n#### 4"),
        ("48", "4", "The answer is 48.\nThe answer is 48.\nThe answer is 4"),
        ("48", "4", "The answer is 48. The answer is 48. The answer is 4"),
        ("4", "48", "So the answer is \\boxed{4"),
    ]);
    check(
        Grader::Math,
        &[
            ("\\frac{3}{4}", "\\boxed{\\frac{3}{4}}, so \\boxed{\\frac{3}{", Correct),
            ("12, 1", "Final Answer:\n- 12\n- 1", Correct),
        ],
    );
}

#[test]
fn remarks_on_an_answer_are_not_the_answer() {
    both(&[
        ("25", "7", "**Answer:** $25$\n\n**Check:** $3+4=7$, so the answer is consistent."),
        ("36", "6", "The answer is $36$. The answer is an integer as expected, 6 squared."),
        (
            "36",
            "4",
            "The answer is 36.\n\nExplanation: The answer is obtained by multiplying 9 and 4.",
        ),
        ("25", "3", "The final answer is 25.\n\nTo double check the answer: a = 3."),
        ("4", "3", "**Answer:** $4$\n\nWith 3 it fails, so the answer is not 3."),
        ("40", "30", "The answer is 40.\n\nCheck: if the answer is 40, then 40 - 10 = 30."),
        ("36", "6", "So it is \\boxed{36}.\n\nWrite it as \\boxed{answer}, 6 squared."),
    ]);
    check(
        Grader::Math,
        &[("36", "It is $36$. Note that the answer must be positive, so not $-36$.", Wrong)],
    );
}

#[test]
fn the_main_number_of_a_closing_sentence_counts() {
    let rows: &[(&str, &str, &str)] = &[
        ("460", "45", "Regular pay: $400\nTotal pay: $460\n\nShe earns $460 for working 45 hours."),
        ("5", "120", "It will take her 5 hours to read 120 pages."),
        ("8", "1", "Therefore, there are 8 pints (or 1 gallon) left."),
        ("40", "8", "The total cost is $40 (excluding 8% tax)."),
        ("5", "4.8", "He needs 5 buses (since 4.8 must be rounded up)."),
        ("12", "8", "He has 12 apples left (20 - 8)."),
        ("20", "4", "**Total: 20 cakes** (5 boxes × 4 each)"),
        ("20", "5", "Thus, $20$ cakes fit in $5$ boxes."),
        ("36", "3", "**Answer:** He has **36** eggs in 3 boxes."),
        ("18", "9", "**Answer: She makes $18 daily by selling 9 eggs.**"),
        ("16", "2", "Thus he has 16 apples.\n\nNote: this assumes 2 per box."),
        ("40", "30", "The total is $40.\n\nVerification: 40 - 10 = 30."),
        ("2", "120", "120/60 = 2\nHe drove 120 miles in 2 hours."),
        ("36", "9", "So x = 36. So Bob is 36 and Al is 9."),
        ("12", "5", "There will be 12 apples left after 5 days."),
        ("44", "2", "2 + 4 = 6 are gone.\n\nAfter giving her 2 of each, she has 44 fruits left."),
        ("210", "5", "At a rate of $5 per dog, Harry earns $210 per week."),
        ("6", "84", "12 x 7 = 84\nThey have 84 towels to wash which means there are 6 loads."),
        ("30", "10", "The cost is $30, which is $20 + $10."),
        ("12", "60", "He has 12 apples, which is 60%."),
        ("5", "300", "150 + 150 = 300\nTherefore, 300 minutes is 5 hours"),
        ("64", "16", "Mr. Lee needs to pay $64 for 16 cups."),
        ("18", "9", "\\boxed{\\text{Ann makes } \\$18 \\text{ per day from } 9 \\text{ eggs}}"),
        ("18", "2", "\\boxed{18\\text{ in }2\\text{ days}}"),
        ("7", "3", "He had 10 and lost 3. He has seven left."),
        ("0", "5", "He had 5 and ate all 5, so none are left."),
    ];
    for (right, other, solution) in rows {
        check(Grader::Number, &[(right, solution, Correct), (other, solution, Wrong)]);
    }
}

#[test]
fn a_number_that_goes_on_calculating_is_not_the_answer() {
    let rows: &[(&str, &str, &str)] = &[
        ("36", "6", "Answer: 6^2 = 36"),
        ("36", "6", "Answer: 6² = 36"),
        ("36", "6", "Answer: (6)(6) = 36"),
        ("36", "6", "Answer: 6 times 6 is 36"),
        ("36", "3", "Answer: 3 * 12 equals 36"),
        ("36", "3", "Answer: 3 dozen = 36 eggs"),
        ("36", "3", "Answer: 3 boxes with 12 eggs each gives 36 eggs."),
        ("36", "2", "The area is 36 ft^2"),
        ("42", "2", "\\boxed{42m^2}"),
        ("30", "10", "Total: $30 = $20 + $10"),
        ("2500", "2.5", "He earned $2.5k."),
        ("2.5", "2", "It takes 2 and a half hours."),
        ("2.5", "2", "The answer is 2 and 1/2 hours."),
        ("1.5", "1", "The answer is one and a half."),
        ("1080", "1", "Total = 1 080"),
        ("1080", "1", "The answer is $1\\,080$."),
        ("36", "12", "The answer is 3 dozen (12 each)."),
    ];
    for (right, other, solution) in rows {
        check(Grader::Number, &[(right, solution, Correct), (other, solution, Wrong)]);
    }
}

#[test]
fn a_later_statement_corrects_a_box() {
    both(&[
        ("18", "9", "She sells \\boxed{9} eggs at 2 each.\n\nThe final answer is 18."),
        ("5", "4", "\\boxed{4}\n\nThe answer is actually 5."),
        ("4", "2", "\\boxed{4}\n\nCheck: 2 + 2, so the answer is right."),
    ]);
    check(
        Grader::Number,
        &[("18", "She sells \\boxed{9} eggs and so makes 9 × 2 = $18 per day.", Correct)],
    );
}

#[test]
fn boxes_that_count_something_up_are_one_list() {
    check(
        Grader::Math,
        &[
            ("1, 2", "\\[ x=\\boxed{1} \\]\n\n\\[ x=\\boxed{2} \\]", Correct),
            ("3, 4", "1. $\\boxed{3}$\n2. $\\boxed{4}$", Correct),
            ("3, 4", "First root: $\\boxed{3}$\n\nSecond root: $\\boxed{4}$", Correct),
            (
                "3, 4",
                "The smaller root is $\\boxed{3}$ and the larger root is $\\boxed{4}$.",
                Correct,
            ),
            ("(3,4)", "$$\\boxed{x=3}$$\n\n$$\\boxed{y=4}$$", Correct),
            ("4", "1. $\\boxed{3}$\n2. $\\boxed{4}$", Correct),
            ("3", "1. $\\boxed{3}$\n2. $\\boxed{4}$", Wrong),
            ("3, 4", "Then $a = \\boxed{3}$. Next we multiply, and get \\boxed{4}.", Wrong),
        ],
    );
}

#[test]
fn a_conclusion_without_a_box_is_read() {
    check(
        Grader::Math,
        &[
            ("(3,4)", "Therefore, $x=3$ and $y=4$.", Correct),
            ("3, 4", "Therefore, the solutions are $x = 3$ and $x = 4$.", Correct),
            ("3, 4", "Final Answer:\n- $3$\n- $4$", Correct),
            ("3, 4", "Final Answer:\n\n1. $x = 3$\n2. $x = 4$", Correct),
            ("501", "In total, there are $500+1=501$ values of $k$.", Correct),
            ("4", "Therefore, there are $4$ solutions with $x > 2$.", Correct),
            ("4", "Therefore, there are 4 solutions to $x^2 = 2$.", Correct),
            ("2", "Therefore, there are 4 solutions to $x^2 = 2$.", Wrong),
            ("p-q", "We get\n\\begin{align*}\nS &= a - b \\\\\n&= p - q.\n\\end{align*}", Correct),
            ("(3,4)", "The intersection point is (3, 4).", Correct),
            ("(3,4)", "We get $x=3$.\n\nThe point is (3, 4).", Correct),
            ("x^2+2x+1", "So the polynomial is x^2 + 2x + 1.", Correct),
            ("25", "Therefore, $a = 25$.\n\nLet's verify: with $b=7$ it holds.", Correct),
            ("12", "Thus, there are $12$ terms from $5$ to $38$.", Correct),
        ],
    );
}

#[test]
fn asides_are_not_the_answer() {
    both(&[
        ("4", "3", "The final answer is $4$, since $x = 3$ is excluded."),
        ("12", "5", "The final answer is $n = 12$ (with first term $5$)."),
        ("12", "5", "The answer is $12$, not $5$."),
        ("12", "5", "The answer is $12$ with first term $5$."),
        ("4", "3", "**Answer:** The smallest such $n$ is $4$ (because $n=3$ fails)."),
        ("36", "4", "The answer is the difference of $40$ and $4$, i.e. $36$."),
        ("7", "3", "{\"answer\": 7, \"explanation\": \"4 + 3\"}"),
    ]);
    check(
        Grader::Math,
        &[
            ("7", "The answer is either $5$ or $7$.", Wrong),
            ("7", "The answer might be 5 or 7.", Wrong),
            ("5, 7", "The answer is either $5$ or $7$.", Correct),
            ("4", "The answer is (3, 4).", Wrong),
        ],
    );
}

#[test]
fn answers_are_named_in_other_ways_and_languages() {
    both(&[
        ("7", "3", "3 + 4 <answer>7</answer>"),
        ("7", "4", "<answer>$a=4$, sum $=7$</answer>"),
        ("7", "4", "With 4 more: [ANSWER] 7 [/ANSWER]"),
        ("7", "9", "Result: 7"),
        ("7", "9", "Answer - 7"),
        ("7", "3", "$b=3$\n\n=> 7"),
        ("16", "4", "4×4,答案是16。"),
        ("7", "9", "答案:7"),
        ("7", "9", "Ответ: 7"),
        ("7", "9", "Réponse : 7"),
        ("7", "9", "La respuesta es 7."),
        ("36", "9", "36\n\nExplanation: We multiply $9$ and $4$."),
    ]);
}

#[test]
fn parts_behind_a_total_and_remarks_beside_it_are_no_answer() {
    check(
        Grader::Number,
        &[
            ("30", "She has 30 pens in total: 10 red, 12 blue, and 8 green ones.", Correct),
            ("8", "She has 30 pens in total: 10 red, 12 blue, and 8 green ones.", Wrong),
            ("30", "In total there are 30 pens, that is, 12 red and 18 blue.", Correct),
            ("30", "So there are 12 + 18 = 30 pens in all, 12 red and 18 blue.", Correct),
            ("18", "There are 30 pens, 12 are red, and 18 are blue.", Correct),
            ("20", "She had 30 pens, 10 sold, and 20 left.", Correct),
            ("20", "She had 30 pens and lost 10, so 20 are left.", Correct),
            ("12", "There are 12 pens: 3 pens in each of 4 boxes.", Correct),
            ("12", "He walks 12 km a week, 4 walks of 3 km each.", Correct),
            ("9", "The answer is 9 pens, since 13 - 4 = 9, not 8.", Correct),
            ("8", "The answer is 9 pens, since 13 - 4 = 9, not 8.", Wrong),
            ("600", "So in 12 months she pays 600 dollars, at 50 dollars a month.", Correct),
            ("600", "In 12 months, she pays 600 dollars.", Correct),
            ("9", "Ann is 9 years older than Bob, who is 14.", Correct),
            ("14", "Ann gave 9 to Bob, who then had 14.", Correct),
            ("25", "He got 25 points, 7 more than last time.", Correct),
            ("25", "So 25 cups were sold, 7 of which were red.", Correct),
            ("150", "It takes 60 + 90 = 150 minutes, or 2 hours and 30 minutes.", Correct),
            ("6", "He has to read 6 pages in the remaining 3 days.", Correct),
            ("6", "Each pen costs $6, given that 5 pens cost $30.", Correct),
            ("14", "The bus goes 14 km every 20 minutes.", Correct),
            ("24", "So she baked 24 pies, which is 6 more than Pete's 18.", Correct),
            ("7", "It takes 7 hours: 3 for the first 90 km and 4 for the other 200 km.", Correct),
            ("160", "She pays a total of $160: $100 for a coat and $60 for boots.", Correct),
            ("40", "She saved $40, 20% of the old price of $200.", Correct),
            ("160", "The coat now costs $160, compared to $200 before.", Correct),
            ("6", "So 6 buses are needed to carry 240 people, with 40 people per bus.", Correct),
            ("3", "He has 3 times as many pens as Sue, who has 12.", Correct),
            ("24", "Nora has to bake 24 more pies to have 60.", Correct),
            ("12", "With 3 eggs for each, she uses 36 eggs to make 12 cakes.", Correct),
            ("3", "3 of the 12 pens are left.", Correct),
            ("12", "3 of the 12 pens are left.", Wrong),
            ("3", "3 books remain, as he has read 9 of 12.", Correct),
            ("9", "The total is 9.\n\n```python\na = 4\nprint(a + 5)\n```", Correct),
            ("9", "We run it.\n```python\nprint(4 + 5)\n```\n```output\n9\n```", Correct),
        ],
    );
}

#[test]
fn a_last_sentence_may_say_its_answer_in_words_or_in_several_formulas() {
    check(
        Grader::Math,
        &[
            ("2 \\pm 3i", "The roots are $x = 2 + 3i$ and $x = 2 - 3i$.", Correct),
            ("2 - 3i", "The roots are $x = 2 + 3i$ and $x = 2 - 3i$.", Wrong),
            ("-5", "So $x = 2$ or $x = -5$.", Wrong),
            ("4", "So $x = -2$ and $y = 4$.", Wrong),
            ("17", "So $D = (8,9)$, and $x + y = 8 + 9 = 17$.", Correct),
            ("4", "Answer: 4√3", Wrong),
            ("4\\sqrt{3}", "Answer: 4√3", Correct),
            ("16", "Answer: 16 * pi", Wrong),
            ("(1,-4)", "So the point is at $(1, -3)$ and not at $(1, -4)$.", Wrong),
            ("(1,-3)", "So the point is at $(1, -3)$ and not at $(1, -4)$.", Correct),
            ("12", "The leg has length $12$, since $5^2 + 12^2 = 13^2$.", Correct),
            ("12", "We get $x^2 = 144$, so $x = 12$ (since $x > 0$).", Correct),
            (
                "\\frac{7}{15}",
                "There are 21 of 45, giving a probability of $\\frac{7}{15}$.",
                Correct,
            ),
            ("36", "So, 2 people can be chosen from 9 people in 36 ways.", Correct),
            ("36", "We can choose 2 of the 9 people in 36 ways.", Correct),
            ("9", "We can choose 2 of the 9 people in 36 ways.", Wrong),
            ("36", "We count.\n\n**Total handshakes: 36**", Correct),
            ("(4,-1)", "The lines intersect at (4, -1).", Correct),
            ("\\text{Friday}", "Therefore, it falls on a Friday.", Correct),
            ("\\text{Friday}", "Therefore, it falls on a Sunday.", Wrong),
            ("40", "There are 40 even numbers between 1 and 80.", Correct),
            ("80", "There are 40 even numbers between 1 and 80.", Wrong),
            ("40", "We use $n = 2k$.\n\nSo there are 40 such numbers between 1 and 80.", Correct),
            ("\\text{odd}", "We have $g(-x) = -g(x)$.\n\nSo the function is odd.", Correct),
            ("\\text{odd}", "We have $g(-x) = g(x)$.\n\nSo the function is even.", Wrong),
            ("\\text{Dora}", "Ann runs 5 km, Dora 6 km.\n\nSo Dora has the most.", Correct),
            ("\\text{Dora}", "The fastest of the four runners is Dora.", Correct),
            ("\\text{Dora}", "The fastest of the four runners is Emil.", Wrong),
            ("\\text{Dora}", "The answer is Emil, since Dora was late.", Wrong),
            ("\\text{Dora}", "So it was on a **Friday**, they say.", Wrong),
            ("\\text{(B)}", "The correct choice is **C**, not B.", Wrong),
            ("\\text{(C)}", "The correct choice is **C**, not B.", Correct),
        ],
    );
}

#[test]
fn long_texts_terminate() {
    // Read again from each of their pieces on, they would not soon.
    for piece in [
        "the answer is found. ",
        "\\boxed{",
        "\\boxed{1}\n",
        "$x$ ",
        "\\( x ",
        "\\frac",
        "#### 1\n",
        "answer: ",
        "\n\nQ: 1? = 2+2",
        "1 in ",
        " so 1",
        "**1** ",
        "(1 (2) ",
        "<answer>",
        "Note: 1\n\n",
        "is $",
        " x = 1 + 1 = 2. ",
        "\\begin{align*}",
        "9: 1, ",
        ", or 2 hours and ",
        "So 3, not 5",
        "So 1 is, with 2",
        "\n```python\n1\n```",
    ] {
        let text = piece.repeat(100_000 / piece.len());
        for grader in [Grader::Math, Grader::Number] {
            assert_ne!(grader.grade(Some("77"), &text).verdict, Correct, "{piece}");
        }
    }
}
