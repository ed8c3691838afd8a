//! Identifiers: a letter for the kind, then random hexadecimal digits of the operating system.

use crate::error::ApiError;

/// `N` random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], ApiError> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).map_err(|error| ApiError::server(format!("no randomness: {error}")))?;
    Ok(bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// A new id such as `u_8f2c…` of 64 random bits.
pub(crate) fn new(kind: char) -> Result<String, ApiError> {
    Ok(format!("{kind}_{}", hex(&random::<8>()?)))
}

/// Whether an id looks like one that `new` makes.
pub(crate) fn is_ours(id: &str) -> bool {
    let digits = id.split_once('_').map(|(_, digits)| digits);
    digits.is_some_and(|digits| digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether an id looks like one that `new_message` makes.
pub(crate) fn is_message(id: &str) -> bool {
    let digits = id.strip_prefix("m_");
    digits.is_some_and(|digits| digits.len() == 28 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A new message id: the time stands first, so that the index of ids grows at its end.
pub(crate) fn new_message(now_ms: i64) -> Result<String, ApiError> {
    Ok(format!("m_{now_ms:012x}{}", hex(&random::<8>()?)))
}
