//! Changes of messages that are not known yet: one record for all of them.

use super::codec::{Reader, Writer};
use super::format::{RecordError, RecordKind, open, seal};
use super::numbers::{read_status, write_status};
use crate::proto::model::Status;

/// What the server has told of one message that is not known here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Orphan {
    /// The server's id of the message.
    pub id: String,
    /// Where it belongs, if that was told.
    pub conversation_id: Option<String>,
    /// Which of them came first.
    pub number: u64,
    pub status: Option<Status>,
    pub readers: Vec<String>,
    pub edit: Option<OrphanEdit>,
    pub deleted_at_ms: Option<i64>,
    /// The last word of each user about each emoji.
    pub reactions: Vec<OrphanReaction>,
    /// When the last of it was heard, as that of an edit.
    pub heard: u64,
}

/// The newest edit that was told.
#[derive(Clone, Debug, PartialEq)]
pub struct OrphanEdit {
    pub text: String,
    pub at_ms: Option<i64>,
    /// When it was heard, as this life counts. Not stored: what an earlier life has heard came before all that this one
    /// asks for.
    pub heard: u64,
}

/// One user's last word about one emoji.
#[derive(Clone, Debug, PartialEq)]
pub struct OrphanReaction {
    pub emoji: String,
    pub user_id: String,
    pub added: bool,
    /// As [`OrphanEdit::heard`].
    pub heard: u64,
}

/// The fewest bytes of one: id, conversation, number, status, readers, edit, deletion, reactions.
const MIN_BYTES: usize = 8;

pub fn encode_orphans(version: u64, orphans: &[&Orphan]) -> Vec<u8> {
    let mut w = Writer::new();
    w.list(orphans, |w, orphan| {
        w.str(&orphan.id);
        w.opt_str(orphan.conversation_id.as_deref());
        w.varint(orphan.number);
        w.bool(orphan.status.is_some());
        if let Some(status) = orphan.status {
            write_status(w, status);
        }
        w.list(&orphan.readers, |w, user| w.str(user));
        w.opt_str(orphan.edit.as_ref().map(|edit| edit.text.as_str()));
        if let Some(edit) = &orphan.edit {
            w.opt_i64(edit.at_ms);
        }
        w.opt_i64(orphan.deleted_at_ms);
        w.list(&orphan.reactions, |w, reaction| {
            w.str(&reaction.emoji);
            w.str(&reaction.user_id);
            w.bool(reaction.added);
        });
    });
    seal(RecordKind::Orphans, version, w.as_slice())
}

/// The record's stamp and the orphans.
///
/// # Errors
/// Each [`RecordError`].
pub fn decode_orphans(bytes: &[u8]) -> Result<(u64, Vec<Orphan>), RecordError> {
    let opened = open(RecordKind::Orphans, bytes)?;
    let mut r = Reader::new(&opened.payload);
    let orphans = r.list(MIN_BYTES, read_orphan);
    r.finish()?;
    Ok((opened.version, orphans))
}

/// The order of these fields is the order on disk.
fn read_orphan(r: &mut Reader) -> Orphan {
    Orphan {
        id: r.string(),
        conversation_id: r.opt_string(),
        number: r.varint(),
        status: if r.bool() { Some(read_status(r)) } else { None },
        readers: r.list(1, Reader::string),
        edit: r.opt_string().map(|text| OrphanEdit { text, at_ms: r.opt_i64(), heard: 0 }),
        deleted_at_ms: r.opt_i64(),
        reactions: r.list(3, |r| OrphanReaction {
            emoji: r.string(),
            user_id: r.string(),
            added: r.bool(),
            heard: 0,
        }),
        heard: 0,
    }
}
