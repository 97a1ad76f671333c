//! The text of tokens, and the tokens of a text that continues another one.
//!
//! A character can consist of several tokens, and a token can end in the middle of one. [`TextDecoder`] therefore holds
//! bytes back until the character is complete, and replaces those that are no character by U+FFFD. A tokenizer that
//! marks the beginning of a text (`▁`) would add a space at each step; [`TokenCodec`] encodes and decodes inside a text.

use std::sync::Arc;

use serde_json::Value;
use tokenizers::{DecoderWrapper, Tokenizer};

/// Texts to encode another text after, to find its tokens inside a text. None of them is part of a word.
const ANCHORS: [&str; 3] = ["\n", "0", "a"];

/// How a tokenizer writes bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ByteStyle {
    /// A character for each byte (GPT-2).
    ByteLevel,
    /// `<0x0A>` for bytes without a token of their own (`SentencePiece`).
    Fallback,
    /// Tokens are whole characters.
    None,
}

/// Translates between the tokens and the text of one model.
#[derive(Clone)]
pub(super) struct TokenCodec {
    tokenizer: Arc<Tokenizer>,
    bytes: ByteStyle,
    /// Tokens that are decoded before others, so that these are not at the beginning of the text.
    anchor: Vec<u32>,
    anchor_text: String,
}

impl TokenCodec {
    /// The codec of a tokenizer.
    pub(super) fn new(tokenizer: Arc<Tokenizer>) -> Self {
        let bytes = byte_style(tokenizer.get_decoder());
        let anchor = tokenizer.encode_fast("a", false).map(|encoding| encoding.get_ids().to_vec());
        let anchor = anchor.unwrap_or_default();
        let anchor_text = tokenizer.decode(&anchor, false).unwrap_or_default();
        Self { tokenizer, bytes, anchor, anchor_text }
    }

    /// The tokens of a text that begins with `text`, without special tokens added.
    ///
    /// # Errors
    /// If the tokenizer fails: its message.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<u32>, String> {
        let encoding = self.tokenizer.encode_fast(text, false).map_err(|e| e.to_string())?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The tokens of a `text` that continues another one.
    ///
    /// # Errors
    /// If the tokenizer fails: its message.
    pub(super) fn encode_inside(&self, text: &str) -> Result<Vec<u32>, String> {
        let plain = self.encode(text)?;
        if self.decode_inside(&plain)? == text {
            return Ok(plain);
        }
        for anchor in ANCHORS {
            let before = self.encode(anchor)?;
            let whole = self.encode(&format!("{anchor}{text}"))?;
            if let Some(ids) = whole.strip_prefix(before.as_slice())
                && self.decode_inside(ids)? == text
            {
                return Ok(ids.to_vec());
            }
        }
        // A tokenizer that changes the text, for example into NFC.
        Ok(plain)
    }

    /// The text of tokens that continue another text.
    fn decode_inside(&self, ids: &[u32]) -> Result<String, String> {
        let mut decoder = self.decoder();
        let mut text = String::new();
        for &id in ids {
            text.push_str(&decoder.push(&self.token_bytes(id)?));
        }
        Ok(text + &decoder.finish())
    }

    /// A decoder for the tokens of a step.
    pub(super) fn decoder(&self) -> TextDecoder {
        TextDecoder { pending: Vec::new(), replaces_each_byte: self.bytes == ByteStyle::Fallback }
    }

    /// The bytes that a token appends to a text; none for an id without a token.
    ///
    /// # Errors
    /// If the tokenizer fails: its message.
    pub(super) fn token_bytes(&self, id: u32) -> Result<Vec<u8>, String> {
        let Some(token) = self.tokenizer.id_to_token(id) else { return Ok(Vec::new()) };
        match self.bytes {
            // An added token may contain other characters, and is then its own text.
            ByteStyle::ByteLevel => {
                let bytes: Option<Vec<u8>> = token.chars().map(byte_of_char).collect();
                return Ok(bytes.unwrap_or_else(|| token.into_bytes()));
            }
            ByteStyle::Fallback => {
                if let Some(byte) = fallback_byte(&token) {
                    return Ok(vec![byte]);
                }
            }
            ByteStyle::None => {}
        }
        let with_anchor = [self.anchor.as_slice(), &[id]].concat();
        let whole = self.tokenizer.decode(&with_anchor, false).map_err(|e| e.to_string())?;
        Ok(whole.strip_prefix(&self.anchor_text).unwrap_or(&whole).as_bytes().to_vec())
    }
}

fn byte_style(decoder: Option<&DecoderWrapper>) -> ByteStyle {
    let description = decoder.and_then(|decoder| serde_json::to_value(decoder).ok());
    let description = description.unwrap_or_default();
    if has_type(&description, "ByteLevel") {
        ByteStyle::ByteLevel
    } else if has_type(&description, "ByteFallback") {
        ByteStyle::Fallback
    } else {
        ByteStyle::None
    }
}

/// Whether a decoder is of this type, or a sequence that contains one.
fn has_type(decoder: &Value, name: &str) -> bool {
    let parts = decoder["decoders"].as_array();
    decoder["type"] == name || parts.is_some_and(|all| all.iter().any(|part| has_type(part, name)))
}

/// The byte of a token `<0x0A>`.
fn fallback_byte(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    u8::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 2)
}

/// The byte that GPT-2 writes as this character: printable ones are themselves, the others follow U+0100 in order.
fn byte_of_char(c: char) -> Option<u8> {
    let is_printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF);
    if let Ok(byte) = u8::try_from(c) {
        return is_printable(byte).then_some(byte);
    }
    let place = u32::from(c).checked_sub(0x100)? as usize;
    (0..=u8::MAX).filter(|&byte| !is_printable(byte)).nth(place)
}

/// Makes text of bytes that arrive token by token.
#[derive(Debug, Default)]
pub(super) struct TextDecoder {
    /// The beginning of a character.
    pending: Vec<u8>,
    /// Whether each invalid byte becomes a U+FFFD of its own, rather than each invalid sequence: what the libraries of
    /// the two kinds of tokenizers do.
    replaces_each_byte: bool,
}

impl TextDecoder {
    /// Appends bytes, and returns the text that is complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> String {
        self.pending.extend_from_slice(bytes);
        let mut text = String::new();
        loop {
            let (valid, invalid) = match std::str::from_utf8(&self.pending) {
                Ok(_) => (self.pending.len(), Some(0)),
                Err(error) => (error.valid_up_to(), error.error_len()),
            };
            let rest = self.pending.split_off(valid);
            text.push_str(&String::from_utf8_lossy(&self.pending));
            self.pending = rest;
            match invalid {
                Some(0) | None => return text,
                Some(length) => {
                    self.pending.drain(..length);
                    self.replace(length, &mut text);
                }
            }
        }
    }

    /// Whether the last character lacks bytes.
    pub(super) fn is_incomplete(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Ends the text; an incomplete character is replaced.
    pub(super) fn finish(&mut self) -> String {
        let mut text = String::new();
        if self.is_incomplete() {
            self.replace(self.pending.len(), &mut text);
            self.pending.clear();
        }
        text
    }

    fn replace(&self, bytes: usize, text: &mut String) {
        let times = if self.replaces_each_byte { bytes } else { 1 };
        text.extend(std::iter::repeat_n(char::REPLACEMENT_CHARACTER, times));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(decoder: &mut TextDecoder, parts: &[&[u8]]) -> Vec<String> {
        parts.iter().map(|part| decoder.push(part)).collect()
    }

    #[test]
    fn a_character_appears_with_its_last_byte() {
        let mut decoder = TextDecoder::default();
        let parts: [&[u8]; 4] = [b"a\xF0\x9F", b"\x98", b"\x80b", b"\xE2"];
        assert_eq!(texts(&mut decoder, &parts), ["a", "", "😀b", ""]);
        assert!(decoder.is_incomplete());
        assert_eq!(decoder.finish(), "\u{FFFD}");
        assert_eq!(decoder.finish(), "");
    }

    #[test]
    fn invalid_bytes_are_replaced_and_the_rest_is_kept() {
        let mut decoder = TextDecoder::default();
        let parts: [&[u8]; 4] = [b"\xFF", b"\xE2\x82", b"x", b"\x80\n\n"];
        assert_eq!(texts(&mut decoder, &parts), ["\u{FFFD}", "", "\u{FFFD}x", "\u{FFFD}\n\n"]);
        let mut each = TextDecoder { replaces_each_byte: true, ..TextDecoder::default() };
        assert_eq!(texts(&mut each, &parts[..3]), ["\u{FFFD}", "", "\u{FFFD}\u{FFFD}x"]);
    }

    #[test]
    fn bytes_of_gpt2_characters() {
        let gpt2: Vec<_> = "Aé ĠĊðŁĺĢÃ".chars().map(byte_of_char).collect();
        // A space is never written as itself.
        let bytes = [Some(b'A'), Some(0xE9), None, Some(b' '), Some(b'\n')];
        assert_eq!(gpt2[..5], bytes);
        assert_eq!(gpt2[5..9], [0xF0, 0x9F, 0x98, 0x80].map(Some));
        assert_eq!(byte_of_char('｜'), None);
    }

    #[test]
    fn bytes_of_fallback_tokens() {
        assert_eq!(fallback_byte("<0x0A>"), Some(b'\n'));
        assert_eq!(
            [fallback_byte("<0xA>"), fallback_byte("<0x0A"), fallback_byte("0A")],
            [None; 3]
        );
    }

    /// A tokenizer like Llama 2's: `▁` before a text and for a space, and bytes.
    fn pieces() -> TokenCodec {
        let mut vocabulary = serde_json::Map::new();
        let bytes = (0..256).map(|byte| format!("<0x{byte:02X}>"));
        for token in ["<unk>", "▁", "a", "b", "▁a", "▁b"].map(String::from).into_iter().chain(bytes)
        {
            vocabulary.insert(token, vocabulary.len().into());
        }
        let description = serde_json::json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
            "normalizer": { "type": "Sequence", "normalizers": [
                { "type": "Prepend", "prepend": "▁" },
                { "type": "Replace", "pattern": { "String": " " }, "content": "▁" }] },
            "pre_tokenizer": null, "post_processor": null,
            "decoder": { "type": "Sequence", "decoders": [
                { "type": "Replace", "pattern": { "String": "▁" }, "content": " " },
                { "type": "ByteFallback" }, { "type": "Fuse" },
                { "type": "Strip", "content": " ", "start": 1, "stop": 0 }] },
            "model": { "type": "BPE", "dropout": null, "unk_token": "<unk>",
                "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": true,
                "byte_fallback": true, "ignore_merges": false, "vocab": vocabulary,
                "merges": ["▁ a", "▁ b"] },
        });
        TokenCodec::new(Arc::new(description.to_string().parse().unwrap()))
    }

    #[test]
    fn a_text_inside_another_gets_no_space() {
        let codec = pieces();
        for text in ["a", " a", "b a", "\n\na", "😀 b\n", "", " ", "  b"] {
            let ids = codec.encode_inside(text).unwrap();
            assert_eq!(codec.decode_inside(&ids).unwrap(), text, "{ids:?}");
        }
        let at_the_beginning = codec.encode("a").unwrap();
        assert_eq!(codec.decode_inside(&at_the_beginning).unwrap(), " a");
    }
}
