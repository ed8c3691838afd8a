//! Cursors of a conversation (P9): opaque to clients, so they do not look like numbers.

use crate::error::ApiError;

const PREFIX: &str = "c_";
const BASE: u32 = 36;

/// The place right after the message of this number; 0 is the beginning.
pub(super) fn of(seq: i64) -> String {
    let mut rest = seq.max(0).unsigned_abs();
    let mut digits = Vec::new();
    loop {
        let digit = u32::try_from(rest % u64::from(BASE)).unwrap_or(0);
        digits.push(char::from_digit(digit, BASE).unwrap_or('0'));
        rest /= u64::from(BASE);
        if rest == 0 {
            break;
        }
    }
    PREFIX.chars().chain(digits.into_iter().rev()).collect()
}

/// The number behind a cursor that was ours.
pub(super) fn parse(cursor: &str) -> Result<i64, ApiError> {
    let digits = cursor.strip_prefix(PREFIX).filter(|digits| !digits.starts_with('+'));
    digits
        .and_then(|digits| i64::from_str_radix(digits, BASE).ok())
        .filter(|seq| *seq >= 0)
        .ok_or_else(|| ApiError::validation("cursor", "not a cursor of this server"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn back_and_forth() {
        for (seq, cursor) in [(0, "c_0"), (35, "c_z"), (36, "c_10"), (i64::MAX, "c_1y2p0ij32e8e7")] {
            assert_eq!(of(seq), cursor);
            assert_eq!(parse(cursor).unwrap(), seq);
        }
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for cursor in ["", "c_", "7", "c_-1", "c_+1", "c_1y2p0ij32e8e8", "C_1", "c_ö"] {
            assert_eq!(parse(cursor).unwrap_err().field, Some("cursor"), "{cursor}");
        }
    }
}
