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
/// People whose presence is kept.
const MAX_PEOPLE: usize = 10_000;
/// People whose typing is shown at the same time.
const MAX_TYPING: usize = 1_000;

/// Presence and typing.
#[derive(Debug, Default)]
pub struct People {
    online: SortedMap<String, bool>,
    put_off: SortedMap<String, (bool, Option<i64>)>,
    typing: Vec<Typing>,
    own: Option<OwnTyping>,
}

#[derive(Debug)]
struct Typing {
    conversation_id: String,
    user_id: String,
    until_mono_ms: u64,
}

#[derive(Debug)]
struct OwnTyping {
    conversation_id: String,
    told_at_mono_ms: u64,
    stop_at_mono_ms: u64,
}

impl People {
    /// Presence that is to be told later: the last word of each user.
    pub fn put_off(&mut self, user_id: String, online: bool, at_ms: Option<i64>) {
        if self.put_off.len() < MAX_PEOPLE || self.put_off.contains_key(&user_id) {
            self.put_off.insert(user_id, (online, at_ms));
        }
    }

    pub fn take_put_off(&mut self) -> Option<(String, bool, Option<i64>)> {
        let user_id = self.put_off.iter().next()?.0.clone();
        let (online, at_ms) = self.put_off.remove(&user_id)?;
        Some((user_id, online, at_ms))
    }

    /// Presence was told. `true`: it is news.
    pub fn on_presence(&mut self, user_id: &str, online: bool) -> bool {
        self.put_off.remove(user_id);
        if self.online.len() >= MAX_PEOPLE && !self.online.contains_key(user_id) {
            return false;
        }
        self.online.insert(user_id.to_owned(), online).is_none_or(|before| *before != online)
    }

    /// Who is there, as far as it was told.
    pub fn online(&self) -> Vec<String> {
        self.online.keys_where(&|_, online| *online)
    }

    /// Conversation and user of everybody who types.
    pub fn who_types(&self) -> Vec<(String, String)> {
        let mut all = Vec::new();
        for typing in &self.typing {
            all.push((typing.conversation_id.clone(), typing.user_id.clone()));
        }
        all
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
        let same = |known: &Typing| known.conversation_id == conversation_id && known.user_id == user_id;
        let before = self.typing.iter().position(same);
        let news = before.is_some() != typing;
        if let Some(at) = before {
            self.typing.swap_remove(at);
        }
        if typing {
            if self.typing.len() >= MAX_TYPING {
                return false;
            }
            self.typing.push(Typing {
                conversation_id: conversation_id.to_owned(),
                user_id: user_id.to_owned(),
                until_mono_ms: now.mono_ms + TYPING_EXPIRY_MS,
            });
        }
        self.update_timers(timers);
        news
    }

    /// Whose typing is over by now: conversation and user.
    pub fn on_expiry_timer(&mut self, now: Now, timers: &mut Timers) -> Vec<(String, String)> {
        let over = self.take_typing(now.mono_ms);
        self.update_timers(timers);
        over
    }

    /// Forgets those whose time is over.
    fn take_typing(&mut self, mono_ms: u64) -> Vec<(String, String)> {
        let mut over = Vec::new();
        for typing in core::mem::take(&mut self.typing) {
            if typing.until_mono_ms <= mono_ms {
                over.push((typing.conversation_id, typing.user_id));
            } else {
                self.typing.push(typing);
            }
        }
        over
    }

    /// The connection is gone: everybody who was typing or online is unknown. Returns both lists.
    pub fn on_lost(&mut self, timers: &mut Timers) -> (Vec<(String, String)>, Vec<String>) {
        self.own = None;
        self.put_off.clear();
        let typing = self.take_typing(u64::MAX);
        let mut online = Vec::new();
        for (user, was_online) in core::mem::take(&mut self.online) {
            if *was_online {
                online.push(user);
            }
        }
        self.update_timers(timers);
        (typing, online)
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
        let mut expiry: Option<u64> = None;
        for typing in &self.typing {
            let earlier = expiry.map_or(typing.until_mono_ms, |at| at.min(typing.until_mono_ms));
            expiry = Some(earlier);
        }
        timers.update(Timer::TypingExpiry, expiry);
    }
}
