//! How the core puts texts together and searches them.
//!
//! By hand: the standard library's `concat` and `join` are 1 KB of wasm, and so is each of its ways to look for a
//! character, for several or for another text.

/// The parts one behind the other.
pub fn concat(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(part);
    }
    text
}

/// The parts with a text between each and the next.
pub fn join(parts: &[&str], between: &str) -> String {
    let mut text = String::new();
    for (at, part) in parts.iter().enumerate() {
        text.push_str(if at > 0 { between } else { "" });
        text.push_str(part);
    }
    text
}

/// Where the first of `marks`, which are ASCII, stands in the text.
// `contains` of bytes would bring in the standard library's search.
#[allow(clippy::manual_contains)]
pub fn place_of(text: &str, marks: &[u8]) -> Option<usize> {
    text.bytes().position(|byte| marks.iter().any(|mark| *mark == byte))
}

/// Whether one of `marks`, which are ASCII, stands in the text.
pub fn holds(text: &str, marks: &[u8]) -> bool {
    place_of(text, marks).is_some()
}

/// What stands before and behind the first `mark`, which is ASCII.
pub fn cut(text: &str, mark: u8) -> Option<(&str, &str)> {
    let at = place_of(text, &[mark])?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// The text without those `mark`s, which are ASCII, that it ends with.
pub fn without_end(text: &str, mark: u8) -> &str {
    let behind = text.bytes().rev().take_while(|byte| *byte == mark).count();
    text.get(..text.len() - behind).unwrap_or_default()
}

/// Nothing but white space.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// Appends `segment` to a path with everything but RFC 3986's unreserved characters percent-encoded.
pub fn push_percent_encoded(path: &mut String, segment: &str) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().map_or('0', char::from);
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            path.push(char::from(byte));
        } else {
            path.push('%');
            path.push(digit(byte >> 4));
            path.push(digit(byte & 15));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn they_say_what_the_standard_library_says(text in "[ a=ä/\u{2003}\u{1F600}]{0,12}") {
            let parts = [text.as_str(), "", "b"];
            prop_assert_eq!((concat(&parts), join(&parts, ", ")), (parts.concat(), parts.join(", ")));
            prop_assert_eq!(cut(&text, b'/'), text.split_once('/'));
            prop_assert_eq!(place_of(&text, b"/="), text.find(['/', '=']));
            prop_assert_eq!(holds(&text, b"/="), text.contains(['/', '=']));
            prop_assert_eq!(without_end(&text, b'='), text.trim_end_matches('='));
            prop_assert_eq!(is_blank(&text), text.trim().is_empty());
        }
    }

    #[test]
    fn segments_are_percent_encoded() {
        let mut path = String::from("/");
        push_percent_encoded(&mut path, "aZ09-._~ /?#%é");
        assert_eq!(path, "/aZ09-._~%20%2F%3F%23%25%C3%A9");
    }
}
