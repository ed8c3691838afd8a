//! What the assistant does: it types and answers in two parts, the second with its sources. To a user's second message,
//! or one that speaks of an action or a reminder, it adds an action; to the third, or one that speaks of a calendar, it
//! adds a request for consent, until the user has consented.

use std::sync::Arc;

use serde_json::{Value, json};

use super::BOT;
use crate::{
    App, chat, clock,
    error::ApiError,
    script::{Prompt, pause, quote},
    store::{self, Draft, Kind, Message, NewId, Place},
};

/// What consent is asked for.
pub(super) const CALENDAR: &str = "calendar";

pub(crate) async fn react(app: &Arc<App>, conversation_id: &str, prompt: Prompt) {
    let said = match prompt {
        Prompt::Said(message) => answer(app, conversation_id, &message).await,
        Prompt::Consented { owner_id } => {
            say(app, conversation_id, &owner_id, "Thank you: your calendar is connected.", json!({})).await
        }
        Prompt::Photo { .. } => Ok(()),
    };
    if let Err(error) = said {
        tracing::info!(%error, "the assistant is silent");
    }
    types(app, conversation_id, false);
}

async fn answer(app: &Arc<App>, conversation_id: &str, message: &Message) -> Result<(), ApiError> {
    let owner_id = message.sender_id.as_str();
    types(app, conversation_id, true);
    let (turn, has_consented) = standing(app, message).await?;
    let text = String::from_utf8_lossy(&message.content).to_lowercase();
    pause(app).await;
    let first = format!("You asked: “{}”. Let me look that up.", quote(message));
    say(app, conversation_id, owner_id, &first, json!({ "confidence": 0.9 })).await?;
    // A message ends typing for those who see it (A8).
    types(app, conversation_id, true);
    pause(app).await;
    let sources = json!([{ "id": "1", "title": "The reference backend of chatwire", "url": format!("{}/health", app.public_url()) }]);
    let second = "I am a script and know nothing, but I can name a source.";
    let metadata = json!({ "confidence": 0.75, "sources": sources });
    say(app, conversation_id, owner_id, second, metadata).await?;
    if turn == 2 || text.contains("action") || text.contains("remind") {
        let actions = json!([{ "id": "remind", "type": "reminder", "label": "Remind me tomorrow" }]);
        let metadata = json!({ "type": "action", "actions": actions });
        say(app, conversation_id, owner_id, "Shall I remind you?", metadata).await?;
    }
    if !has_consented && (turn == 3 || text.contains(CALENDAR)) {
        let state = app.consents.begin(owner_id, clock::now_ms())?;
        let metadata = json!({ "type": "oauth_required", "state": state });
        say(app, conversation_id, owner_id, "May I look into your calendar?", metadata).await?;
    }
    Ok(())
}

/// Which message of the user's it is (after the third it does not matter), and whether the calendar is open.
async fn standing(app: &App, message: &Message) -> Result<(i64, bool), ApiError> {
    let (conversation_id, seq, user_id) =
        (message.conversation_id.clone(), message.seq, message.sender_id.clone());
    let read = app.store.read(move |db| {
        let turn = store::count_from(db, &conversation_id, &user_id, seq, 4)?;
        Ok((turn, store::has_consented(db, &user_id, CALENDAR)?))
    });
    read.await
}

fn types(app: &App, conversation_id: &str, is_typing: bool) {
    if let Err(error) = chat::typing(app, BOT, conversation_id, is_typing) {
        tracing::debug!(%error, "nobody sees the assistant type");
    }
}

/// `metadata` as the database has it: see `view::record`.
async fn say(
    app: &Arc<App>,
    conversation_id: &str,
    owner_id: &str,
    text: &str,
    metadata: Value,
) -> Result<(), ApiError> {
    let draft = Draft {
        conversation_id: conversation_id.to_owned(),
        client_key: None,
        kind: Kind::Text,
        content: text.as_bytes().to_vec(),
        reply_to: None,
        metadata: Some(metadata.to_string()),
        id: NewId::Ours,
        place: Place::Scripted { owner_id: owner_id.to_owned() },
    };
    chat::say(app, BOT, draft).await.map(|_| ())
}
