//! The scripted partners: companions and the assistant.
//!
//! Law: one script runs a conversation at a time and takes its prompts in order; what waits is bounded, and a prompt
//! beyond that gets no answer. Prompts live in memory: one that a stop or a crash interrupts is not taken up again.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::runtime::Handle;

use crate::{App, assistant, companion, realm::Realm, store::Message};

/// Prompts of one conversation that wait.
const MAX_WAITING: usize = 32;

/// What a script reacts to.
pub(crate) enum Prompt {
    /// A message of the user's.
    Said(Box<Message>),
    /// The user wants to see a companion.
    Photo { owner_id: String },
    /// The user has let the assistant in.
    Consented { owner_id: String },
}

/// The scripts that run.
pub(crate) struct Scripts {
    /// Messages are heard on the writing thread, which is no thread of the runtime.
    runtime: Handle,
    /// By conversation: what waits for the script that runs there.
    running: Mutex<BTreeMap<String, VecDeque<Prompt>>>,
}

impl Scripts {
    pub(crate) fn new(runtime: Handle) -> Self {
        Self { runtime, running: Mutex::default() }
    }

    fn next(&self, conversation_id: &str) -> Option<Prompt> {
        let mut running = crate::lock(&self.running);
        let prompt = running.get_mut(conversation_id).and_then(VecDeque::pop_front);
        if prompt.is_none() {
            running.remove(conversation_id);
        }
        prompt
    }

    /// Whether a script must be started for it.
    fn add(&self, conversation_id: &str, prompt: Prompt) -> bool {
        let mut running = crate::lock(&self.running);
        if let Some(waiting) = running.get_mut(conversation_id) {
            if waiting.len() < MAX_WAITING {
                waiting.push_back(prompt);
            }
            return false;
        }
        running.insert(conversation_id.to_owned(), VecDeque::from([prompt]));
        true
    }
}

/// A message has been stored.
pub(crate) fn hear(app: &Arc<App>, message: &Message) {
    let bot = Realm::of(&message.conversation_id).bot();
    if bot.is_some_and(|bot| bot != message.sender_id) {
        prompt(app, &message.conversation_id, Prompt::Said(Box::new(message.clone())));
    }
}

/// Lets the script of a conversation react.
pub(crate) fn prompt(app: &Arc<App>, conversation_id: &str, prompt: Prompt) {
    if app.scripts.add(conversation_id, prompt) {
        app.scripts.runtime.spawn(run(app.clone(), conversation_id.to_owned()));
    }
}

async fn run(app: Arc<App>, conversation_id: String) {
    while let Some(prompt) = app.scripts.next(&conversation_id) {
        match Realm::of(&conversation_id) {
            Realm::Companion => companion::react(&app, &conversation_id, prompt).await,
            Realm::Assistant => assistant::react(&app, &conversation_id, prompt).await,
            Realm::People => {}
        }
    }
}

/// The time that one step of a script takes.
pub(crate) async fn pause(app: &App) {
    tokio::time::sleep(Duration::from_millis(app.config.script_delay_ms)).await;
}

/// What was said, short enough to be quoted.
pub(crate) fn quote(message: &Message) -> String {
    const MAX_CHARS: usize = 120;
    let text = String::from_utf8_lossy(&message.content);
    if text.chars().count() <= MAX_CHARS {
        return text.into_owned();
    }
    text.chars().take(MAX_CHARS).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_waits_is_bounded_and_one_script_runs() {
        let scripts = Scripts::new(Handle::current());
        assert!(scripts.add("c", Prompt::Photo { owner_id: "u".into() }), "the first starts it");
        for _ in 0..2 * MAX_WAITING {
            assert!(!scripts.add("c", Prompt::Photo { owner_id: "u".into() }));
        }
        assert!(scripts.add("d", Prompt::Photo { owner_id: "u".into() }));
        let mut taken = 0;
        while scripts.next("c").is_some() {
            taken += 1;
        }
        assert_eq!(taken, MAX_WAITING);
        assert!(scripts.add("c", Prompt::Photo { owner_id: "u".into() }), "the last has ended");
    }
}
