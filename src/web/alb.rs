//! Who somebody is by the word of the load balancer in front of us, which signs people in at an identity provider.
//!
//! - `token`: what it says, read and held to the configuration;
//! - `keys`: its public keys, asked for at AWS;
//! - `proof`: whether it has said so, the only module that names the library for that.
//!
//! Of the three headers that it adds only `x-amzn-oidc-data` is signed; the others are never looked at. Whoever reaches the
//! port without the load balancer can send what they like, so nothing here believes anything before the signature is right.

mod keys;
mod proof;
mod token;

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value};

pub(super) use self::proof::unguessable;
use self::{keys::Keys, token::Token};
use crate::model::{
    access::{Claim, Role, SignIn},
    inert::inert,
    time::Timestamp,
};

/// What it says of the person, signed.
const HEADER: &str = "x-amzn-oidc-data";
/// Characters of a name: the longest e-mail address has 254, and 255 is the most that OpenID Connect allows a subject.
const MOST_NAME: usize = 255;

/// Why its word is not taken. Nothing of the token ever stands here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error(
        "`x-amzn-oidc-data` came more than once: whoever adds it beside the load balancer has to stop"
    )]
    Twice,
    #[error(
        "`x-amzn-oidc-data` is longer than what a load balancer sends: whatever stands before it adds something"
    )]
    Long,
    #[error(
        "`x-amzn-oidc-data` is not what a load balancer sends: it must come as it was sent, by a rule with authenticate-oidc or authenticate-cognito"
    )]
    Garbled,
    #[error("`x-amzn-oidc-data` is not signed by ES256, as load balancers do")]
    Algorithm,
    #[error(
        "`x-amzn-oidc-data` is of another load balancer: compare its ARN with `[listen.alb] signer`"
    )]
    Signer,
    #[error(
        "`x-amzn-oidc-data` is of another issuer: compare that of the listener's rule with `[listen.alb] issuer`, letter by letter"
    )]
    Issuer,
    #[error(
        "`x-amzn-oidc-data` is of another client: compare that of the listener's rule with `[listen.alb] client`"
    )]
    Client,
    #[error(
        "`x-amzn-oidc-data` has expired: load the page again, and if that does not help, check the clock of this service"
    )]
    Expired,
    #[error("`x-amzn-oidc-data` is not valid yet: check the clock of this service")]
    Early,
    #[error("`x-amzn-oidc-data` names its key as no load balancer does")]
    KeyId,
    #[error("the signature of `x-amzn-oidc-data` is wrong: only the load balancer may set it")]
    Signature,
    #[error(
        "AWS has no key such as `x-amzn-oidc-data` names: check the Region in `[listen.alb] signer`, or `keys`"
    )]
    UnknownKey,
    #[error(
        "the load balancer's public key could not be read: outbound HTTPS to the host of `[listen.alb] keys` must be open; the log says what failed, as web.key_unread"
    )]
    NoKey,
    #[error(
        "too many public keys were asked for in the last minute: only the load balancer may reach this port; try again in a minute"
    )]
    Often,
    #[error("`x-amzn-oidc-data` does not say who it is: no `sub` of at most 255 characters")]
    Nameless,
}

impl Refused {
    /// Whether it is nobody's fault who asks.
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::NoKey | Self::Often => StatusCode::SERVICE_UNAVAILABLE,
            Self::Twice
            | Self::Long
            | Self::Garbled
            | Self::Algorithm
            | Self::Signer
            | Self::Issuer
            | Self::Client
            | Self::Expired
            | Self::Early
            | Self::KeyId
            | Self::Signature
            | Self::UnknownKey
            | Self::Nameless => StatusCode::UNAUTHORIZED,
        }
    }
}

/// Somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    /// The e-mail address, or else the subject; made harmless.
    pub(super) name: String,
    pub(super) role: Role,
}

/// Asks for a key that cannot be there, to see whether one could be read.
///
/// # Errors
///
/// What stands in the way.
pub async fn keys_answer(sign_in: &SignIn) -> Result<(), String> {
    keys::answer(&sign_in.keys).await
}

/// Takes the word of load balancers.
#[derive(Debug, Default)]
pub(super) struct Door {
    keys: Keys,
}

impl Door {
    /// Who asks; nothing, where no load balancer says anything.
    pub(super) async fn person(
        &self,
        sign_in: &SignIn,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Option<Result<Person, Refused>> {
        let mut all = headers.get_all(HEADER).iter();
        let one = all.next()?;
        if all.next().is_some() {
            return Some(Err(Refused::Twice));
        }
        let text = one.to_str().map_err(|_| Refused::Garbled);
        Some(match text {
            Ok(text) => self.proved(sign_in, text, now).await,
            Err(why) => Err(why),
        })
    }

    async fn proved(
        &self,
        sign_in: &SignIn,
        text: &str,
        now: Timestamp,
    ) -> Result<Person, Refused> {
        let token = Token::read(text, sign_in, now.as_second())?;
        let url = format!("{}/{}", sign_in.keys, token.key_id);
        let key = self.keys.key(&url).await?;
        if key.has_signed(token.signed, &token.signature) {
            person(&token.claims, &sign_in.act)
        } else {
            Err(Refused::Signature)
        }
    }
}

/// Who that is.
fn person(claims: &Map<String, Value>, act: &[Claim]) -> Result<Person, Refused> {
    let text = |name: &str| {
        let text = claims.get(name).and_then(Value::as_str);
        let text = text.map(str::trim).map(inert)?;
        (1..=MOST_NAME)
            .contains(&text.chars().count())
            .then_some(text)
    };
    let subject = text("sub").ok_or(Refused::Nameless)?;
    let email = text("email").filter(|_| !is_unverified(claims));
    let may_act = act.iter().any(|it| is_said(claims, it));
    Ok(Person {
        name: email.unwrap_or(subject),
        role: if may_act { Role::Actor } else { Role::Viewer },
    })
}

/// Whether the claim is made. A list makes it for each of its parts.
fn is_said(claims: &Map<String, Value>, claim: &Claim) -> bool {
    if claim.name == "email" && is_unverified(claims) {
        return false;
    }
    let fits = |value: &Value| match value {
        Value::String(text) => claim.is.fits(text),
        Value::Bool(_) | Value::Number(_) => claim.is.fits(&value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    };
    match claims.get(&claim.name) {
        Some(Value::Array(all)) => all.iter().any(fits),
        Some(value) => fits(value),
        None => false,
    }
}

/// Whether the identity provider says that nobody has proved to read mail there: then anybody could have typed it. Cognito
/// says so by a text.
fn is_unverified(claims: &Map<String, Value>) -> bool {
    let said = claims.get("email_verified");
    said.is_some_and(|it| it == &Value::Bool(false) || it == "false")
}

#[cfg(test)]
mod tests;
