//! Base64 of RFC 4648, the standard alphabet.
//!
//! By hand: the smallest of the well-kept crates is constant in time, which texts do not need, and 2 KB larger. A test
//! holds it to that crate.

use crate::proto::text::without_end;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Beyond what six bits hold, and it stays so whatever is joined to it.
const NO_DIGIT: u8 = 0xff;

/// What each byte stands for.
#[allow(clippy::indexing_slicing)]
const VALUES: [u8; 256] = {
    let mut values = [NO_DIGIT; 256];
    let mut at = 0;
    while at < ALPHABET.len() {
        values[ALPHABET[at] as usize] = at as u8;
        at += 1;
    }
    values
};

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
    let digits = without_end(text, b'=').as_bytes();
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for chunk in digits.chunks(4) {
        let (mut group, mut wrong) = (0, 0);
        for at in 0..4 {
            // As if zeros followed.
            let digit = chunk.get(at).map_or(Some(&0), |byte| VALUES.get(usize::from(*byte)))?;
            wrong |= *digit;
            group = group << 6 | u32::from(*digit);
        }
        let [_, whole @ ..] = group.to_be_bytes();
        // Four digits are three bytes, three are two, two are one; one is a digit too few, and what no byte has taken must be zero.
        let (taken, left) = whole.split_at_checked(chunk.len().saturating_sub(1))?;
        if wrong == NO_DIGIT || taken.is_empty() || left.iter().any(|bits| *bits != 0) {
            return None;
        }
        bytes.extend_from_slice(taken);
    }
    Some(bytes)
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
