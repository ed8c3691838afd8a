//! Base64 of RFC 4648, the standard alphabet.
//!
//! By hand: the smallest of the well-kept crates is constant in time, which texts do not need, and 2 KB larger. A test
//! holds it to that crate.

use crate::proto::text::without_end;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// With padding.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let mut group = 0;
        for at in 0..3 {
            group = group << 8 | u32::from(chunk.get(at).copied().unwrap_or(0));
        }
        for at in 0..4 {
            let index = (group >> (18 - 6 * at)) as usize & 63;
            let digit = ALPHABET.get(index).copied().unwrap_or(b'=');
            text.push(char::from(if at > chunk.len() { b'=' } else { digit }));
        }
    }
    text
}

/// With or without padding, however much of it; otherwise `None` for what no encoder writes, bits left over included.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let text = without_end(text, b'=');
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut group, mut bits) = (0_u32, 0);
    for byte in text.bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        group = group << 6 | u32::from(digit);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((group >> bits) as u8);
            group &= (1 << bits) - 1;
        }
    }
    // Six bits are one digit too few, and what no byte has taken must be zero.
    (bits < 6 && group == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64ct::{Base64, Base64Unpadded, Encoding};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_writes_and_reads_what_the_crate_does(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let text = encode(&bytes);
            prop_assert_eq!(&text, &Base64::encode_string(&bytes));
            prop_assert_eq!(decode(&text), Some(bytes.clone()));
            prop_assert_eq!(decode(text.trim_end_matches('=')), Some(bytes));
        }

        #[test]
        fn it_refuses_what_the_crate_refuses(text in "[A-Za-z0-9+/]{0,9}[-_ =A-P]{0,3}") {
            let theirs = Base64Unpadded::decode_vec(text.trim_end_matches('=')).ok();
            prop_assert_eq!(decode(&text), theirs);
        }
    }
}
