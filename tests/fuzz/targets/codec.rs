//! Any text as frames of one socket: no panic, and what is read and written again is read as the same.
#![no_main]

use chatwire::proto::wire::socket_io::{self, Assembler, Packet};
use chatwire::proto::wire::{Limits, engine_io, excerpt};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut assembler = Assembler::new(Limits::DEFAULT);
    for line in data.split(|byte| *byte == b'\n') {
        let Ok(text) = std::str::from_utf8(line) else {
            let _ = assembler.on_binary(line.to_vec());
            continue;
        };
        let _ = excerpt(text);
        let Ok(engine_io::Frame::Message(message)) = engine_io::decode(text) else { continue };
        if let Ok(packet) = socket_io::decode(message, &Limits::DEFAULT) {
            written_again(&packet);
        }
        let _ = assembler.on_text(message);
    }
});

fn written_again(packet: &Packet<'_>) {
    let (frame, told) = match packet {
        Packet::Event { ns, name, args, ack_id, attachments: None } => {
            // A number is written as the text that it is.
            let args: Vec<&str> = args.iter().map(|arg| arg.get()).collect();
            let frame = socket_io::encode_event(ns, *ack_id, name.as_str(), &args);
            (frame, (*ns, *ack_id, args.join(",")))
        }
        Packet::Ack { ns, id, args, attachments: None } => {
            let args: Vec<&str> = args.iter().map(|arg| arg.get()).collect();
            (socket_io::encode_ack(ns, *id, &args), (*ns, Some(*id), args.join(",")))
        }
        _ => return,
    };
    let Ok(engine_io::Frame::Message(message)) = engine_io::decode(&frame) else {
        panic!("not a message: {frame}")
    };
    let again = match socket_io::decode(message, &Limits::DEFAULT) {
        Ok(Packet::Event { ns, args, ack_id, .. }) => (ns, ack_id, args),
        Ok(Packet::Ack { ns, id, args, .. }) => (ns, Some(id), args),
        other => panic!("{frame} is read as {other:?}"),
    };
    let args: Vec<&str> = again.2.iter().map(|arg| arg.get()).collect();
    assert_eq!((again.0, again.1, args.join(",")), told);
}
