//! Numbers and colours for people.

use std::io::IsTerminal;
use std::time::Duration;

/// `1234567` as `1,234,567`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A duration with three digits that matter.
pub(super) fn short(duration: Duration) -> String {
    match duration.as_micros() {
        micros @ 0..1_000 => format!("{micros} us"),
        micros @ 1_000..1_000_000 => format!("{:.2} ms", micros as f64 / 1e3),
        micros => format!("{:.2} s", micros as f64 / 1e6),
    }
}

/// `text` in this SGR colour, on a terminal whose owner has not said NO_COLOR.
pub(super) fn coloured(text: &str, sgr: &str) -> String {
    if std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none() {
        format!("\x1b[{sgr}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// One line on stderr that replaces itself; nothing unless stderr is a terminal.
#[derive(Debug)]
pub(super) struct Progress {
    shown: bool,
    on_terminal: bool,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { shown: false, on_terminal: std::io::stderr().is_terminal() }
    }

    #[expect(clippy::print_stderr, reason = "progress belongs on stderr")]
    pub(super) fn show(&mut self, line: &str) {
        if self.on_terminal {
            eprint!("\r\x1b[K{line}");
            self.shown = true;
        }
    }

    #[expect(clippy::print_stderr, reason = "progress belongs on stderr")]
    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.shown) {
            eprint!("\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{grouped, short};
    use std::time::Duration;

    #[test]
    fn numbers_for_people() {
        for (number, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
        let micros = Duration::from_micros;
        assert_eq!(short(micros(999)), "999 us");
        assert_eq!(short(micros(12_345)), "12.35 ms");
        assert_eq!(short(micros(2_500_000)), "2.50 s");
    }
}
