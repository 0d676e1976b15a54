//! Real editors, driven by their own scripts (`tests/e2e/editors`) over one line protocol: a command in, an answer out, so
//! that one story is told for all of them.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A running editor.
pub struct Editor {
    name: String,
    driver: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Editor {
    /// Starts the driver of an editor.
    pub fn start(name: &str, command: &mut Command) -> Editor {
        let mut driver = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the driver starts");
        let input = driver.stdin.take().expect("its input is a pipe");
        let output = BufReader::new(driver.stdout.take().expect("its output is a pipe"));
        Editor { name: name.to_owned(), driver, input, output }
    }

    /// Sends one command and gives its answer; an answer that is not ok fails the test.
    pub fn tell(&mut self, command: Value) -> Value {
        writeln!(self.input, "{command}").and_then(|()| self.input.flush()).expect("the driver listens");
        let mut line = String::new();
        loop {
            line.clear();
            let read = self.output.read_line(&mut line).expect("the driver answers");
            assert!(read > 0, "{}: the driver ended at {command}", self.name);
            // Editors print to standard output too; answers are the lines that are JSON objects.
            let Ok(answer) = serde_json::from_str::<Value>(&line) else { continue };
            if !answer.is_object() {
                continue;
            }
            assert_eq!(answer["ok"], json!(true), "{}: {command}: {answer:#}", self.name);
            return answer;
        }
    }

    /// Takes a picture of the screen (text for a terminal).
    pub fn screenshot(&mut self, path: &Path) {
        self.tell(json!({"screenshot": path}));
    }

    /// Ends the editor.
    pub fn quit(mut self) {
        self.tell(json!({"quit": true}));
        let _ = self.driver.wait();
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
