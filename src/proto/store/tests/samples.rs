//! One value of each record with every field filled, its bytes, and any value of a message.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::proto::model::*;
use crate::proto::profile::CapabilityPatch;
use crate::proto::store::*;

pub(super) const VERSION: u64 = 0x0102_0304_0506_0708;
pub(super) const CONVERSATION: &str = "conv/7 %é";

/// A message with every field filled.
pub(super) fn full_message() -> Message {
    Message {
        row_key: "k-1".into(),
        id: Some("41".into()),
        key: Some("k-1".into()),
        conversation_id: CONVERSATION.into(),
        sender_id: "u-1".into(),
        sender: Sender::Me,
        kind: "image".into(),
        text: "Grüße 👋\n\0".into(),
        metadata: Json::parse(r#"{"a": [1, null]}"#),
        attachments: Json::parse(r#"[{"url":"x"}]"#),
        reply_to: Some(ReplyTo { row_key: "conv/7 %é:40".into(), excerpt: "before".into() }),
        created_at_ms: 1_700_000_000_123,
        seq: Some(u64::MAX),
        status: Status::Failed,
        failure: Some(Failure { code: ErrorCode::RateLimited, message: "slow down".into(), retryable: true }),
        durable: true,
        read_by: vec!["u-2".into(), String::new()],
        reactions: vec![Reaction { emoji: "👍".into(), count: 2, mine: true, users: vec!["u-1".into()] }],
        edited_at_ms: Some(-1),
        deleted_at_ms: Some(i64::MIN),
        change: None,
    }
}

/// A message of somebody else with nothing optional, its row key following from its id.
pub(super) fn plain_message(id: &str) -> Message {
    Message {
        row_key: format!("{CONVERSATION}:{id}"),
        id: Some(id.into()),
        key: None,
        conversation_id: CONVERSATION.into(),
        sender_id: "u-2".into(),
        sender: Sender::User,
        kind: "text".into(),
        text: "hello".into(),
        metadata: None,
        attachments: None,
        reply_to: None,
        created_at_ms: 1_700_000_000_000,
        seq: None,
        status: Status::Acknowledged,
        failure: None,
        durable: false,
        read_by: Vec::new(),
        reactions: Vec::new(),
        edited_at_ms: None,
        deleted_at_ms: None,
        change: None,
    }
}

pub(super) fn segment() -> Segment {
    Segment { number: 300, rows: vec![full_message(), plain_message("42"), plain_message("")] }
}

pub(super) fn head() -> HistoryHead {
    let order = |seq, at_ms, arrival| OrderKey { seq, at_ms, arrival };
    let info = |number, count| SegmentInfo {
        number,
        count,
        first: order(1, -5, 0),
        last: order(u64::MAX, i64::MAX, u64::MAX),
    };
    HistoryHead {
        conversation_id: CONVERSATION.into(),
        segments: vec![info(0, 100), info(u32::MAX, 1)],
        next_segment: 301,
        told_through: 1 << 40,
        cursor: Some(1234),
        joined_to: Some("page=3".into()),
        unread: 7,
        read_up_to: Some(order(9, 8, 7)),
        last_message: Some(full_message()),
        tail_ids: vec![u32::MAX, 0, fingerprint("k-1")],
        known_from: 300,
        older: vec![(0, 40), (100, 1 << 40)],
        mark: Some(("c_1y".into(), 70, true)),
    }
}

/// The same as a record of an earlier format says it.
fn head_of(format: u8) -> HistoryHead {
    match format {
        1 => HistoryHead { known_from: 0, older: Vec::new(), mark: None, ..head() },
        _ => head(),
    }
}

pub(super) fn index() -> IndexPage {
    let mut page = IndexPage { page: 9, segments: vec![(300, Vec::new())] };
    page.set(301, vec![u32::MAX, fingerprint("41"), fingerprint("k-1"), 0]);
    page
}

pub(super) fn outbox_row() -> OutboxRow {
    OutboxRow {
        key: "k-1".into(),
        conversation_id: CONVERSATION.into(),
        kind: "text".into(),
        text: "Grüße 👋".into(),
        metadata: Json::parse(r#"{"a":1}"#),
        reply_to: Some(ReplyTo { row_key: "k-0".into(), excerpt: "before".into() }),
        reply_to_id: Some("40".into()),
        created_at_ms: 1_700_000_000_123,
        expires_at_ms: Some(1_700_000_100_123),
        attempts: 3,
        losses: 2,
        wire: Some(WireMark { generation: 12, attempt: 3 }),
        failure: Some(Failure { code: ErrorCode::Poison, message: "three losses".into(), retryable: false }),
        change: Some(RowChange { kind: ChangeKind::React, row_key: "k-0".into(), id: Some("40".into()) }),
    }
}

/// The same as a record of an earlier format says it.
fn outbox_row_of(format: u8) -> OutboxRow {
    match format {
        1 => OutboxRow { change: None, ..outbox_row() },
        _ => outbox_row(),
    }
}

pub(super) fn conversation() -> ConversationRecord {
    let member = |id: &str, role| Member { user_id: id.into(), name: format!("Name of {id}"), role };
    ConversationRecord {
        id: CONVERSATION.into(),
        kind: ConversationKind::Group,
        title: "Team".into(),
        avatar_url: Some("https://example.org/a.png".into()),
        members: vec![
            member("u-1", Role::Admin),
            member("u-2", Role::Moderator),
            member("u-3", Role::Member),
        ],
        draft: "half a sen".into(),
        archived: true,
        pinned: false,
        muted_until: Some("2030-01-01T00:00:00.000Z".into()),
        blocked: true,
        my_role: Role::Moderator,
        last_seq: Some(77),
        updated_at_ms: 1_700_000_000_000,
    }
}

pub(super) fn capabilities() -> CapabilityRecord {
    let patch = CapabilityPatch {
        keys: Some(true),
        answers: None,
        cursor: Some(false),
        ordered_window: None,
        receipts: Some(true),
        max_payload: Some(65_536),
    };
    CapabilityRecord { patch }
}

pub(super) fn orphans() -> Vec<Orphan> {
    let reaction =
        |emoji: &str, added| OrphanReaction { emoji: emoji.into(), user_id: "u-2".into(), added, heard: 0 };
    vec![
        Orphan {
            id: "41".into(),
            conversation_id: Some(CONVERSATION.into()),
            number: 1 << 40,
            status: Some(Status::Read),
            readers: vec!["u-1".into(), String::new()],
            edit: Some(OrphanEdit { text: "Grüße 👋".into(), at_ms: Some(-1), heard: 0 }),
            deleted_at_ms: Some(1_700_000_000_123),
            reactions: vec![reaction("👍", true), reaction("🎉", false)],
            heard: 0,
        },
        Orphan::default(),
    ]
}

/// The format in which records of this kind began.
pub(super) fn since(kind: RecordKind) -> u8 {
    match kind {
        RecordKind::Orphans | RecordKind::Draft => 2,
        _ => 1,
    }
}

/// A kind of record: its name, its bytes of the filled sample, and whether bytes can be read as that sample.
pub(super) struct Sample {
    pub(super) name: &'static str,
    pub(super) kind: RecordKind,
    pub(super) bytes: Vec<u8>,
    /// Decodes, and says whether stamp and value are the sample's.
    pub(super) decodes: fn(&[u8]) -> Result<bool, RecordError>,
}

/// Every kind of record that has a codec.
pub(super) fn all() -> Vec<Sample> {
    vec![
        Sample {
            name: "generation",
            kind: RecordKind::Generation,
            bytes: encode_generation(VERSION, 1 << 50),
            decodes: |bytes| Ok(decode_generation(bytes)? == (VERSION, 1 << 50)),
        },
        Sample {
            name: "capabilities",
            kind: RecordKind::Capabilities,
            bytes: encode_capabilities(VERSION, &capabilities()),
            decodes: |bytes| Ok(decode_capabilities(bytes)? == (VERSION, capabilities())),
        },
        Sample {
            name: "outbox-row",
            kind: RecordKind::OutboxRow,
            bytes: encode_outbox_row(VERSION, &outbox_row()),
            decodes: |bytes| Ok(decode_outbox_row(bytes)? == (VERSION, outbox_row_of(bytes[3]))),
        },
        Sample {
            name: "conversation",
            kind: RecordKind::Conversation,
            bytes: encode_conversation(VERSION, &conversation()),
            decodes: |bytes| Ok(decode_conversation(bytes)? == (VERSION, conversation())),
        },
        Sample {
            name: "history",
            kind: RecordKind::History,
            bytes: encode_head(VERSION, &head()),
            decodes: |bytes| Ok(decode_head(bytes)? == (VERSION, head_of(bytes[3]))),
        },
        Sample {
            name: "segment",
            kind: RecordKind::Segment,
            bytes: encode_segment(VERSION, &segment()),
            decodes: |bytes| Ok(decode_segment(bytes, CONVERSATION, 300)? == (VERSION, segment().rows)),
        },
        Sample {
            name: "index",
            kind: RecordKind::Index,
            bytes: encode_index(VERSION, &index()),
            decodes: |bytes| Ok(decode_index(bytes)? == (VERSION, index())),
        },
        Sample {
            name: "orphans",
            kind: RecordKind::Orphans,
            bytes: encode_orphans(VERSION, &orphans().iter().collect::<Vec<_>>()),
            decodes: |bytes| Ok(decode_orphans(bytes)? == (VERSION, orphans())),
        },
        Sample {
            name: "draft",
            kind: RecordKind::Draft,
            bytes: encode_draft(VERSION, CONVERSATION, "Grüße 👋\n"),
            decodes: |bytes| Ok(decode_draft(bytes)? == (CONVERSATION.into(), "Grüße 👋\n".into())),
        },
    ]
}

fn json() -> impl Strategy<Value = Option<Json>> {
    option::of(any::<String>().prop_map(|text| {
        let text = serde_json::to_string(&text).expect("a text is JSON");
        Json::parse(&text).expect("it was just written")
    }))
}

fn failure() -> impl Strategy<Value = Option<Failure>> {
    use ErrorCode::*;
    let code = prop::sample::select(vec![
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
    ]);
    let failure = (code, any::<String>(), any::<bool>());
    option::of(failure.prop_map(|(code, message, retryable)| Failure { code, message, retryable }))
}

fn reaction() -> impl Strategy<Value = Reaction> {
    (any::<String>(), any::<u32>(), any::<bool>(), vec(any::<String>(), 0..3))
        .prop_map(|(emoji, count, mine, users)| Reaction { emoji, count, mine, users })
}

prop_compose! {
    fn texts()(
        id in option::of(any::<String>()),
        key in option::of(any::<String>()),
        own_row_key in any::<String>(),
        row_key_form in 0..3,
        sender_id in any::<String>(),
        kind in any::<String>(),
        text in any::<String>(),
    ) -> Message {
        let row_key = match (row_key_form, &key, &id) {
            (0, Some(key), _) => key.clone(),
            (1, _, Some(id)) => format!("{CONVERSATION}:{id}"),
            _ => own_row_key,
        };
        Message { row_key, id, key, sender_id, kind, text, ..plain_message("") }
    }
}

prop_compose! {
    /// Any message of [`CONVERSATION`].
    pub(super) fn any_message()(
        texts in texts(),
        sender in prop::sample::select(vec![Sender::Me, Sender::User, Sender::Ai, Sender::System]),
        status in prop::sample::select(vec![
            Status::Saving, Status::Saved, Status::Sent, Status::Acknowledged, Status::Delivered, Status::Read,
            Status::Failed,
        ]),
        metadata in json(),
        attachments in json(),
        reply_to in option::of(any::<(String, String)>()),
        seq in option::of(any::<u64>()),
        failure in failure(),
        durable in any::<bool>(),
        read_by in vec(any::<String>(), 0..3),
        reactions in vec(reaction(), 0..3),
        times in any::<(i64, Option<i64>, Option<i64>)>(),
    ) -> Message {
        let (created_at_ms, edited_at_ms, deleted_at_ms) = times;
        let reply_to = reply_to.map(|(row_key, excerpt)| ReplyTo { row_key, excerpt });
        Message {
            sender, status, metadata, attachments, reply_to, seq, failure, durable, read_by, reactions,
            created_at_ms, edited_at_ms, deleted_at_ms, ..texts
        }
    }
}

prop_compose! {
    /// Any row that changes a message, or (`None`) sends one.
    pub(super) fn any_outbox_row()(
        texts in any::<(String, String)>(),
        change in option::of((0_usize..4, any::<String>(), option::of(any::<String>()))),
        failure in failure(),
        wire in option::of(any::<(u64, u32)>()),
        counts in any::<(u32, u32, i64)>(),
    ) -> OutboxRow {
        let kinds = [ChangeKind::Edit, ChangeKind::Remove, ChangeKind::React, ChangeKind::Unreact];
        OutboxRow {
            key: texts.0,
            text: texts.1,
            attempts: counts.0,
            losses: counts.1,
            created_at_ms: counts.2,
            wire: wire.map(|(generation, attempt)| WireMark { generation, attempt }),
            failure,
            change: change.map(|(kind, row_key, id)| RowChange { kind: kinds[kind], row_key, id }),
            ..outbox_row()
        }
    }
}
