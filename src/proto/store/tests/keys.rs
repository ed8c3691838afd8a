//! No conversation reaches into another one's keys.

use proptest::prelude::*;

use crate::proto::store::*;

#[test]
fn keys_read_as_documented() {
    assert_eq!(conversation_key("a/b%c"), "c/a%2Fb%25c");
    assert_eq!(head_key("é"), "h/é");
    assert_eq!((draft_key("a/b"), conversation_of("d/a%2Fb")), ("d/a%2Fb".into(), Some("a/b".into())));
    assert_eq!(segment_key("a", 0), "s/a/00000000");
    assert_eq!(segment_key("a", 0x00c0_ffee), "s/a/00c0ffee");
    assert_eq!(segment_key("a", u32::MAX), "s/a/ffffffff");
    assert_eq!(index_key("a/", 1), "x/a%2F/00000001");
    assert_eq!(segment_prefix("a"), "s/a/");
    assert_eq!(index_prefix(""), "x//");
}

#[test]
fn what_is_no_key_belongs_to_nobody() {
    let no_keys = ["", "c", "z/a", "s/a", "s/a/0", "c/a/b", "h/a/00000000", "c/%", "c/%2", "c/%2f", "c/a%é0"];
    for key in no_keys {
        assert_eq!(conversation_of(key), None, "{key}");
    }
}

proptest! {
    #[test]
    fn a_key_knows_its_conversation(id in "([/%a2F5é]|.){0,8}", number: u32) {
        for key in [conversation_key(&id), head_key(&id), segment_key(&id, number), index_key(&id, number)] {
            prop_assert_eq!(conversation_of(&key), Some(id.clone()), "{}", key);
        }
    }

    #[test]
    fn prefixes_keep_conversations_apart(a in "[/%a2F5]{0,4}", b in "[/%a2F5]{0,4}", number: u32) {
        prop_assert_eq!(segment_key(&b, number).starts_with(&segment_prefix(&a)), a == b);
        prop_assert_eq!(index_key(&b, number).starts_with(&index_prefix(&a)), a == b);
        prop_assert_eq!(head_key(&a) == head_key(&b), a == b);
        prop_assert_eq!(conversation_key(&a) == conversation_key(&b), a == b);
    }

    #[test]
    fn keys_are_ordered_as_numbers_are(id: String, a: u32, b: u32) {
        prop_assert_eq!(segment_key(&id, a).cmp(&segment_key(&id, b)), a.cmp(&b));
    }
}
