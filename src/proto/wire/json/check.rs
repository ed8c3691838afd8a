//! Whether a text is one JSON value (RFC 8259).
//!
//! By hand, since serde_json would be here for this question alone: 1.2 KB of the compressed wasm. What is nested is
//! remembered on a stack of its own, so that no depth can overflow the program's. Lone surrogates are let pass as
//! escapes, since JavaScript peers do send them.

use super::{Limits, plain_len};

/// Where reading stopped: the byte that is wrong, or the text's length where it ends too early.
type Checked = Result<(), usize>;

/// What is wrong with a text.
pub(super) enum Wrong {
    /// It is no JSON.
    Json,
    /// More nested arrays and objects than are allowed.
    Deep,
    /// More elements, or fields, of the outermost value than are allowed.
    Long,
}

/// Checks `text` in one go; else what is wrong first, and at which byte.
pub(super) fn check(text: &str, limits: &Limits) -> Result<(), (Wrong, usize)> {
    let mut wrong = Wrong::Json;
    read(text, limits, &mut wrong).map_err(|at| (wrong, at))
}

fn read(text: &str, limits: &Limits, wrong: &mut Wrong) -> Checked {
    let mut reader = Reader { bytes: text.as_bytes(), at: 0 };
    let mut open = Vec::new();
    let mut commas = 0;
    loop {
        reader.blanks();
        let byte = reader.next();
        match byte {
            Some(b'{' | b'[') => {
                if open.len() >= limits.max_depth {
                    *wrong = Wrong::Deep;
                    return Err(reader.at);
                }
                let end = if byte == Some(b'{') { b'}' } else { b']' };
                reader.at += 1;
                if !reader.eats(end) {
                    open.push(end);
                    reader.name(end)?;
                    continue;
                }
            }
            Some(b'"') => reader.string()?,
            Some(b't') => reader.word(b"true")?,
            Some(b'f') => reader.word(b"false")?,
            Some(b'n') => reader.word(b"null")?,
            _ => reader.number()?,
        }
        // A value is read: what is around it may go on or end.
        loop {
            let Some(end) = open.last().copied() else {
                reader.blanks();
                return if reader.next().is_none() { Ok(()) } else { Err(reader.at) };
            };
            if reader.eats(b',') {
                commas += usize::from(open.len() == 1);
                if open.len() == 1 && commas >= limits.max_elements {
                    *wrong = Wrong::Long;
                    return Err(reader.at - 1);
                }
                reader.name(end)?;
                break;
            }
            if !reader.eats(end) {
                return Err(reader.at);
            }
            open.pop();
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn next(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.next() {
            self.at += 1;
        }
    }

    /// Whether `byte` comes next, blanks aside; then it is passed over.
    fn eats(&mut self, byte: u8) -> bool {
        self.blanks();
        let eaten = self.next() == Some(byte);
        self.at += usize::from(eaten);
        eaten
    }

    /// In an object, the name before a value.
    fn name(&mut self, end: u8) -> Checked {
        if end == b']' {
            return Ok(());
        }
        self.blanks();
        self.string()?;
        if self.eats(b':') { Ok(()) } else { Err(self.at) }
    }

    fn word(&mut self, word: &[u8]) -> Checked {
        for byte in word {
            if self.next() != Some(*byte) {
                return Err(self.at);
            }
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Checked {
        self.word(b"\"")?;
        loop {
            self.at += plain_len(self.bytes.get(self.at..).unwrap_or_default());
            match self.next() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    match self.next() {
                        Some(b'u') => {
                            for _ in 0..4 {
                                self.at += 1;
                                if !self.next().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                                    return Err(self.at);
                                }
                            }
                        }
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {}
                        _ => return Err(self.at),
                    }
                }
                _ => return Err(self.at),
            }
            self.at += 1;
        }
        self.at += 1;
        Ok(())
    }

    fn number(&mut self) -> Checked {
        self.at += usize::from(self.next() == Some(b'-'));
        let first = self.at;
        self.digits()?;
        // No zero leads.
        if self.bytes.get(first) == Some(&b'0') && self.at > first + 1 {
            return Err(first + 1);
        }
        if self.next() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.next() {
            self.at += 1;
            self.at += usize::from(matches!(self.next(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Checked {
        let first = self.at;
        while let Some(b'0'..=b'9') = self.next() {
            self.at += 1;
        }
        if self.at == first { Err(first) } else { Ok(()) }
    }
}
