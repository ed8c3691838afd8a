//! The alphabet of payloads: bytes, varints, texts, lists.
//!
//! Law: a reader trusts nothing. Lengths are held against what is left before anything is allocated, so that a
//! payload of n bytes never costs more than a small multiple of n.

use super::format::RecordError;

/// Writes a payload.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub fn bool(&mut self, value: bool) {
        self.u8(u8::from(value));
    }

    /// Seven bits a byte, the lowest first; 1 to 10 bytes.
    pub fn varint(&mut self, mut value: u64) {
        while value > 0x7f {
            self.u8((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.u8(value as u8);
    }

    /// Zigzag, so that small negative numbers stay short.
    pub fn i64(&mut self, value: i64) {
        self.varint(((value << 1) ^ (value >> 63)) as u64);
    }

    /// Four bytes: for hashes, which no varint shortens.
    pub fn fixed_u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Length, then the bytes.
    pub fn bytes(&mut self, value: &[u8]) {
        self.varint(value.len() as u64);
        self.bytes.extend_from_slice(value);
    }

    pub fn str(&mut self, value: &str) {
        self.bytes(value.as_bytes());
    }

    pub fn opt_str(&mut self, value: Option<&str>) {
        self.bool(value.is_some());
        if let Some(value) = value {
            self.str(value);
        }
    }

    pub fn opt_varint(&mut self, value: Option<u64>) {
        self.bool(value.is_some());
        if let Some(value) = value {
            self.varint(value);
        }
    }

    pub fn opt_i64(&mut self, value: Option<i64>) {
        self.bool(value.is_some());
        if let Some(value) = value {
            self.i64(value);
        }
    }

    /// Count, then each item by `write`.
    pub fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        self.varint(items.len() as u64);
        for item in items {
            write(self, item);
        }
    }

    /// The payload so far.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads a payload.
///
/// What cannot be read is remembered, and reads as nothing (zero, an empty text), as does everything after it;
/// [`Reader::finish`] tells. A `Result` for each of a hundred fields would be a branch with its clean-up for each,
/// 6 KB of wasm.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
    failed: Option<&'static str>,
}

const TOO_SHORT: &str = "payload ends too early";

impl<'a> Reader<'a> {
    pub fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload, failed: None }
    }

    /// Says what is wrong with what was just read. The first failure counts.
    pub fn fail(&mut self, what: &'static str) {
        self.failed.get_or_insert(what);
        self.rest = &[];
    }

    /// So many bytes.
    pub fn take(&mut self, length: u64) -> &'a [u8] {
        let split = usize::try_from(length).ok().and_then(|length| self.rest.split_at_checked(length));
        let Some((taken, rest)) = split else {
            self.fail(TOO_SHORT);
            return &[];
        };
        self.rest = rest;
        taken
    }

    pub fn u8(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or(0)
    }

    pub fn bool(&mut self) -> bool {
        let byte = self.u8();
        if byte > 1 {
            self.fail("a truth value must be 0 or 1");
        }
        byte == 1
    }

    pub fn varint(&mut self) -> u64 {
        let (mut value, mut shift) = (0, 0);
        let mut rest = self.rest;
        // Not by `u8`: a start reads some ten thousand of them.
        while let Some((byte, behind)) = rest.split_first() {
            // The tenth byte has room for one bit.
            if shift == 63 && *byte > 1 {
                self.fail("a number must fit 64 bits");
                return 0;
            }
            value |= u64::from(byte & 0x7f) << shift;
            (rest, shift) = (behind, shift + 7);
            if *byte < 0x80 {
                self.rest = rest;
                return value;
            }
        }
        self.fail(TOO_SHORT);
        0
    }

    /// A varint that must fit 32 bits.
    pub fn u32(&mut self) -> u32 {
        u32::try_from(self.varint()).unwrap_or_else(|_| {
            self.fail("a number must fit 32 bits");
            0
        })
    }

    pub fn i64(&mut self) -> i64 {
        let value = self.varint();
        (value >> 1) as i64 ^ -((value & 1) as i64)
    }

    pub fn fixed_u32(&mut self) -> u32 {
        self.take(4).first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
    }

    pub fn bytes(&mut self) -> &'a [u8] {
        let length = self.varint();
        self.take(length)
    }

    pub fn str(&mut self) -> &'a str {
        core::str::from_utf8(self.bytes()).unwrap_or_else(|_| {
            self.fail("a text must be UTF-8");
            ""
        })
    }

    pub fn string(&mut self) -> String {
        self.str().to_owned()
    }

    pub fn opt_string(&mut self) -> Option<String> {
        self.bool().then(|| self.string())
    }

    pub fn opt_varint(&mut self) -> Option<u64> {
        self.bool().then(|| self.varint())
    }

    pub fn opt_i64(&mut self) -> Option<i64> {
        self.bool().then(|| self.i64())
    }

    /// A list whose items take at least `min_item_bytes` (1 or more) each.
    pub fn list<T>(&mut self, min_item_bytes: usize, mut read: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = self.count(min_item_bytes);
        let mut items = Vec::with_capacity(count);
        while items.len() < count && self.failed.is_none() {
            items.push(read(self));
        }
        items
    }

    /// How many items follow; none where there is no room for so many.
    #[inline(never)]
    fn count(&mut self, min_item_bytes: usize) -> usize {
        let count = self.varint();
        if count > (self.rest.len() / min_item_bytes.max(1)) as u64 {
            self.fail(TOO_SHORT);
            return 0;
        }
        count as usize
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Says that everything must have been read.
    ///
    /// # Errors
    /// [`RecordError::Malformed`] with the first failure; then nothing that was read counts.
    pub fn finish(self) -> Result<(), RecordError> {
        match self.failed {
            Some(what) => Err(RecordError::Malformed { what }),
            None if self.rest.is_empty() => Ok(()),
            None => Err(RecordError::Malformed { what: "bytes after the last field" }),
        }
    }

    /// What `read` finds at the beginning of `payload`; what follows does not matter.
    #[cfg(test)]
    pub fn first<T>(payload: &'a [u8], read: impl FnOnce(&mut Self) -> T) -> Result<T, RecordError> {
        let mut r = Self::new(payload);
        let found = read(&mut r);
        r.failed.map_or(Ok(found), |what| Err(RecordError::Malformed { what }))
    }
}
