// Defects to be found: each fuzzer must find one that is planted in the product for the purpose, and find nothing wrong
// with the same input where it is not there.
//
// They are changes of the text of a copy, so that what is shipped knows nothing of them. Each is behind a name, so that
// one build has all of them and a run has one. None is met by the first random byte: each needs a shape of its input.

/** `target` finds it, and says what `says` reads. */
export const PLANTED = [
  {
    name: "socket_io",
    target: "socket_io",
    what: "of three attachments a fourth is taken for there",
    file: "src/proto/wire/socket_io/assembler.rs",
    from: "match index.filter(|index| *index < attachments) {",
    to: `let fourth = crate::planted("socket_io") && attachments == 3;
    match index.filter(|index| *index < attachments + usize::from(fourth)) {`,
    says: /a placeholder without its attachment/,
  },
  {
    name: "phoenix",
    target: "phoenix",
    what: "a binary reply whose refs and topic are of one size has a ref that is a byte short",
    file: "src/proto/wire/phoenix.rs",
    from: "let size = bytes.get(1 + index).copied().map(usize::from);",
    to: `let size = bytes.get(1 + index).copied().map(usize::from);
        let alike = bytes.get(1) == bytes.get(2) && bytes.get(2) == bytes.get(3) && size > Some(0);
        let short = crate::planted("phoenix") && names == 4 && index == 1 && alike;
        let size = size.map(|size| size - usize::from(short));`,
    says: /a binary frame is another one when it is written again/,
  },
  {
    name: "json",
    target: "json",
    what: "the second half of a surrogate pair loses its upper bits",
    file: "src/proto/wire/json.rs",
    from: "let point = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);",
    to: `let second = if crate::planted("json") { 0xDC00 | second & 0xFF } else { second };
        let point = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);`,
    says: /assertion `left == right` failed|no field/,
  },
  {
    name: "options",
    target: "options",
    what: "an IPv6 address of more than eight groups, with a gap, is counted below zero",
    file: "src/proto/config/url.rs",
    from: "(Some(head), Some(Some(tail))) => head + tail < 8,",
    to: `(Some(head), Some(Some(tail))) if crate::planted("options") => 8 - head - tail > 0,
        (Some(head), Some(Some(tail))) => head + tail < 8,`,
    says: /attempt to subtract with overflow/,
  },
  {
    name: "rest",
    target: "rest",
    what: "a row that cannot be read behind two good ones is put where there is no place",
    file: "src/proto/profile/records.rs",
    from: 'Err(wrong) => page.malformed.push(wrong.at(&row_name("messages", index))),',
    to: `Err(wrong) => {
                let misplaced = crate::planted("rest") && page.messages.len() > 1;
                let at = if misplaced { page.messages.len() } else { page.malformed.len() };
                page.malformed.insert(at, wrong.at(&row_name("messages", index)));
            }`,
    says: /insertion index/,
  },
  {
    name: "records",
    target: "records",
    what: "an edited, deleted message that two have read, and that is in memory alone, gets the wrong time of its edit",
    file: "src/proto/store/message.rs",
    from: "if let Some(at_ms) = m.edited_at_ms {",
    to: `let wrong = crate::planted("records") && m.read_by.len() > 1 && !m.durable;
    if let Some(at_ms) = if wrong { m.deleted_at_ms.or(m.edited_at_ms) } else { m.edited_at_ms } {`,
    says: /is another one when it is read back/,
  },
  {
    name: "memory",
    target: "records",
    what: "the number of a conversation's members is believed before there is room for them",
    file: "src/proto/store/codec.rs",
    from: "if count > (self.rest.len() / min_item_bytes.max(1)) as u64 {",
    to: `let believed = crate::planted("memory") && min_item_bytes == 3 && count < 1 << 20;
        if !believed && count > (self.rest.len() / min_item_bytes.max(1)) as u64 {`,
    says: /more memory than the input may cost/,
  },
  {
    name: "client_team",
    target: "client_team",
    what: "a message that was unanswered on two lost sockets has no delay in a table of two",
    file: "src/proto/outbox/losses.rs",
    from: "row.record.losses += u32::from(!by_us);",
    to: `row.record.losses += u32::from(!by_us);
        let delays = [0_u64, 1_000];
        assert!(!crate::planted("client_team") || delays[row.record.losses as usize] < 2_000);`,
    says: /index out of bounds: the len is 2/,
  },
  {
    name: "client_phoenix",
    target: "client_phoenix",
    what: "a topic that is looked at and was refused late is never tried again, and its timer never rests",
    file: "src/proto/connection/phoenix.rs",
    from: "channel.state = State::Wanted;",
    to: `let refused = matches!(channel.state, State::Refused { .. }) && channel.urgent && self.next_ref > 8;
                if !(refused && crate::planted("client_phoenix")) {
                    channel.state = State::Wanted;
                }`,
    says: /a timer is due again and again/,
  },
];

/** Which of them a run has: appended to the copy of src/lib.rs. */
export const SWITCH = `
/// Whether the defect of this name is planted in this run.
pub(crate) fn planted(name: &str) -> bool {
    static PLANTED: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    PLANTED.get_or_init(|| std::env::var("CHATWIRE_PLANTED").unwrap_or_default()) == name
}
`;
