//! Which wires know a conversation.
//!
//! Law: decided by the conversation's id alone, so that the database, the directory and the wires always agree. Ids of
//! the scripted realms begin with a word and a colon, as no id of ours does and no channel's may.

/// Who sees a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Realm {
    /// People among themselves: `team`, `phoenix` and `channels`.
    People,
    /// One user and one scripted companion: `companion`.
    Companion,
    /// One user and the scripted assistant: `assistant`.
    Assistant,
}

pub(crate) const COMPANION_PREFIX: &str = "companion:";
pub(crate) const ASSISTANT_PREFIX: &str = "assistant:";

impl Realm {
    pub(crate) fn of(conversation_id: &str) -> Self {
        if conversation_id.starts_with(COMPANION_PREFIX) {
            Self::Companion
        } else if conversation_id.starts_with(ASSISTANT_PREFIX) {
            Self::Assistant
        } else {
            Self::People
        }
    }

    /// The account of the script that answers there.
    pub(crate) const fn bot(self) -> Option<&'static str> {
        match self {
            Self::People => None,
            Self::Companion => Some("companion"),
            Self::Assistant => Some("assistant"),
        }
    }
}

/// Whether this is a script's account: its id is no user's.
pub(crate) fn is_bot(user_id: &str) -> bool {
    [Realm::Companion, Realm::Assistant].iter().any(|realm| realm.bot() == Some(user_id))
}
