//! Whether a power cut loses an event that was acknowledged.
//!
//! The store is on a file system of its own in an image file, mounted as a loop device. What the program has not
//! synced is in the page cache of that file system, not in the image, so a copy of the image is what a power cut
//! leaves. Needs root, `mkfs.ext4` and loop devices.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use clap::Args;
use pointsman::store::Store;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Number of power cuts
    #[arg(short, default_value_t = 60)]
    n: usize,
    /// The program to test [default: this one]
    #[arg(long)]
    program: Option<PathBuf>,
    /// Only count the events in the copy with `episodes show`, for a program without the present store
    #[arg(long)]
    count_by_command: bool,
}

const IMAGE_BYTES: u64 = 48 << 20;

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let program = arguments.program.clone();
    let program = program.unwrap_or_else(|| env!("CARGO_BIN_EXE_pointsman").into());
    let (mut acknowledged, mut lost, mut cuts_with_loss) = (0, 0, 0);
    for cut in 0..arguments.n {
        let home = tempfile::tempdir()?;
        let image = Image::create(&home.path().join("image"), &home.path().join("mounted"))?;
        let store = image.mounted.join("store");
        // Half of the cuts meet a new store, whose files grow.
        if cut % 2 == 0 {
            complete(&program, &["run", "--seed", "1"], &store, home.path())?;
        }
        let printed = cut % 11 + 1;
        let copy = home.path().join("copy");
        let (id, printed) = run_until(&program, printed, cut as u64, &store, home.path(), || {
            std::fs::copy(&image.path, &copy).map(drop)
        })?;
        drop(image);
        let after = Image::mount(&copy, &home.path().join("recovered"))?;
        let found = if arguments.count_by_command {
            count_by_command(&program, id, &after.mounted.join("store"), home.path())?
        } else {
            let store = Store::open(&after.mounted.join("store"))?;
            store.events_json(id).map_or(0, |events| events.len())
        };
        acknowledged += printed;
        lost += printed.saturating_sub(found);
        cuts_with_loss += usize::from(found < printed);
    }
    println!("| power cuts | acknowledged events | lost events | cuts with a loss |");
    println!("|---|---|---|---|");
    println!("| {} | {acknowledged} | {lost} | {cuts_with_loss} |", arguments.n);
    Ok(())
}

/// A mounted image file.
struct Image {
    path: PathBuf,
    mounted: PathBuf,
}

impl Image {
    fn create(path: &Path, mounted: &Path) -> anyhow::Result<Self> {
        std::fs::File::create(path)?.set_len(IMAGE_BYTES)?;
        shell(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(path))?;
        Self::mount(path, mounted)
    }

    fn mount(path: &Path, mounted: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir(mounted)?;
        shell(Command::new("mount").args(["-o", "loop"]).arg(path).arg(mounted))?;
        Ok(Self { path: path.into(), mounted: mounted.into() })
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        let unmounted = shell(Command::new("umount").arg(&self.mounted));
        if let Err(error) = unmounted {
            eprintln!("{error}");
        }
    }
}

fn shell(command: &mut Command) -> anyhow::Result<()> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.success(),
        "{command:?}: {errors}: this study needs root and loop devices"
    );
    Ok(())
}

fn program(program: &Path, arguments: &[&str], store: &Path, home: &Path) -> Command {
    let mut command = Command::new(program);
    command.env("POINTSMAN_HOME", home).args(arguments).arg("--store").arg(store);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    command
}

fn complete(path: &Path, arguments: &[&str], store: &Path, home: &Path) -> anyhow::Result<()> {
    let status = program(path, arguments, store, home).stdout(Stdio::null()).status()?;
    ensure!(status.success(), "{arguments:?} failed");
    Ok(())
}

/// Runs an episode, calls `cut` right after `events` of its events were printed, and kills it. Returns the episode
/// and the number of printed events.
fn run_until(
    path: &Path,
    events: usize,
    seed: u64,
    store: &Path,
    home: &Path,
    cut: impl FnOnce() -> std::io::Result<()>,
) -> anyhow::Result<(u64, usize)> {
    let seed = seed.to_string();
    let mut command = program(path, &["run", "--json", "--seed", &seed], store, home);
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().context("no standard output")?;
    let mut lines = BufReader::new(stdout).lines();
    let (mut id, mut printed) = (0, 0);
    while printed < events
        && let Some(line) = lines.next()
    {
        let event: serde_json::Value = serde_json::from_str(&line?)?;
        id = event["episode"].as_u64().context("an event without an episode")?;
        printed += 1;
    }
    cut()?;
    child.kill()?;
    child.wait()?;
    Ok((id, printed))
}

fn count_by_command(path: &Path, id: u64, store: &Path, home: &Path) -> anyhow::Result<usize> {
    let id = id.to_string();
    let output = program(path, &["episodes", "show", &id, "--json"], store, home).output()?;
    Ok(output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).count())
}
