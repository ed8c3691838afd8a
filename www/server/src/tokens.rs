//! JWTs (HS256) with expiry (D5).
//!
//! Law: the signature is checked by jsonwebtoken, the expiry here, in milliseconds: a test may ask for tokens of
//! half a second, and `exp` counts seconds.

use std::sync::atomic::{AtomicI64, Ordering};

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
    signature,
};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::error::ApiError;

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The user's id.
    pub(crate) sub: String,
    /// Seconds, for other readers of the token.
    exp: i64,
    pub(crate) exp_ms: i64,
    iat_ms: i64,
}

/// Makes and reads tokens.
pub(crate) struct Tokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
    ttl_ms: i64,
    refresh_grace_ms: i64,
    /// What was issued up to then counts as expired (a test switch).
    expired_before_ms: AtomicI64,
}

impl Tokens {
    pub(crate) fn new(secret: &[u8], ttl_ms: i64, refresh_grace_ms: i64) -> Self {
        // Another server of the same process may have done it.
        let _ = PROVIDER.install_default();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.validate_exp = false;
        validation.validate_aud = false;
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: DecodingKey::from_secret(secret),
            validation,
            ttl_ms,
            refresh_grace_ms,
            expired_before_ms: AtomicI64::new(i64::MIN),
        }
    }

    pub(crate) fn ttl_ms(&self) -> i64 {
        self.ttl_ms
    }

    pub(crate) fn issue(&self, user_id: &str, now_ms: i64) -> Result<String, ApiError> {
        let iat_ms = now_ms.max(self.expired_before_ms.load(Ordering::SeqCst).saturating_add(1));
        let exp_ms = now_ms.saturating_add(self.ttl_ms);
        // A reader that looks at seconds alone must not think it dead before it is.
        let exp = exp_ms.saturating_add(999).div_euclid(1000);
        let claims = Claims { sub: user_id.to_owned(), exp, exp_ms, iat_ms };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.encoding)
            .map_err(|error| ApiError::server(format!("cannot sign a token: {error}")))
    }

    /// A token that is good now.
    pub(crate) fn check(&self, token: &str, now_ms: i64) -> Result<Claims, ApiError> {
        let claims = self.read(token)?;
        if claims.exp_ms <= now_ms || claims.iat_ms <= self.expired_before_ms.load(Ordering::SeqCst) {
            return Err(ApiError::auth("token expired"));
        }
        Ok(claims)
    }

    /// A token that is good, or was until lately.
    pub(crate) fn check_for_refresh(&self, token: &str, now_ms: i64) -> Result<Claims, ApiError> {
        let claims = self.read(token)?;
        if claims.exp_ms.saturating_add(self.refresh_grace_ms) <= now_ms {
            return Err(ApiError::auth("token expired too long ago, log in again"));
        }
        Ok(claims)
    }

    fn read(&self, token: &str) -> Result<Claims, ApiError> {
        match jsonwebtoken::decode::<Claims>(token, &self.decoding, &self.validation) {
            Ok(data) => Ok(data.claims),
            Err(_) => Err(ApiError::auth("invalid token")),
        }
    }

    #[cfg(feature = "faults")]
    pub(crate) fn expire_all(&self, now_ms: i64) {
        self.expired_before_ms.store(now_ms, Ordering::SeqCst);
    }
}

/// HMAC-SHA-256 alone: the backends that come with jsonwebtoken bring RSA and elliptic curves.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| Ok(Box::new(Hs256::new(algorithm, key.as_bytes())?)),
    verifier_factory: |algorithm, key| Ok(Box::new(Hs256::new(algorithm, key.try_get_as_bytes()?)?)),
    key_utils: KeyUtils::new_unimplemented(),
};

struct Hs256(Hmac<Sha256>);

impl Hs256 {
    fn new(algorithm: &Algorithm, key: &[u8]) -> Result<Self, Error> {
        if *algorithm != Algorithm::HS256 {
            return Err(ErrorKind::InvalidAlgorithm.into());
        }
        let mac = Hmac::new_from_slice(key).map_err(|_| ErrorKind::InvalidKeyFormat)?;
        Ok(Self(mac))
    }
}

impl signature::Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.0.clone().chain_update(message).finalize().into_bytes().to_vec())
    }
}

impl signature::Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, message: &[u8], tag: &Vec<u8>) -> Result<(), signature::Error> {
        self.0.clone().chain_update(message).verify_slice(tag).map_err(signature::Error::from_source)
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn life_of_a_token() {
        let tokens = Tokens::new(b"secret", 500, 10_000);
        let token = tokens.issue("u_1", 1_000).unwrap();
        assert_eq!(tokens.check(&token, 1_499).unwrap().sub, "u_1");
        assert!(tokens.check(&token, 1_500).unwrap_err().message.contains("expired"));
        assert!(tokens.check_for_refresh(&token, 11_499).is_ok());
        assert!(tokens.check_for_refresh(&token, 11_500).is_err());
    }

    #[test]
    fn foreign_and_forged_tokens_are_refused() {
        let tokens = Tokens::new(b"secret", 500, 10_000);
        let other = Tokens::new(b"other", 500, 10_000).issue("u_1", 1_000).unwrap();
        let unsigned = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ1XzEifQ.";
        let mut forged = tokens.issue("u_1", 1_000).unwrap();
        let end = if forged.pop() == Some('A') { 'E' } else { 'A' };
        forged.push(end);
        for token in [other.as_str(), unsigned, &forged, "", "a.b.c", "no token"] {
            assert_eq!(tokens.check(token, 1_000).unwrap_err().message, "invalid token", "{token}");
        }
    }

    /// The example of RFC 7515, A.1, through our crypto backend.
    #[test]
    fn the_published_signature_verifies() {
        let key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let message = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let tag = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let _ = PROVIDER.install_default();
        let key = DecodingKey::from_base64_secret(&key.replace('-', "+").replace('_', "/")).or_else(|_| {
            DecodingKey::from_base64_secret(&format!("{}==", key.replace('-', "+").replace('_', "/")))
        });
        assert!(
            jsonwebtoken::crypto::verify(tag, message.as_bytes(), &key.unwrap(), Algorithm::HS256).unwrap()
        );
    }
}
