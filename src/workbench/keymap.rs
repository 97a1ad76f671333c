//! The keys in force: those of the table of actions, and the user's `keys.toml` over them.
//!
//! ```toml
//! pause = ["space", "F5"]
//! threshold-up = ["Ctrl-U"]
//! stop = []                  # no key
//! ```

use std::path::Path;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::actions::{ACTIONS, Action, ActionScope, ActionSpec, Mode};
use super::key::Key;
use crate::config::{FileError, NamedFile};

/// Which keys do what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    /// A list a row of [`ACTIONS`], the key to name first at its head.
    keys: Vec<Vec<Key>>,
}

impl Default for Keymap {
    /// The keys of the table.
    fn default() -> Self {
        Self { keys: ACTIONS.iter().map(|row| row.keys.to_vec()).collect() }
    }
}

impl Keymap {
    /// The keys of the table, and over them those of the file at `path`, which need not exist. What the
    /// file says of an action takes the place of all its keys.
    ///
    /// # Errors
    /// When the file cannot be read or understood, names an action or a key that does not exist, binds a
    /// key twice, or leaves no key to quit.
    pub fn load(path: &Path) -> Result<Self, FileError> {
        NamedFile::at(path)?.map_or_else(|| Ok(Self::default()), |file| Self::parse(&file))
    }

    fn parse(file: &NamedFile) -> Result<Self, FileError> {
        let table = DeTable::parse(&file.text).map_err(|error| {
            file.error(error.span().map_or(0, |span| span.start), error.message())
        })?;
        let mut entries: Vec<(&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)> =
            table.get_ref().iter().collect();
        entries.sort_by_key(|(name, _)| name.span().start);
        let mut map = Self::default();
        // What the file says, in its order: row, key, where.
        let mut bound: Vec<(usize, Key, usize)> = Vec::new();
        for (name, value) in entries {
            let at = name.span().start;
            let name = name.get_ref().as_ref();
            let row = ACTIONS.iter().position(|row| row.action.name() == name).ok_or_else(|| {
                let reason = format!(
                    "there is no action `{name}`: remove it or correct its spelling; `pointsman print keys` lists them all"
                );
                file.error(at, &reason)
            })?;
            map.keys[row].clear();
            for (key, at) in parse_keys(file, name, value)? {
                if !map.keys[row].contains(&key) {
                    map.keys[row].push(key);
                    bound.push((row, key, at));
                }
            }
            if ACTIONS[row].action == Action::Quit && map.keys[row].is_empty() {
                let reason = "action `quit` has no key, and there is no other way out: give it one";
                return Err(file.error(at, reason));
            }
        }
        for (i, &(row, key, at)) in bound.iter().enumerate() {
            let overlaps = |other: &usize| ACTIONS[*other].scope.overlaps(ACTIONS[row].scope);
            let same = bound[..i].iter().filter(|(_, other, _)| *other == key);
            let before = same.map(|(row, ..)| *row).find(overlaps);
            let default = || {
                let of_table = |other: &usize| !bound.iter().any(|(row, ..)| row == other);
                let mut others = (0..ACTIONS.len()).filter(of_table).filter(overlaps);
                others.find(|r| map.keys[*r].contains(&key))
            };
            if let Some(other) = before.or_else(default) {
                let [one, two] = [other, row].map(|row| ACTIONS[row].action.name());
                let reason = format!(
                    "key `{key}` is bound to both `{one}` and `{two}`: choose another for one of them"
                );
                return Err(file.error(at, &reason));
            }
        }
        Ok(map)
    }

    /// Every action with its keys, in the order of the help.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = (&'static ActionSpec, &[Key])> {
        ACTIONS.iter().zip(self.keys.iter().map(Vec::as_slice))
    }

    /// The action of a key. In a replay that may be one of a live session, which then says why it
    /// does nothing.
    pub fn action_for_key(&self, key: Key, mode: Mode) -> Option<&'static ActionSpec> {
        let bound = || self.rows().filter(|(_, keys)| keys.contains(&key)).map(|(row, _)| row);
        let live = |row: &&ActionSpec| {
            mode == Mode::Replay
                && matches!(
                    row.scope,
                    ActionScope::SessionReady
                        | ActionScope::SessionReadyOrFailed
                        | ActionScope::OpenEpisode
                )
        };
        bound().find(|row| row.scope.exists_in(mode)).or_else(|| bound().find(live))
    }

    /// The key to name for an action; nothing where it has none.
    pub fn primary_key(&self, action: Action) -> Option<Key> {
        self.rows().find(|(row, _)| row.action == action)?.1.first().copied()
    }

    /// What to press, as the end of a sentence: `: press d to draw a question, i to type one`. Actions
    /// without a key are left out; empty where none is left.
    pub fn key_hints(&self, ways: &[(Action, &str)]) -> String {
        let ways = ways.iter().filter_map(|(action, to)| Some((self.primary_key(*action)?, to)));
        let ways: Vec<String> = ways.map(|(key, to)| format!("{key} {to}")).collect();
        if ways.is_empty() { String::new() } else { format!(": press {}", ways.join(", ")) }
    }

    /// As a `keys.toml` that gives the same.
    pub fn to_toml(&self) -> String {
        let line = |(row, keys): (&ActionSpec, &[Key])| {
            let keys: Vec<String> =
                keys.iter().map(|key| toml::Value::String(key.to_string()).to_string()).collect();
            format!("{} = [{}]\n", row.action.name(), keys.join(", "))
        };
        self.rows().map(line).collect()
    }

    /// As a table in Markdown.
    pub fn to_markdown(&self) -> String {
        let line = |(row, keys): (&ActionSpec, &[Key])| {
            // A bar would end the cell, whether or not it stands in code.
            let keys: Vec<String> = keys
                .iter()
                .map(|key| format!("`{}`", key.to_string().replace('|', "\\|")))
                .collect();
            format!("| {} | `{}` | {} |\n", keys.join(" "), row.action.name(), row.help)
        };
        let head = "| keys | action | what it does |\n|---|---|---|\n";
        std::iter::once(head.to_owned()).chain(self.rows().map(line)).collect()
    }
}

/// The keys of one entry: a list of names, or a single one.
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
        let at = item.span().start;
        let DeValue::String(name) = item.get_ref() else {
            let reason =
                format!("action `{action}` needs a list of keys, such as [\"k\", \"Ctrl-R\"]");
            return Err(file.error(at, &reason));
        };
        let key: Result<Key, String> = name.parse();
        key.map(|key| (key, at)).map_err(|e| file.error(at, &format!("action `{action}`: {e}")))
    };
    items.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use ratatui::crossterm::event::KeyCode;

    use super::*;

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
    fn the_file_takes_the_place_of_the_table() {
        let map = parse("# mine\nstop = [\"Ctrl-X\", \"F9\"]\npause = \"Z\"\nstep = []\n").unwrap();
        let action = |key: Key| map.action_for_key(key, Mode::Live).map(|row| row.action);
        assert_eq!(action(Key::control('x')), Some(Action::Stop));
        assert_eq!(action(Key::code(KeyCode::F(9))), Some(Action::Stop));
        assert_eq!(action(Key::plain('x')), None, "it was the table's");
        assert_eq!(action(Key::plain('Z')), Some(Action::Pause));
        assert_eq!(action(Key::plain('q')), Some(Action::Quit), "the others are as they were");
        assert_eq!(
            (map.primary_key(Action::Step), map.primary_key(Action::Stop)),
            (None, Some(Key::control('x')))
        );
        // Two actions may change keys.
        let map = parse("small-next = [\"l\"]\nlarge-next = [\"s\"]\n").unwrap();
        assert_eq!(map.primary_key(Action::LargeNext), Some(Key::plain('s')));
    }

    #[test]
    fn a_replay_has_keys_of_its_own_and_knows_the_others() {
        let map = Keymap::default();
        let scope = |c: char, mode| map.action_for_key(Key::plain(c), mode).map(|row| row.scope);
        assert_eq!(
            [scope('n', Mode::Live), scope('n', Mode::Replay)],
            [Some(ActionScope::SessionReady), Some(ActionScope::Replay)]
        );
        assert_eq!(
            [scope('L', Mode::Live), scope('L', Mode::Replay)],
            [Some(ActionScope::OpenEpisode); 2]
        );
        assert_eq!(
            [scope('B', Mode::Live), scope('B', Mode::Replay)],
            [None, Some(ActionScope::Replay)]
        );
        assert_eq!(
            [scope('w', Mode::Live), scope('w', Mode::Replay)],
            [Some(ActionScope::AnyEpisode); 2]
        );
        // What is never there together may share a key.
        let map = parse("replay-start = [\"d\"]\n").unwrap();
        assert_eq!(
            map.action_for_key(Key::plain('d'), Mode::Live).map(|row| row.action),
            Some(Action::DrawQuestion)
        );
        assert!(refusal("replay-start = [\"w\"]\n").contains("`reasons` and `replay-start`"));
    }

    #[test]
    fn without_a_file_the_table_holds() {
        let map = Keymap::load(Path::new("/nowhere/keys.toml")).unwrap();
        assert_eq!(map, Keymap::default());
        assert_eq!(parse(&map.to_toml()), Ok(map), "what is printed can be read");
    }

    #[test]
    fn what_is_wrong_is_told_in_one_sentence() {
        assert_eq!(
            refusal("pause = [\"P\"]\nstopp = [\"x\"]\n"),
            "keys.toml, line 2, column 1: there is no action `stopp`: remove it or correct its \
             spelling; `pointsman print keys` lists them all"
        );
        let key = refusal("stop = [\n  \"Ctl-x\",\n]\n");
        assert!(
            key.starts_with("keys.toml, line 2, column 3: action `stop`: `Ctl-x` is no key: "),
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
        let number = refusal("stop = 5\n");
        assert!(
            number.contains("line 1, column 8: action `stop` needs a list of keys"),
            "{number}"
        );
        let broken = refusal("stop = [\"x\"\n");
        assert!(broken.starts_with("keys.toml, line "), "{broken}");
    }

    #[test]
    fn advice_names_the_keys_in_force() {
        let ways =
            [(Action::DrawQuestion, "to draw a question"), (Action::TypeQuestion, "to type one")];
        let map = Keymap::default();
        assert_eq!(map.key_hints(&ways), ": press d to draw a question, i to type one");
        let map = parse("draw = [\"F2\"]\ntype = []\n").unwrap();
        assert_eq!(map.key_hints(&ways), ": press F2 to draw a question");
        let map = parse("draw = []\ntype = []\n").unwrap();
        assert_eq!(map.key_hints(&ways), "");
    }

    #[test]
    fn the_markdown_has_every_action() {
        let text = Keymap::default().to_markdown();
        assert_eq!(text.lines().count(), ACTIONS.len() + 2);
        assert!(text.contains("| `Enter` `r` | `run` | resume, or ask again |"), "{text}");
    }
}
