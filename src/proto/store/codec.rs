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

/// Reads a payload. Every failure is [`RecordError::Malformed`].
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

const TOO_SHORT: RecordError = RecordError::Malformed { what: "payload ends too early" };

impl<'a> Reader<'a> {
    pub fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }

    pub fn u8(&mut self) -> Result<u8, RecordError> {
        let (&first, rest) = self.rest.split_first().ok_or(TOO_SHORT)?;
        self.rest = rest;
        Ok(first)
    }

    pub fn bool(&mut self) -> Result<bool, RecordError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(RecordError::Malformed { what: "a truth value must be 0 or 1" }),
        }
    }

    pub fn varint(&mut self) -> Result<u64, RecordError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if (bits << shift) >> shift != bits {
                break;
            }
            value |= bits << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(RecordError::Malformed { what: "a number must fit 64 bits" })
    }

    /// A varint that must fit 32 bits.
    pub fn u32(&mut self) -> Result<u32, RecordError> {
        u32::try_from(self.varint()?)
            .map_err(|_| RecordError::Malformed { what: "a number must fit 32 bits" })
    }

    pub fn i64(&mut self) -> Result<i64, RecordError> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub fn fixed_u32(&mut self) -> Result<u32, RecordError> {
        let (&bytes, rest) = self.rest.split_first_chunk().ok_or(TOO_SHORT)?;
        self.rest = rest;
        Ok(u32::from_le_bytes(bytes))
    }

    pub fn bytes(&mut self) -> Result<&'a [u8], RecordError> {
        let length = usize::try_from(self.varint()?).map_err(|_| TOO_SHORT)?;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(TOO_SHORT)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub fn str(&mut self) -> Result<&'a str, RecordError> {
        core::str::from_utf8(self.bytes()?)
            .map_err(|_| RecordError::Malformed { what: "a text must be UTF-8" })
    }

    pub fn string(&mut self) -> Result<String, RecordError> {
        self.str().map(str::to_owned)
    }

    pub fn opt_string(&mut self) -> Result<Option<String>, RecordError> {
        if self.bool()? { self.string().map(Some) } else { Ok(None) }
    }

    pub fn opt_varint(&mut self) -> Result<Option<u64>, RecordError> {
        if self.bool()? { self.varint().map(Some) } else { Ok(None) }
    }

    pub fn opt_i64(&mut self) -> Result<Option<i64>, RecordError> {
        if self.bool()? { self.i64().map(Some) } else { Ok(None) }
    }

    /// A list whose items take at least `min_item_bytes` (1 or more) each.
    pub fn list<T>(
        &mut self,
        min_item_bytes: usize,
        mut read: impl FnMut(&mut Self) -> Result<T, RecordError>,
    ) -> Result<Vec<T>, RecordError> {
        let count = self.varint()?;
        if count > (self.rest.len() / min_item_bytes.max(1)) as u64 {
            return Err(TOO_SHORT);
        }
        let mut items = Vec::with_capacity(count as usize);
        for _ in 0..count {
            items.push(read(self)?);
        }
        Ok(items)
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Says that everything must have been read.
    pub fn finish(self) -> Result<(), RecordError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(RecordError::Malformed { what: "bytes after the last field" })
        }
    }
}
