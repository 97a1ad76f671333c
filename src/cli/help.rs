//! `pointsman help`: the help of a command, and the manual's pages, which are inside the binary.

use std::fmt::Write;
use std::io::{self, IsTerminal};

use clap::{Args, Command};

use super::error::{CommandError, CommandResult, CommandStatus};
use super::{markdown, output};

/// Columns of a page at most; wider lines are hard to read.
const MAX_WIDTH: usize = 100;
/// Columns if standard output is not a terminal.
const DEFAULT_WIDTH: usize = 80;

#[derive(Debug, Args)]
pub(super) struct HelpArgs {
    /// A command, such as `eval` or `episodes ls`, or a page of the manual; without it, a list of both
    #[arg(value_name = "TOPIC")]
    topic: Vec<String>,
}

/// A page of the manual.
struct Page {
    name: &'static str,
    markdown: &'static str,
}

macro_rules! pages {
    ($($name:literal),+ $(,)?) => {
        [$(Page {
            name: $name,
            markdown: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/", $name, ".md")),
        }),+]
    };
}

const PAGES: [Page; 8] = pages![
    "guide",
    "models",
    "remote",
    "tasks",
    "policy",
    "reliability",
    "measurements",
    "architecture"
];

impl Page {
    fn find(name: &str) -> Option<&'static Self> {
        PAGES.iter().find(|page| page.name == name)
    }

    /// Its first heading.
    fn title(&self) -> &'static str {
        self.markdown.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default()
    }

    fn plain_text(&self, width: usize) -> String {
        markdown::render(self.markdown, width, reference)
    }
}

/// Where a link of a page leads, for a reader of plain text.
fn reference(target: &str) -> Option<String> {
    if target.starts_with("http") {
        return Some(target.to_owned());
    }
    let file = target.split('#').next()?;
    let page = Page::find(file.strip_suffix(".md")?)?;
    Some(format!("`pointsman help {}`", page.name))
}

/// Prints the help of a command, a page, or the list of both. A name that is a command and a page gives both.
///
/// # Errors
/// A usage error if there is no such topic; a failure if standard output cannot be written.
pub(super) fn run(args: &HelpArgs, mut commands: Command) -> CommandResult<CommandStatus> {
    commands.build();
    let text = match args.topic.as_slice() {
        [] => overview(&commands),
        words => topic(&mut commands, words)?,
    };
    output::print_line(text.trim_end())?;
    Ok(CommandStatus::Success)
}

fn topic(commands: &mut Command, words: &[String]) -> CommandResult<String> {
    let page = match words {
        [name] => Page::find(name),
        _ => None,
    };
    let mut command = Some(&mut *commands);
    for word in words {
        command = command.and_then(|command| command.find_subcommand_mut(word));
    }
    let command_help = command.map(|command| command.render_long_help().to_string());
    let page_text = page.map(|page| page.plain_text(width()));
    let parts: Vec<String> = command_help.into_iter().chain(page_text).collect();
    if parts.is_empty() {
        return Err(CommandError::usage(format!(
            "there is no command and no page `{}`: the commands are {}; the pages are {}",
            words.join(" "),
            command_names(commands).join(", "),
            PAGES.map(|page| page.name).join(", ")
        )));
    }
    Ok(parts.join("\n\n"))
}

pub(super) fn command_names(commands: &Command) -> Vec<&str> {
    commands.get_subcommands().map(Command::get_name).collect()
}

/// All commands and pages, each with one line.
fn overview(commands: &Command) -> String {
    let mut text = String::from("Commands, `pointsman help COMMAND`:\n");
    for command in commands.get_subcommands() {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        let _ = writeln!(text, "  {:<13} {about}", command.get_name());
    }
    text.push('\n');
    text.push_str(&page_list());
    text
}

/// All pages, each with its title; also at the end of `--help` and of the man page.
pub(super) fn page_list() -> String {
    let mut text = String::from("Pages of the manual, `pointsman help PAGE`:\n");
    for page in &PAGES {
        let _ = writeln!(text, "  {:<13} {}", page.name, page.title());
    }
    text
}

fn width() -> usize {
    let columns = ratatui::crossterm::terminal::size().ok().filter(|_| io::stdout().is_terminal());
    columns.map_or(DEFAULT_WIDTH, |(columns, _)| usize::from(columns).min(MAX_WIDTH))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_page_of_the_manual_is_embedded() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .filter_map(|entry| {
                let name = entry.unwrap().file_name().into_string().unwrap();
                name.strip_suffix(".md").map(str::to_owned)
            })
            .collect();
        let mut names = PAGES.map(|page| page.name.to_owned()).to_vec();
        files.sort();
        names.sort();
        assert_eq!(names, files, "add the page to PAGES");
    }

    #[test]
    fn pages_are_plain_text() {
        for page in &PAGES {
            assert!(!page.title().is_empty(), "{} has no title", page.name);
            let text = page.plain_text(DEFAULT_WIDTH);
            assert!(text.starts_with(page.title()), "{}", page.name);
            for mark in ["```", "<!--", "](", "**"] {
                assert!(!text.contains(mark), "{}: {mark} is left", page.name);
            }
        }
    }

    /// The topics that a text tells the user to pass to `pointsman help`.
    fn topics(text: &str) -> impl Iterator<Item = &str> {
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        text.split("pointsman help ")
            .skip(1)
            .filter_map(move |rest| rest.split(|c| !is_word(c)).next())
            // Placeholders are in capitals.
            .filter(|topic| topic.starts_with(|c: char| c.is_ascii_lowercase()))
    }

    #[test]
    fn help_topics_that_are_named_exist() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut folders: Vec<_> =
            ["src", "docs", "presets", "themes"].map(|name| root.join(name)).into();
        let mut files = vec![root.join("README.md"), root.join("CONTRIBUTING.md")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let is_text =
                    path.extension().is_some_and(|e| e == "rs" || e == "md" || e == "toml");
                if path.is_dir() {
                    folders.push(path);
                } else if is_text {
                    files.push(path);
                }
            }
        }
        let commands = crate::cli::Arguments::command();
        let known = command_names(&commands);
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for topic in topics(&text) {
                let exists = Page::find(topic).is_some() || known.contains(&topic);
                assert!(exists, "{}: there is no help topic `{topic}`", file.display());
            }
        }
    }

    #[test]
    fn links_name_pages() {
        assert_eq!(reference("policy.md#features").as_deref(), Some("`pointsman help policy`"));
        assert_eq!(reference("https://x.y").as_deref(), Some("https://x.y"));
        assert_eq!(reference("#cost"), None);
        assert_eq!(reference("../presets/tiny/README.md"), None);
    }
}
