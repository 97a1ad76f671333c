//! Markdown as plain text for a terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table, TableComponent};
use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

/// Columns by which code is indented.
const CODE_INDENT: &str = "    ";

/// Renders Markdown as plain text of at most `width` columns; code and tables may be wider. `reference` says
/// how a link's target is written out, if at all.
pub(super) fn render(
    markdown: &str,
    width: usize,
    reference: impl Fn(&str) -> Option<String>,
) -> String {
    let mut renderer = Renderer {
        reference,
        width,
        out: String::new(),
        inline: String::new(),
        lists: Vec::new(),
        marker: None,
        indent: String::new(),
        is_code: false,
        links: Vec::new(),
        rows: Vec::new(),
    };
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        renderer.add(event);
    }
    renderer.out
}

struct Renderer<F> {
    reference: F,
    width: usize,
    out: String,
    /// Text of the block or table cell that is open.
    inline: String,
    /// The next number of each open list; `None` for bullets.
    lists: Vec<Option<u64>>,
    /// The marker of a list item whose first line is not written yet.
    marker: Option<String>,
    /// What the lines of the open block begin with.
    indent: String,
    is_code: bool,
    /// Targets of the open links and images, and where their texts begin in `inline`.
    links: Vec<(String, usize)>,
    /// Cells of the open table.
    rows: Vec<Vec<String>>,
}

impl<F: Fn(&str) -> Option<String>> Renderer<F> {
    fn add(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.open(tag),
            Event::End(tag) => self.close(tag),
            Event::Text(text) if self.is_code => self.code(&text),
            Event::Text(text) => self.inline.push_str(&text),
            Event::Code(code) => self.inline.extend(["`", &code, "`"]),
            Event::SoftBreak => self.inline.push(' '),
            Event::HardBreak => self.inline.push('\n'),
            Event::Rule => self.begin_block(),
            // Comments and markup have no plain form.
            _ => {}
        }
    }

    fn open(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::Heading { .. } if self.marker.is_none() => self.begin_block(),
            Tag::CodeBlock(CodeBlockKind::Fenced(_) | CodeBlockKind::Indented) => {
                self.flush();
                self.begin_block();
                self.is_code = true;
            }
            Tag::Table(_) => self.begin_block(),
            Tag::TableHead | Tag::TableRow => self.rows.push(Vec::new()),
            Tag::List(first) => {
                self.flush();
                if self.lists.is_empty() {
                    self.begin_block();
                }
                self.lists.push(first);
            }
            Tag::Item => {
                let marker = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                };
                self.marker = Some(marker);
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.links.push((dest_url.into_string(), self.inline.len()));
            }
            _ => {}
        }
    }

    fn close(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.flush(),
            TagEnd::Heading(level) => self.heading(level),
            TagEnd::CodeBlock => self.is_code = false,
            TagEnd::Table => self.table(),
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.inline);
                if let Some(row) = self.rows.last_mut() {
                    row.push(cell);
                }
            }
            TagEnd::List(_) => drop(self.lists.pop()),
            TagEnd::Item => {
                self.flush();
                self.marker = None;
                self.indent = "  ".repeat(self.lists.len().saturating_sub(1));
            }
            TagEnd::Link => self.link(),
            TagEnd::Image => {
                if let Some((_, start)) = self.links.pop() {
                    self.inline.truncate(start);
                }
            }
            _ => {}
        }
    }

    /// Puts an empty line between this block and the one before.
    fn begin_block(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }

    /// Writes the open block, wrapped.
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.inline);
        if text.trim().is_empty() {
            return;
        }
        let outer = "  ".repeat(self.lists.len().saturating_sub(1));
        let first = match self.marker.take() {
            Some(marker) => {
                self.indent = format!("{outer}{}", " ".repeat(marker.len()));
                format!("{outer}{marker}")
            }
            None if self.lists.is_empty() => String::new(),
            None => self.indent.clone(),
        };
        let rest = if self.lists.is_empty() { "" } else { &self.indent };
        let options =
            textwrap::Options::new(self.width).initial_indent(&first).subsequent_indent(rest);
        self.out.push_str(&textwrap::fill(text.trim(), options));
        self.out.push('\n');
    }

    fn heading(&mut self, level: HeadingLevel) {
        let text = std::mem::take(&mut self.inline);
        let underline = match level {
            HeadingLevel::H1 => "=",
            HeadingLevel::H2 => "-",
            _ => "",
        };
        let columns = textwrap::core::display_width(&text);
        self.out.push_str(&text);
        self.out.push('\n');
        if !underline.is_empty() {
            self.out.push_str(&underline.repeat(columns));
            self.out.push('\n');
        }
    }

    fn code(&mut self, text: &str) {
        for line in text.lines() {
            if !line.is_empty() {
                self.out.push_str(CODE_INDENT);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }

    /// Writes a link's target after its text, or instead of it if the text only repeats the target.
    fn link(&mut self) {
        let Some((target, start)) = self.links.pop() else { return };
        let Some(reference) = (self.reference)(&target) else { return };
        if self.inline[start..] == target {
            self.inline.truncate(start);
            self.inline.push_str(&reference);
        } else {
            self.inline.extend([" (", &reference, ")"]);
        }
    }

    fn table(&mut self) {
        let mut rows = std::mem::take(&mut self.rows).into_iter();
        let mut table = Table::new();
        table
            .load_preset(NOTHING)
            .set_style(TableComponent::HeaderLines, '─')
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(self.width).unwrap_or(u16::MAX))
            .set_header(rows.next().unwrap_or_default())
            .add_rows(rows);
        self.out.push_str(&table.trim_fmt());
        self.out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(markdown: &str) -> String {
        render(markdown, 40, |target| {
            target.strip_suffix(".md").map(|page| format!("`pointsman help {page}`"))
        })
    }

    #[test]
    fn blocks_become_plain_text() {
        let markdown = "# Title\n\n<!-- generated: x -->\nSome *text* with **marks** and `code` that is wrapped here.\n\n## Part\n\n```sh\nrun it\n```\n\n- one item that is long enough to need two lines\n- two\n\n  1. inner\n\n![a picture](x.svg)\n";
        let expected = "Title\n=====\n\nSome text with marks and `code` that is\nwrapped here.\n\nPart\n----\n\n    run it\n\n- one item that is long enough to need\n  two lines\n- two\n  1. inner\n";
        assert_eq!(rendered(markdown).trim_end(), expected.trim_end());
    }

    #[test]
    fn links_name_what_they_lead_to() {
        assert_eq!(
            rendered("See [policy.md](policy.md), [the pages](models.md) and [a file](x.toml)."),
            "See `pointsman help policy`, the pages\n(`pointsman help models`) and a file.\n"
        );
    }

    #[test]
    fn tables_keep_their_columns() {
        let table = rendered("| a | b |\n|---|---|\n| `x\\|y` | 2 |\n");
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 3, "{table}");
        assert!(lines[2].contains("`x|y`") && lines[2].ends_with('2'), "{table}");
    }
}
