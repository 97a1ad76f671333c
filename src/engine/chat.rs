//! Chat templates: the prompt format that a model was trained on.
//!
//! A template is rendered once for each episode, with `{question}` in the place of the question. The engine then
//! continues plain text, and the episode records its exact prompt.

use std::path::Path;

use minijinja::{Environment, Error, ErrorKind, context};
use minijinja_contrib::pycompat;
use serde_json::Value;

use super::error::{EngineError, one_line};
use super::interface::{ChatInput, Engine};
use crate::config::Preset;
use crate::role::Role;
use crate::user_file::{self, MAX_MODEL_SETTINGS};

/// The chat template of a model: Jinja, as on the Hugging Face hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ChatTemplate {
    source: String,
    /// Name of the file that contains it, for messages.
    origin: String,
    /// Text of the beginning-of-text token; empty if the model has none.
    bos: String,
    /// Text of the end-of-text token; empty if the model has none.
    eos: String,
}

impl ChatTemplate {
    /// A template with this `source`, found in the file `origin`.
    pub(super) fn new(source: String, origin: &str, bos: String, eos: String) -> Self {
        Self { source, origin: origin.to_owned(), bos, eos }
    }

    /// The template in a model's folder; `None` if no file contains one.
    pub(super) fn from_folder(folder: &Path) -> Option<Self> {
        let read = |name: &str| user_file::read_text(&folder.join(name), MAX_MODEL_SETTINGS).ok();
        let metadata = |name: &str| -> Value {
            read(name).and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
        };
        let config = metadata("tokenizer_config.json");
        let token = |name: &str| {
            let value = &config[name];
            value.as_str().or_else(|| value["content"].as_str()).unwrap_or_default().to_owned()
        };
        let in_json = |origin: &'static str, metadata: &Value| {
            Some((default_template(&metadata["chat_template"])?, origin))
        };
        let jinja = "chat_template.jinja";
        let found = read(jinja)
            .map(|text| (text, jinja))
            .or_else(|| in_json("tokenizer_config.json", &config))
            .or_else(|| in_json("chat_template.json", &metadata("chat_template.json")));
        found.map(|(source, origin)| {
            Self::new(source, origin, token("bos_token"), token("eos_token"))
        })
    }

    /// Eight hexadecimal digits of a hash of the template.
    pub(super) fn fingerprint(&self) -> String {
        let parts = [&self.source, &self.bos, &self.eos].map(|part| blake3::hash(part.as_bytes()));
        let all: Vec<u8> = parts.iter().flat_map(|part| *part.as_bytes()).collect();
        blake3::hash(&all).to_hex()[..8].to_owned()
    }

    /// Name of the file that contains the template.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Renders the prompt, up to the first token of the answer.
    ///
    /// A template that asks for the date gets a fixed one, so that a prompt is the same every day.
    ///
    /// # Errors
    /// If the template is invalid or raises an exception: a clause that says why.
    pub(super) fn render(&self, chat: ChatInput<'_>) -> Result<String, String> {
        let failed = |e: &Error| {
            let detail = e.detail().map_or_else(|| e.to_string(), str::to_owned);
            format!("its chat template ({}) fails: {}", self.origin, one_line(&detail))
        };
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_unknown_method_callback(pycompat::unknown_method_callback);
        environment.add_function("raise_exception", |reason: String| {
            Err::<String, _>(Error::new(ErrorKind::InvalidOperation, reason))
        });
        environment.add_function("strftime_now", |format: &str| fixed_date(format));
        let message = |role: &str, content: &str| context! { role => role, content => content };
        let system = chat.system.map(|text| message("system", text));
        let messages: Vec<_> = system.into_iter().chain([message("user", chat.user)]).collect();
        let variables = context! {
            messages => messages,
            add_generation_prompt => true,
            bos_token => self.bos,
            eos_token => self.eos,
        };
        let variables = match chat.thinking {
            Some(enable_thinking) => context! { enable_thinking => enable_thinking, ..variables },
            None => variables,
        };
        // Tags that transformers uses for training masks, unknown to minijinja. Jinja reads CRLF as LF.
        let source = strip_generation_tags(&self.source.replace("\r\n", "\n"));
        let template = environment.template_from_str(&source).map_err(|e| failed(&e))?;
        template.render(variables).map_err(|e| failed(&e))
    }
}

/// The source without the tags `generation` and `endgeneration`, and without the blanks that they trim.
fn strip_generation_tags(source: &str) -> String {
    let mut kept = String::with_capacity(source.len());
    let mut rest = source;
    while let Some((before, tag, after)) = next_tag(rest) {
        let name = tag.trim_matches(['-', '+']).trim();
        if matches!(name, "generation" | "endgeneration") {
            kept.push_str(if tag.starts_with('-') { before.trim_end() } else { before });
            rest = if tag.ends_with('-') { after.trim_start() } else { after };
        } else {
            let end = source.len() - after.len();
            kept.push_str(&source[source.len() - rest.len()..end]);
            rest = after;
        }
    }
    kept + rest
}

/// The text before the next `{% … %}`, inside it, and after it.
fn next_tag(text: &str) -> Option<(&str, &str, &str)> {
    let (before, from) = text.split_once("{%")?;
    let (tag, after) = from.split_once("%}")?;
    Some((before, tag, after))
}

/// `strftime` for 26 July 2024, the default date of Llama's templates.
fn fixed_date(format: &str) -> String {
    let parts = [
        ("%Y", "2024"),
        ("%y", "24"),
        ("%m", "07"),
        ("%d", "26"),
        ("%B", "July"),
        ("%b", "Jul"),
        ("%A", "Friday"),
        ("%a", "Fri"),
        ("%H", "00"),
        ("%M", "00"),
        ("%S", "00"),
    ];
    parts.iter().fold(format.to_owned(), |text, (directive, value)| text.replace(directive, value))
}

/// The template in a JSON value: a string, or the one named `default` in a list.
fn default_template(value: &Value) -> Option<String> {
    let in_list = || {
        let all = value.as_array()?;
        let is_default = |entry: &&Value| entry["name"] == "default";
        all.iter().find(is_default).or(all.first())?["template"].as_str()
    };
    value.as_str().or_else(in_list).map(str::to_owned)
}

/// Renders the preset's prompt with the model's chat template into `rendered_prompt`, if the preset asks for that and it
/// is not rendered yet.
///
/// # Errors
/// If the model has no template, or the template fails or drops the question.
pub(crate) fn apply_template(
    preset: &mut Preset,
    role: Role,
    engine: &dyn Engine,
) -> Result<(), EngineError> {
    if !preset.uses_chat_template(role) || preset.model(role).rendered_prompt.is_some() {
        return Ok(());
    }
    let prompt = &preset.prompt;
    let chat = ChatInput {
        system: prompt.system.as_deref(),
        user: &prompt.template,
        thinking: prompt.thinking,
    };
    let rendered = engine.apply_template(chat)?;
    if !rendered.contains("{question}") {
        let reason = "its chat template drops the question: set this model's `prompt`".into();
        return Err(EngineError::Load { name: engine.model().name.clone(), reason });
    }
    preset.model_mut(role).rendered_prompt = Some(rendered);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Qwen's, shortened.
    const CHATML: &str = "{%- if messages[0].role == 'system' %}\n    {{- '<|im_start|>system\\n' + \
        messages[0].content + '<|im_end|>\\n' }}\n{%- endif %}\n{%- for message in messages %}\n    \
        {%- if message.role.startswith('user') %}\n        {{- '<|im_start|>' + message.role + '\\n' + \
        message.content.strip() + '<|im_end|>\\n' }}\n    {%- endif %}\n{%- endfor %}\n\
        {%- if add_generation_prompt %}\n    {{- '<|im_start|>assistant\\n' }}\n    \
        {%- if enable_thinking is defined and enable_thinking is false %}\n        \
        {{- '<think>\\n\\n</think>\\n\\n' }}\n    {%- endif %}\n{%- endif %}\n";

    fn template(source: &str) -> ChatTemplate {
        ChatTemplate::new(source.into(), "here", "<s>".into(), "</s>".into())
    }

    const CHAT: ChatInput<'_> =
        ChatInput { system: Some("Be brief."), user: "{question}", thinking: None };

    #[test]
    fn a_template_wraps_the_question() {
        let rendered = template(CHATML).render(CHAT).unwrap();
        assert_eq!(
            rendered,
            "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n{question}<|im_end|>\n\
             <|im_start|>assistant\n"
        );
        let quiet = ChatInput { system: None, thinking: Some(false), ..CHAT };
        let rendered = template(CHATML).render(quiet).unwrap();
        assert!(rendered.starts_with("<|im_start|>user"), "{rendered}");
        assert!(rendered.ends_with("assistant\n<think>\n\n</think>\n\n"), "{rendered}");
    }

    #[test]
    fn templates_get_special_tokens_and_a_fixed_date() {
        let source = "{{ bos_token }}{{ strftime_now('%d %b %Y') }}{%- generation -%}{{ 'x' }}{% endgeneration %}";
        assert_eq!(template(source).render(CHAT).unwrap(), "<s>26 Jul 2024x");
    }

    #[test]
    fn line_ends_of_windows_are_line_ends() {
        let windows = CHATML.replace('\n', "\r\n");
        assert_eq!(template(&windows).render(CHAT), template(CHATML).render(CHAT));
    }

    #[test]
    fn loops_may_be_left_early() {
        let source = "{% for message in messages %}{% if message.role == 'system' %}{% continue %}{% endif %}\
            {{ message.content }}{% break %}{% endfor %}";
        assert_eq!(template(source).render(CHAT).unwrap(), "{question}");
    }

    #[test]
    fn exceptions_carry_the_templates_message() {
        let refuses = template("{{ raise_exception('no system message') }}");
        let why = refuses.render(CHAT).unwrap_err();
        assert_eq!(why, "its chat template (here) fails: no system message");
        assert!(template("{% if %}").render(CHAT).is_err());
    }

    #[test]
    fn templates_are_found_in_three_files() {
        let home = tempfile::tempdir().unwrap();
        let origin = || ChatTemplate::from_folder(home.path()).map(|t| t.origin().to_owned());
        assert_eq!(origin(), None);
        let write = |name: &str, text: &str| std::fs::write(home.path().join(name), text).unwrap();
        write("chat_template.json", r#"{"chat_template": "a"}"#);
        assert_eq!(origin().as_deref(), Some("chat_template.json"));
        write(
            "tokenizer_config.json",
            r#"{"bos_token": {"content": "<b>"}, "eos_token": null, "chat_template": [
                {"name": "tools", "template": "t"}, {"name": "default", "template": "{{ bos_token }}d"}]}"#,
        );
        let found = ChatTemplate::from_folder(home.path()).unwrap();
        assert_eq!(found.render(CHAT).unwrap(), "<b>d");
        write("chat_template.jinja", "c");
        assert_eq!(origin().as_deref(), Some("chat_template.jinja"));
    }
}
