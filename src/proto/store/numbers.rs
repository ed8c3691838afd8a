//! The numbers that enumerations have on disk.
//!
//! Law: one list an enumeration, checked for completeness by the compiler; a number, once given, is never given
//! again. An unknown number is refused: there is no guessing what a newer version meant. (The name after the message
//! of the refusal stands for what is then thrown away.)

use super::codec::{Reader, Writer};
use crate::proto::model::{ChangeKind, ConversationKind, ErrorCode, Failure, Role, Sender, Status};

macro_rules! numbered {
    ($write:ident, $read:ident, $type:ident, $what:literal, $default:ident, $($variant:ident = $number:literal),+) => {
        pub(super) fn $write(w: &mut Writer, value: $type) {
            w.u8(match value {
                $($type::$variant => $number,)+
            });
        }

        pub(super) fn $read(r: &mut Reader) -> $type {
            match r.u8() {
                $($number => $type::$variant,)+
                _ => {
                    r.fail($what);
                    $type::$default
                }
            }
        }
    };
}

numbered!(
    write_status,
    read_status,
    Status,
    "unknown status number",
    Failed,
    Saving = 0,
    Saved = 1,
    Sent = 2,
    Acknowledged = 3,
    Delivered = 4,
    Read = 5,
    Failed = 6
);
numbered!(
    write_sender,
    read_sender,
    Sender,
    "unknown sender number",
    System,
    Me = 0,
    User = 1,
    Ai = 2,
    System = 3
);
numbered!(
    write_change_kind,
    read_change_kind,
    ChangeKind,
    "unknown change number",
    Edit,
    Edit = 0,
    Remove = 1,
    React = 2,
    Unreact = 3
);
numbered!(
    write_conversation_kind,
    read_conversation_kind,
    ConversationKind,
    "unknown conversation kind number",
    Group,
    Direct = 0,
    Group = 1,
    Assistant = 2
);
numbered!(write_role, read_role, Role, "unknown role number", Member, Admin = 0, Moderator = 1, Member = 2);
numbered!(
    write_error_code,
    read_error_code,
    ErrorCode,
    "unknown error code number",
    Storage,
    Validation = 0,
    Forbidden = 1,
    NotFound = 2,
    Conflict = 3,
    TooLarge = 4,
    RateLimited = 5,
    Auth = 6,
    Timeout = 7,
    Server = 8,
    Unconfirmed = 9,
    Poison = 10,
    Expired = 11,
    OutboxFull = 12,
    Storage = 13,
    Protocol = 14,
    Config = 15,
    Closed = 16,
    Cancelled = 17,
    InFlight = 18,
    Unsupported = 19
);

pub(super) fn write_failure(w: &mut Writer, failure: &Failure) {
    write_error_code(w, failure.code);
    w.str(&failure.message);
    w.bool(failure.retryable);
}

pub(super) fn read_failure(r: &mut Reader) -> Failure {
    Failure { code: read_error_code(r), message: r.string(), retryable: r.bool() }
}
