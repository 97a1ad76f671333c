//! The LaTeX commands that an answer may contain: formatting, synonyms, and names of variables.

/// Functions that are recognized without a backslash.
pub(super) const FUNCTION_NAMES: [&str; 23] = [
    "sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "arccot", "arcsec",
    "arccsc", "sinh", "cosh", "tanh", "log", "ln", "lg", "exp", "max", "min", "gcd", "lcm",
];

/// Whether a command only changes the formatting of its argument.
pub(super) fn is_formatting(name: &str) -> bool {
    const FORMATTING: &[&str] = &[
        "big",
        "Big",
        "bigg",
        "Bigg",
        "bigl",
        "bigr",
        "Bigl",
        "Bigr",
        "biggl",
        "biggr",
        "Biggl",
        "Biggr",
        "bigm",
        "middle",
        "displaystyle",
        "textstyle",
        "scriptstyle",
        "limits",
        "nolimits",
        "quad",
        "qquad",
        "enspace",
        "thinspace",
        "boxed",
        "fbox",
        "ensuremath",
        "mathbf",
        "mathit",
        "mathcal",
        "boldsymbol",
        "bm",
        "vec",
        "hat",
        "overrightarrow",
        "bf",
        "it",
        "therefore",
        "angle",
        "measuredangle",
        "triangle",
        "hline",
        "relax",
        "square",
        "Box",
        "checkmark",
        "underline",
        "uline",
        "uuline",
        "tiny",
        "small",
        "footnotesize",
        "normalsize",
        "large",
        "Large",
        "LARGE",
        "huge",
        "Huge",
        "bold",
        "bfseries",
        "pmb",
        "smash",
        "strut",
        "mathstrut",
        "blacksquare",
        "qed",
        "qedsymbol",
        "mathnormal",
        "mathscr",
        "mathfrak",
        "textdollar",
        "mathdollar",
        "pounds",
        "textsterling",
        "euro",
        "cent",
        "textcent",
        "space",
        "nobreakspace",
        "negthinspace",
        "medspace",
        "thickspace",
        "noindent",
        "centering",
        "rlap",
        "mathop",
        "mathrel",
        "nonumber",
        "notag",
        "because",
        "allowbreak",
        "mathopen",
        "mathclose",
    ];
    FORMATTING.contains(&name)
}

/// Whether a command and its group produce nothing.
pub(super) fn is_invisible(name: &str) -> bool {
    matches!(
        name,
        "hspace"
            | "vspace"
            | "phantom"
            | "hphantom"
            | "vphantom"
            | "label"
            | "tag"
            | "color"
            | "textcolor"
            | "colorbox"
    )
}

/// The canonical name of a command.
pub(super) fn canonical_command(name: &str) -> &str {
    match name {
        "dfrac" | "tfrac" | "cfrac" | "sfrac" | "nicefrac" | "xfrac" | "flatfrac" => "frac",
        "dbinom" | "tbinom" => "binom",
        "le" | "leqslant" | "leqq" => "leq",
        "ge" | "geqslant" | "geqq" => "geq",
        "ne" => "neq",
        "degree" | "textdegree" | "deg" => "circ",
        "ldots" | "cdots" | "dotsc" | "dotsb" | "vdots" | "ddots" => "dots",
        "varnothing" => "emptyset",
        "to" | "rightarrow" | "Rightarrow" | "longrightarrow" | "Longrightarrow" | "implies"
        | "iff" | "Leftrightarrow" => "implies",
        "simeq" | "doteq" | "cong" => "approx",
        "varphi" => "phi",
        "varepsilon" => "epsilon",
        "R" | "Reals" => "reals",
        "bar" => "overline",
        "smallsetminus" | "backslash" => "setminus",
        other => other,
    }
}

/// Whether a command names a variable or constant. An unknown command makes an answer unreadable: it could mean
/// anything.
pub(super) fn is_variable_name(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "vartheta", "iota",
        "kappa", "lambda", "mu", "nu", "xi", "rho", "varrho", "sigma", "varsigma", "tau",
        "upsilon", "phi", "chi", "psi", "omega", "Gamma", "Delta", "Theta", "Lambda", "Xi",
        "Sigma", "Upsilon", "Phi", "Psi", "Omega", "ell", "hbar", "imath", "jmath", "index",
        "mathbbP", "mathbbE", "unit i", "unit j", "unit k",
    ];
    NAMES.contains(&name)
}

/// Whether a text has an unknown command, and so an unknown meaning.
pub(super) fn has_unknown_command(text: &str) -> bool {
    text.split('\\').skip(1).any(|rest| {
        let name: &str = rest.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
        matches!(
            name,
            "star" | "cancel" | "bcancel" | "enclose" | "overset" | "underset" | "dagger"
        ) || name.len() > 2 && !is_known_command(name)
    })
}

/// Whether a command is known.
fn is_known_command(name: &str) -> bool {
    const PARSED_COMMANDS: &[&str] = &[
        "left",
        "right",
        "frac",
        "sqrt",
        "text",
        "textrm",
        "textbf",
        "textit",
        "texttt",
        "textsf",
        "textnormal",
        "emph",
        "hbox",
        "mathrm",
        "mathsf",
        "mathtt",
        "operatorname",
        "mathbb",
        "cdot",
        "times",
        "ast",
        "div",
        "colon",
        "ratio",
        "mid",
        "vert",
        "lvert",
        "rvert",
        "lVert",
        "rVert",
        "Vert",
        "lbrace",
        "rbrace",
        "lbrack",
        "rbrack",
        "lparen",
        "rparen",
        "langle",
        "rangle",
        "prime",
        "land",
        "lor",
        "vee",
        "wedge",
        "pmod",
        "bmod",
        "mod",
        "begin",
        "end",
        "binom",
        "leq",
        "geq",
        "neq",
        "circ",
        "dots",
        "emptyset",
        "implies",
        "approx",
        "reals",
        "overline",
        "setminus",
        "infty",
        "pi",
        "cup",
        "cap",
        "in",
        "equiv",
        "pm",
        "mp",
        "sum",
        "prod",
        "int",
        "lim",
        "choose",
        "over",
        "forall",
        "exists",
        "not",
        "lfloor",
        "rfloor",
        "lceil",
        "rceil",
        "sim",
        "subset",
        "subseteq",
        "cdotp",
        "notin",
        "log",
        "ln",
        "rm",
    ];
    let name = canonical_command(name);
    PARSED_COMMANDS.contains(&name)
        || is_formatting(name)
        || is_invisible(name)
        || is_variable_name(name)
        || FUNCTION_NAMES.contains(&name)
}

/// The text with single backslashes, if all of them were doubled by escaping: `\\\\frac{1}{2}`.
pub(super) fn unescape_backslashes(text: &str) -> Option<String> {
    let mut run = 0_usize;
    let mut even = true;
    for c in text.chars() {
        if c == '\\' {
            run += 1;
        } else {
            even &= run.is_multiple_of(2);
            run = 0;
        }
    }
    let command = text.split("\\\\").skip(1).any(|rest| {
        let name: &str = rest.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or("");
        name.len() > 1 && is_known_command(name)
    });
    (even && run.is_multiple_of(2) && command).then(|| text.replace("\\\\", "\\"))
}
