//! A store on a full disk and on a read-only one. Needs root, to mount a small file system.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::shell::{failure, objects, stdout};

/// A small file system in memory, unmounted when dropped.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` if this process may not mount one.
    fn mount(path: PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&path).unwrap();
        let mounted = mount(&["-t", "tmpfs", "-o", "size=4m", "tmpfs"], &path);
        if !mounted {
            let reason = "skipped: a small file system cannot be mounted here, which needs root";
            let _ = writeln!(std::io::stderr(), "{reason}");
        }
        mounted.then_some(Self(path))
    }

    fn fill(&self) {
        let mut chunk = vec![b'x'; 1 << 20];
        for n in 0.. {
            if std::fs::write(self.0.join(format!("filler-{n}")), &chunk).is_err() {
                // The rest of the space, down to the last block.
                if chunk.len() <= 4096 {
                    return;
                }
                chunk.truncate(chunk.len() / 2);
            }
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

fn mount(options: &[&str], path: &Path) -> bool {
    let output = Command::new("mount").args(options).arg(path).output();
    output.is_ok_and(|output| output.status.success())
}

fn with_store<'a>(store: &'a str, arguments: &[&'a str]) -> Vec<&'a str> {
    [arguments, &["--store", store]].concat()
}

#[test]
fn a_full_disk_can_be_read_and_emptied() {
    let home = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(home.path().join("disk")) else { return };
    let store = disk.0.join("store");
    let store = store.to_str().unwrap();
    let run = |arguments: &[&str]| stdout(home.path(), &with_store(store, arguments));
    run(&["collect", "-n", "60", "--seed", "3"]);
    let before = run(&["episodes", "export"]);
    disk.fill();

    for writing in [&["run", "--seed", "2"][..], &["train", "--iterations", "1"]] {
        let arguments = with_store(store, writing);
        let output = crate::shell::output(home.path(), &arguments);
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains("No space left") && errors.contains("trash empty"), "{errors}");
    }
    // The failed run may have begun an episode.
    assert!(run(&["episodes", "export"]).starts_with(&before), "everything acknowledged is there");
    assert!(objects(&run(&["episodes", "ls", "--json"])).len() >= 60);
    run(&["episodes", "show", "3"]);
    run(&["replay", "3", "--headless"]);

    // Deleting makes room.
    run(&["episodes", "rm", "--query", ""]);
    run(&["episodes", "trash", "empty"]);
    run(&["run", "--seed", "2"]);
    let left = objects(&run(&["episodes", "ls", "--json", "right wrong"]));
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_read_only_disk_can_be_read() {
    let home = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(home.path().join("disk")) else { return };
    let store = disk.0.join("store");
    let store = store.to_str().unwrap();
    stdout(home.path(), &with_store(store, &["run", "--seed", "3"]));
    assert!(mount(&["-o", "remount,ro"], &disk.0));
    let reading: [&[&str]; 5] = [
        &["episodes", "ls"],
        &["episodes", "export"],
        &["explain", "1", "1"],
        &["replay", "1", "--headless"],
        &["policy", "ls"],
    ];
    for arguments in reading {
        stdout(home.path(), &with_store(store, arguments));
    }
    let (code, message) = failure(home.path(), &with_store(store, &["episodes", "star", "1"]));
    assert_eq!(code, 1);
    assert!(message.contains(store) && message.contains("--store"), "{message}");
}
