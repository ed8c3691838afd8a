//! The codecs against arbitrary input: never a panic, and what was written is read back.

use proptest::prelude::*;

use super::*;

/// Text that often looks like a packet.
fn packet_like() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[0-7][0-9]{0,3}-?(/[a-z]{0,3},?)?[0-9]{0,20}[\\[\\]{}\",:0-9a-z\\\\ é]{0,24}",
        (0..VALID.len(), any::<prop::sample::Index>(), any::<char>()).prop_map(|(which, at, new)| {
            let mut chars: Vec<char> = VALID[which].chars().collect();
            let at = at.index(chars.len());
            chars[at] = new;
            chars.into_iter().collect()
        }),
    ]
}

fn namespace() -> impl Strategy<Value = String> {
    prop_oneof![Just("/".to_owned()), "/[^,]{0,12}"]
}

pub(super) fn json_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        any::<i64>().prop_map(|value| value.to_string()),
        any::<String>().prop_map(|value| serde_json::to_string(&value).unwrap()),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[{}]", items.join(","))),
            prop::collection::vec(inner, 0..3).prop_map(|items| {
                let fields: Vec<_> = items.iter().map(|item| format!("\"k\":{item}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

fn message(frame: &str) -> &str {
    match engine_io::decode(frame) {
        Ok(engine_io::Frame::Message(text)) => text,
        other => panic!("{frame}: {other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_a_codec_panic(text in packet_like(), bytes in prop::collection::vec(any::<u8>(), 0..8)) {
        let _ = engine_io::decode(&text).map(drop);
        if let Err(error) = decode(&text, &LIMITS) {
            prop_assert!(!error.to_string().is_empty());
        }
        prop_assert!(excerpt(&text).chars().count() <= EXCERPT_MAX_CHARS);
        let mut assembler = Assembler::new(LIMITS);
        let missing = match assembler.on_text(&text) {
            Ok(None) => assembler.missing(),
            _ => 0,
        };
        for left in (0..missing).rev() {
            let whole = assembler.on_binary(bytes.clone()).unwrap();
            prop_assert_eq!(whole.is_some(), left == 0);
            if let Some(whole) = whole {
                prop_assert_eq!(whole.packet().unwrap().attachments(), missing);
            }
        }
        prop_assert!(assembler.on_binary(bytes).is_err());
    }

    #[test]
    fn events_come_back_as_they_were_written(
        ns in namespace(),
        ack_id in prop::option::of(0..=MAX_ACK_ID),
        name in any::<String>(),
        args in prop::collection::vec(json_text(), 0..4),
        attachments in prop::option::of(0_usize..=4),
    ) {
        prop_assume!(!socket_io::is_reserved(&name));
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let frame = match attachments {
            None => encode_event(&ns, ack_id, &name, &args),
            Some(count) => encode_binary_event(&ns, ack_id, &name, &args, count),
        };
        prop_assert_eq!(event(message(&frame)), (ns.as_str(), ack_id, name, args, attachments));
    }

    #[test]
    fn acks_come_back_as_they_were_written(
        ns in namespace(),
        id in 0..=MAX_ACK_ID,
        args in prop::collection::vec(json_text(), 0..4),
        attachments in prop::option::of(0_usize..=4),
    ) {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let frame = match attachments {
            None => encode_ack(&ns, id, &args),
            Some(count) => encode_binary_ack(&ns, id, &args, count),
        };
        prop_assert_eq!(ack(message(&frame)), (ns.as_str(), id, args, attachments));
    }

    #[test]
    fn connects_and_disconnects_come_back_as_they_were_written(
        ns in namespace(),
        token in prop::option::of(any::<String>()),
    ) {
        let auth = token.map(|token| format!("{{\"token\":{}}}", serde_json::to_string(&token).unwrap()));
        let frame = encode_connect(&ns, auth.as_deref());
        let Packet::Connect { ns: found, payload } = packet(message(&frame)) else { panic!("{frame}") };
        prop_assert_eq!((found, payload.map(RawValue::get)), (ns.as_str(), auth.as_deref()));
        let frame = encode_disconnect(&ns);
        let Packet::Disconnect { ns: found } = packet(message(&frame)) else { panic!("{frame}") };
        prop_assert_eq!(found, ns.as_str());
    }
}
