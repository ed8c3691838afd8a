//! Our codecs behind a pipe, for the tests that hold them to the official ones: one case a line, one answer a line.
//!
//! What is read goes through the codec's own readers to the last leaf, and what is written through its own writers, so
//! that a value which comes out as it went in has passed all of them. In values a text begins with `s` and a buffer is
//! `b` with its base64: no text can be taken for a buffer. serde_json reads the line alone, never a value of a case.
#![cfg(not(target_arch = "wasm32"))]
// Clippy knows tests by `#[test]`, which this is not.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{self, BufRead, BufReader, BufWriter, Write};

use base64ct::{Base64, Encoding};
use chatwire::proto::wire::json::{self, Kind, Object, RawValue};
use chatwire::proto::wire::phoenix::{self, Payload};
use chatwire::proto::wire::socket_io::{self, Assembled, Assembler, EventName, Packet};
use chatwire::proto::wire::{Limits, WireError, engine_io};
use serde_json::{Map, Value, json};

type Answer = Result<Value, String>;

fn main() -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    let mut cases = BufReader::with_capacity(1 << 16, io::stdin());
    let mut line = String::new();
    while cases.read_line(&mut line)? > 0 {
        let case: Value = serde_json::from_str(&line)?;
        let answer = match text(&case, "do") {
            "read socket.io" => read_socket_io(&case),
            "write socket.io" => write_socket_io(&case),
            "read phoenix" => read_phoenix(&case),
            "write phoenix" => write_phoenix(&case),
            other => panic!("no such order: {other}"),
        };
        let answer = answer.unwrap_or_else(|error| json!({ "error": error }));
        writeln!(out, "{answer}")?;
        line.clear();
        // Who has sent no more waits for what is here.
        if cases.buffer().is_empty() {
            out.flush()?;
        }
    }
    out.flush()
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    maybe(case, field).unwrap_or_else(|| panic!("{field} is missing"))
}

fn maybe<'a>(case: &'a Value, field: &str) -> Option<&'a str> {
    case.get(field).and_then(Value::as_str)
}

fn said(error: &WireError) -> String {
    error.to_string()
}

// ── Socket.IO ───────────────────────────────────────────────────────────────

/// `text`, and `binary` frames in base64, as a socket would hand them over.
fn read_socket_io(case: &Value) -> Answer {
    let frame = engine_io::decode(text(case, "text")).map_err(|e| said(&e))?;
    let engine_io::Frame::Message(message) = frame else { return Err("no message".to_owned()) };
    let mut assembler = Assembler::new(Limits::DEFAULT);
    let packet = assembler.on_text(message).map_err(|e| said(&e))?;
    let frames = case.get("binary").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if let Some(packet) = packet {
        return if frames.is_empty() { told(&packet, None) } else { Err("complete too early".to_owned()) };
    }
    let mut whole = None;
    for frame in frames {
        let bytes = Base64::decode_vec(frame.as_str().unwrap()).unwrap();
        whole = assembler.on_binary(bytes).map_err(|e| said(&e))?;
    }
    let whole = whole.ok_or("not complete at the end")?;
    told(&whole.packet().map_err(|e| said(&e))?, Some(&whole))
}

fn told(packet: &Packet<'_>, whole: Option<&Assembled>) -> Answer {
    let value = |raw: &&RawValue| copied(raw, &mut |raw| buffer_of(raw, whole), &plain);
    let args = |args: &[&RawValue]| args.iter().map(value).collect::<Result<Vec<_>, _>>();
    let payload = |raw: &Option<&RawValue>| raw.as_ref().map(value).transpose();
    Ok(match packet {
        Packet::Connect { ns, payload: auth } => json!({"type": "CONNECT", "ns": ns, "data": payload(auth)?}),
        Packet::ConnectError { ns, payload: error } => {
            json!({"type": "CONNECT_ERROR", "ns": ns, "data": payload(error)?})
        }
        Packet::Disconnect { ns } => json!({"type": "DISCONNECT", "ns": ns}),
        Packet::Event { ns, ack_id, name, args: all, attachments } => {
            let (name, number) = match name {
                EventName::Text(name) => (Some(name.as_ref()), None),
                EventName::Number(number) => (None, Some(*number)),
            };
            json!({"type": "EVENT", "ns": ns, "id": ack_id, "name": name, "number": number,
                "args": args(all)?, "attachments": attachments})
        }
        Packet::Ack { ns, id, args: all, attachments } => {
            json!({"type": "ACK", "ns": ns, "id": id, "args": args(all)?, "attachments": attachments})
        }
    })
}

fn buffer_of(raw: &RawValue, whole: Option<&Assembled>) -> Result<Option<String>, String> {
    let Some(whole) = whole else { return Ok(None) };
    let bytes = whole.attachment(raw).map_err(|e| said(&e))?;
    Ok(bytes.map(|bytes| json!(format!("b{}", Base64::encode_string(bytes))).to_string()))
}

/// `args` are JSON texts: with `tagged` their buffers become attachments, else they are copied as they stand.
fn write_socket_io(case: &Value) -> Answer {
    let ns = text(case, "ns");
    let id = case.get("id").and_then(Value::as_u64);
    let mut attachments = Vec::new();
    let mut args = Vec::new();
    for arg in case.get("args").and_then(Value::as_array).into_iter().flatten() {
        let arg = arg.as_str().unwrap();
        args.push(if maybe(case, "tagged").is_some() {
            untagged(arg, &mut attachments)?
        } else {
            arg.to_owned()
        });
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let count = attachments.len();
    let frame = match (text(case, "type"), count) {
        ("CONNECT", _) => socket_io::encode_connect(ns, maybe(case, "data")),
        ("DISCONNECT", _) => socket_io::encode_disconnect(ns),
        ("EVENT", 0) => socket_io::encode_event(ns, id, text(case, "name"), &args),
        ("EVENT", _) => socket_io::encode_binary_event(ns, id, text(case, "name"), &args, count),
        ("ACK", 0) => socket_io::encode_ack(ns, id.unwrap(), &args),
        ("ACK", _) => socket_io::encode_binary_ack(ns, id.unwrap(), &args, count),
        (other, _) => panic!("a client sends no {other}"),
    };
    Ok(json!({"text": frame, "binary": attachments}))
}

/// A tagged value as it goes on the wire; its buffers in base64.
fn untagged(tagged: &str, attachments: &mut Vec<String>) -> Result<String, String> {
    let raw = json::parse(tagged, 0).map_err(|e| said(&e))?;
    let mut buffer = |raw: &RawValue| {
        let Some(bytes) = json::string(raw).and_then(|text| text.strip_prefix('b').map(str::to_owned)) else {
            return Ok(None);
        };
        let mut placeholder = String::new();
        socket_io::push_placeholder(&mut placeholder, attachments.len());
        attachments.push(bytes);
        Ok(Some(placeholder))
    };
    copied(raw, &mut buffer, &|out, text| json::push_json_string(out, text.get(1..).unwrap_or_default()))
}

// ── Phoenix ─────────────────────────────────────────────────────────────────

/// `text`, or `binary` in base64.
fn read_phoenix(case: &Value) -> Answer {
    let bytes = maybe(case, "binary").map(|bytes| Base64::decode_vec(bytes).unwrap());
    let frame = match &bytes {
        Some(bytes) => phoenix::decode_binary(bytes, &Limits::DEFAULT),
        None => phoenix::decode(text(case, "text"), &Limits::DEFAULT),
    };
    let frame = frame.map_err(|e| said(&e))?;
    let mut answer = Map::new();
    for (field, value) in [
        ("join_ref", &frame.join_ref),
        ("ref", &frame.reference),
        ("topic", &Some(frame.topic)),
        ("event", &Some(frame.event)),
        ("status", &frame.status),
    ] {
        answer.insert(field.to_owned(), json!(value));
    }
    let payload = match frame.payload {
        Payload::Json(raw) => copied(raw, &mut |_| Ok(None), &plain)?,
        Payload::Bytes(bytes) => json!(format!("b{}", Base64::encode_string(bytes))).to_string(),
    };
    answer.insert("payload".to_owned(), json!(payload));
    Ok(Value::Object(answer))
}

/// `payload` is JSON as it stands, `binary` base64.
fn write_phoenix(case: &Value) -> Answer {
    let (join_ref, reference) = (maybe(case, "join_ref"), maybe(case, "ref"));
    let (topic, event) = (text(case, "topic"), text(case, "event"));
    let Some(data) = maybe(case, "binary") else {
        return Ok(
            json!({"text": phoenix::encode(join_ref, reference, topic, event, text(case, "payload"))}),
        );
    };
    let data = Base64::decode_vec(data).unwrap();
    let names = (join_ref.unwrap_or_default(), reference.unwrap_or_default());
    let bytes = phoenix::encode_binary(names.0, names.1, topic, event, &data).map_err(|e| said(&e))?;
    Ok(json!({"binary": Base64::encode_string(&bytes)}))
}

// ── values ──────────────────────────────────────────────────────────────────

/// A text of a value that was read, tagged. By serde_json: our own writer is not to undo what our reader has done.
fn plain(out: &mut String, text: &str) {
    out.push_str(&serde_json::to_string(&format!("s{text}")).unwrap());
}

/// A value, read by our readers and written again; `buffer` says what stands for a buffer, `write` writes texts.
fn copied(
    raw: &RawValue,
    buffer: &mut impl FnMut(&RawValue) -> Result<Option<String>, String>,
    write: &impl Fn(&mut String, &str),
) -> Result<String, String> {
    if let Some(instead) = buffer(raw)? {
        return Ok(instead);
    }
    let mut out = String::new();
    match json::kind(raw) {
        Kind::Array => {
            for value in json::array(raw).ok_or("no array")? {
                out.push(if out.is_empty() { '[' } else { ',' });
                out.push_str(&copied(value, buffer, write)?);
            }
            out.push_str(if out.is_empty() { "[]" } else { "]" });
        }
        Kind::Object => {
            for (name, value) in Object::read(raw).ok_or("no object")?.iter() {
                out.push(if out.is_empty() { '{' } else { ',' });
                json::push_json_string(&mut out, name);
                out.push(':');
                out.push_str(&copied(value, buffer, write)?);
            }
            out.push_str(if out.is_empty() { "{}" } else { "}" });
        }
        Kind::String => write(&mut out, &json::string(raw).ok_or("no string")?),
        Kind::Bool => out.push_str(if json::boolean(raw).ok_or("no bool")? { "true" } else { "false" }),
        Kind::Null => out.push_str("null"),
        Kind::Number => {
            // What our readers take for a whole number is written from what they have read.
            match (json::uint(raw), json::int(raw)) {
                (Some(number), _) => json::push_uint(&mut out, number),
                (None, Some(number)) if number < 0 => out.push_str(&number.to_string()),
                _ => out.push_str(raw.get()),
            }
        }
    }
    Ok(out)
}
