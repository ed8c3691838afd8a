//! The REST half of the model backend: the list of conversations, and pages of messages (T8, T10, D4).

use serde_json::{Value, json};

use super::dice::Dice;
use super::faults::Fault;
use super::server::Server;

impl Server {
    /// Status and body; status 0: no answer at all.
    pub fn on_http(&self, url: &str, token: Option<&str>, device: usize, dice: &mut Dice) -> (u16, String) {
        let wrong =
            |status: u16, code: &str| (status, json!({"error": {"code": code, "message": "no"}}).to_string());
        if self.down || dice.strikes(Fault::HttpLost, device).is_some() {
            return (0, String::new());
        }
        let generation = token.and_then(|token| token.rsplit(':').next()?.parse::<u64>().ok()).unwrap_or(0);
        if generation < self.token {
            dice.coverage.fault(Fault::HttpUnauthorised);
            return wrong(401, "AuthError");
        }
        if let Some(n) = dice.strikes(Fault::HttpFailed, device) {
            return if n % 2 == 0 { wrong(503, "ServerError") } else { wrong(429, "RateLimited") };
        }
        if let Some(n) = dice.strikes(Fault::HttpGarbage, device) {
            let bodies = ["", "<html>", "{\"messages\":7,\"conversations\":[7]}"];
            return (200, bodies[(n % 3) as usize].to_owned());
        }
        let user = token.and_then(|token| token.split(':').next()).unwrap_or_default();
        let path = url.split_once("/api").unwrap().1;
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let number = |name: &str| {
            query.split('&').find_map(|part| part.strip_prefix(name)?.strip_prefix('=')?.parse::<u64>().ok())
        };
        match path.strip_prefix("/messages/") {
            Some(room) if self.rooms.contains_key(room) => (200, self.page(room, user, &number)),
            Some(_) => wrong(404, "NotFoundError"),
            None if path == "/conversations" => (200, self.list()),
            None => wrong(404, "NotFoundError"),
        }
    }

    fn list(&self) -> String {
        let rooms = self.rooms.iter().map(|(id, room)| {
            let mut told = json!({"id": id, "type": "group", "title": id});
            if self.cursor {
                // Where history was lost, the sequence goes on all the same.
                told["last_seq"] = json!(room.messages.last().map_or(0, |message| message.seq));
            }
            told
        });
        json!({"conversations": rooms.collect::<Vec<Value>>(), "has_more": false}).to_string()
    }

    fn page(&self, room: &str, user: &str, number: &dyn Fn(&str) -> Option<u64>) -> String {
        let messages = &self.rooms[room].messages;
        let limit = number("limit").unwrap_or(50).min(500) as usize;
        let (first, last) = match number("after").filter(|_| self.cursor) {
            Some(after) => {
                let first = messages.partition_point(|message| message.seq <= after);
                (first, (first + limit).min(messages.len()))
            }
            None => {
                let last = messages.len().saturating_sub(number("offset").unwrap_or(0) as usize);
                (last.saturating_sub(limit), last)
            }
        };
        let rows = messages[first..last].iter().map(|message| self.record(room, message, user));
        let has_more = if number("after").is_some() { last < messages.len() } else { first > 0 };
        json!({"messages": rows.collect::<Vec<Value>>(), "has_more": has_more}).to_string()
    }
}
