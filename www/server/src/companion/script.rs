//! What a companion does: she reads, types and answers; asked for a photo, she sends one.

use std::sync::Arc;

use serde_json::json;

use super::photos;
use crate::{
    App,
    chat::{self, Caller},
    live::Event,
    realm::Realm,
    script::{Prompt, pause, quote},
    store::{Draft, Kind, NewId, Place, Status},
};

const BOT: &str = match Realm::Companion.bot() {
    Some(bot) => bot,
    None => "",
};

pub(crate) async fn react(app: &Arc<App>, conversation_id: &str, prompt: Prompt) {
    match prompt {
        Prompt::Said(message) => {
            pause(app).await;
            let caller = Caller { user_id: BOT.to_owned(), connection: None };
            chat::mark(app, caller, message.id.clone(), Status::Read, |_| {});
            type_for_a_while(app, conversation_id).await;
            let text = format!("You said “{}”. Tell me more!", quote(&message));
            say(app, conversation_id, message.sender_id.clone(), text, None).await;
        }
        Prompt::Photo { owner_id } => {
            type_for_a_while(app, conversation_id).await;
            let Some(url) = photos::new_url(app) else { return };
            let event = Event::Photo { conversation_id: conversation_id.to_owned(), url: url.clone() };
            app.live.tell([owner_id.as_str()], None, &event);
            say(app, conversation_id, owner_id, "A photo for you".to_owned(), Some(url)).await;
        }
        Prompt::Consented { .. } => {}
    }
}

/// Whom it is told to is there after the first message only.
async fn type_for_a_while(app: &App, conversation_id: &str) {
    let _ = chat::typing(app, BOT, conversation_id, true);
    pause(app).await;
    let _ = chat::typing(app, BOT, conversation_id, false);
}

async fn say(
    app: &Arc<App>,
    conversation_id: &str,
    owner_id: String,
    text: String,
    photo_url: Option<String>,
) {
    let draft = Draft {
        conversation_id: conversation_id.to_owned(),
        client_key: None,
        kind: if photo_url.is_some() { Kind::Image } else { Kind::Text },
        content: text.into_bytes(),
        reply_to: None,
        metadata: photo_url.map(|url| json!({ "photo_url": url }).to_string()),
        id: NewId::Number,
        place: Place::Scripted { owner_id },
    };
    if let Err(error) = chat::say(app, BOT, draft).await {
        tracing::info!(%error, "a companion is silent");
    }
}
