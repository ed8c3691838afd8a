//! Any text as frames of one socket of Socket.IO: no panic, what is read and written again is read as the same, and each
//! placeholder has its attachment.
//!
//! A line is a text frame; one that begins with `b` (no packet of Engine.IO does) is a binary one.
#![no_main]

use chatwire::proto::wire::json::{self, Object, RawValue};
use chatwire::proto::wire::socket_io::{self, Assembled, Assembler, Packet};
use chatwire::proto::wire::{EXCERPT_MAX_CHARS, Limits, engine_io, excerpt};
use libfuzzer_sys::fuzz_target;
use shared::memory::{Bound, bounded};

/// Elements of two bytes are the dearest: slices of 16 in vectors that double.
const BOUND: Bound = Bound { per_byte: 48, beside: 512 };

fuzz_target!(|data: &[u8]| {
    bounded(BOUND, data.len(), || {
        let mut assembler = Assembler::new(Limits::DEFAULT);
        for line in data.split(|byte| *byte == b'\n') {
            if let Some(bytes) = line.strip_prefix(b"b") {
                if let Ok(Some(assembled)) = assembler.on_binary(bytes.to_vec()) {
                    attached(&assembled);
                }
            } else if let Ok(text) = std::str::from_utf8(line) {
                read(&mut assembler, text);
            }
        }
    });
});

fn read(assembler: &mut Assembler, text: &str) {
    assert!(excerpt(text).chars().count() <= EXCERPT_MAX_CHARS);
    let message = match engine_io::decode(text) {
        Ok(engine_io::Frame::Message(message)) => message,
        Ok(engine_io::Frame::Ping(data)) => {
            assert_eq!(engine_io::encode_pong(data).get(1..), Some(data));
            return;
        }
        Ok(_) => return,
        Err(error) => return assert!(!error.text().is_empty()),
    };
    match socket_io::decode(message, &Limits::DEFAULT) {
        Ok(packet) => written_again(&packet),
        Err(error) => assert!(!error.text().is_empty()),
    }
    let missing = assembler.missing();
    match assembler.on_text(message) {
        Ok(Some(packet)) => {
            assert!(missing == 0 && packet.attachments() == 0, "a packet without attachments")
        }
        Ok(None) => assert!(missing == 0 && assembler.missing() > 0, "one that waits for them"),
        Err(_) => assert_eq!(assembler.missing(), 0, "after an error the assembler is empty"),
    }
}

/// Each placeholder, however deep, is one of the packet's attachments or an error.
fn attached(assembled: &Assembled) {
    let (args, attachments) = match assembled.packet() {
        Ok(Packet::Event { args, attachments, .. } | Packet::Ack { args, attachments, .. }) => {
            (args, attachments)
        }
        other => panic!("not a binary packet: {other:?}"),
    };
    assert_eq!(attachments, Some(assembled.attachments().len()));
    for arg in args {
        walk(assembled, arg);
    }
}

fn walk(assembled: &Assembled, value: &RawValue) {
    let Some(object) = Object::read(value) else {
        return json::array(value).unwrap_or_default().into_iter().for_each(|value| walk(assembled, value));
    };
    let is_placeholder = object.bool("_placeholder") == Some(true);
    match assembled.attachment(value) {
        Ok(found) => assert_eq!(found.is_some(), is_placeholder, "a placeholder without its attachment"),
        Err(error) => assert!(is_placeholder, "{error}"),
    }
    for (_, value) in object.iter() {
        walk(assembled, value);
    }
}

fn written_again(packet: &Packet<'_>) {
    let frame = match packet {
        Packet::Event { ns, name, args, ack_id, attachments } => {
            // A number is written as the text that it is.
            let args: Vec<&str> = args.iter().map(|arg| arg.get()).collect();
            match attachments {
                None => socket_io::encode_event(ns, *ack_id, name.as_str(), &args),
                Some(count) => socket_io::encode_binary_event(ns, *ack_id, name.as_str(), &args, *count),
            }
        }
        Packet::Ack { ns, id, args, attachments } => {
            let args: Vec<&str> = args.iter().map(|arg| arg.get()).collect();
            match attachments {
                None => socket_io::encode_ack(ns, *id, &args),
                Some(count) => socket_io::encode_binary_ack(ns, *id, &args, *count),
            }
        }
        Packet::Connect { ns, payload } => socket_io::encode_connect(ns, payload.map(RawValue::get)),
        Packet::Disconnect { ns } => socket_io::encode_disconnect(ns),
        Packet::ConnectError { .. } => return,
    };
    let Ok(engine_io::Frame::Message(message)) = engine_io::decode(&frame) else {
        panic!("not a message: {frame}")
    };
    match socket_io::decode(message, &Limits::DEFAULT) {
        Ok(again) => assert_eq!(parts(&again), parts(packet), "{frame}"),
        Err(error) => panic!("{frame}: {error}"),
    }
}

/// A packet as texts, to be compared.
fn parts(packet: &Packet<'_>) -> (String, Option<u64>, String, Option<usize>) {
    let join = |args: &[&RawValue]| args.iter().map(|arg| arg.get()).collect::<Vec<_>>().join(",");
    let ns = packet.ns();
    match packet {
        Packet::Event { name, args, ack_id, attachments, .. } => {
            (format!("event {ns} {}", name.as_str()), *ack_id, join(args), *attachments)
        }
        Packet::Ack { id, args, attachments, .. } => {
            (format!("ack {ns}"), Some(*id), join(args), *attachments)
        }
        Packet::Connect { payload, .. } => (format!("connect {ns}"), None, join(payload.as_slice()), None),
        Packet::Disconnect { .. } => (format!("disconnect {ns}"), None, String::new(), None),
        Packet::ConnectError { .. } => (format!("refused {ns}"), None, String::new(), None),
    }
}
