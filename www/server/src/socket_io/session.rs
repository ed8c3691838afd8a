//! Engine.IO sessions and what carries them.
//!
//! Law: a session that was cut is gone at once, whatever carried it: its TCP connections end, and further requests
//! get the answer of Engine.IO to an unknown session. socketioxide can only end a namespace (a DISCONNECT packet,
//! after which clients stay away, E8), so this is done below and before it.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex},
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::listener::{Link, Transport};

/// Sessions remembered as cut; the oldest are forgotten, long after their heartbeat has ended them.
const MAX_CUT: usize = 10_000;

#[derive(Default)]
pub(super) struct Sessions(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    cut: BTreeSet<String>,
    cut_order: VecDeque<String>,
    /// TCP connections that carry a session now, beside the one it began on.
    carriers: BTreeMap<String, Vec<(u64, Link)>>,
    next: u64,
}

impl Sessions {
    fn is_cut(&self, sid: &str) -> bool {
        crate::lock(&self.0).cut.contains(sid)
    }

    fn add_carrier(&self, sid: &str, link: Link) -> u64 {
        let mut inner = crate::lock(&self.0);
        inner.next += 1;
        let id = inner.next;
        inner.carriers.entry(sid.to_owned()).or_default().push((id, link));
        id
    }

    fn remove_carrier(&self, sid: &str, id: u64) {
        let mut inner = crate::lock(&self.0);
        if let Some(carriers) = inner.carriers.get_mut(sid) {
            carriers.retain(|(other, _)| *other != id);
            if carriers.is_empty() {
                inner.carriers.remove(sid);
            }
        }
    }

    fn carriers(&self, sid: &str) -> Vec<Link> {
        let inner = crate::lock(&self.0);
        inner.carriers.get(sid).into_iter().flatten().map(|(_, link)| link.clone()).collect()
    }

    /// Forgets the carriers of a session that has ended.
    pub(super) fn forget(&self, sid: &str) {
        crate::lock(&self.0).carriers.remove(sid);
    }

    fn cut(&self, sid: &str) {
        let links = self.carriers(sid);
        let mut inner = crate::lock(&self.0);
        if inner.cut.insert(sid.to_owned()) {
            inner.cut_order.push_back(sid.to_owned());
            if inner.cut_order.len() > MAX_CUT
                && let Some(oldest) = inner.cut_order.pop_front()
            {
                inner.cut.remove(&oldest);
            }
        }
        drop(inner);
        links.iter().for_each(Transport::cut);
    }
}

/// One session, as the transport of its answers.
pub(super) struct Session {
    pub(super) sid: String,
    /// The connection of its WebSocket, when it began as one. A polling session leaves its connections to others
    /// between requests.
    pub(super) websocket: Option<Link>,
    pub(super) sessions: Arc<Sessions>,
}

impl Transport for Session {
    fn cut(&self) {
        self.sessions.cut(&self.sid);
        if let Some(link) = &self.websocket {
            link.cut();
        }
    }

    #[cfg(feature = "faults")]
    fn abort_after_writing(&self, mark: Vec<u8>) {
        for link in self.websocket.iter().chain(&self.sessions.carriers(&self.sid)) {
            link.abort_after_writing(mark.clone());
        }
    }
}

/// Stands before socketioxide.
pub(super) async fn guard(
    State(sessions): State<Arc<Sessions>>,
    ConnectInfo(link): ConnectInfo<Link>,
    request: Request,
    next: Next,
) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let path = request.uri().path();
    let is_ours = super::WIRES.iter().any(|vocabulary| path.starts_with(vocabulary.path));
    let Some(sid) = parameter(query, "sid").filter(|_| is_ours).map(str::to_owned) else {
        return next.run(request).await;
    };
    if sessions.is_cut(&sid) {
        return unknown_session();
    }
    let is_upgrade = parameter(query, "transport") == Some("websocket");
    let carrier = sessions.add_carrier(&sid, link);
    let response = next.run(request).await;
    // An upgraded connection carries the session from now on.
    if !(is_upgrade && response.status() == StatusCode::SWITCHING_PROTOCOLS) {
        sessions.remove_carrier(&sid, carrier);
    }
    response
}

fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

fn unknown_session() -> Response {
    let body = r#"{"code":1,"message":"Session ID unknown"}"#;
    (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
