//! The active keys: the defaults of the actions, overridden by the user's `keys.toml`.
//!
//! ```toml
//! pause = ["space", "F5"]
//! threshold-up = ["Ctrl-U"]
//! stop = []                  # no key
//! ```

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::action::{Action, ActionScope, ActionSpec, PageId};
use super::key::Key;
use crate::config::{FileError, NamedFile};

/// Which keys do what. [`Keymap::default`] and [`Keymap::load`] are defined with the table of actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

/// An action with its keys; hints name the first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Binding {
    spec: &'static ActionSpec,
    keys: Vec<Key>,
}

/// A key in `keys.toml`: the binding it belongs to, and its byte offset in the file.
struct FileKey {
    binding: usize,
    key: Key,
    offset: usize,
}

impl Keymap {
    /// The default keys of these actions.
    pub(super) fn new(specs: impl Iterator<Item = &'static ActionSpec>) -> Self {
        Self { bindings: specs.map(|spec| Binding { spec, keys: spec.keys.to_vec() }).collect() }
    }

    /// These keys, overridden by a `keys.toml`.
    ///
    /// # Errors
    /// If the file is not TOML, names an action or a key that does not exist, names an action
    /// twice, binds a key to two actions of one page, or leaves no key to quit.
    pub(super) fn overridden_by(mut self, file: &NamedFile) -> Result<Self, FileError> {
        let table = DeTable::parse(&file.text).map_err(|error| {
            file.error(error.span().map_or(0, |span| span.start), error.message())
        })?;
        let mut entries: Vec<(&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)> =
            table.get_ref().iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        // The entries that were read: binding, name in the file.
        let mut read: Vec<(usize, &str)> = Vec::new();
        let mut file_keys = Vec::new();
        for (name, value) in entries {
            let offset = name.span().start;
            let name = name.get_ref().as_ref();
            let binding = self.binding_called(name).map_err(|why| file.error(offset, &why))?;
            if let Some((_, other)) = read.iter().find(|(of, _)| *of == binding) {
                let reason = format!(
                    "`{other}` and `{name}` are names of the same action: keep one of the two entries"
                );
                return Err(file.error(offset, &reason));
            }
            read.push((binding, name));
            let keys = parse_keys(file, name, value)?;
            file_keys.extend(self.rebind(binding, keys));
            let Binding { spec, keys } = &self.bindings[binding];
            if spec.action == Action::Quit && keys.is_empty() {
                let reason = "action `quit` has no key, and nothing else ends the program: \
                              give it one";
                return Err(file.error(offset, reason));
            }
        }
        self.check_conflicts(file, &file_keys)?;
        Ok(self)
    }

    /// Index of the action that `name` means in `keys.toml`; the error is the reason and the remedy.
    fn binding_called(&self, name: &str) -> Result<usize, String> {
        self.bindings.iter().position(|binding| binding.spec.is_called(name)).ok_or_else(|| {
            format!(
                "there is no action `{name}`: remove it or correct its spelling; `pointsman print keys` lists them all"
            )
        })
    }

    /// Replaces the keys of a binding; returns them without repetitions.
    fn rebind(&mut self, binding: usize, keys: Vec<(Key, usize)>) -> Vec<FileKey> {
        let bound = &mut self.bindings[binding].keys;
        bound.clear();
        let mut file_keys = Vec::new();
        for (key, offset) in keys {
            if !bound.contains(&key) {
                bound.push(key);
                file_keys.push(FileKey { binding, key, offset });
            }
        }
        file_keys
    }

    /// Refuses a key of the file that another action of the same page has, from the file or by
    /// default.
    fn check_conflicts(&self, file: &NamedFile, file_keys: &[FileKey]) -> Result<(), FileError> {
        let spec = |binding: usize| self.bindings[binding].spec;
        for (i, &FileKey { binding, key, offset }) in file_keys.iter().enumerate() {
            let overlaps = |other: &usize| spec(*other).scope.overlaps(spec(binding).scope);
            let earlier = file_keys[..i].iter().filter(|other| other.key == key);
            let in_file = earlier.map(|other| other.binding).find(overlaps);
            let by_default = || {
                let unchanged = |other: &usize| file_keys.iter().all(|key| key.binding != *other);
                let mut others = (0..self.bindings.len()).filter(unchanged).filter(overlaps);
                others.find(|other| self.bindings[*other].keys.contains(&key))
            };
            if let Some(other) = in_file.or_else(by_default) {
                let reason = format!(
                    "key `{key}` is bound to both `{}` and `{}`: choose another for one of them",
                    spec(other).name,
                    spec(binding).name
                );
                return Err(file.error(offset, &reason));
            }
        }
        Ok(())
    }

    /// Every action with its keys, in the order of the help.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (&'static ActionSpec, &[Key])> {
        self.bindings.iter().map(|binding| (binding.spec, binding.keys.as_slice()))
    }

    /// The action of a key on a page. In a replay it may be an action of a live session: it is not
    /// available there, and says why.
    pub(super) fn action_for_key(&self, key: Key, page: PageId) -> Option<&'static ActionSpec> {
        let bound = || self.rows().filter(|(_, keys)| keys.contains(&key)).map(|(spec, _)| spec);
        let live = |spec: &&ActionSpec| {
            page == PageId::Replay
                && matches!(
                    spec.scope,
                    ActionScope::SessionReady
                        | ActionScope::SessionReadyOrFailed
                        | ActionScope::OpenEpisode
                )
        };
        bound().find(|spec| spec.scope.exists_on(page)).or_else(|| bound().find(live))
    }

    /// The key that hints name for an action; `None` if it has no key.
    pub(super) fn primary_key(&self, action: Action) -> Option<Key> {
        self.rows().find(|(spec, _)| spec.action == action)?.1.first().copied()
    }

    /// What to press, as the end of a sentence: `: press d to draw a question, i to type one`.
    /// Actions without a key are left out; empty if none is left.
    pub(super) fn key_hints(&self, actions: &[(Action, &str)]) -> String {
        let hints =
            actions.iter().filter_map(|(action, to)| Some((self.primary_key(*action)?, to)));
        let hints: Vec<String> = hints.map(|(key, to)| format!("{key} {to}")).collect();
        if hints.is_empty() { String::new() } else { format!(": press {}", hints.join(", ")) }
    }

    /// A `keys.toml` that gives these keys.
    pub fn to_toml(&self) -> String {
        let line = |(spec, keys): (&ActionSpec, &[Key])| {
            let keys: Vec<String> =
                keys.iter().map(|key| toml::Value::String(key.to_string()).to_string()).collect();
            format!("{} = [{}]\n", spec.name, keys.join(", "))
        };
        self.rows().map(line).collect()
    }

    /// A table in Markdown.
    pub fn to_markdown(&self) -> String {
        let line = |(spec, keys): (&ActionSpec, &[Key])| {
            // A bar ends a cell, even inside backquotes.
            let keys: Vec<String> = keys
                .iter()
                .map(|key| format!("`{}`", key.to_string().replace('|', "\\|")))
                .collect();
            format!("| {} | `{}` | {} |\n", keys.join(" "), spec.name, spec.help)
        };
        let head = "| keys | action | what it does |\n|---|---|---|\n";
        std::iter::once(head.to_owned()).chain(self.rows().map(line)).collect()
    }
}

/// The keys of an entry, a list or a single name, each with its byte offset.
fn parse_keys(
    file: &NamedFile,
    action: &str,
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<(Key, usize)>, FileError> {
    let items = match value.get_ref() {
        DeValue::Array(items) => items.iter().collect(),
        _ => vec![value],
    };
    let one = |item: &Spanned<DeValue<'_>>| {
        let offset = item.span().start;
        let DeValue::String(name) = item.get_ref() else {
            let reason =
                format!("action `{action}` needs a list of keys, such as [\"k\", \"Ctrl-R\"]");
            return Err(file.error(offset, &reason));
        };
        let key: Result<Key, String> = name.parse();
        key.map(|key| (key, offset))
            .map_err(|why| file.error(offset, &format!("action `{action}`: {why}")))
    };
    items.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use ratatui::crossterm::event::KeyCode;

    use super::*;
    use crate::workbench::actions::ACTIONS;

    fn parse(text: &str) -> Result<Keymap, String> {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("keys.toml");
        std::fs::write(&path, text).unwrap();
        Keymap::load(&path)
            .map_err(|e| e.to_string().replace(&path.display().to_string(), "keys.toml"))
    }

    fn refusal(text: &str) -> String {
        let reason = parse(text).unwrap_err();
        assert!(!reason.contains('\n'), "one sentence: {reason}");
        reason
    }

    #[test]
    fn the_file_overrides_the_defaults() {
        let map = parse("# mine\nstop = [\"Ctrl-X\", \"F9\"]\npause = \"Z\"\nstep = []\n").unwrap();
        let action = |key: Key| map.action_for_key(key, PageId::Live).map(|spec| spec.action);
        assert_eq!(action(Key::control('x')), Some(Action::Stop));
        assert_eq!(action(Key::code(KeyCode::F(9))), Some(Action::Stop));
        assert_eq!(action(Key::plain('x')), None, "the default is replaced");
        assert_eq!(action(Key::plain('Z')), Some(Action::Pause));
        assert_eq!(action(Key::plain('q')), Some(Action::Quit), "the others are as they were");
        assert_eq!(
            (map.primary_key(Action::Step), map.primary_key(Action::Stop)),
            (None, Some(Key::control('x')))
        );
        // Two actions may swap keys.
        let map = parse("small-next = [\"l\"]\nlarge-next = [\"s\"]\n").unwrap();
        assert_eq!(map.primary_key(Action::LargeNext), Some(Key::plain('s')));
    }

    #[test]
    fn a_replay_has_keys_of_its_own_and_knows_the_others() {
        let map = Keymap::default();
        let scope = |c: char, page| map.action_for_key(Key::plain(c), page).map(|spec| spec.scope);
        assert_eq!(
            [scope('n', PageId::Live), scope('n', PageId::Replay)],
            [Some(ActionScope::SessionReady), Some(ActionScope::On(PageId::Replay))]
        );
        assert_eq!(
            [scope('L', PageId::Live), scope('L', PageId::Replay)],
            [Some(ActionScope::OpenEpisode); 2]
        );
        assert_eq!(
            [scope('B', PageId::Live), scope('B', PageId::Replay)],
            [None, Some(ActionScope::On(PageId::Replay))]
        );
        assert_eq!(
            [scope('w', PageId::Live), scope('w', PageId::Replay)],
            [Some(ActionScope::AnyEpisode); 2]
        );
        // Actions of different pages may share a key.
        let map = parse("replay-start = [\"d\"]\n").unwrap();
        assert_eq!(
            map.action_for_key(Key::plain('d'), PageId::Live).map(|spec| spec.action),
            Some(Action::DrawQuestion)
        );
        assert!(refusal("replay-start = [\"w\"]\n").contains("`toggle-why` and `replay-start`"));
    }

    #[test]
    fn without_a_file_the_defaults_hold() {
        let map = Keymap::load(Path::new("/nowhere/keys.toml")).unwrap();
        assert_eq!(map, Keymap::default());
        assert_eq!(parse(&map.to_toml()), Ok(map), "what is printed can be read");
    }

    #[test]
    fn errors_are_one_sentence() {
        assert_eq!(
            refusal("pause = [\"P\"]\nstopp = [\"x\"]\n"),
            "keys.toml, line 2, column 1: there is no action `stopp`: remove it or correct its \
             spelling; `pointsman print keys` lists them all"
        );
        let key = refusal("stop = [\n  \"Ctl-x\",\n]\n");
        assert!(
            key.starts_with("keys.toml, line 2, column 3: action `stop`: `Ctl-x` is not a key: "),
            "{key}"
        );
        assert_eq!(
            refusal("stop = [\"F1\"]\npause = [\"F1\"]\n"),
            "keys.toml, line 2, column 10: key `F1` is bound to both `stop` and `pause`: choose \
             another for one of them"
        );
        assert_eq!(
            refusal("stop = [\"q\"]\n"),
            "keys.toml, line 1, column 9: key `q` is bound to both `quit` and `stop`: choose another \
             for one of them"
        );
        let quit = refusal("quit = []\n");
        assert!(
            quit.starts_with("keys.toml, line 1, column 1: action `quit` has no key"),
            "{quit}"
        );
        assert_eq!(
            refusal("copy = [\"F1\"]\ncopy-trace = [\"F2\"]\n"),
            "keys.toml, line 2, column 1: `copy` and `copy-trace` are names of the same action: keep \
             one of the two entries"
        );
        let number = refusal("stop = 5\n");
        assert!(
            number.contains("line 1, column 8: action `stop` needs a list of keys"),
            "{number}"
        );
        let broken = refusal("stop = [\"x\"\n");
        assert!(broken.starts_with("keys.toml, line "), "{broken}");
    }

    #[test]
    fn hints_name_the_keys_in_force() {
        let ways =
            [(Action::DrawQuestion, "to draw a question"), (Action::TypeQuestion, "to type one")];
        let map = Keymap::default();
        assert_eq!(map.key_hints(&ways), ": press d to draw a question, i to type one");
        let map = parse("draw-question = [\"F2\"]\ntype-question = []\n").unwrap();
        assert_eq!(map.key_hints(&ways), ": press F2 to draw a question");
        let map = parse("draw-question = []\ntype-question = []\n").unwrap();
        assert_eq!(map.key_hints(&ways), "");
    }

    #[test]
    fn the_markdown_has_every_action() {
        let text = Keymap::default().to_markdown();
        assert_eq!(text.lines().count(), ACTIONS.len() + 2);
        assert!(text.contains("| `Enter` `r` | `run` | resume, or ask again |"), "{text}");
    }

    /// Every name that was in use earlier and is not any more.
    const FORMER: &str = "\
        at-school-calibrate at-school-collect at-school-contest at-school-discard \
        at-school-promote at-school-roll-back at-school-train copy draw earlier \
        in-library-bin in-library-compare in-library-export in-library-family in-library-find \
        in-library-mark in-library-note in-library-open in-library-replay in-library-sort \
        in-library-star in-library-tag in-library-undo large-on later library reasons release \
        replay-seek replay-toggle school score small-on type";

    #[test]
    fn files_with_former_names_are_read() {
        let mut known: Vec<&str> =
            ACTIONS.iter().flat_map(|row| row.spec.former_names).copied().collect();
        known.sort_unstable();
        assert_eq!(known, FORMER.split_whitespace().collect::<Vec<_>>());
        let line = |(i, row): (usize, &crate::workbench::actions::ActionRow)| {
            let name = row.spec.former_names.first().unwrap_or(&row.spec.name);
            let code = char::from_u32(0x4e00 + i as u32).unwrap();
            format!("{name} = [\"{code}\"]\n")
        };
        let map = parse(&ACTIONS.iter().enumerate().map(line).collect::<String>()).unwrap();
        for (i, (spec, keys)) in map.rows().enumerate() {
            let code = char::from_u32(0x4e00 + i as u32).unwrap();
            assert_eq!(keys, [Key::plain(code)], "{}", spec.name);
        }
        let toml = map.to_toml();
        assert!(toml.contains("copy-trace = ") && !toml.contains("\ncopy = "), "{toml}");
    }
}
