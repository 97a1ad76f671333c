//! An episode as a text for the clipboard.

use super::onscreen::Run;
use crate::episode::{Decider, Status, Verdict};

/// The question, each step with its writer, and the answer. What is still being written is left out.
pub(super) fn transcript(run: &Run) -> String {
    let episode = &run.episode;
    let mut text = format!("{}\n\n", plain(&episode.started.question));
    for (index, step) in episode.steps.iter().enumerate() {
        let person = step.decision.as_ref().is_some_and(|choice| choice.by == Decider::Person);
        let by = if person { ", you said" } else { "" };
        let (number, writer) = (index + 1, step.writing.model);
        text += &format!("{number} {writer}{by}: {}\n", plain(&step.writing.text));
    }
    text += &match &episode.status {
        Status::Finished { answer, verdict, .. } => {
            let answer = answer.as_deref().map_or("none".into(), plain);
            let verdict = match verdict {
                Verdict::Correct => ", correct",
                Verdict::Wrong => ", wrong",
                Verdict::Undecided => "",
            };
            format!("\nAnswer: {answer}{verdict}\n")
        }
        Status::Failed(why) => format!("\nFailed: {}\n", plain(why)),
        Status::Running | Status::Paused => "\nNo answer yet.\n".into(),
    };
    text
}

/// Without control characters: what is copied may be pasted into a shell.
fn plain(text: &str) -> String {
    text.trim_end().chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}
