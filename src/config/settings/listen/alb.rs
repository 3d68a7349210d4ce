//! `[listen.alb]`: the load balancer in front of us that signs people in, and who of them may decide.

use serde::Deserialize;

use super::super::Reader;
use crate::{
    config::{
        fault::Wrong,
        receivers,
        sheet::{Entry, Section},
        values,
    },
    model::{
        access::{Claim, SignIn},
        rule::Pattern,
    },
};

const KEYS: &str = include_str!("../../data/load_balancers.toml");
/// Claims of which one lets decide.
const MOST_CLAIMS: usize = 50;
/// Characters of a claim and what it must be.
const MOST_CLAIM: usize = 500;
/// Characters of an issuer, and of a client. (Elastic Load Balancing limits neither; an address is not longer.)
const MOST_TEXT: usize = 2_000;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    keys: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    partition: String,
    at: String,
}

/// A load balancer: its ARN, and what of it decides where its keys are.
struct Balancer {
    arn: String,
    partition: String,
    region: String,
}

impl Reader<'_> {
    /// The load balancer, where there is one; nothing at all for a fault.
    #[expect(clippy::option_option, reason = "a fault is not an absence")]
    pub(super) fn alb(&mut self, listen: &mut Section<'_>) -> Option<Option<SignIn>> {
        let Some(entry) = listen.take("alb") else {
            return Some(None);
        };
        let mut table = self.sheet.table(&entry)?;
        let faults = self.sheet.faults.len();
        let signer = self.value(&mut table, "signer", |sheet, it| {
            sheet.parsed(it, load_balancer)
        });
        let example =
            "\"arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/NAME/ID\"";
        let signer = self.sheet.require(&table, "signer", example, signer);
        let issuer = self.value(&mut table, "issuer", |sheet, it| sheet.parsed(it, issuer));
        let example = "\"https://login.example.com\"";
        let issuer = self.sheet.require(&table, "issuer", example, issuer);
        let client = self.value(&mut table, "client", |sheet, it| sheet.parsed(it, client));
        let written = self.value(&mut table, "keys", |sheet, it| sheet.parsed(it, keys));
        let act = self.value(&mut table, "act", |sheet, it| {
            let act = sheet.list(it, claim);
            if MOST_CLAIMS < act.len() {
                let wrong = Wrong::new(
                    format!("must be at most {MOST_CLAIMS}"),
                    "too many",
                    "name a group that the identity provider keeps: \"groups=bedrock-ops\"",
                );
                sheet.wrong(it, wrong);
            }
            Some(act)
        });
        let known = signer.as_ref().map(known_keys);
        if let (Some(it), Some(None), false) = (&signer, &known, table.has("keys")) {
            self.no_keys(&entry, it);
        }
        table.finish(&mut self.sheet);
        if faults < self.sheet.faults.len() {
            return None;
        }
        Some(Some(SignIn {
            signer: signer?.arn,
            issuer: issuer?,
            client,
            keys: written.or_else(|| known.flatten())?,
            act: act.unwrap_or_default(),
        }))
    }

    fn no_keys(&mut self, entry: &Entry<'_>, of: &Balancer) {
        let wrong = Wrong::new(
            format!(
                "where the public keys of load balancers in the partition {} are is not known",
                of.partition
            ),
            "needs `keys`",
            "add `keys = \"https://…\"`: the address that AWS's guide for this partition names for public keys, without the key's id",
        );
        self.sheet.wrong(entry, wrong);
    }
}

/// Where AWS has the keys, as far as we know.
fn known_keys(of: &Balancer) -> Option<String> {
    let table: Result<Table, _> = toml::from_str(KEYS);
    debug_assert!(table.is_ok(), "{table:?}");
    let rows = table.unwrap_or_default().keys;
    let row = rows.into_iter().find(|it| it.partition == of.partition)?;
    Some(row.at.replace("{region}", &of.region))
}

fn load_balancer(text: &str) -> Result<Balancer, Wrong> {
    let help = "as the console shows it: \"arn:aws:elasticloadbalancing:us-east-1:111122223333:loadbalancer/app/NAME/ID\"";
    let arn = values::arn(text, "elasticloadbalancing", help)?;
    let mut parts = text.splitn(6, ':');
    let partition = parts.nth(1).unwrap_or_default().to_owned();
    let resource = parts.nth(3).unwrap_or_default();
    let is_name = |it: &str| {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        !it.is_empty() && it.bytes().all(is_plain)
    };
    let named: Vec<&str> = resource.split('/').collect();
    let ["loadbalancer", "app", name, id] = named.as_slice() else {
        return Err(Wrong::new(
            "must be the ARN of an Application Load Balancer",
            "not one of loadbalancer/app/NAME/ID",
            help,
        ));
    };
    if !is_name(name) || !is_name(id) || !values::is_region(&arn.region) {
        return Err(Wrong::new(
            "must be the whole ARN of a load balancer",
            "its Region, name or id is none",
            help,
        ));
    }
    Ok(Balancer {
        arn: arn.text,
        partition,
        region: arn.region,
    })
}

fn keys(text: &str) -> Result<String, Wrong> {
    receivers::plain_url(text).map_err(|_| {
        Wrong::new(
            "must be an https address, or one on loopback, without user, password or query",
            "who listens on the way could put in a key of their own",
            "leave it out where the partition's are known; else what AWS's guide names for public keys, without the key's id",
        )
    })
}

fn issuer(text: &str) -> Result<String, Wrong> {
    let host = values::host_of(text);
    let is_fine = text.starts_with("https://") && !host.is_empty() && is_plain(text);
    if is_fine {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(
        "must be the https address of the issuer",
        "no such address",
        "as the listener's rule names it, letter by letter, a / at its end included; of a Cognito user pool it is https://cognito-idp.REGION.amazonaws.com/POOL",
    ))
}

fn client(text: &str) -> Result<String, Wrong> {
    if is_plain(text) {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(
        "must be the id of a client",
        "no such id",
        "the client id that the listener's rule names; no secret",
    ))
}

fn is_plain(text: &str) -> bool {
    (1..=MOST_TEXT).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_graphic())
}

/// `claim=pattern`; an address alone is one of `email`, anything else alone one of `sub`.
fn claim(text: &str) -> Result<Claim, Wrong> {
    let (name, is) = match text.split_once('=') {
        Some((name, is)) => (name.trim(), is.trim()),
        None if text.contains('@') => ("email", text.trim()),
        None => ("sub", text.trim()),
    };
    let is_short = text.chars().count() <= MOST_CLAIM;
    if is_short && !name.is_empty() && !is.is_empty() && !text.chars().any(char::is_control) {
        return Ok(Claim {
            name: name.to_owned(),
            is: Pattern::new(is),
        });
    }
    Err(Wrong::new(
        "must say who may decide",
        "names nobody",
        "an e-mail address, a subject, or a claim and what it must be: \"anna@example.com\", \"groups=bedrock-ops\", \"email=*@example.com\"",
    ))
}
