//! The REST half of the scripted backend (T6 to T10, D4).

use serde_json::{Value, json};

use super::backend::{Backend, Room};
use super::by_hand::iso;

impl Backend {
    /// A REST request: status and body.
    pub fn on_http(
        &mut self,
        now_ms: u64,
        method: &str,
        url: &str,
        token: Option<&str>,
        body: Option<&str>,
    ) -> (u16, String) {
        let path = url.split_once("/api").unwrap().1;
        self.requests.push(format!("{method} {path}"));
        let wrong =
            |status: u16, code: &str| (status, json!({"error": {"code": code, "message": "no"}}).to_string());
        let token = token.unwrap_or_default();
        if token.is_empty() || self.refused_tokens.contains(token) {
            return wrong(401, "AuthError");
        }
        match self.http_faults.pop_front() {
            Some(429) => return wrong(429, "RateLimited"),
            Some(403) => return wrong(403, "ForbiddenError"),
            Some(status) => return wrong(status, "ServerError"),
            None => {}
        }
        let user = token.split(':').next().unwrap().to_owned();
        if let Some(rest) = path.strip_prefix("/messages/").filter(|_| method != "GET") {
            return self.on_change(now_ms, (method, rest), &user, body);
        }
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let number = |name: &str| {
            query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('=')?.parse::<u64>().ok())
        };
        match (method, path) {
            ("GET", "/conversations") => (200, self.list(&user, number("offset").unwrap_or(0) as usize)),
            ("POST", "/conversations/direct") => {
                let other: Value = serde_json::from_str(body.unwrap()).unwrap();
                self.direct(&user, other["user_id"].as_str().unwrap())
            }
            ("POST", "/conversations/group") => {
                let asked: Value = serde_json::from_str(body.unwrap()).unwrap();
                let mut members: Vec<String> =
                    serde_json::from_value(asked["participant_ids"].clone()).unwrap();
                members.push(user.clone());
                let id = format!("group-{now_ms}");
                self.rooms.insert(id.clone(), Room { members, ..Room::default() });
                (201, self.conversation(&id, &user).to_string())
            }
            ("GET", path) if path.starts_with("/messages/") => {
                let room = path.strip_prefix("/messages/").unwrap();
                match self.rooms.get(room) {
                    None => wrong(404, "NotFoundError"),
                    Some(_) => (200, self.page(room, &user, &number)),
                }
            }
            _ => wrong(404, "NotFoundError"),
        }
    }

    fn direct(&mut self, user: &str, other: &str) -> (u16, String) {
        let pair = |room: &Room| {
            room.members.len() == 2
                && room.members.iter().any(|name| name == user)
                && room.members.iter().any(|name| name == other)
        };
        if let Some((id, _)) = self.rooms.iter().find(|(_, room)| pair(room)) {
            let error = json!({"code": "ConflictError", "message": "exists"});
            return (409, json!({"error": error, "conversation": {"id": id}}).to_string());
        }
        let id = format!("direct-{other}");
        self.rooms.insert(id.clone(), Room { members: vec![user.into(), other.into()], ..Room::default() });
        (201, self.conversation(&id, user).to_string())
    }

    pub fn conversation(&self, id: &str, user: &str) -> Value {
        let room = &self.rooms[id];
        let people: Vec<Value> =
            room.members.iter().map(|name| json!({"user_id": name, "username": name})).collect();
        let mut told = json!({"id": id, "type": if people.len() == 2 { "direct" } else { "group" }, "title": id, "participants": people});
        if self.seqs {
            told["last_seq"] = json!(room.messages.len());
            told["updated_at"] = json!(room.messages.last().map(|last| iso(last.at_ms)));
            told["last_read_seq"] = json!(room.read_by.get(user).copied().unwrap_or(0));
        }
        told
    }

    fn list(&self, user: &str, offset: usize) -> String {
        let mine: Vec<&String> = self
            .rooms
            .iter()
            .filter(|(_, room)| room.members.iter().any(|name| name == user))
            .map(|(id, _)| id)
            .filter(|id| !self.unlisted.contains(*id))
            .collect();
        let told = |id: &&String| match self.unreadable.contains(*id) {
            true => json!({"id": id}),
            false => self.conversation(id, user),
        };
        let page: Vec<Value> =
            mine.iter().copied().skip(offset).take(self.list_limit).map(|id| told(&id)).collect();
        let has_more = offset + page.len() < mine.len();
        json!({"conversations": page, "has_more": has_more}).to_string()
    }

    fn page(&self, room: &str, user: &str, number: &dyn Fn(&str) -> Option<u64>) -> String {
        let all = &self.rooms[room].messages;
        let limit = (number("limit").unwrap_or(50) as usize).min(self.page_limit);
        let (from, to) = match number("after").filter(|_| self.seqs) {
            Some(after) => {
                let from = all.partition_point(|message| message.seq <= after);
                (from, (from + limit).min(all.len()))
            }
            None => {
                let to = all.len().saturating_sub(number("offset").unwrap_or(0) as usize);
                (to.saturating_sub(limit), to)
            }
        };
        let has_more = if number("after").is_some() { to < all.len() } else { from > 0 };
        let rows: Vec<Value> = all
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .map(|message| self.record(room, message, user))
            .collect();
        match self.bare {
            true => json!(rows).to_string(),
            false => json!({"messages": rows, "has_more": has_more}).to_string(),
        }
    }
}
