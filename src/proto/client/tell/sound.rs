//! Whether what another tab tells can be passed on.

use crate::proto::wire::json::{self, Object};

/// Whether it has what is used of it: another tab may be another build of the application.
pub(super) fn is_sound(kind: &str, event: &Object<'_>) -> bool {
    let (object, names): (Option<Object<'_>>, [&str; 2]) = match kind {
        "message" | "messageUpdated" => match event.object("message") {
            None => return false,
            message => (message, ["conversationId", "rowKey"]),
        },
        "messageDeleted" | "reaction" | "status" => (None, ["conversationId", "rowKey"]),
        "known" => (None, ["conversationId", "id"]),
        "gap" => (None, ["conversationId", "type"]),
        "typing" => (None, ["conversationId", "userId"]),
        "wire" => match event.object("args") {
            Some(args)
                if args.get("json").is_some() && args.get("attachments").and_then(json::array).is_some() =>
            {
                (None, ["event", "topic"])
            }
            _ => return false,
        },
        "presence" => {
            let known = event.get("lastSeenMs");
            if !known.is_some_and(|known| known.get() == "null" || json::int(known).is_some()) {
                return false;
            }
            (None, ["userId", "type"])
        }
        _ => return true,
    };
    let object = object.as_ref().unwrap_or(event);
    object.str(names[0]).is_some() && object.str(names[1]).is_some()
}
