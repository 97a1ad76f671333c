//! Programs in a pseudo-terminal, whose output a vt100 parser reads.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// How long to wait for a condition; generous, since the machine may be busy.
const TIMEOUT: Duration = Duration::from_secs(180);

/// Texts copied to the clipboard, in base64.
#[derive(Default)]
pub(crate) struct Copied(pub(crate) Vec<String>);

impl vt100::Callbacks for Copied {
    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], data: &[u8]) {
        self.0.push(String::from_utf8(data.to_vec()).unwrap());
    }
}

/// What the thread that reads the terminal does.
const READ: u8 = 0;
const WAIT: u8 = 1;
const END: u8 = 2;

/// A running program and its terminal.
pub(crate) struct PtySession {
    pub(crate) master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    pub(crate) parser: Arc<Mutex<vt100::Parser<Copied>>>,
    /// Bytes written to the terminal.
    bytes: Arc<AtomicUsize>,
    /// Whether the reader reads, waits or ends.
    reading: Arc<AtomicU8>,
    /// Ends when the program has closed the terminal.
    reader: JoinHandle<()>,
}

impl PtySession {
    /// Starts the workbench with its folders in `home`.
    pub(crate) fn start(home: &Path, arguments: &[&str], columns: u16, rows: u16) -> Self {
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_pointsman"));
        command.args(arguments);
        Self::spawn(home, command, columns, rows)
    }

    /// Starts a shell that runs `script`.
    pub(crate) fn shell(home: &Path, script: &str, columns: u16, rows: u16) -> Self {
        let mut command = CommandBuilder::new("bash");
        command.args(["-c", script]);
        Self::spawn(home, command, columns, rows)
    }

    /// Starts any command.
    pub(crate) fn spawn(home: &Path, mut command: CommandBuilder, columns: u16, rows: u16) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        command.env("POINTSMAN_HOME", home);
        command.env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR");
        command.env_remove("TMUX");
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let parser = vt100::Parser::new_with_callbacks(rows, columns, 0, Copied::default());
        let parser = Arc::new(Mutex::new(parser));
        let mut output = pair.master.try_clone_reader().unwrap();
        let screen = parser.clone();
        let bytes = Arc::new(AtomicUsize::new(0));
        let count = bytes.clone();
        let reading = Arc::new(AtomicU8::new(READ));
        let mode = reading.clone();
        let descriptor = pair.master.as_raw_fd().unwrap();
        let reader = std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            loop {
                match mode.load(Ordering::Relaxed) {
                    READ if !has_output(descriptor) => {}
                    READ => match output.read(&mut chunk) {
                        Ok(n @ 1..) => {
                            screen.lock().unwrap().process(&chunk[..n]);
                            count.fetch_add(n, Ordering::Relaxed);
                        }
                        _ => return,
                    },
                    WAIT => std::thread::sleep(Duration::from_millis(20)),
                    _ => return,
                }
            }
        });
        let writer = pair.master.take_writer().unwrap();
        Self { master: pair.master, child, writer, parser, bytes, reading, reader }
    }

    /// Leaves the output of the program unread, and has the program redraw everything until the terminal is full.
    pub(crate) fn stop_reading(&self) {
        self.reading.store(WAIT, Ordering::Relaxed);
        for n in 0..100 {
            let size = PtySize { rows: 60 + n % 2, cols: 200 + n % 3, ..PtySize::default() };
            self.master.resize(size).unwrap();
            std::thread::sleep(Duration::from_millis(40));
        }
    }

    /// Waits until the program ends while nothing reads its output, and then reads the output.
    pub(crate) fn end_unread(&mut self) -> ExitStatus {
        let deadline = Instant::now() + TIMEOUT;
        while self.child.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                self.child.kill().unwrap();
                panic!("the program waits for a terminal that does not read");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.reading.store(READ, Ordering::Relaxed);
        self.end()
    }

    /// Closes the terminal, as a window that is closed, and waits until the program ends.
    pub(crate) fn hang_up(self) -> ExitStatus {
        let Self { master, mut child, writer, reading, reader, .. } = self;
        reading.store(END, Ordering::Relaxed);
        reader.join().unwrap();
        drop((writer, master));
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the program outlives its terminal");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The text on the screen.
    pub(crate) fn text(&self) -> String {
        self.parser.lock().unwrap().screen().contents()
    }

    /// Waits until `holds` is true of the screen, and returns that screen.
    pub(crate) fn wait_for(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            let text = self.text();
            if holds(&text) {
                return text;
            }
            assert!(Instant::now() < deadline, "no {what} on the screen:\n{text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the screen has these words.
    pub(crate) fn wait_until_shown(&self, words: &str) -> String {
        self.wait_for(words, |text| text.contains(words))
    }

    /// Types the keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// Sends a signal to the program.
    pub(crate) fn signal(&self, signal: i32) {
        let pid = i32::try_from(self.child.process_id().unwrap()).unwrap();
        // SAFETY: a signal to our own child.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    /// Waits until the program ends and the terminal has read all its output.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if self.reader.is_finished()
                && let Some(status) = self.child.try_wait().unwrap()
            {
                return status;
            }
            assert!(Instant::now() < deadline, "the program does not end:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Asserts that nothing is written to the terminal while nothing happens: two seconds without a byte must
    /// come, sooner or later. A busy machine may take long to finish what is still to be drawn.
    pub(crate) fn assert_idle(&self) {
        let deadline = Instant::now() + TIMEOUT;
        let written = || self.bytes.load(Ordering::Relaxed);
        let mut before = written();
        loop {
            std::thread::sleep(Duration::from_secs(2));
            let now = written();
            if now == before {
                return;
            }
            assert!(Instant::now() < deadline, "the program keeps writing:\n{}", self.text());
            before = now;
        }
    }

    /// Asserts that the terminal is as a shell expects it.
    pub(crate) fn assert_restored(&self) {
        let parser = self.parser.lock().unwrap();
        let screen = parser.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert!(!screen.hide_cursor(), "the cursor is back");
        assert!(!screen.bracketed_paste(), "bracketed paste is off");
    }
}

/// Waits a moment for output, or for the end of the program.
fn has_output(descriptor: i32) -> bool {
    let mut wanted = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
    // SAFETY: a pointer to one valid structure.
    unsafe { libc::poll(&raw mut wanted, 1, 20) > 0 }
}
