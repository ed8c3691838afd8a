//! One namespace of a connection: how far it is, and how it is joined.

use crate::proto::Secret;
use crate::proto::model::Failure;
use crate::proto::profile::{Value, render};
use crate::proto::wire::json::{self, Object};
use crate::proto::wire::socket_io::encode_connect;

#[derive(Debug)]
pub(super) enum State {
    Away,
    /// Whoever knows the parameters was told to join it.
    Asked,
    /// `stale`: with parameters, or for somebody, that are not wanted any more: it is left when it is joined.
    Joining {
        deadline_mono_ms: u64,
        stale: bool,
    },
    /// CONNECT was not answered in time. A second one would make two of it, or end the connection.
    Overdue {
        stale: bool,
    },
    Live,
    /// DISCONNECT was sent: not joined before then; 0: the pause has not begun.
    Leaving {
        until_mono_ms: u64,
    },
    Refused {
        failure: Box<Failure>,
        until_mono_ms: u64,
    },
    /// The token was refused there, with this: another one is asked for, once.
    Renewing {
        failure: Box<Failure>,
    },
}

#[derive(Debug)]
pub(super) struct Namespace {
    pub(super) name: String,
    pub(super) state: State,
    /// Somebody waits for it or listens to it.
    pub(super) wanted: bool,
    /// A refused token was renewed for it since it was last joined.
    pub(super) renewed: bool,
    pub(super) answers: Vec<String>,
    /// What the session is resumed by: its private id, and the last offset (E11).
    pub(super) recovery: Option<(String, Option<String>)>,
}

impl Namespace {
    pub(super) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            state: State::Away,
            wanted: false,
            renewed: false,
            answers: Vec::new(),
            recovery: None,
        }
    }

    /// The connection is gone.
    pub(super) fn end(&mut self) {
        self.state = State::Away;
        (self.wanted, self.renewed) = (false, false);
        self.answers = Vec::new();
    }

    /// Takes the reply to CONNECT; `true` where the session was resumed (E11).
    pub(super) fn resume(&mut self, pid: Option<String>) -> bool {
        let resumed = matches!((&self.recovery, &pid), (Some((old, _)), Some(new)) if old == new);
        if !resumed {
            self.recovery = pid.map(|pid| (pid, None));
        }
        resumed
    }

    /// CONNECT by a profile's template (C1, H2); empty: with the token alone.
    pub(super) fn connect_as(&self, auth: &str, user_id: &str, token: Option<&Secret>) -> String {
        let Ok(auth) = json::parse(auth, 0) else { return self.connect(token, "") };
        let mut values = vec![("userId", Value::Text(user_id))];
        values.extend(token.map(|token| ("token", Value::Text(&token.0))));
        self.connect(None, &render(auth, &values).unwrap_or_default())
    }

    /// CONNECT with the token, the session to resume and the application's own parameters, the text of an object (E4,
    /// E11).
    pub(super) fn connect(&self, token: Option<&Secret>, params: &str) -> String {
        let given = json::parse(params, 0).ok().and_then(Object::read);
        let has_own = given.as_ref().is_some_and(|given| given.get("token").is_some());
        let mut auth = String::from("{");
        let mut field = |name: &str, value: &str| {
            if auth.len() > 1 {
                auth.push(',');
            }
            json::push_json_string(&mut auth, name);
            auth.push(':');
            json::push_json_string(&mut auth, value);
        };
        // A name stands once: servers differ in which of two counts.
        if let Some(token) = token.filter(|_| !has_own) {
            field("token", &token.0);
        }
        if let Some((pid, offset)) = &self.recovery {
            field("pid", pid);
            if let Some(offset) = offset {
                field("offset", offset);
            }
        }
        let own = params.trim_start().strip_prefix('{').map(str::trim_start);
        match own {
            Some(own) if !own.starts_with('}') => {
                if auth.len() > 1 {
                    auth.push(',');
                }
                auth.push_str(own);
            }
            _ => auth.push('}'),
        }
        encode_connect(&self.name, Some(&auth))
    }
}
