//! The workbench without a terminal: messages in, states and screens out.

#[macro_use]
mod harness;

mod fork_screens;
mod keys;
mod page_screens;
mod replay_screens;
mod screens;
mod threshold;
