//! A program that is run for its answer: it is given its input, read to its end, and never waited for any longer than
//! it was allowed.

use std::io::{self, Read, Write};
use std::process::{Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Why there is no answer.
#[derive(Debug)]
pub enum Failed {
    /// It could not be started.
    Start(io::Error),
    /// It had not ended in time, and was killed.
    Time,
}

/// How long the pipes of an ended program are read: what it has left in the background may keep them open for ever.
const AFTER: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// It has no terminal to ask on: its input is what is given, and ends.
pub fn run(command: &mut Command, input: Vec<u8>, limit: Duration) -> Result<Output, Failed> {
    let begin = Instant::now();
    let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
    let child = command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(Failed::Start)?;
    if let Some(mut pipe) = child.stdin.take() {
        // In a thread of its own: a program answers while it is still being asked.
        thread::spawn(move || pipe.write_all(&input));
    }
    let (stdout, stderr) = (Reading::of(child.stdout.take()), Reading::of(child.stderr.take()));
    let mut pause = Duration::from_millis(1);
    let status = loop {
        match child.try_wait().map_err(Failed::Start)? {
            Some(status) => break status,
            None if begin.elapsed() >= limit => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(Failed::Time);
            }
            // Most programs close their output when they end, which is heard at once.
            None => stdout.heard(pause),
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    };
    Ok(Output { status, stdout: stdout.all(), stderr: stderr.all() })
}

/// One pipe, read by a thread that may outlive the program.
struct Reading {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// Hangs up at the end of the pipe.
    end: Receiver<()>,
}

impl Reading {
    fn of(pipe: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let (open, end) = channel::<()>();
        let into = Arc::clone(&bytes);
        thread::spawn(move || {
            let _open = open;
            let Some(mut pipe) = pipe else { return };
            let mut part = [0; 16 * 1024];
            while let Ok(count @ 1..) = pipe.read(&mut part) {
                into.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&part[..count]);
            }
        });
        Self { bytes, end }
    }

    /// Until the end of the pipe; after that it is a pause like any other.
    fn heard(&self, pause: Duration) {
        if self.end.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected) {
            thread::sleep(Duration::from_micros(200));
        }
    }

    fn all(self) -> Vec<u8> {
        let _ = self.end.recv_timeout(AFTER);
        std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, input: &str, seconds: u64) -> (Result<String, Failed>, Duration) {
        let begin = Instant::now();
        let mut command = Command::new("sh");
        let output = run(command.args(["-c", script]), input.into(), Duration::from_secs(seconds));
        (output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()), begin.elapsed())
    }

    #[test]
    fn an_answer_is_read_whole_however_much_is_asked_meanwhile() {
        let long = "0123456789\n".repeat(100_000);
        assert_eq!(sh("cat", &long, 60).0.expect("it ends"), long);
        assert_eq!(sh("cat; echo end", "", 60).0.expect("it has no terminal to wait for"), "end\n");
    }

    #[test]
    fn a_program_that_does_not_end_is_killed_and_what_it_leaves_behind_is_not_waited_for() {
        let (answer, took) = sh("sleep 60", "", 1);
        assert!(matches!(answer, Err(Failed::Time)) && took < Duration::from_secs(5), "{answer:?} {took:?}");
        let (answer, took) = sh("echo done; sleep 60 &", "", 30);
        assert_eq!(answer.expect("it has ended"), "done\n");
        assert!(took < Duration::from_secs(5), "{took:?}");
    }
}
