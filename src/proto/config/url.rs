//! Splitting a URL by hand: scheme, host, port, path.
//!
//! Law: what this accepts, a browser's `WebSocket` and `fetch` accept too, and it means the same there; whatever is
//! unusual is refused rather than guessed. The `url` crate would cost as much wasm as the whole Socket.IO codec.

use crate::proto::text::{concat, cut, holds, place_of, without_end};
use crate::proto::wire::json;

/// A URL in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// `wss` and `https` against `ws` and `http`.
    pub(super) secure: bool,
    /// Host in lower case and port, without the scheme's default port.
    pub(super) authority: String,
    /// Begins with a slash and does not end with one; empty for the root.
    pub(super) path: String,
    /// Whether the host is this machine.
    pub(super) local: bool,
}

/// What is wrong with a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum UrlError {
    /// Not one of the four schemes, or no URL at all.
    Scheme,
    /// User and password stand in it: not to be repeated in a message.
    Credentials,
    /// Host or port cannot be.
    Host,
    /// Characters that do not belong in a path.
    Path,
    /// A query or a fragment, which may hold a token: not to be repeated in a message.
    Query,
}

impl Url {
    pub(super) fn parse(text: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = cut(text, b':').ok_or(UrlError::Scheme)?;
        let rest = rest.strip_prefix("//").ok_or(UrlError::Scheme)?;
        let (secure, default_port) = match scheme.to_ascii_lowercase().as_str() {
            "wss" | "https" => (true, 443),
            "ws" | "http" => (false, 80),
            _ => return Err(UrlError::Scheme),
        };
        let end = place_of(rest, b"/?#").unwrap_or(rest.len());
        let (authority, tail) = rest.split_at_checked(end).ok_or(UrlError::Host)?;
        if holds(authority, b"@") {
            return Err(UrlError::Credentials);
        }
        if holds(tail, b"?#") {
            return Err(UrlError::Query);
        }
        let (host, port) = split_port(authority)?;
        let host = host.to_ascii_lowercase();
        let local =
            matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]") || host.ends_with(".localhost");
        let authority = match port {
            Some(port) if port != default_port => concat(&[&host, ":", &json::decimal(port.into())]),
            _ => host,
        };
        Ok(Self { secure, authority, path: checked_path(tail)?.to_owned(), local })
    }

    /// `wss://host:port` for `ws`, `https://host:port` for `http`, without the `s` where it is plain.
    pub(super) fn origin(&self, scheme: &str) -> String {
        concat(&[scheme, if self.secure { "s://" } else { "://" }, &self.authority])
    }
}

/// A path without slashes at its end.
pub(super) fn checked_path(path: &str) -> Result<&str, UrlError> {
    let wrong =
        |c: char| c.is_whitespace() || c.is_control() || matches!(c, '\\' | '"' | '<' | '>' | '^' | '`');
    if holds(path, b"?#") {
        return Err(UrlError::Query);
    }
    if path.chars().any(wrong) || (!path.is_empty() && !path.starts_with('/')) {
        return Err(UrlError::Path);
    }
    Ok(without_end(path, b'/'))
}

fn split_port(authority: &str) -> Result<(&str, Option<u16>), UrlError> {
    let host_end = if authority.starts_with('[') {
        place_of(authority, b"]").map(|at| at + 1).ok_or(UrlError::Host)?
    } else {
        place_of(authority, b":").unwrap_or(authority.len())
    };
    let (host, rest) = authority.split_at_checked(host_end).ok_or(UrlError::Host)?;
    let name = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let good = match name {
        Some(address) => is_ipv6(address),
        // What else than letters there is beyond ASCII, the browser refuses.
        None => !host.is_empty() && host.bytes().all(is_name_byte),
    };
    let port = match rest.strip_prefix(':') {
        None if rest.is_empty() => None,
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(json::digits(digits).and_then(|port| u16::try_from(port).ok()).ok_or(UrlError::Host)?)
        }
        _ => return Err(UrlError::Host),
    };
    if good { Ok((host, port)) } else { Err(UrlError::Host) }
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii() || matches!(byte, b'-' | b'.' | b'_')
}

/// Eight groups of one to four hex digits with colons between, of which `::` may stand once for one group or more;
/// an IPv4 address may stand for the last two. By hand: the standard library's parser is 4 KB of wasm.
fn is_ipv6(address: &str) -> bool {
    let gap = address.as_bytes().windows(2).position(|pair| pair == b"::");
    let (head, tail) = match gap.and_then(|at| Some((address.get(..at)?, address.get(at + 2..)?))) {
        Some((head, tail)) => (head, Some(tail)),
        None => (address, None),
    };
    match (groups(head, tail.is_none()), tail.map(|tail| groups(tail, true))) {
        (Some(8), None) => true,
        (Some(head), Some(Some(tail))) => head + tail < 8,
        _ => false,
    }
}

/// The number of groups; `None` where one is wrong.
fn groups(text: &str, may_end_in_ipv4: bool) -> Option<usize> {
    if text.is_empty() {
        return Some(0);
    }
    let mut count = 0;
    let mut rest = Some(text);
    while let Some(text) = rest {
        let part;
        (part, rest) = cut(text, b':').map_or((text, None), |(part, behind)| (part, Some(behind)));
        let is_group = (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_hexdigit());
        if is_group {
            count += 1;
        } else if may_end_in_ipv4 && rest.is_none() && is_ipv4(part) {
            count += 2;
        } else {
            return None;
        }
    }
    Some(count)
}

fn is_ipv4(text: &str) -> bool {
    let good = |part: &str| {
        json::digits(part).is_some_and(|number| number < 256) && (part == "0" || !part.starts_with('0'))
    };
    let mut last = text;
    for _ in 0..3 {
        match cut(last, b'.') {
            Some((part, rest)) if good(part) => last = rest,
            _ => return false,
        }
    }
    good(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (bool, String, String, bool) {
        let url = Url::parse(text).unwrap();
        (url.secure, url.authority, url.path, url.local)
    }

    #[test]
    fn good_urls_in_parts() {
        for (text, secure, authority, path, local) in [
            ("https://chat.example.com", true, "chat.example.com", "", false),
            ("HTTPS://Chat.Example.com:443/Team/", true, "chat.example.com", "/Team", false),
            ("wss://h:8443/a/b//", true, "h:8443", "/a/b", false),
            ("http://localhost:80/", false, "localhost", "", true),
            ("ws://127.0.0.1:8002/companion", false, "127.0.0.1:8002", "/companion", true),
            ("http://[::1]:3000", false, "[::1]:3000", "", true),
            ("http://app.localhost", false, "app.localhost", "", true),
            ("http://notlocalhost", false, "notlocalhost", "", false),
            ("http://127.0.0.1.evil.com", false, "127.0.0.1.evil.com", "", false),
            ("https://bücher.example/ä%20b", true, "bücher.example", "/ä%20b", false),
        ] {
            assert_eq!(parts(text), (secure, authority.to_owned(), path.to_owned(), local), "{text}");
        }
        assert_eq!(parts("https://h/@").2, "/@", "an at sign in the path is no credential");
        assert_eq!(Url::parse("http://h:8080/x").unwrap().origin("ws"), "ws://h:8080");
        assert_eq!(Url::parse("wss://h/x").unwrap().origin("http"), "https://h");
    }

    #[test]
    fn ipv6_as_the_standard_library_reads_it() {
        let parts = [
            "",
            "::",
            ":",
            "1",
            "ffff",
            "12345",
            "g",
            "1.2.3.4",
            "01.2.3.4",
            "1.2.3",
            "+1.2.3.4",
            "256.1.1.1",
        ];
        let mut texts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        for head in 0..=9 {
            for tail in 0..=9 {
                for end in parts {
                    let groups = |count| vec!["a0"; count].join(":");
                    texts.push(format!("{}::{}:{end}", groups(head), groups(tail)));
                    texts.push(format!("{}:{end}::{}", groups(head), groups(tail)));
                    texts.push(format!("{}{end}{}", groups(head), groups(tail)));
                    texts.push(format!("{}:{end}", groups(head)));
                }
            }
        }
        for text in texts {
            assert_eq!(is_ipv6(&text), text.parse::<core::net::Ipv6Addr>().is_ok(), "{text}");
        }
    }

    #[test]
    fn bad_urls_by_what_is_wrong() {
        for (text, error) in [
            ("", UrlError::Scheme),
            ("chat.example.com", UrlError::Scheme),
            ("//chat.example.com", UrlError::Scheme),
            ("javascript:alert(1)", UrlError::Scheme),
            ("javascript://x/%0aalert(1)", UrlError::Scheme),
            ("file:///etc/passwd", UrlError::Scheme),
            (" https://h", UrlError::Scheme),
            ("https://", UrlError::Host),
            ("https:///path", UrlError::Host),
            ("https://h:", UrlError::Host),
            ("https://h:65536", UrlError::Host),
            ("https://h:+1", UrlError::Host),
            ("https://h:1:2", UrlError::Host),
            ("https://a b", UrlError::Host),
            ("https://a\\b", UrlError::Host),
            ("https://[::1", UrlError::Host),
            ("https://[x]", UrlError::Host),
            ("https://[::1]x", UrlError::Host),
            ("https://ana:secret@h", UrlError::Credentials),
            ("https://h/a b", UrlError::Path),
            ("https://h/a\nb", UrlError::Path),
            ("https://h/?token=x", UrlError::Query),
            ("https://h?token=x", UrlError::Query),
            ("https://h/a#b", UrlError::Query),
        ] {
            assert_eq!(Url::parse(text), Err(error), "{text:?}");
        }
    }
}
