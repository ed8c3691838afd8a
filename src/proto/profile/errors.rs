//! What a backend says when something went wrong, and its answers to a send (T15, D3, D6).
//!
//! Law: a known code decides alone; a text is asked for the signs of an auth refusal only where there is no code,
//! since a forbidden member may well be told that they are "not authorised". What nobody knows is taken for a
//! passing trouble of the server.

use crate::proto::mutant;
use std::borrow::Cow;

use super::fields::Fields;
use super::records::{self, Names};
use super::{Answer, Failure, ServerMessage};
use crate::proto::model::{ErrorCode, first_chars};
use crate::proto::text::{concat, cut};
use crate::proto::wire::json;
use crate::proto::wire::json::RawValue;

/// Characters of a server's own words in a failure at most.
const WORDS_MAX_CHARS: usize = 80;

/// A longer word is a token, base64 or an id rather than a word.
const WORD_MAX_CHARS: usize = 24;

/// Characters of a server's name for a code or field at most.
const NAME_MAX_CHARS: usize = 64;

/// Whether an error's code or message means that the token is not good (D6): the code `AuthError` or
/// `auth_failed`, or a message that holds `unauthorised`, `unauthorized`, `invalid token`, `jwt` or `auth`, in
/// any case.
#[must_use]
pub fn is_auth_refusal(code: Option<&str>, message: &str) -> bool {
    // Both spellings of `unauthori[sz]ed` hold `auth`, so three needles say what the pattern says.
    const NEEDLES: [&str; 3] = ["auth", "jwt", "invalid token"];
    code.and_then(known) == Some(ErrorCode::Auth) || NEEDLES.iter().any(|needle| holds(message, needle))
}

/// Whether `text` holds `needle`, which is ASCII, in any case.
fn holds(text: &str, needle: &str) -> bool {
    text.as_bytes().windows(needle.len()).any(|part| part.eq_ignore_ascii_case(needle.as_bytes()))
}

/// The codes of T15, D3 and D6.
fn known(code: &str) -> Option<ErrorCode> {
    Some(match code {
        "ValidationError" => ErrorCode::Validation,
        "NotFoundError" => ErrorCode::NotFound,
        "ForbiddenError" => ErrorCode::Forbidden,
        "ConflictError" => ErrorCode::Conflict,
        "AuthError" | "auth_failed" => ErrorCode::Auth,
        "TooLarge" => ErrorCode::TooLarge,
        "RateLimited" => ErrorCode::RateLimited,
        "ServerError" => ErrorCode::Server,
        _ => return None,
    })
}

/// What an HTTP status means where the body names no code.
fn by_status(status: u16) -> ErrorCode {
    match status {
        400 | 422 => ErrorCode::Validation,
        401 => ErrorCode::Auth,
        403 => ErrorCode::Forbidden,
        404 | 410 => ErrorCode::NotFound,
        408 => ErrorCode::Timeout,
        409 => ErrorCode::Conflict,
        413 => ErrorCode::TooLarge,
        429 => ErrorCode::RateLimited,
        // The request was not understood; the same one will not be either.
        402..500 => ErrorCode::Protocol,
        _ => ErrorCode::Server,
    }
}

/// An error as an answer or a REST body carries it: an object, or a text alone (D3). What is unreadable in it
/// counts as absent: an error about an error helps nobody.
#[derive(Default)]
struct ServerError<'a> {
    code: Option<Cow<'a, str>>,
    words: Cow<'a, str>,
    field: Option<Cow<'a, str>>,
    retry_after_ms: Option<u64>,
    client_message_id: Option<String>,
}

impl<'a> ServerError<'a> {
    fn read(raw: &'a RawValue) -> Self {
        if let Some(words) = json::string(raw) {
            // A code by itself, or before a colon, is how thrown errors look when they are turned into text.
            let head = cut(&words, b':').map_or(words.as_ref(), |(head, _)| head);
            let code = known(head).map(|_| Cow::Owned(head.to_owned()));
            return Self { code, words, ..Self::default() };
        }
        let Ok(read) = Fields::read(raw) else {
            return Self::default();
        };
        Self {
            code: read.text("code"),
            words: read.text("message").or(read.text("reason")).unwrap_or_default(),
            field: read.text("field"),
            retry_after_ms: read.count("retry_after_ms"),
            client_message_id: read.id("client_message_id").or(read.id("client_id")),
        }
    }

    /// The typed failure; `unnamed` is the code where the error has none that is known.
    fn failure(&self, unnamed: ErrorCode, place: &str) -> Failure {
        let code = self.code.as_deref().and_then(known).unwrap_or(unnamed);
        let mut message = String::from(place);
        if let Some(name) = &self.code
            && !self.words.starts_with(name.as_ref())
        {
            message.push_str(": ");
            message.push_str(first_chars(name, NAME_MAX_CHARS));
        }
        if !self.words.is_empty() {
            message.push_str(": ");
            push_excerpt(&mut message, &self.words);
        }
        if let Some(field) = &self.field {
            message.push_str(" (field `");
            message.push_str(first_chars(field, NAME_MAX_CHARS));
            message.push_str("`)");
        }
        Failure::new(code, message)
    }
}

/// A server may repeat in its error what it was sent: its words are shown up to the first quotation, value after a
/// colon (one that follows a code aside) or overlong word.
fn push_excerpt(message: &mut String, words: &str) {
    let start = message.len();
    let mut after_colon = false;
    for word in words.split_whitespace() {
        let quoted = word.starts_with(['"', '\'', '`', '(', '[', '{', '<', '\u{201c}', '\u{ab}']);
        let long = word.chars().count() > WORD_MAX_CHARS;
        let shown = message.get(start..).unwrap_or_default().chars().count();
        if after_colon || quoted || long || shown + 1 + word.chars().count() > WORDS_MAX_CHARS {
            message.push('\u{2026}');
            return;
        }
        if message.len() > start {
            message.push(' ');
        }
        message.push_str(word);
        after_colon = word.strip_suffix(':').is_some_and(|name| known(name).is_none());
    }
}

/// What the fields of an answer are called.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerNames {
    /// Empty: whatever has no error is a success.
    pub success: Cow<'static, str>,
    pub data: Cow<'static, str>,
    pub error: Cow<'static, str>,
}

/// T3, D3.
pub(super) static STANDARD_ANSWER: AnswerNames = AnswerNames {
    success: Cow::Borrowed("success"),
    data: Cow::Borrowed("data"),
    error: Cow::Borrowed("error"),
};

/// How a row of an answer is read.
type ReadRow<'f, 'a> = &'f dyn Fn(&Fields<'a>) -> Box<ServerMessage>;

/// Reads the answer to a send: `{success:true, data?}` or `{success:false, error}` (T3, D3).
pub(super) fn answer<'a>(
    key: &str,
    args: &[&'a RawValue],
    read_row: ReadRow<'_, 'a>,
    names: &'a AnswerNames,
) -> Answer {
    const PLACE: &str = "answer to a message";
    let Some(raw) = args.first() else {
        return Answer::Malformed(concat(&[PLACE, ": is empty"]));
    };
    let success = Fields::read(raw).and_then(|read| {
        let success = match &*names.success {
            "" => Some(read.get(&names.error).is_none()),
            name => read.flag(name),
        };
        read.finish(success).map(|success| (success, read))
    });
    let (success, read) = match success {
        Ok(read) => read,
        Err(wrong) => return Answer::Malformed(wrong.at(PLACE)),
    };
    match (success, read.get(&names.error)) {
        (Some(true), _) => Answer::Stored(copy(key, read.object(&names.data), read_row)),
        (None, None) => Answer::Malformed(concat(&[PLACE, ": field `", &names.success, "` is missing"])),
        (_, error) => {
            let error = error.map(ServerError::read).unwrap_or_default();
            refusal(key, read.object(&names.data), error, read_row)
        }
    }
}

/// The server's copy of the message. One that cannot be read, or that is another message's, counts as not given:
/// the server has said that it stored ours, so sending it again would be wrong.
fn copy<'a>(key: &str, row: Option<Fields<'a>>, read_row: ReadRow<'_, 'a>) -> Option<Box<ServerMessage>> {
    let row = row?;
    let message = row.finish(read_row(&row)).ok()?;
    message.key.as_deref().is_none_or(|theirs| theirs == key).then_some(message)
}

/// Reads a reply to a send: its status, and the copy under `message`, or the error by itself, under `error` or `reason` (P7, D3).
pub(super) fn reply<'a>(
    key: &str,
    status: &str,
    response: Option<&'a RawValue>,
    names: &Names<'a>,
) -> Answer {
    let read = response.and_then(|response| Fields::read(response).ok());
    let read_row = |row: &Fields<'a>| records::message(row, names);
    if status == "ok" {
        let row = read.and_then(|read| read.object("message").or(Some(read)));
        return Answer::Stored(copy(key, row, &read_row));
    }
    let mut error = response.map(ServerError::read).unwrap_or_default();
    let inner = read.as_ref().and_then(|read| read.get("error").or(read.get("reason")));
    if let Some(inner) = inner.filter(|_| error.code.is_none() && error.words.is_empty()) {
        error = ServerError::read(inner);
    }
    // "unauthorized" is how servers of this kind say that one may not; the token was judged before.
    if error.code.is_none() && is_auth_refusal(None, &error.words) {
        error.code = Some(Cow::Borrowed("ForbiddenError"));
    }
    refusal(key, read.and_then(|read| read.object("message")), error, &read_row)
}

fn refusal<'a>(
    key: &str,
    row: Option<Fields<'a>>,
    error: ServerError<'_>,
    read_row: ReadRow<'_, 'a>,
) -> Answer {
    let unnamed = match &error.code {
        None if is_auth_refusal(None, &error.words) => ErrorCode::Auth,
        _ => ErrorCode::Server,
    };
    let failure = error.failure(unnamed, "the server refused the message");
    match failure.code {
        ErrorCode::Auth => Answer::AuthRefused(failure),
        // It kept our key from an earlier attempt whose answer was lost.
        ErrorCode::Conflict if mutant::is(14) || error.client_message_id.as_deref() == Some(key) => {
            Answer::Stored(copy(key, row, read_row))
        }
        _ => Answer::Refused { failure, retry_after_ms: error.retry_after_ms },
    }
}

/// An error that comes as an event of its own (A6): the failure, how long to wait, and the key of what was sent, where it
/// names one.
#[cfg(feature = "json")]
pub(super) fn told(raw: Option<&RawValue>) -> (Failure, Option<u64>, Option<String>) {
    let error = raw.map(ServerError::read).unwrap_or_default();
    let mut failure = error.failure(ErrorCode::Server, "the server says");
    if error.code.as_deref() == Some("auth") {
        failure = Failure::new(ErrorCode::Auth, failure.message);
    }
    (failure, error.retry_after_ms, error.client_message_id)
}

/// The typed failure in a REST answer and how long to wait (D3): by `error.code`, else by the HTTP status.
pub(super) fn rest_failure(status: u16, body: &str) -> (Failure, Option<u64>) {
    let mut place = String::from("HTTP ");
    json::push_uint(&mut place, u64::from(status));
    let root = json::parse(body, 0).ok().and_then(|raw| Fields::read(raw).ok());
    let error = root.and_then(|root| root.get("error")).map(ServerError::read).unwrap_or_default();
    (error.failure(by_status(status), &place), error.retry_after_ms)
}
