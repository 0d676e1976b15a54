//! What is waited for, as it changes: a few lines that are painted over on a terminal, one line after the other elsewhere.

use std::io::{IsTerminal as _, Write};

use analysis::{Gate, Outcome};

/// How many objects a line names.
const NAMED: usize = 2;
/// How many lines a terminal shows at once.
const SHOWN: usize = 12;

/// Prints what is waited for to standard error.
pub struct Progress {
    terminal: bool,
    before: Vec<String>,
}

impl Progress {
    /// For whoever reads standard error.
    pub fn new() -> Progress {
        Progress { terminal: std::io::stderr().is_terminal(), before: Vec::new() }
    }

    /// Prints what is new.
    pub fn show(&mut self, gate: &Gate) {
        let lines = lines(gate);
        if lines == self.before {
            return;
        }
        let mut out = String::new();
        if self.terminal {
            out.push_str(&erase(self.before.len()));
            // Long lines are cut, not wrapped: else they could not be painted over.
            out.push_str("\x1b[?7l");
            for line in lines.iter().take(SHOWN) {
                out.push_str(line);
                out.push('\n');
            }
            if lines.len() > SHOWN {
                out.push_str(&format!("and {} more\n", lines.len() - SHOWN));
            }
            out.push_str("\x1b[?7h");
        } else {
            for line in lines.iter().filter(|it| !self.before.contains(it)) {
                out.push_str(line);
                out.push('\n');
            }
        }
        write(&out);
        self.before = lines;
    }

    /// Takes away what will be said again at the end.
    pub fn end(self) {
        if self.terminal {
            write(&erase(self.before.len()));
        }
    }
}

fn erase(lines: usize) -> String {
    match lines {
        0 => String::new(),
        _ => format!("\x1b[{}A\x1b[J", if lines > SHOWN { SHOWN + 1 } else { lines }),
    }
}

fn write(text: &str) {
    let mut out = std::io::stderr().lock();
    // Whoever reads has gone: the outcome tells.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// How all stands, one line for the objects of a cluster that stand alike.
pub fn lines(gate: &Gate) -> Vec<String> {
    lines_of(gate, |_| true)
}

/// The same for some outcomes.
pub fn lines_of(gate: &Gate, which: impl Fn(Outcome) -> bool) -> Vec<String> {
    let mut groups: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for it in gate.gated.iter().filter(|it| which(it.outcome)) {
        match groups.iter_mut().find(|(cluster, text, _)| (*cluster, *text) == (&it.cluster, &it.text)) {
            Some((.., objects)) => objects.push(&it.object),
            None => groups.push((&it.cluster, &it.text, vec![&it.object])),
        }
    }
    let mut lines: Vec<String> = groups
        .into_iter()
        .map(|(cluster, text, objects)| {
            let more = objects.len().saturating_sub(NAMED);
            let named = objects[..objects.len() - more].join(", ");
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("{cluster}: {named}{more}: {text}")
        })
        .collect();
    if which(Outcome::Waiting) {
        lines.extend(gate.silent.iter().cloned());
    }
    lines
}
