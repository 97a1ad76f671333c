//! Stepwise routing between two language models, as a library and as the program `pointsman`.
//!
//! The models answer a question step by step. Before each step, a *router* reads the trace so far, and possibly a *draft*
//! of the next step by the small model, and gives p(large): the probability that the large model should write the
//! step. If p(large) reaches the *threshold*, the large model writes it, else the small one. An *episode* is one
//! question and the steps to its answer; it is a list of events, and everything else is computed from that list.
//!
//! [`session::load_pair`] loads the models of a [preset](config::Preset), and
//! [`EpisodeRunner::run`](session::EpisodeRunner::run) runs an episode:
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use pointsman::config::{Folders, load_preset};
//! use pointsman::routing::{RouterRegistry, load_policy};
//! use pointsman::session::{EpisodeSpec, NullObserver, load_pair};
//! use pointsman::tasks::Question;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folders = Folders::find()?;
//! let preset = load_preset("tiny", &folders)?;
//! let policy = load_policy("builtin:tiny")?;
//! let registry = RouterRegistry::new(&preset.name, Some(Arc::new(policy)));
//! let mut router = registry.router("policy")?;
//! let mut runner = load_pair(&preset, &folders.cache)?;
//!
//! let question = Question::from_user("Ava has 37 pens. She gives away 18. How many are left?");
//! let spec = EpisodeSpec::new(&question, router.as_mut(), 0);
//! // Events go to a sink: a `Vec`, a store, or one of your own. An observer watches and may send commands.
//! let mut events = Vec::new();
//! let episode = runner.run(spec, &mut events, &mut NullObserver)?;
//! for step in &episode.steps {
//!     println!("{} {}", step.generation.model, step.generation.text);
//! }
//! println!("{:?}, cost {}", episode.status, episode.ledger.cost());
//! # Ok(())
//! # }
//! ```
//!
//! # Modules
//!
//! From top to bottom. Data flows one way: a module uses only modules below it.
//!
//! | module | what is in it |
//! |---|---|
//! | [`cli`] | the command line: one file for each command, and the background jobs of the workbench |
//! | [`workbench`] | the terminal program: state, actions, update, panes, run loop |
//! | [`terminal`] | setting up and restoring the terminal, drawing what changed, signals |
//! | [`theme`] | the style of each role on the screen, from `themes/*.toml` |
//! | [`training`] | datasets from stored episodes, training of policies, the promotion test |
//! | [`evaluation`] | accuracy-cost curves, off-policy estimates, calibration of the threshold |
//! | [`session`] | runs episodes: commands in, events out |
//! | [`library`] | finds stored episodes: queries, pages, fork trees |
//! | [`recording`] | episodes in portable files, and a player for them |
//! | [`store`] | episodes and policies on disk; the only module that names sled |
//! | [`routing`] | features at a boundary, routers, policies |
//! | [`tasks`] | task sets: questions and their gold answers |
//! | [`grading`] | text in, verdict out: whether a solution gives the gold answer |
//! | [`engine`] | the models: mistral.rs, OpenAI-compatible servers, scripts for tests |
//! | [`episode`] | events, and everything that is folded from them |
//! | [`config`] | presets, folders, files embedded in the binary |
//! | [`role`] | small and large: which model of the pair |
//! | [`exit`] | whether an error is a usage error or a failure |
//! | `safe_text` | text from elsewhere, made safe for a terminal |
//! | `private_file` | files and folders that only their owner may read |
//! | `user_file` | opens the files that a user names |

pub mod cli;
pub mod config;
pub mod engine;
pub mod episode;
pub mod evaluation;
pub mod exit;
pub mod grading;
pub mod library;
mod private_file;
pub mod recording;
pub mod role;
pub mod routing;
mod safe_text;
pub mod session;
pub mod store;
pub mod tasks;
pub mod terminal;
pub mod theme;
pub mod training;
mod user_file;
pub mod workbench;
