//! Where the history joins on: what a connection has to do with it.

use super::Timelines;

impl Timelines {
    /// An own message of this conversation has left for the server.
    pub fn on_sent(&mut self, conversation_id: &str) {
        if let Some(log) = self.logs.get_mut(conversation_id) {
            log.strays.clear();
        }
    }
}
