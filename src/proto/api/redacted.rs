//! How what crosses the border looks in a log.
//!
//! Law: no token, no message body, no record. Frames and JSON show their shape ([`wire::excerpt`]) and their length,
//! bytes their length alone.

use core::fmt::{Debug, Formatter, Result};

use super::{
    ChangeCommand, DraftCommand, HttpRequest, HttpResult, Output, Record, SendCommand, SocketInput,
    SocketOutput, Transaction,
};
use crate::proto::model::Json;
use crate::proto::wire;

/// Text or bytes, by shape and length.
struct Shape<'a>(&'a str);
struct Bytes(usize);

impl Debug for Shape<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} ({} bytes)", wire::excerpt(self.0), self.0.len())
    }
}

impl Debug for Bytes {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} bytes", self.0)
    }
}

impl Debug for Json {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        Shape(self.text()).fmt(f)
    }
}

impl Debug for Output {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Socket(output) => f.debug_tuple("Socket").field(output).finish(),
            Self::Http { id, request } => {
                f.debug_struct("Http").field("id", id).field("request", request).finish()
            }
            Self::Store { id, request } => {
                f.debug_struct("Store").field("id", id).field("request", request).finish()
            }
            Self::Token { id, reason } => {
                f.debug_struct("Token").field("id", id).field("reason", reason).finish()
            }
            Self::Tab(output) => f.debug_tuple("Tab").field(output).finish(),
            // Most events carry messages; whoever wants to see one asks for the event itself.
            Self::Event(_) | Self::Told(_) => f.write_str("Event(…)"),
        }
    }
}

impl Debug for SocketInput {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Opened { conn, protocol } => {
                f.debug_struct("Opened").field("conn", conn).field("protocol", &Shape(protocol)).finish()
            }
            Self::Text { conn, text } => {
                f.debug_struct("Text").field("conn", conn).field("text", &Shape(text)).finish()
            }
            Self::Binary { conn, bytes } => {
                f.debug_struct("Binary").field("conn", conn).field("bytes", &Bytes(bytes.len())).finish()
            }
            Self::Closed { conn, code, reason } => f
                .debug_struct("Closed")
                .field("conn", conn)
                .field("code", code)
                .field("reason", &Shape(reason))
                .finish(),
            Self::Drained { conn } => f.debug_struct("Drained").field("conn", conn).finish(),
        }
    }
}

impl Debug for SocketOutput {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Open { conn, url, protocols } => f
                .debug_struct("Open")
                .field("conn", conn)
                .field("url", url)
                .field("protocols", protocols)
                .finish(),
            Self::Text { conn, text } => {
                f.debug_struct("Text").field("conn", conn).field("text", &Shape(text)).finish()
            }
            Self::Binary { conn, bytes } => {
                f.debug_struct("Binary").field("conn", conn).field("bytes", &Bytes(bytes.len())).finish()
            }
            Self::Close { conn, code, reason } => f
                .debug_struct("Close")
                .field("conn", conn)
                .field("code", code)
                .field("reason", reason)
                .finish(),
            Self::WatchDrain { conn } => f.debug_struct("WatchDrain").field("conn", conn).finish(),
        }
    }
}

impl Debug for HttpRequest {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url)
            .field("token", &self.token)
            .field("body", &self.body.as_deref().map(Shape))
            .field("timeout_ms", &self.timeout_ms)
            .finish()
    }
}

impl Debug for HttpResult {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Answered { status, body } => {
                f.debug_struct("Answered").field("status", status).field("body", &Shape(body)).finish()
            }
            Self::Failed { reason } => f.debug_struct("Failed").field("reason", reason).finish(),
        }
    }
}

impl Debug for Record {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("Record").field("key", &self.key).field("bytes", &Bytes(self.bytes.len())).finish()
    }
}

impl Debug for Transaction {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let puts: Vec<_> = self.puts.iter().map(|(at, bytes)| (at, Bytes(bytes.len()))).collect();
        let adds: Vec<_> = self.adds.iter().map(|bytes| Bytes(bytes.len())).collect();
        f.debug_struct("Transaction")
            .field("expect", &self.expect)
            .field("puts", &puts)
            .field("adds", &adds)
            .field("deletes", &self.deletes)
            .field("strict", &self.strict)
            .finish()
    }
}

impl Debug for DraftCommand {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("DraftCommand")
            .field("conversation_id", &self.conversation_id)
            .field("text", &Bytes(self.text.len()))
            .finish()
    }
}

impl Debug for ChangeCommand {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("ChangeCommand")
            .field("kind", &self.kind)
            .field("row_key", &self.row_key)
            .field("text", &Bytes(self.text.len()))
            .finish()
    }
}

impl Debug for SendCommand {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.debug_struct("SendCommand")
            .field("conversation_id", &self.conversation_id)
            .field("text", &Bytes(self.text.len()))
            .field("kind", &self.kind)
            .field("metadata", &self.metadata)
            .field("reply_to", &self.reply_to)
            .field("ttl_ms", &self.ttl_ms)
            .field("key", &self.key)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::api::{Command, Input, Secret, StoreRequest};

    #[test]
    fn nothing_secret_is_printed() {
        const SECRET: &str = "s3cret";
        let text = || format!("40{{\"token\":\"{SECRET}\"}}");
        let bytes = || SECRET.as_bytes().to_vec();
        let record = Record { key: super::super::Key::Number(7), bytes: bytes() };
        let write = Transaction {
            puts: vec![(super::super::RecordId::outbox(7), bytes())],
            adds: vec![bytes()],
            ..Transaction::default()
        };
        let send = SendCommand {
            conversation_id: "r".into(),
            text: SECRET.into(),
            kind: None,
            metadata: Json::parse(&format!("{{\"a\":\"{SECRET}\"}}")),
            reply_to: None,
            ttl_ms: None,
            key: None,
        };
        let request = HttpRequest {
            method: "POST",
            url: "https://a/b".into(),
            token: Some(Secret(SECRET.into())),
            body: Some(text()),
            timeout_ms: 1,
        };
        let mut shown = vec![
            format!("{:?}", Input::Socket(SocketInput::Text { conn: 1, text: text() })),
            format!("{:?}", Input::Socket(SocketInput::Binary { conn: 1, bytes: bytes() })),
            format!(
                "{:?}",
                Input::Http { id: 1, result: HttpResult::Answered { status: 200, body: text() } }
            ),
            format!("{:?}", Output::Socket(SocketOutput::Text { conn: 1, text: text() })),
            format!("{:?}", Output::Socket(SocketOutput::Binary { conn: 1, bytes: bytes() })),
            format!("{:?}", Output::Http { id: 1, request }),
            format!("{:?}", Output::Store { id: 1, request: StoreRequest::Write(write) }),
            format!("{record:?}"),
        ];
        shown.push(format!("{:?}", Command::Send(send)));
        let draft = DraftCommand { conversation_id: "r".into(), text: SECRET.into() };
        shown.push(format!("{:?}", Command::SetDraft(draft)));
        let raw = format!("{:?}", bytes());
        for line in &shown {
            assert!(!line.contains(SECRET) && !line.contains(&raw), "{line}");
        }
        assert!(shown[0].contains("40{"), "the shape is kept: {}", shown[0]);
    }
}
