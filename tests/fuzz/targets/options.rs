//! Any text as the options of `createChat`, and as a command of the package: no panic, no token in a refusal, and what is
//! accepted is what a browser may be given.
#![no_main]

use std::net::Ipv6Addr;

use chatwire::proto::config::{Config, PageFacts};
use chatwire::proto::wire::json::{self, Object};
use libfuzzer_sys::fuzz_target;
use shared::memory::{Bound, bounded};

/// Texts of three bytes are the dearest: 24 in memory, in a vector that doubles, beside the slices that they were. Beside:
/// the names that a refusal lists, and a configuration's texts.
const BOUND: Bound = Bound { per_byte: 48, beside: 3 << 10 };

/// Tokens of the seeds begin so: nothing else does.
const TOKEN: &str = "hunter2";

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    bounded(BOUND, data.len(), || {
        match Config::parse(text, PageFacts { online: true, visible: true }) {
            Ok(config) => accepted(text, &config),
            Err(failure) => {
                let message = &failure.message;
                assert!((1..2_000).contains(&message.len()), "a refusal is short: {message}");
                let shown = message.contains(TOKEN) && is_token(text);
                assert!(!shown, "the token stands in a refusal: {message}");
            }
        }
        if let Err(failure) = shared::command::parse(text) {
            assert!((1..300).contains(&failure.message.len()), "{}", failure.message);
        }
    });
});

/// It is the token, and nowhere else.
fn is_token(text: &str) -> bool {
    let options = json::parse(text, 0).ok().and_then(Object::read);
    let token = options.as_ref().and_then(|options| options.str("token"));
    token.is_some_and(|token| token.starts_with(TOKEN)) && text.matches(TOKEN).count() == 1
}

fn accepted(text: &str, config: &Config) {
    let endpoint = &config.endpoint;
    for (url, schemes) in
        [(&endpoint.socket_url, ["ws://", "wss://"]), (&endpoint.api_url, ["http://", "https://"])]
    {
        let rest = schemes.iter().find_map(|scheme| url.strip_prefix(scheme));
        let Some(rest) = rest else { panic!("no scheme: {url}") };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        // What a host has beyond ASCII the browser judges (docs/open.md).
        assert!(!authority.contains(|c: char| c.is_ascii_control() || c == ' ' || c == '\\'), "{url:?}");
        assert!(!path.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\'), "{url:?}");
        good_authority(authority);
        let insecure = json::parse(text, 0).ok().and_then(Object::read);
        let insecure = insecure.and_then(|options| options.bool("allowInsecure")) == Some(true);
        let local = authority.contains("localhost") || authority.starts_with(['1', '[']);
        assert!(local || insecure || url.starts_with(schemes[1]), "not secure: {url}");
    }
    assert_eq!(config.database.len(), "chatwire-".len() + 32);
    assert!((1..=256).contains(&config.user_id.chars().count()) || json::digits(&config.user_id).is_some());
    assert!(config.reconnect.base_delay_ms <= config.reconnect.max_delay_ms);
    assert!(config.static_token.as_ref().is_none_or(|token| !token.0.is_empty()));
}

/// A host, and behind a colon a port of 16 bits; IPv6 as the standard library reads it.
fn good_authority(authority: &str) {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    };
    assert!(port.is_none_or(|port| port.parse::<u16>().is_ok()), "the port of {authority}");
    match host.strip_prefix('[') {
        Some(address) => {
            assert!(address.trim_end_matches(']').parse::<Ipv6Addr>().is_ok(), "no IPv6: {authority}");
        }
        None => assert!(!host.is_empty() && !host.contains(['@', '?', '#', ':']), "no host: {authority}"),
    }
}
