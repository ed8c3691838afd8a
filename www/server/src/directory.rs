//! Names and memberships in memory: who must hear of what, without asking the database.
//!
//! Law: changed only after a commit, on the writing thread, so it never runs ahead of the database. Decisions about
//! rights are taken by the database.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, RwLock},
};

use crate::store::{Member, User};

/// The members of a conversation, in the order of joining.
pub(crate) type Members = Arc<Vec<Member>>;

#[derive(Default)]
pub(crate) struct Directory(RwLock<Inner>);

#[derive(Default)]
struct Inner {
    names: BTreeMap<String, (Arc<str>, i64)>,
    members: BTreeMap<String, Members>,
    conversations: BTreeMap<String, BTreeSet<String>>,
}

impl Directory {
    pub(crate) fn new(users: Vec<User>, memberships: Vec<(String, Member)>) -> Self {
        let mut lists: BTreeMap<String, Vec<Member>> = BTreeMap::new();
        for (conversation_id, member) in memberships {
            lists.entry(conversation_id).or_default().push(member);
        }
        let directory = Self::default();
        users.iter().for_each(|user| directory.add_user(user));
        lists.into_iter().for_each(|(id, members)| directory.set_members(&id, members));
        directory
    }

    pub(crate) fn add_user(&self, user: &User) {
        crate::write(&self.0).names.insert(user.id.clone(), (user.name.as_str().into(), user.number));
    }

    pub(crate) fn name(&self, user_id: &str) -> Option<Arc<str>> {
        crate::read(&self.0).names.get(user_id).map(|(name, _)| name.clone())
    }

    /// The account; none for a script's.
    pub(crate) fn user(&self, user_id: &str) -> Option<User> {
        let inner = crate::read(&self.0);
        let (name, number) = inner.names.get(user_id)?;
        Some(User { id: user_id.to_owned(), name: name.to_string(), number: *number })
    }

    /// Users whose name contains the text, in any case, by name.
    pub(crate) fn find(&self, text: &str, limit: usize) -> (Vec<User>, bool) {
        let text = text.to_lowercase();
        let inner = crate::read(&self.0);
        let mut found: Vec<User> = inner
            .names
            .iter()
            .filter(|(_, (name, _))| name.to_lowercase().contains(&text))
            .map(|(id, (name, number))| User { id: id.clone(), name: name.to_string(), number: *number })
            .collect();
        found.sort_by(|a, b| a.name.cmp(&b.name));
        let has_more = found.len() > limit;
        found.truncate(limit);
        (found, has_more)
    }

    pub(crate) fn set_members(&self, conversation_id: &str, members: Vec<Member>) {
        let mut inner = crate::write(&self.0);
        let inner = &mut *inner;
        for member in inner.members.get(conversation_id).into_iter().flat_map(|old| old.iter()) {
            if let Some(set) = inner.conversations.get_mut(&member.user_id) {
                set.remove(conversation_id);
            }
        }
        for member in &members {
            let set = inner.conversations.entry(member.user_id.clone()).or_default();
            set.insert(conversation_id.to_owned());
        }
        inner.members.insert(conversation_id.to_owned(), Arc::new(members));
    }

    pub(crate) fn members(&self, conversation_id: &str) -> Option<Members> {
        crate::read(&self.0).members.get(conversation_id).cloned()
    }

    /// The ids of this user's conversations.
    pub(crate) fn conversations(&self, user_id: &str) -> Vec<String> {
        crate::read(&self.0).conversations.get(user_id).into_iter().flatten().cloned().collect()
    }

    /// Everybody who shares a conversation with this user, without the user.
    pub(crate) fn acquaintances(&self, user_id: &str) -> BTreeSet<String> {
        let inner = crate::read(&self.0);
        let conversations = inner.conversations.get(user_id).into_iter().flatten();
        let members = conversations.filter_map(|id| inner.members.get(id)).flat_map(|list| list.iter());
        members.map(|member| member.user_id.clone()).filter(|id| id != user_id).collect()
    }
}
