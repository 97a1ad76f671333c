//! Tokens, from the pieces in which a server streams a text.

use std::collections::VecDeque;
use std::time::Instant;

use crate::episode::Token;

/// More tokens than any server writes in one request.
const MOST: usize = 1 << 20;

/// What a server tells of a token beside the text.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Entry {
    pub id: u32,
    /// As the server spells it, which may differ from the text in blanks and incomplete characters.
    pub text: String,
    pub logprob: f32,
    pub top: f32,
    pub margin: f32,
}

/// Puts the text and what is told of its tokens together. The two need not keep step: a server that looks
/// out for a stop text holds text back, and it leaves that text out where it comes.
pub(super) struct Assembly {
    tokens: Vec<Token>,
    /// Tokens whose text has not come yet.
    pending: VecDeque<Entry>,
    /// Text that is of no token yet.
    loose: String,
    /// Whether the server tells anything of its tokens.
    told: bool,
    last: Instant,
}

impl Assembly {
    /// Of a request that is sent now; `told` where the server was asked for log-probabilities.
    pub fn new(told: bool) -> Self {
        let (tokens, pending, loose) = (Vec::new(), VecDeque::new(), String::new());
        Self { tokens, pending, loose, told, last: Instant::now() }
    }

    /// Takes a piece; the tokens that are complete with it.
    pub fn take(&mut self, text: &str, entries: Vec<Entry>) -> &[Token] {
        let before = self.tokens.len();
        self.loose.push_str(text);
        self.pending.extend(entries);
        if !self.told && !self.loose.is_empty() {
            let text = std::mem::take(&mut self.loose);
            self.push(Entry::default(), text);
        }
        while let Some(first) = self.pending.front() {
            // The rest of its text is still to come.
            if first.text.len() > self.loose.len() && first.text.starts_with(&self.loose) {
                break;
            }
            self.pop();
        }
        &self.tokens[before..]
    }

    /// Ends the text with `tail`, which the server left out, and makes the tokens as many as it counted: a text
    /// that it told nothing of joins the token before it, and what it counted and did not send has no text.
    pub fn finish(mut self, tail: &str, counted: Option<usize>) -> Vec<Token> {
        self.loose.push_str(tail);
        while !self.pending.is_empty() {
            self.pop();
        }
        let counted = counted.map_or(self.tokens.len(), |n| n.min(MOST));
        if !self.loose.is_empty() {
            let text = std::mem::take(&mut self.loose);
            let full = self.tokens.len() >= counted;
            match self.tokens.last_mut() {
                Some(last) if full => last.text.push_str(&text),
                _ => self.push(Entry::default(), text),
            }
        }
        while self.tokens.len() > counted.max(1)
            && let Some(last) = self.tokens.pop()
        {
            if let Some(kept) = self.tokens.last_mut() {
                kept.text.push_str(&last.text);
            }
        }
        while self.tokens.len() < counted {
            self.push(Entry::default(), String::new());
        }
        self.tokens
    }

    /// Gives the first pending token its text.
    fn pop(&mut self) {
        let Some(entry) = self.pending.pop_front() else { return };
        let text = if self.loose.starts_with(&entry.text) {
            let rest = self.loose.split_off(entry.text.len());
            std::mem::replace(&mut self.loose, rest)
        } else if self.pending.is_empty() {
            std::mem::take(&mut self.loose)
        } else {
            String::new()
        };
        self.push(entry, text);
    }

    fn push(&mut self, entry: Entry, text: String) {
        let now = Instant::now();
        let ms = (now - self.last).as_secs_f32() * 1e3;
        self.last = now;
        let Entry { id, logprob, top, margin, .. } = entry;
        self.tokens.push(Token { id, text, logprob, entropy: 0.0, top, margin, ms });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> Entry {
        Entry { text: text.into(), logprob: -0.5, ..Entry::default() }
    }

    fn texts(tokens: &[Token]) -> Vec<&str> {
        tokens.iter().map(|t| t.text.as_str()).collect()
    }

    #[test]
    fn text_that_is_held_back_finds_its_token() {
        // As vLLM does with a stop text of two characters.
        let mut assembly = Assembly::new(true);
        assert!(assembly.take("6", vec![entry("66")]).is_empty());
        assert_eq!(texts(assembly.take("6", vec![entry(".")])), ["66"]);
        assert_eq!(texts(assembly.take(".", vec![entry("\n\n")])), ["."]);
        let tokens = assembly.finish("\n\n", Some(3));
        assert_eq!(texts(&tokens), ["66", ".", "\n\n"]);
        assert!(tokens.iter().all(|t| t.logprob == -0.5));
    }

    #[test]
    fn tokens_are_as_many_as_the_server_counted() {
        // The stop text is neither sent nor told of, but counted.
        let mut assembly = Assembly::new(true);
        assembly.take("Yes", vec![entry("Yes")]);
        assert_eq!(texts(&assembly.finish("\n", Some(2))), ["Yes", "\n"]);
        // Nothing is told: pieces stand for tokens.
        let mut assembly = Assembly::new(false);
        assembly.take("Ye", Vec::new());
        assembly.take("s", Vec::new());
        assert_eq!(texts(&assembly.finish("\n", Some(1))), ["Yes\n"]);
        let mut assembly = Assembly::new(false);
        assembly.take("Yes, it is", Vec::new());
        assert_eq!(texts(&assembly.finish("", Some(4))), ["Yes, it is", "", "", ""]);
        assert!(Assembly::new(true).finish("", Some(0)).is_empty());
        assert_eq!(texts(&Assembly::new(true).finish("\n", None)), ["\n"]);
    }

    #[test]
    fn another_spelling_loses_no_text() {
        let mut assembly = Assembly::new(true);
        // A leading blank that is not sent, half a character, the end of the text.
        assembly.take("The", vec![entry(" The")]);
        assembly.take("", vec![entry("\u{FFFD}")]);
        assembly.take("é", vec![entry("\u{FFFD}")]);
        assembly.take("", vec![entry("</s>")]);
        assert_eq!(texts(&assembly.finish("", Some(4))), ["The", "", "é", ""]);
    }
}
