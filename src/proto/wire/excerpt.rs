//! What may be said of a frame in a log or an error.
//!
//! Frames hold message bodies and tokens, and a broken frame may hold them anywhere. So the rule lists what stays
//! and drops the rest: the first digits and hyphens (types, count of attachments, a short ack id), JSON
//! punctuation, blanks, `true`, `false`, `null`, and keys that look like names. Everything else becomes `…`,
//! numbers too.

/// Characters of an excerpt at most.
pub const EXCERPT_MAX_CHARS: usize = 80;

/// A longer key is more likely data than a name.
const KEY_MAX_BYTES: usize = 32;

/// More digits at the beginning are more likely data than types and counts.
const HEAD_MAX_BYTES: usize = 6;

/// A redacted picture of a text frame, at most [`EXCERPT_MAX_CHARS`] characters, such as
/// `4217["…",{"id":"…","seq":…}]`. It ends in `…` where the frame went on.
#[must_use]
pub fn excerpt(frame: &str) -> String {
    let mut out = String::new();
    let mut chars = 0;
    let mut rest = frame;
    let mut in_head = true;
    while let Some(first) = rest.chars().next() {
        let at = frame.len() - rest.len();
        in_head = in_head && at < HEAD_MAX_BYTES && matches!(first, '0'..='9' | '-');
        let (token, kept) = next_token(rest, first, in_head);
        // A `…` after a `…` says nothing new: `a b` and `ab` look alike.
        if !(kept == "…" && out.ends_with('…')) {
            chars += kept.chars().count();
            if chars >= EXCERPT_MAX_CHARS {
                out.push('…');
                return out;
            }
            out.push_str(kept);
        }
        rest = rest.get(token.len()..).unwrap_or_default();
    }
    out
}

/// The token `rest` begins with, and what of it may be shown.
fn next_token(rest: &str, first: char, in_head: bool) -> (&str, &str) {
    let run = |end: fn(char) -> bool| rest.split_once(end).map_or(rest, |(run, _)| run);
    let one = rest.get(..first.len_utf8()).unwrap_or(rest);
    match first {
        '"' => string_token(rest),
        '[' | ']' | '{' | '}' | ',' | ':' | ' ' => (one, one),
        _ if in_head => (one, one),
        _ if first.is_ascii_alphabetic() => {
            let word = run(|c| !c.is_ascii_alphanumeric());
            (word, if matches!(word, "true" | "false" | "null") { word } else { "…" })
        }
        // Also the way out for numbers: sign, digits, point and exponent are all redacted alike.
        _ => (one, "…"),
    }
}

/// A JSON string with its quotes; shown when a colon follows it and it looks like a name.
fn string_token(rest: &str) -> (&str, &str) {
    let mut escaped = false;
    let close = rest.bytes().skip(1).position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    let Some(token) = close.and_then(|inner| rest.get(..inner + 2)) else {
        return (rest, "\"…");
    };
    let name = token.get(1..token.len() - 1).unwrap_or_default();
    let is_key = rest.get(token.len()..).is_some_and(|after| after.trim_start().starts_with(':'));
    let is_name = name.len() <= KEY_MAX_BYTES
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'$' | b'.'));
    (token, if is_key && is_name { token } else { "\"…\"" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_numbers_go_and_the_shape_stays() {
        assert_eq!(
            excerpt(
                r#"42/team,17["message",{"id":"m1","text":"se\"cret: }","seq":12.5e3,"ok":true,"no":null}]"#
            ),
            r#"42…,…["…",{"id":"…","text":"…","seq":…,"ok":true,"no":null}]"#
        );
        assert_eq!(
            excerpt(r#"451-["x",{"_placeholder" : true,"num":0}]"#),
            r#"451-["…",{"_placeholder" : true,"num":…}]"#
        );
    }

    #[test]
    fn nothing_leaks_out_of_broken_frames() {
        for frame in [
            "hunter2 is the password",
            r#"42["open hunter2"#,
            r#"42["a\"hunter2"#,
            r#"42[hunter2]"#,
            r#"42{hunter2:1}"#,
            r#"42{"hunter2 with blanks":1}"#,
            r#"42[hunter2"]"#,
            "40/?token=hunter2,",
            "pin-hunter2",
            "hunter2\n",
        ] {
            let shown = excerpt(frame);
            assert!(!shown.contains("hunter") && !shown.contains("password"), "{shown}");
        }
        assert_eq!(excerpt(r#"42["a",4111111111111111]"#), r#"42["…",…]"#);
        assert_eq!(excerpt("pin-1234"), "…");
        assert_eq!(excerpt("4111111111111111"), "411111…");
    }

    #[test]
    fn at_most_eighty_characters() {
        let long = format!("42[{}]", "1,".repeat(4000));
        assert_eq!(excerpt(&long).chars().count(), EXCERPT_MAX_CHARS);
        assert!(excerpt(&long).ends_with('…'));
        let fits = format!("42[{}]", "[],".repeat(25));
        assert_eq!(fits.chars().count(), 79);
        assert_eq!(excerpt(&fits), fits);
        assert_eq!(excerpt(""), "");
    }
}
