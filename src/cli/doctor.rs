//! `pointsman doctor`: checks the machine and the configuration, with a remedy for each problem.

use std::io::IsTerminal;
use std::time::Instant;

use super::error::{CommandResult, CommandStatus};
use super::models::{decode_rate, write_sample};
use super::options::CommonArgs;
use super::output::{bytes, check_line, print_line, si};
use crate::config::{Folders, Preset};
use crate::engine::gpu::Driver;
use crate::engine::{self, EngineError, EngineKind, RateLimiter, chat};
use crate::episode::Role;
use crate::store::Store;
use crate::terminal::with_stdout_discarded;

/// Checks everything and prints a line for each check.
///
/// # Errors
/// If standard output cannot be written.
pub(super) fn run(common: &CommonArgs, folders: &Folders) -> CommandResult<CommandStatus> {
    let mut all_ok = true;
    let mut report = |what: &str, result: Result<String, String>| {
        all_ok &= result.is_ok();
        print_line(&check_line(what, &result))
    };
    report("terminal", terminal())?;
    report("processor", processor())?;
    report("features", Ok(cargo_features()))?;
    report("gpu", gpu())?;
    report(
        "folders",
        Ok(format!(
            "config {}, data {}, cache {}",
            folders.config.display(),
            folders.data.display(),
            folders.cache.display()
        )),
    )?;
    report("store", store(common, folders))?;
    match common.preset(folders) {
        Err(error) => report("preset", Err(error.to_string()))?,
        Ok(preset) => {
            report("preset", Ok(format!("{}: {}", preset.name, preset.description)))?;
            for role in Role::BOTH {
                let what = format!("{role} model");
                let result = with_stdout_discarded(|| model(&preset, role, folders))?;
                report(&what, result.map_err(|e| e.to_string()))?;
            }
        }
    }
    Ok(if all_ok { CommandStatus::Success } else { CommandStatus::Failure })
}

fn terminal() -> Result<String, String> {
    let term = std::env::var("TERM").unwrap_or_default();
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Ok("standard input or output is not a terminal: the workbench needs one, other commands do not".into());
    }
    if term.is_empty() || term == "dumb" {
        return Err(format!(
            "TERM is `{term}`: set it to the type of your terminal, such as xterm-256color"
        ));
    }
    let (width, height) = ratatui::crossterm::terminal::size().map_err(|e| e.to_string())?;
    let colour = if std::env::var_os("NO_COLOR").is_some_and(|v| !v.is_empty()) {
        "no colour (NO_COLOR is set)"
    } else {
        "colour"
    };
    let found = format!("{term}, {width}×{height}, {colour}");
    if width < 80 || height < 24 {
        return Err(format!("{found}: the workbench needs 80×24; enlarge the window"));
    }
    Ok(found)
}

fn processor() -> Result<String, String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    if cfg!(target_feature = "avx2") {
        Ok(format!("{cores} cores, built with AVX2"))
    } else if cfg!(target_arch = "x86_64") {
        Err(format!(
            "{cores} cores, built without AVX2: quantized models will be slow; build with \
             RUSTFLAGS=\"-C target-cpu=x86-64-v3\""
        ))
    } else {
        Ok(format!("{cores} cores"))
    }
}

fn cargo_features() -> String {
    let all = [
        ("cuda", cfg!(feature = "cuda")),
        ("cudnn", cfg!(feature = "cudnn")),
        ("flash-attn", cfg!(feature = "flash-attn")),
        ("nccl", cfg!(feature = "nccl")),
        ("metal", cfg!(feature = "metal")),
        ("mkl", cfg!(feature = "mkl")),
        ("accelerate", cfg!(feature = "accelerate")),
    ];
    let on: Vec<&str> = all.iter().filter(|(_, on)| *on).map(|(name, _)| *name).collect();
    if on.is_empty() {
        "none: models run on the CPU; for a GPU, build with --features cuda (or metal)".into()
    } else {
        on.join(", ")
    }
}

/// The GPUs, and whether this binary uses them.
fn gpu() -> Result<String, String> {
    let has_cuda = cfg!(feature = "cuda");
    let driver = match Driver::open() {
        Ok(driver) => driver,
        Err(reason) if has_cuda => {
            return Err(format!(
                "{reason}: this binary was built for CUDA; install the NVIDIA driver"
            ));
        }
        Err(reason) => return Ok(format!("{reason}; no GPU is needed")),
    };
    let gpus = driver.gpus().into_iter().map(|gpu| {
        let capability =
            gpu.capability.map(|(major, minor)| format!(", capability {major}.{minor}"));
        let memory = gpu.memory.map(|memory| {
            let [total, free] = [memory.total, memory.free()].map(bytes);
            format!(", {total} of memory, {free} free")
        });
        format!("{}{}{}", gpu.name, capability.unwrap_or_default(), memory.unwrap_or_default())
    });
    let gpus: Vec<String> = gpus.collect();
    let version = driver.version().unwrap_or_else(|| "(unknown version)".into());
    match (gpus.is_empty(), has_cuda) {
        (true, true) => Err(format!("driver {version}, but no GPU: check nvidia-smi")),
        (true, false) => Ok(format!("driver {version}, no GPU; none is needed")),
        (false, true) => Ok(format!("driver {version}; {}", gpus.join("; "))),
        (false, false) => Ok(format!(
            "driver {version}; {}; not used by this binary, which was built without --features cuda",
            gpus.join("; ")
        )),
    }
}

fn store(common: &CommonArgs, folders: &Folders) -> Result<String, String> {
    let path = common.store(folders);
    let store = Store::open_read_only(&path).map_err(|e| e.to_string())?;
    if !store.notices().is_empty() {
        return Err(store.notices().join("; "));
    }
    Ok(format!("{}, {} episodes", path.display(), store.len()))
}

/// Loads a model or contacts its server, and writes a step with it.
fn model(preset: &Preset, role: Role, folders: &Folders) -> Result<String, EngineError> {
    let began = Instant::now();
    let config = preset.model(role);
    let mut engine = engine::load(config, &folders.cache, &RateLimiter::new(None))?;
    let loaded = began.elapsed();
    let mut preset = preset.clone();
    chat::apply_template(&mut preset, role, engine.as_ref())?;
    let output = write_sample(engine.as_mut(), &preset, role)?;
    let record = engine.model();
    let rate = decode_rate(&output).map_or(String::new(), |rate| format!(" at {rate:.0}/s"));
    let written = format!("{} tokens{rate}", output.tokens.len());
    if !EngineKind::of(config).is_local() {
        return Ok(format!(
            "{}, {} answered after {:.1} s, {written}, reports {} of its tokens",
            record.name,
            config.source,
            output.usage.prefill_ms / 1e3,
            engine.token_stats()
        ));
    }
    Ok(format!(
        "{}, {} parameters, loaded in {:.1} s, {written}",
        record.name,
        si(record.parameters as f64),
        loaded.as_secs_f64()
    ))
}
