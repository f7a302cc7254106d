//! A program at a pseudo-terminal, watched with the time of each piece of output.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};

/// How long a test waits for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a program has written.
#[derive(Default)]
struct Output {
    chunks: Vec<(Instant, String)>,
    text: String,
    over: bool,
}

/// A program at a terminal of its own.
pub struct Terminal {
    child: Child,
    keyboard: File,
    output: Arc<(Mutex<Output>, Condvar)>,
    /// How much of the output has been matched.
    seen: usize,
}

/// How a program ended.
#[derive(Debug)]
pub struct Finished {
    /// Exit status; -1 if a signal ended it.
    pub status: i32,
    /// Everything that it wrote, carriage returns left out.
    pub transcript: String,
    /// The same in pieces, with their times.
    pub chunks: Vec<(Instant, String)>,
}

impl Terminal {
    /// Starts `command` at a new terminal of 80 columns, which controls it.
    ///
    /// # Panics
    /// If there is no terminal or no such program.
    #[must_use]
    pub fn start(command: &Command) -> Self {
        let size = Winsize {
            ws_row: 40,
            ws_col: 200,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(&size, None).expect("a pseudo-terminal");
        let mut wrapped = Command::new("setsid");
        // Ctrl-C has to work also where the tests run in the background, with the signal ignored: the
        // OpenSSH client would take it for an empty answer.
        wrapped.args(["--ctty", "--wait", "env", "--default-signal=INT"]);
        wrapped.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => wrapped.env(name, value),
                None => wrapped.env_remove(name),
            };
        }
        let slave = || Stdio::from(pty.slave.try_clone().expect("the terminal"));
        let child = wrapped
            .stdin(slave())
            .stdout(slave())
            .stderr(slave())
            .spawn()
            .expect("the program starts");
        drop(wrapped);
        drop(pty.slave);
        let screen = File::from(pty.master.try_clone().expect("the terminal"));
        let output = Arc::new((Mutex::new(Output::default()), Condvar::new()));
        let to = Arc::clone(&output);
        thread::spawn(move || watch(screen, &to));
        Self {
            child,
            keyboard: File::from(pty.master),
            output,
            seen: 0,
        }
    }

    fn output(&self) -> MutexGuard<'_, Output> {
        self.output.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `needle` appears behind what was matched before; gives the time at which the
    /// piece with its end came.
    ///
    /// # Panics
    /// With the transcript, if it does not appear in time.
    #[track_caller]
    pub fn expect(&mut self, needle: &str) -> Instant {
        let end = Instant::now() + PATIENCE;
        let mut output = self.output.0.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let rest = output.text.get(self.seen..).unwrap_or_default();
            if let Some(found) = rest.find(needle) {
                self.seen += found + needle.len();
                let mut length = 0;
                let piece = output.chunks.iter().find(|(_, chunk)| {
                    length += chunk.len();
                    length >= self.seen
                });
                return piece.map_or_else(Instant::now, |(at, _)| *at);
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !output.over && !left.is_zero(),
                "{needle:?} never came (program over: {}):\n{}",
                output.over,
                output.text
            );
            let waited = self.output.1.wait_timeout(output, left);
            output = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Types `text`.
    ///
    /// # Panics
    /// If the terminal is gone.
    pub fn send(&mut self, text: &str) {
        self.keyboard
            .write_all(text.as_bytes())
            .expect("a keyboard");
    }

    /// Types `text` and Enter.
    pub fn line(&mut self, text: &str) {
        self.send(&format!("{text}\n"));
    }

    /// Presses Ctrl-C, as late as a person would: the OpenSSH client misses a signal that comes
    /// between the last sign of its question and the moment when it reads.
    pub fn interrupt(&mut self) {
        thread::sleep(Duration::from_millis(300));
        self.send("\u{3}");
    }

    /// Ends the program without a word, as if its machine had gone.
    pub fn hang_up(mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Everything so far, carriage returns left out.
    #[must_use]
    pub fn transcript(&self) -> String {
        self.output().text.clone()
    }

    /// Waits for the program's end.
    ///
    /// # Panics
    /// With the transcript, if it does not end in time.
    #[track_caller]
    pub fn finish(&mut self) -> Finished {
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the program's status") {
                break status;
            }
            assert!(
                Instant::now() < end,
                "the program does not end:\n{}",
                self.transcript()
            );
            thread::sleep(Duration::from_millis(10));
        };
        // What it wrote last may still be on its way.
        let settled = Instant::now() + Duration::from_secs(2);
        while !self.output().over && Instant::now() < settled {
            thread::sleep(Duration::from_millis(10));
        }
        let output = self.output();
        Finished {
            status: status.code().unwrap_or(-1),
            transcript: output.text.clone(),
            chunks: output.chunks.clone(),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Collects output until the terminal closes.
fn watch(mut screen: File, output: &(Mutex<Output>, Condvar)) {
    let mut buffer = [0; 4096];
    let mut partial = Vec::new();
    loop {
        let length = screen.read(&mut buffer).unwrap_or(0);
        let at = Instant::now();
        partial.extend_from_slice(buffer.get(..length).unwrap_or_default());
        partial.retain(|byte| *byte != b'\r');
        let mut collected = output.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A character may be cut in two.
        let whole = match std::str::from_utf8(&partial) {
            Err(error) if error.error_len().is_none() && length > 0 => error.valid_up_to(),
            _ => partial.len(),
        };
        let text =
            String::from_utf8_lossy(&partial.drain(..whole).collect::<Vec<u8>>()).into_owned();
        collected.text.push_str(&text);
        collected.chunks.push((at, text));
        collected.over = length == 0;
        let over = collected.over;
        drop(collected);
        output.1.notify_all();
        if over {
            return;
        }
    }
}
