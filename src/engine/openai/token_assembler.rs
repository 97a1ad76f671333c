//! Assembles tokens from the chunks of a stream.

use std::collections::VecDeque;
use std::time::Instant;

use crate::episode::Token;

/// More tokens than any server generates for one request; guards against absurd counts.
const MAX_TOKENS: usize = 1 << 20;

/// What a server reports of a token beside the text.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct TokenLogprob {
    pub(super) id: u32,
    /// The token's text as the server spells it here, which may differ from the streamed text in blanks and
    /// incomplete characters.
    pub(super) text: String,
    pub(super) logprob: f32,
    pub(super) top: f32,
    pub(super) margin: f32,
}

/// Matches the streamed text with the reported tokens. The two may be out of step: a server that watches for a stop text
/// holds text back, and omits the stop text itself.
pub(super) struct TokenAssembler {
    tokens: Vec<Token>,
    /// Reported tokens whose text has not arrived.
    pending: VecDeque<TokenLogprob>,
    /// Text that belongs to no token yet.
    unassigned_text: String,
    /// Whether the server reports tokens. If not, each chunk of text counts as a token.
    has_logprobs: bool,
    last: Instant,
}

impl TokenAssembler {
    /// For a request that is sent now.
    pub(super) fn new(has_logprobs: bool) -> Self {
        let (tokens, pending, unassigned_text) = (Vec::new(), VecDeque::new(), String::new());
        Self { tokens, pending, unassigned_text, has_logprobs, last: Instant::now() }
    }

    /// Adds a chunk. Returns the tokens that it completes.
    pub(super) fn push(&mut self, text: &str, logprobs: Vec<TokenLogprob>) -> &[Token] {
        let before = self.tokens.len();
        self.unassigned_text.push_str(text);
        self.pending.extend(logprobs);
        if !self.has_logprobs && !self.unassigned_text.is_empty() {
            let text = std::mem::take(&mut self.unassigned_text);
            self.push_token(&TokenLogprob::default(), text);
        }
        while let Some(first) = self.pending.front() {
            // Only a part of its text has arrived.
            if first.text.len() > self.unassigned_text.len()
                && first.text.starts_with(&self.unassigned_text)
            {
                break;
            }
            self.complete_pending();
        }
        &self.tokens[before..]
    }

    /// Appends `tail`, a stop text that the server omitted, and adjusts the tokens to the number that the server
    /// counted: text without a token joins the token before it, and tokens that were counted but not sent have no text.
    pub(super) fn finish(mut self, tail: &str, counted: Option<usize>) -> Vec<Token> {
        self.unassigned_text.push_str(tail);
        while !self.pending.is_empty() {
            self.complete_pending();
        }
        let counted = counted.map_or(self.tokens.len(), |n| n.min(MAX_TOKENS));
        if !self.unassigned_text.is_empty() {
            let text = std::mem::take(&mut self.unassigned_text);
            let full = self.tokens.len() >= counted;
            match self.tokens.last_mut() {
                Some(last) if full => last.text.push_str(&text),
                _ => self.push_token(&TokenLogprob::default(), text),
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
            self.push_token(&TokenLogprob::default(), String::new());
        }
        self.tokens
    }

    /// Assigns the first pending token its text.
    fn complete_pending(&mut self) {
        let Some(entry) = self.pending.pop_front() else { return };
        let text = if self.unassigned_text.starts_with(&entry.text) {
            let rest = self.unassigned_text.split_off(entry.text.len());
            std::mem::replace(&mut self.unassigned_text, rest)
        } else if self.pending.is_empty() {
            std::mem::take(&mut self.unassigned_text)
        } else {
            String::new()
        };
        self.push_token(&entry, text);
    }

    fn push_token(&mut self, entry: &TokenLogprob, text: String) {
        let now = Instant::now();
        let ms = (now - self.last).as_secs_f32() * 1e3;
        self.last = now;
        let TokenLogprob { id, logprob, top, margin, .. } = *entry;
        self.tokens.push(Token { id, text, logprob, entropy: 0.0, top, margin, ms });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> TokenLogprob {
        TokenLogprob { text: text.into(), logprob: -0.5, ..TokenLogprob::default() }
    }

    fn texts(tokens: &[Token]) -> Vec<&str> {
        tokens.iter().map(|t| t.text.as_str()).collect()
    }

    #[test]
    fn delayed_text_is_assigned_to_its_token() {
        // vLLM with a stop text of two characters.
        let mut assembler = TokenAssembler::new(true);
        assert!(assembler.push("6", vec![entry("66")]).is_empty());
        assert_eq!(texts(assembler.push("6", vec![entry(".")])), ["66"]);
        assert_eq!(texts(assembler.push(".", vec![entry("\n\n")])), ["."]);
        let tokens = assembler.finish("\n\n", Some(3));
        assert_eq!(texts(&tokens), ["66", ".", "\n\n"]);
        assert!(tokens.iter().all(|t| t.logprob == -0.5));
    }

    #[test]
    fn tokens_are_as_many_as_the_server_counted() {
        // The stop text is counted, but neither sent nor reported as a token.
        let mut assembler = TokenAssembler::new(true);
        assembler.push("Yes", vec![entry("Yes")]);
        assert_eq!(texts(&assembler.finish("\n", Some(2))), ["Yes", "\n"]);
        // No reported tokens: each chunk is one.
        let mut assembler = TokenAssembler::new(false);
        assembler.push("Ye", Vec::new());
        assembler.push("s", Vec::new());
        assert_eq!(texts(&assembler.finish("\n", Some(1))), ["Yes\n"]);
        let mut assembler = TokenAssembler::new(false);
        assembler.push("Yes, it is", Vec::new());
        assert_eq!(texts(&assembler.finish("", Some(4))), ["Yes, it is", "", "", ""]);
        assert!(TokenAssembler::new(true).finish("", Some(0)).is_empty());
        assert_eq!(texts(&TokenAssembler::new(true).finish("\n", None)), ["\n"]);
    }

    #[test]
    fn text_survives_a_different_spelling() {
        let mut assembler = TokenAssembler::new(true);
        // A leading blank that is not sent, half a character, an end-of-text token.
        assembler.push("The", vec![entry(" The")]);
        assembler.push("", vec![entry("\u{FFFD}")]);
        assembler.push("é", vec![entry("\u{FFFD}")]);
        assembler.push("", vec![entry("</s>")]);
        assert_eq!(texts(&assembler.finish("", Some(4))), ["The", "", "é", ""]);
    }
}
