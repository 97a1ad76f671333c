//! pointsman: a workbench for stepwise model routing.
//!
//! One process holds a small and a large language model; before each step of reasoning a router
//! chooses which of them writes it. Data flows one way, and a room knows only what stands below it:
//!
//! | room | what is in it |
//! |---|---|
//! | [`cli`] | the command line: one file a subcommand |
//! | [`workbench`] | the terminal program: state, actions, update, panes, run loop |
//! | [`terminal`] | set-up and restore, counting writer, signals |
//! | [`theme`] | roles of colour, read from `themes/*.toml` |
//! | [`training`] | episodes to learn from, and policies from them |
//! | [`evaluation`] | accuracy-cost curves, off-policy estimates, calibration |
//! | [`session`] | the loop of one episode: commands in, events out |
//! | [`library`] | which of the store's episodes: queries, pages |
//! | [`recording`] | episodes in portable files, and a player for them |
//! | [`store`] | episodes on disk; the only room that names sled |
//! | [`routing`] | features at a boundary, the routers |
//! | [`tasks`] | task sets: where questions and their gold answers come from |
//! | [`grading`] | text in, verdict out: whether a solution gives the gold answer |
//! | [`engine`] | the models; one file names mistral.rs, one folder the HTTP client |
//! | [`episode`] | events, and everything that is folded from them |
//! | [`config`] | presets, folders, files embedded in the binary |
//! | [`role`] | small and large: which model of the pair |

pub mod cli;
pub mod config;
pub mod engine;
pub mod episode;
pub mod evaluation;
pub mod exit;
pub mod grading;
pub mod library;
pub mod recording;
pub mod role;
pub mod routing;
pub mod session;
pub mod store;
pub mod tasks;
pub mod terminal;
pub mod theme;
pub mod training;
pub mod workbench;
