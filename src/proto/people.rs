//! Who is there and who types.
//!
//! Law: this is ephemeral. Nothing of it is stored, all of it is bounded, and what was told over a connection that
//! is gone is not believed any longer.

use crate::proto::sorted::SortedMap;

use super::api::Now;
use super::timer::{Timer, Timers};

/// Own typing is told again at most this often.
const TYPING_REPEAT_MS: u64 = 3000;
/// Own typing stops by itself after this long without a further key (C9).
const TYPING_STOP_MS: u64 = 2000;
/// Others' typing is forgotten after this long without a word.
const TYPING_EXPIRY_MS: u64 = 6000;
/// People whose presence or typing is kept.
const MAX_PEOPLE: usize = 10_000;

/// Presence and typing.
#[derive(Debug, Default)]
pub struct People {
    online: SortedMap<String, bool>,
    typing: SortedMap<(String, String), u64>,
    own: Option<OwnTyping>,
}

#[derive(Debug)]
struct OwnTyping {
    conversation_id: String,
    told_at_mono_ms: u64,
    stop_at_mono_ms: u64,
}

impl People {
    /// Presence was told. `true`: it is news.
    pub fn on_presence(&mut self, user_id: &str, online: bool) -> bool {
        if self.online.len() >= MAX_PEOPLE && !self.online.contains_key(user_id) {
            return false;
        }
        self.online.insert(user_id.to_owned(), online) != Some(online)
    }

    /// Somebody types, or stops. `true`: it is news.
    pub fn on_typing(
        &mut self,
        now: Now,
        timers: &mut Timers,
        conversation_id: &str,
        user_id: &str,
        typing: bool,
    ) -> bool {
        let at = (conversation_id.to_owned(), user_id.to_owned());
        let news = if typing {
            if self.typing.len() >= MAX_PEOPLE {
                return false;
            }
            self.typing.insert(at, now.mono_ms + TYPING_EXPIRY_MS).is_none()
        } else {
            self.typing.remove(&at).is_some()
        };
        self.update_timers(timers);
        news
    }

    /// Whose typing is over by now: conversation and user.
    pub fn on_expiry_timer(&mut self, now: Now, timers: &mut Timers) -> Vec<(String, String)> {
        let over: Vec<(String, String)> = self
            .typing
            .iter()
            .filter(|(_, until)| **until <= now.mono_ms)
            .map(|(at, _)| at.clone())
            .collect();
        for at in &over {
            self.typing.remove(at);
        }
        self.update_timers(timers);
        over
    }

    /// The connection is gone: everybody who was typing or online is unknown. Returns both lists.
    pub fn on_lost(&mut self, timers: &mut Timers) -> (Vec<(String, String)>, Vec<String>) {
        self.own = None;
        let typing = core::mem::take(&mut self.typing).into_iter().map(|(at, _)| at).collect();
        let online = core::mem::take(&mut self.online);
        self.update_timers(timers);
        (typing, online.into_iter().filter(|(_, online)| *online).map(|(user, _)| user).collect())
    }

    /// The user types or stops. What to tell the server: conversation and whether typing.
    pub fn set_typing(
        &mut self,
        now: Now,
        timers: &mut Timers,
        conversation_id: &str,
        typing: bool,
    ) -> Vec<(String, bool)> {
        let mut tell = Vec::new();
        if let Some(own) = self.own.take_if(|own| own.conversation_id != conversation_id || !typing) {
            tell.push((own.conversation_id, false));
        }
        if typing {
            let stop_at_mono_ms = now.mono_ms + TYPING_STOP_MS;
            match &mut self.own {
                Some(own) => {
                    own.stop_at_mono_ms = stop_at_mono_ms;
                    if now.mono_ms >= own.told_at_mono_ms + TYPING_REPEAT_MS {
                        own.told_at_mono_ms = now.mono_ms;
                        tell.push((conversation_id.to_owned(), true));
                    }
                }
                None => {
                    let told_at_mono_ms = now.mono_ms;
                    let conversation_id = conversation_id.to_owned();
                    tell.push((conversation_id.clone(), true));
                    self.own = Some(OwnTyping { conversation_id, told_at_mono_ms, stop_at_mono_ms });
                }
            }
        }
        self.update_timers(timers);
        tell
    }

    /// The last key was a while ago.
    pub fn on_stop_timer(&mut self, now: Now, timers: &mut Timers) -> Option<String> {
        let own = self.own.take_if(|own| own.stop_at_mono_ms <= now.mono_ms);
        self.update_timers(timers);
        own.map(|own| own.conversation_id)
    }

    fn update_timers(&self, timers: &mut Timers) {
        timers.update(Timer::TypingStop, self.own.as_ref().map(|own| own.stop_at_mono_ms));
        timers.update(Timer::TypingExpiry, self.typing.values().min().copied());
    }
}
