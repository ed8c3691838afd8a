//! Anything as what a backend says, read by both profiles: REST answers, events, answers of the socket. No panic, and
//! times and numbers that JavaScript can hold.
//!
//! A line is `t` or `p` for the profile, a letter for what is read, and what is said.
#![no_main]

use std::cell::OnceCell;

use chatwire::proto::ChangeKind;
use chatwire::proto::config::{Config, PageFacts};
use chatwire::proto::profile::{self, Answer, Incoming, Profile, ServerConversation, ServerMessage};
use chatwire::proto::wire::json;
use libfuzzer_sys::fuzz_target;
use shared::memory::{Bound, bounded};

/// Members of two bytes are the dearest: 56 in memory each and two texts, in a vector that doubles.
const BOUND: Bound = Bound { per_byte: 128, beside: 1 << 10 };

const MAX_TIME_MS: i64 = 8_640_000_000_000_000;
const MAX_COUNT: u64 = (1 << 53) - 1;

thread_local! {
    static PROFILES: OnceCell<[Box<dyn Profile>; 2]> = const { OnceCell::new() };
}

fuzz_target!(|data: &[u8]| {
    PROFILES.with(|profiles| {
        let [team, phoenix] = profiles.get_or_init(|| [named("team"), named("phoenix")]);
        bounded(BOUND, data.len(), || {
            let Ok(text) = std::str::from_utf8(data) else { return };
            for line in text.split('\n') {
                let Some((which, line)) = line.split_at_checked(1) else { continue };
                let Some((what, said)) = line.split_at_checked(1) else { continue };
                read(if which == "t" { team.as_ref() } else { phoenix.as_ref() }, what, said);
            }
        });
    });
});

fn named(profile: &str) -> Box<dyn Profile> {
    let options =
        format!(r#"{{"url":"https://chat.test","profile":"{profile}","userId":"ana","hasGetToken":true}}"#);
    match Config::parse(&options, PageFacts { online: true, visible: true }) {
        Ok(config) => profile::of(&config),
        Err(failure) => panic!("{}", failure.message),
    }
}

fn read(profile: &dyn Profile, what: &str, said: &str) {
    match what {
        "c" => {
            if let Ok(page) = profile.parse_conversations(said, "ana") {
                page.conversations.iter().for_each(|conversation| good_conversation(conversation));
            }
        }
        "m" => {
            if let Ok(page) = profile.parse_page(said) {
                page.messages.iter().for_each(|message| good(message));
            }
        }
        // An event: topic, name and arguments between blanks.
        "i" => {
            let mut words = said.splitn(3, ' ');
            let (topic, event) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            let args = words.next().and_then(|args| json::parse(args, 0).ok()).and_then(json::array);
            good_incoming(&profile.incoming(topic, event, &args.unwrap_or_default()));
        }
        "j" => {
            let (topic, response) = said.split_once(' ').unwrap_or_default();
            if let Ok(response) = json::parse(response, 0) {
                good_incoming(&profile.joined(topic, response));
            }
        }
        "a" => {
            let (status, args) = said.split_once(' ').unwrap_or_default();
            let args = json::parse(args, 0).ok().and_then(json::array).unwrap_or_default();
            good_answer(&profile.answer("key", Some(status).filter(|status| !status.is_empty()), &args));
        }
        // An answer of REST: its status, a blank and the body.
        _ => {
            let (status, body) = said.split_once(' ').unwrap_or_default();
            let status = status.parse().unwrap_or(500);
            good_answer(&profile.parse_change(ChangeKind::Edit, status, body));
            good_answer(&profile.parse_change(ChangeKind::Remove, status, body));
            let (failure, _) = profile.parse_failure(status, body);
            assert!(!failure.message.is_empty());
            let _ = profile.parse_created(status, body, "ana");
        }
    }
}

fn good_answer(answer: &Answer) {
    if let Answer::Stored(Some(message)) = answer {
        good(message);
    }
}

fn good_incoming(incoming: &Incoming) {
    match incoming {
        Incoming::Message(message) | Incoming::Updated(message) => good(message),
        Incoming::Conversation(conversation) => good_conversation(conversation),
        Incoming::Joined { last_seq, .. } => assert!(last_seq.is_none_or(|seq| seq <= MAX_COUNT)),
        Incoming::Malformed(message) => assert!((1..300).contains(&message.len()), "{message}"),
        _ => {}
    }
}

fn good(message: &ServerMessage) {
    let times = [Some(message.created_at_ms), message.edited_at_ms, message.deleted_at_ms];
    assert!(times.into_iter().flatten().all(|ms| ms.abs() <= MAX_TIME_MS), "a time that no date can hold");
    assert!(message.seq.is_none_or(|seq| seq <= MAX_COUNT));
}

fn good_conversation(conversation: &ServerConversation) {
    assert!(!conversation.id.is_empty());
    assert!(conversation.updated_at_ms.is_none_or(|ms| ms.abs() <= MAX_TIME_MS));
    assert!(conversation.members.iter().all(|member| !member.user_id.is_empty() && !member.name.is_empty()));
}
