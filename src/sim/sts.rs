//! STS: who is calling, and roles in other accounts.
//!
//! Credentials carry their account: an access key id that ends in twelve digits after four letters, such as
//! `ASIA111122223333`, or that is twelve digits alone, belongs to that account. Any other key, such as `testing`,
//! belongs to the world's first account.
//!
//! They carry their principal as well: four letters other than `ASIA`, such as `KIMS111122223333`, are a person of the
//! account, the IAM user `kims`; all other keys are those of the service, in its role.

use super::{ApiError, kernel::Kernel};
use crate::model::ids::{AccountId, PrincipalArn};

/// What AssumeRole hands out.
#[derive(Clone, Debug)]
pub(crate) struct Assumed {
    pub(crate) account: AccountId,
    pub(crate) access_key_id: String,
    pub(crate) arn: String,
}

/// The account that an access key id names, or `None` for a plain key.
#[must_use]
pub fn account_of_key(access_key_id: &str) -> Option<AccountId> {
    let digits = match access_key_id.len() {
        12 => access_key_id,
        16 => access_key_id.get(4..)?,
        _ => return None,
    };
    digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| AccountId::new(digits))
}

/// Who calls with this access key id in this account.
#[must_use]
pub fn principal_of_key(access_key_id: &str, account: &AccountId) -> PrincipalArn {
    let letters = access_key_id.get(..4).filter(|it| *it != "ASIA");
    let letters = letters.filter(|_| access_key_id.len() == 16);
    match letters.filter(|_| account_of_key(access_key_id).is_some()) {
        Some(letters) => person(account, &letters.to_lowercase()),
        None => service(account),
    }
}

/// A person of an account, by the name of the IAM user.
#[must_use]
pub fn person(account: &AccountId, name: &str) -> PrincipalArn {
    PrincipalArn::new(format!("arn:aws:iam::{account}:user/{name}"))
}

/// The service in an account, as STS names it.
pub(crate) fn service(account: &AccountId) -> PrincipalArn {
    PrincipalArn::new(format!(
        "arn:aws:sts::{account}:assumed-role/bedrock-ops-alert/simulated"
    ))
}

impl Kernel {
    /// Credentials for the account of the role.
    pub(crate) fn assume_role(
        &self,
        caller: &AccountId,
        role_arn: &str,
        session: &str,
    ) -> Result<Assumed, ApiError> {
        let fields: Vec<&str> = role_arn.split(':').collect();
        let [_, _, "iam", "", account, role] = fields.as_slice() else {
            return Err(ApiError::client(
                "ValidationError",
                &format!("{role_arn} is invalid"),
            ));
        };
        let account = AccountId::new(*account);
        let role = role.trim_start_matches("role/");
        let may = self
            .world
            .account(&account)
            .is_some_and(|known| known.is_assumable || known.id == *caller);
        if !may {
            let text = format!(
                "User: arn:aws:iam::{caller}:user/simulated is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
            );
            return Err(ApiError {
                status: 403,
                ..ApiError::client("AccessDenied", &text)
            });
        }
        Ok(Assumed {
            access_key_id: format!("ASIA{account}"),
            arn: format!("arn:aws:sts::{account}:assumed-role/{role}/{session}"),
            account,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_carry_their_account() {
        let account = Some(AccountId::new("111122223333"));
        assert_eq!(account_of_key("111122223333"), account);
        assert_eq!(account_of_key("ASIA111122223333"), account);
        assert_eq!(account_of_key("testing"), None);
        assert_eq!(account_of_key("AKIAIOSFODNN7EXA"), None);
    }

    #[test]
    fn keys_carry_their_principal() {
        let account = AccountId::new("111122223333");
        for key in [
            "111122223333",
            "ASIA111122223333",
            "testing",
            "AKIAIOSFODNN7EXA",
        ] {
            assert_eq!(principal_of_key(key, &account), service(&account), "{key}");
        }
        let kim = principal_of_key("KIMS111122223333", &account);
        assert_eq!(kim.as_str(), "arn:aws:iam::111122223333:user/kims");
    }
}
