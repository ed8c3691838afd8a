//! What tabs tell each other: the shell's part of it, and events as JSON read back.

use std::collections::BTreeMap;

use chatwire::proto::{
    ConnectionSnapshot, ConnectionState, ErrorCode, Event, Failure, Json, Outcome, Status, TabInput,
    TabOutput, Told, WireData,
};
use serde_json::Value;

/// What the other tabs hear of a word; `None`: it is not for them.
pub fn heard(word: TabOutput) -> Option<TabInput> {
    Some(match word {
        TabOutput::RequestLead | TabOutput::Release | TabOutput::Steal | TabOutput::Alone => return None,
        TabOutput::Ask { visible } => TabInput::Asked { visible },
        TabOutput::Alive => TabInput::Alive,
        TabOutput::Yield => TabInput::Yielded,
        TabOutput::Poke => TabInput::Poked,
        TabOutput::Wiped => TabInput::Wiped,
        TabOutput::Read { conversation_id, message_id } => TabInput::Read { conversation_id, message_id },
        TabOutput::Earlier { conversation_id, wish } => TabInput::Earlier { conversation_id, wish },
        TabOutput::Fetched { conversation_id, wish } => TabInput::Fetched { conversation_id, wish },
        TabOutput::Shows { conversation_id } => TabInput::Shows { conversation_id },
        TabOutput::Torn { conversation_id, segment } => TabInput::Torn { conversation_id, segment },
        TabOutput::Changed(changes) => TabInput::Changed(changes),
        TabOutput::Hello => TabInput::Hello,
        TabOutput::Tell { generation, event } => {
            TabInput::Told { generation, events: Told(["[", &event.0, "]"].concat()) }
        }
        TabOutput::Typing { conversation_id, typing } => TabInput::Typing { conversation_id, typing },
        TabOutput::Errand(errand) => TabInput::Errand(errand),
        TabOutput::ErrandDone { to, id, event } => TabInput::ErrandDone { to, id, event },
    })
}

/// Events that hold messages, by their JSON: nothing here reads a message from text.
#[derive(Default)]
pub struct ToldEvents(BTreeMap<String, Event>);

impl ToldEvents {
    pub fn note(&mut self, event: &Event) {
        let mut events = vec![event.clone()];
        match event {
            // A tab that has told it already tells the others all the same, and may say anew how it has come.
            Event::Message { message, .. } => {
                for live in [false, true] {
                    let message = message.clone();
                    events.push(Event::Message { message, live, leader: false });
                }
            }
            Event::MessageUpdated { .. } => {}
            _ => return,
        }
        for event in events {
            let mut text = String::new();
            event.write_json(&mut text);
            self.0.insert(text, event);
        }
    }

    pub fn read(&self, text: &str) -> Event {
        if let Some(event) = self.0.get(text) {
            return event.clone();
        }
        let value: Value = serde_json::from_str(text).unwrap();
        let word = |name: &str| value[name].as_str().unwrap().to_owned();
        if let Some(event) = self.changed_since(&value) {
            return event;
        }
        match value["type"].as_str().unwrap() {
            "connection" => Event::Connection { connection: connection(&value["connection"]) },
            "status" => Event::Status {
                conversation_id: word("conversationId"),
                row_key: word("rowKey"),
                status: [Status::Acknowledged, Status::Delivered, Status::Read]
                    .into_iter()
                    .find(|status| status.name() == word("status"))
                    .unwrap(),
                failure: None,
            },
            "messageDeleted" => {
                Event::MessageDeleted { conversation_id: word("conversationId"), row_key: word("rowKey") }
            }
            "reaction" => {
                Event::Reaction { conversation_id: word("conversationId"), row_key: word("rowKey") }
            }
            "gap" => Event::Gap { conversation_id: word("conversationId") },
            "typing" => Event::Typing {
                conversation_id: word("conversationId"),
                user_id: word("userId"),
                typing: value["typing"].as_bool().unwrap(),
            },
            "presence" => Event::Presence {
                user_id: word("userId"),
                online: value["online"].as_bool().unwrap(),
                last_seen_ms: value["lastSeenMs"].as_i64(),
            },
            "wire" => Event::Wire {
                event: word("event"),
                topic: word("topic"),
                args: Box::new(wire_data(&value["args"])),
                ack_id: value["ackId"].as_u64(),
            },
            "done" => Event::Done { id: number(&value["id"]), outcome: outcome(&value["outcome"]) },
            "refused" => {
                let codes = [ErrorCode::Server, ErrorCode::Timeout, ErrorCode::Unconfirmed];
                let told = &value["error"];
                let code = codes.into_iter().find(|code| told["code"] == code.name()).unwrap();
                let error = Failure::new(code, told["message"].as_str().unwrap());
                Event::Refused { id: number(&value["id"]), error }
            }
            other => panic!("nobody tells other tabs of {other}"),
        }
    }

    /// A message that has changed since this tab has told it to its own listeners: they hear nothing of it a second time, the
    /// others hear of it as it is now.
    fn changed_since(&self, value: &Value) -> Option<Event> {
        let row_key = value["message"]["rowKey"].as_str()?;
        let same = |event: &&Event| {
            matches!(event, Event::Message { message, live, leader } if message.row_key == row_key
                && value["live"] == *live && value["leader"] == *leader)
        };
        let mut event = self.0.values().find(same)?.clone();
        if let Event::Message { message, .. } = &mut event {
            message.text = value["message"]["text"].as_str()?.to_owned();
        }
        Some(event)
    }
}

fn number(value: &Value) -> u32 {
    u32::try_from(value.as_u64().unwrap()).unwrap()
}

fn wire_data(value: &Value) -> WireData {
    WireData { json: Json::parse(&value["json"].to_string()).unwrap(), attachments: Vec::new() }
}

fn outcome(value: &Value) -> Outcome {
    match value["kind"].as_str().unwrap() {
        "nothing" => Outcome::Nothing,
        "wire" => Outcome::Wire(Box::new(wire_data(&value["value"]))),
        other => panic!("nobody is told {other} of an errand"),
    }
}

fn connection(value: &Value) -> ConnectionSnapshot {
    use ConnectionState as S;
    let states = [S::Connecting, S::Authenticating, S::Online, S::Waiting, S::Offline];
    let text = |name: &str| value[name].as_str().map(str::to_owned);
    ConnectionSnapshot {
        state: states.into_iter().find(|state| text("state").as_deref() == Some(state.name())).unwrap(),
        reason: text("reason"),
        retry_in_ms: value["retryInMs"].as_u64(),
        attempt: u32::try_from(value["attempt"].as_u64().unwrap()).unwrap(),
        since_ms: 0,
        socket_id: text("socketId"),
        leader: value["leader"].as_bool().unwrap(),
    }
}
