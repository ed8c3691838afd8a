//! Wall-clock milliseconds ↔ ISO 8601 text.
//!
//! Hand-written: the date crates cost 20 KB and more of wasm for what are forty lines of calendar arithmetic
//! (Howard Hinnant's public `days_from_civil`), and only this one shape is ever needed.

const DAY_MS: i64 = 86_400_000;

/// `2026-11-21T01:41:38.250Z`. Years outside 0 to 9999 are clamped.
pub fn to_iso(ms: i64) -> String {
    let ms = ms.clamp(-62_167_219_200_000, 253_402_300_799_999);
    let (days, rest) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second, milli) = (rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60, rest % 1000);
    let mut text = String::with_capacity(24);
    push_part(&mut text, year, 1000, '-');
    push_part(&mut text, month, 10, '-');
    push_part(&mut text, day, 10, 'T');
    push_part(&mut text, hour, 10, ':');
    push_part(&mut text, minute, 10, ':');
    push_part(&mut text, second, 10, '.');
    push_part(&mut text, milli, 100, 'Z');
    text
}

/// A number with leading zeros. Every message has a time: the formatting machinery would be slower by far.
#[inline(never)]
fn push_part(text: &mut String, number: i64, highest: i64, end: char) {
    let mut place = highest;
    while place > 0 {
        text.push(char::from(b'0' + (number / place % 10) as u8));
        place /= 10;
    }
    text.push(end);
}

/// Reads `2026-11-21T01:41:38[.fraction](Z|±hh:mm|±hhmm)` (also a blank for the `T`, and no zone for UTC, as some
/// Python backends write it). `None` for anything else.
pub fn from_iso(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = bytes.get(from..to)?;
        digits.iter().try_fold(0_i64, |sum, b| b.is_ascii_digit().then(|| sum * 10 + i64::from(b - b'0')))
    };
    let is = |at: usize, wanted: &[u8]| bytes.get(at).is_some_and(|b| wanted.iter().any(|one| one == b));
    if !(is(4, b"-") && is(7, b"-") && is(10, b"Tt ") && is(13, b":") && is(16, b":")) {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 24 || minute > 59 || second > 60 {
        return None;
    }
    let mut at = 19;
    let mut milli = 0;
    if is(at, b".,") {
        at += 1;
        let mut scale = 100;
        while let Some(digit) = bytes.get(at).filter(|b| b.is_ascii_digit()) {
            milli += i64::from(digit - b'0') * scale;
            scale /= 10;
            at += 1;
        }
    }
    let offset_minutes = match bytes.get(at) {
        None => 0,
        Some(b'Z' | b'z') if at + 1 == bytes.len() => 0,
        Some(sign @ (b'+' | b'-')) => {
            let hours = number(at + 1, at + 3)?;
            let colon = usize::from(is(at + 3, b":"));
            let minutes = if at + 3 == bytes.len() { 0 } else { number(at + 3 + colon, at + 5 + colon)? };
            (hours * 60 + minutes) * if *sign == b'-' { -1 } else { 1 }
        }
        Some(_) => return None,
    };
    let seconds = (hour * 60 + minute - offset_minutes) * 60 + second;
    Some(days_from_civil(year, month, day) * DAY_MS + seconds * 1000 + milli)
}

fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_text_and_milliseconds_are_each_others_inverse() {
        for ms in [0, 1, 951_782_400_000, 1_795_225_298_250, -1, -86_400_001, 253_402_300_799_999] {
            assert_eq!(from_iso(&to_iso(ms)), Some(ms), "{ms}");
        }
        assert_eq!(to_iso(1_709_210_096_789), "2024-02-29T12:34:56.789Z");
    }

    #[test]
    fn other_backends_spellings_are_read() {
        let wanted = from_iso("2024-02-29T12:34:56Z");
        assert!(wanted.is_some());
        for text in ["2024-02-29T13:34:56+01:00", "2024-02-29 12:34:56", "2024-02-29T07:04:56.000000-0530"] {
            assert_eq!(from_iso(text), wanted, "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "2024",
            "2024-13-01T00:00:00Z",
            "2024-01-01T00:00:00Q",
            "2024-01-01T00:0é:00Z",
            "yesterday at noon ok",
        ] {
            assert_eq!(from_iso(text), None, "{text}");
        }
    }
}
