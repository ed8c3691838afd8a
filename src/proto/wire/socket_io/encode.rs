//! Writing packets. The law: one allocation that grows, no value tree, arguments copied as the JSON they are.
//!
//! A namespace is trusted to have passed `check_namespace`, an event's name not to be reserved, an ack id to
//! be at most `MAX_ACK_ID`: they come from configuration and from our own counters, not from the other side.

use super::{DEFAULT_NAMESPACE, push_json_string, push_uint};

/// CONNECT: always sent, also for `/` (`E4`): `40`, `40{"token":…}`, `40/ns,{…}`. `auth_json` is a JSON object,
/// with `pid` and `offset` beside the auth where a session is to be recovered (`E11`).
#[must_use]
pub fn encode_connect(ns: &str, auth_json: Option<&str>) -> String {
    let auth = auth_json.unwrap_or_default();
    let mut out = head('0', None, ns, None, auth.len());
    out.push_str(auth);
    out
}

/// DISCONNECT: `41`, `41/ns,`.
#[must_use]
pub fn encode_disconnect(ns: &str) -> String {
    head('1', None, ns, None, 0)
}

/// EVENT: `42["name",…]`, `42/ns,17["name",…]`. `args_json` are JSON texts.
#[must_use]
pub fn encode_event(ns: &str, ack_id: Option<u64>, name: &str, args_json: &[&str]) -> String {
    array(head('2', None, ns, ack_id, name.len() + joined_len(args_json)), Some(name), args_json)
}

/// ACK: `4317[…]`, `43/ns,17[…]`. `args_json` are JSON texts.
#[must_use]
pub fn encode_ack(ns: &str, id: u64, args_json: &[&str]) -> String {
    array(head('3', None, ns, Some(id), joined_len(args_json)), None, args_json)
}

/// The text frame of a BINARY_EVENT: `451-["name",{"_placeholder":true,"num":0}]` (`E6`). The arguments hold
/// placeholders ([`push_placeholder`](super::push_placeholder)) with numbers below `attachments`; so many
/// binary frames, in their order, must follow it with no other packet between.
#[must_use]
pub fn encode_binary_event(
    ns: &str,
    ack_id: Option<u64>,
    name: &str,
    args_json: &[&str],
    attachments: usize,
) -> String {
    let out = head('5', Some(attachments), ns, ack_id, name.len() + joined_len(args_json));
    array(out, Some(name), args_json)
}

/// The text frame of a BINARY_ACK: `461-17[…]`, otherwise as [`encode_binary_event`].
#[must_use]
pub fn encode_binary_ack(ns: &str, id: u64, args_json: &[&str], attachments: usize) -> String {
    array(head('6', Some(attachments), ns, Some(id), joined_len(args_json)), None, args_json)
}

fn head(kind: char, attachments: Option<usize>, ns: &str, ack_id: Option<u64>, payload_len: usize) -> String {
    // 32: both digits of type, the numbers, brackets and quotes of a usual packet.
    let mut out = String::with_capacity(32 + ns.len() + payload_len);
    out.push('4');
    out.push(kind);
    if let Some(attachments) = attachments {
        push_uint(&mut out, attachments as u64);
        out.push('-');
    }
    if !ns.is_empty() && ns != DEFAULT_NAMESPACE {
        out.push_str(ns);
        out.push(',');
    }
    if let Some(id) = ack_id {
        push_uint(&mut out, id);
    }
    out
}

fn array(mut out: String, name: Option<&str>, args_json: &[&str]) -> String {
    out.push('[');
    if let Some(name) = name {
        push_json_string(&mut out, name);
    }
    for (index, arg) in args_json.iter().enumerate() {
        if index > 0 || name.is_some() {
            out.push(',');
        }
        out.push_str(arg);
    }
    out.push(']');
    out
}

fn joined_len(args_json: &[&str]) -> usize {
    args_json.iter().map(|arg| arg.len() + 1).sum()
}
