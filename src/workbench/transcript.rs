//! An episode as text for the clipboard.

use std::fmt::Write;

use super::displayed_episode::DisplayedEpisode;
use crate::episode::{Decider, EpisodeStatus, Verdict};
use crate::safe_text::safe_text;

/// The question, each step with its writer, and the answer. The step that is still being written
/// is left out.
pub(super) fn transcript(displayed: &DisplayedEpisode) -> String {
    let episode = &displayed.episode;
    let mut text = format!("{}\n\n", plain(&episode.started.question));
    for (index, step) in episode.steps.iter().enumerate() {
        let by_user = step.decision.as_ref().is_some_and(|choice| choice.by == Decider::User);
        let by = if by_user { ", chosen by you" } else { "" };
        let (number, writer) = (index + 1, step.generation.model);
        let step = plain(&step.generation.text);
        let _ = writeln!(text, "{number} {writer}{by}: {step}");
    }
    let outcome = match displayed.status() {
        EpisodeStatus::Finished { answer, verdict, .. } => {
            let answer = answer.as_deref().map_or("none".into(), plain);
            let verdict = match verdict {
                Verdict::Correct => ", correct",
                Verdict::Wrong => ", wrong",
                Verdict::Undecided => "",
            };
            format!("\nAnswer: {answer}{verdict}\n")
        }
        EpisodeStatus::Failed(why) => format!("\nFailed: {}\n", plain(why)),
        EpisodeStatus::Running | EpisodeStatus::Paused => "\nNo answer yet.\n".into(),
    };
    text + &outcome
}

/// Text without control and hidden characters: it may be pasted into a shell.
fn plain(text: &str) -> String {
    safe_text(text.trim_end()).into_owned()
}
