//! What is written equals what serde writes, for every variant and every field's states.

use super::*;
use crate::proto::model::*;

fn json(text: &str) -> Json {
    Json::parse(text).unwrap()
}

fn failure(code: ErrorCode) -> Failure {
    Failure::new(code, "a \"quoted\" reason\n")
}

fn plain_message() -> Message {
    Message {
        row_key: "c1:7".to_owned(),
        id: None,
        key: None,
        conversation_id: "c1".to_owned(),
        sender_id: "ana".to_owned(),
        sender: Sender::User,
        kind: "text".to_owned(),
        text: String::new(),
        metadata: None,
        attachments: None,
        reply_to: None,
        created_at_ms: -1,
        seq: None,
        status: Status::Saving,
        failure: None,
        durable: false,
        read_by: Vec::new(),
        reactions: Vec::new(),
        edited_at_ms: None,
        deleted_at_ms: None,
        change: None,
    }
}

fn full_message(sender: Sender, status: Status) -> Message {
    let reaction = |users: &[&str]| Reaction {
        emoji: "👍".to_owned(),
        count: 2,
        mine: users.len() > 1,
        users: users.iter().map(|user| (*user).to_owned()).collect(),
    };
    Message {
        id: Some("7".to_owned()),
        key: Some("k\\1".to_owned()),
        sender,
        text: "tab\t, nul \0, é, 😀, </script>".to_owned(),
        metadata: Some(json(r#"{ "a": [1, 2.5e3, null] }"#)),
        attachments: Some(json(r#"[{"url":"x"}]"#)),
        reply_to: Some(ReplyTo { row_key: "c1:6".to_owned(), excerpt: "…".to_owned() }),
        created_at_ms: 1_795_225_298_250,
        seq: Some(u64::MAX),
        status,
        failure: Some(failure(ErrorCode::Server)),
        durable: true,
        read_by: vec!["bo".to_owned(), "cy".to_owned()],
        reactions: vec![reaction(&["bo", "me"]), reaction(&[])],
        edited_at_ms: Some(0),
        deleted_at_ms: Some(1),
        ..plain_message()
    }
}

fn conversation(kind: ConversationKind, role: Role, phase: Phase, full: bool) -> Conversation {
    let text = |text: &str| full.then(|| text.to_owned());
    Conversation {
        id: "c1".to_owned(),
        kind,
        title: "T".to_owned(),
        avatar_url: text("https://a"),
        members: match full {
            true => vec![Member { user_id: "u".to_owned(), name: "U".to_owned(), role }; 2],
            false => Vec::new(),
        },
        last_message: full.then(plain_message),
        unread: 3,
        mentions: 1,
        draft: "d".to_owned(),
        archived: full,
        pinned: !full,
        muted_until: text("2030"),
        blocked: full,
        my_role: role,
        phase,
        cursor: text("12"),
    }
}

fn connection(state: ConnectionState, full: bool) -> ConnectionSnapshot {
    ConnectionSnapshot {
        state,
        reason: full.then(|| "why".to_owned()),
        retry_in_ms: full.then_some(1500),
        attempt: 4,
        since_ms: 1_795_225_298_250,
        socket_id: full.then(|| "s".to_owned()),
        leader: full,
    }
}

fn codes() -> [ErrorCode; 20] {
    use ErrorCode::*;
    [
        Validation,
        Forbidden,
        NotFound,
        Conflict,
        TooLarge,
        RateLimited,
        Auth,
        Timeout,
        Server,
        Unconfirmed,
        Poison,
        Expired,
        OutboxFull,
        Storage,
        Protocol,
        Config,
        Closed,
        Cancelled,
        InFlight,
        Unsupported,
    ]
}

fn states() -> [ConnectionState; 8] {
    use ConnectionState::*;
    [Idle, Connecting, Authenticating, Online, Waiting, Offline, Closed, Failed]
}

fn about_the_client() -> Vec<Event> {
    let mut events = Vec::new();
    let outcomes = [
        Outcome::Nothing,
        Outcome::Message(Box::new(plain_message())),
        Outcome::Messages(vec![plain_message(), full_message(Sender::Me, Status::Sent)]),
        Outcome::Messages(Vec::new()),
        Outcome::Conversation(Box::new(conversation(
            ConversationKind::Direct,
            Role::Member,
            Phase::Live,
            true,
        ))),
        Outcome::Wire(Box::new(WireData { json: json("[1,{}]"), attachments: vec![vec![0, 255]] })),
        Outcome::Text("a \"text\"\n".to_owned()),
    ];
    events.extend(outcomes.map(|outcome| Event::Done { id: 9, outcome }));
    for code in codes() {
        events.push(Event::Refused { id: u32::MAX, error: failure(code) });
        events.push(Event::Error { error: failure(code) });
        events.push(Event::AuthError { error: failure(code) });
    }
    for state in states() {
        events.extend([true, false].map(|full| Event::Connection { connection: connection(state, full) }));
    }
    for (delivery, gaps) in [
        (Delivery::ExactlyOnce, Gaps::Filled),
        (Delivery::OnceOrUnconfirmed, Gaps::Shown),
        (Delivery::AtMostOnce, Gaps::Unseen),
    ] {
        let because = vec!["one".to_owned(), "two".to_owned()];
        let guarantees = Guarantees { delivery, order: true, gaps, receipts: false, because };
        events.push(Event::Guarantees { guarantees });
    }
    events.extend([Phase::Restored, Phase::Syncing, Phase::Live].map(|phase| Event::Phase { phase }));
    events.extend([true, false].map(|leader| Event::Leader { leader }));
    events.push(Event::ProtocolError { message: "m".to_owned(), excerpt: "\u{1f}".to_owned() });
    events.push(Event::StorageDegraded { message: "m".to_owned(), persistent: true });
    for (ack_id, attachments) in [(None, vec![]), (Some(7), vec![vec![1, 2], vec![]])] {
        let args = Box::new(WireData { json: json("[]"), attachments });
        events.push(Event::Wire { event: "x:y".to_owned(), topic: "t".to_owned(), args, ack_id });
    }
    events
}

fn about_conversations() -> Vec<Event> {
    let (conversation_id, row_key) = ("c\u{7f}1".to_owned(), "r".to_owned());
    let mut events = vec![
        Event::MessageDeleted { conversation_id: conversation_id.clone(), row_key: row_key.clone() },
        Event::Reaction { conversation_id: conversation_id.clone(), row_key: row_key.clone() },
        Event::ConversationRemoved { conversation_id: conversation_id.clone() },
        Event::Gap { conversation_id: conversation_id.clone() },
        Event::Typing { conversation_id: conversation_id.clone(), user_id: "u".to_owned(), typing: true },
        Event::Presence { user_id: "u".to_owned(), online: false, last_seen_ms: None },
        Event::Presence { user_id: "u".to_owned(), online: true, last_seen_ms: Some(-5) },
        Event::MessageUpdated { message: Box::new(plain_message()) },
    ];
    use Status::*;
    for status in [Saving, Saved, Sent, Acknowledged, Delivered, Read, Failed] {
        for sender in [Sender::Me, Sender::User, Sender::Ai, Sender::System] {
            events.push(Event::Message {
                message: Box::new(full_message(sender, status)),
                live: true,
                leader: true,
            });
        }
        let (conversation_id, row_key) = (conversation_id.clone(), row_key.clone());
        let failure = (status == Failed).then(|| failure(ErrorCode::Timeout));
        events.push(Event::Status { conversation_id, row_key, status, failure });
    }
    for (kind, role, phase, full) in [
        (ConversationKind::Direct, Role::Admin, Phase::Restored, true),
        (ConversationKind::Group, Role::Moderator, Phase::Syncing, false),
        (ConversationKind::Assistant, Role::Member, Phase::Live, true),
    ] {
        events.push(Event::Conversation { conversation: Box::new(conversation(kind, role, phase, full)) });
    }
    for full in [true, false] {
        events.push(Event::View(ViewUpdate {
            view: 1,
            conversation_id: conversation_id.clone(),
            order: if full { vec![3, 1, 2] } else { Vec::new() },
            rows: if full {
                vec![(3, plain_message()), (1, full_message(Sender::Me, Read))]
            } else {
                Vec::new()
            },
            gaps: if full { vec![1, 2] } else { Vec::new() },
            has_earlier: full,
            has_later: !full,
            loading: full,
            error: full.then(|| failure(ErrorCode::NotFound)),
            phase: Phase::Live,
        }));
    }
    events
}

#[test]
fn every_event_is_written_as_serde_would() {
    for event in about_the_client().into_iter().chain(about_conversations()) {
        let mut written = String::new();
        event.write_json(&mut written);
        assert_eq!(written, serde_json::to_string(&event).unwrap());
    }
}
