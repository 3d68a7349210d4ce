//! `init`: a first configuration, written from what AWS says is there. It observes, and says so.

use std::{
    fmt::Write as _,
    fs::OpenOptions,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use super::run::{RunError, accounts};
use crate::{
    aws::{self, Patience, SdkCloud, SdkOptions},
    cloud::{Cloud, Fault},
    collect::{active_targets, enabled_regions},
    config::{self, ConfigError, Overrides},
    model::{
        ids::{AccountId, Region, Scope},
        policy::{Account, Regions},
    },
};

/// What the operator says, besides what AWS does.
#[derive(Debug, Default)]
pub struct Wishes {
    /// Roles of further accounts.
    pub roles: Vec<String>,
    /// The topic that people hear by.
    pub topic: Option<String>,
}

/// Why no configuration was written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// AWS.
    #[error(transparent)]
    Connect(#[from] RunError),
    /// A role that is none.
    #[error("`{0}` is not the ARN of a role; it reads like arn:aws:iam::111122223333:role/NAME")]
    Role(String),
    /// A file is there.
    #[error("`{}` is there already, and was left as it is", .0.display())]
    Exists(PathBuf),
    /// The file could not be written.
    #[error("could not write `{}`", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// What would have been written has faults: an option does.
    #[error("what was asked for makes no configuration")]
    Faults(#[source] ConfigError),
}

/// An account as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub account: AccountId,
    /// By which role, where not by our own credentials.
    pub role: Option<String>,
    /// Regions in which Bedrock has traffic, with the number of targets; or the home Region with none.
    pub regions: Vec<(Region, Option<usize>)>,
    /// What could not be asked.
    pub faults: Vec<String>,
}

/// Asks the account of the credentials, and those of the roles, where Bedrock is used.
///
/// # Errors
/// Without credentials, and for a role that is none.
pub async fn find(wishes: &Wishes) -> Result<Vec<Found>, InitError> {
    let patience = if aws::endpoints_are_loopback().is_ok() {
        Patience::loopback()
    } else {
        Patience::real()
    };
    let mut all = accounts(Vec::new(), patience).await?;
    let home = all.first().map(|it| it.regions.known().to_vec());
    for role in &wishes.roles {
        let id = role.split(':').nth(4).filter(|id| !id.is_empty());
        let id = id.ok_or_else(|| InitError::Role(role.clone()))?;
        all.push(Account {
            id: AccountId::new(id),
            name: None,
            regions: Regions::These(home.clone().unwrap_or_default()),
            role_arn: Some(role.clone()),
            external_id: None,
            metrics_through: None,
        });
    }
    let options = SdkOptions {
        accounts: all.clone(),
        patience,
        endpoint: None,
    };
    let cloud = SdkCloud::connect(options).await.map_err(RunError::from)?;
    let mut found = Vec::new();
    for account in &all {
        found.push(of_account(&cloud, account).await);
    }
    Ok(found)
}

async fn of_account(cloud: &dyn Cloud, account: &Account) -> Found {
    let mut faults = Vec::new();
    let mut told = |fault: &Fault| faults.push(fault.to_string());
    let at = |region: &Region| Scope {
        account: account.id.clone(),
        region: region.clone(),
    };
    let known = account.regions.known();
    let mut regions = known.to_vec();
    if let Some(first) = known.first() {
        match enabled_regions(cloud, &at(first)).await {
            Ok(enabled) => regions = enabled,
            Err(fault) => told(&fault),
        }
    }
    let mut used = Vec::new();
    for region in &regions {
        match active_targets(cloud, &at(region)).await {
            Ok(0) => {}
            Ok(targets) => used.push((region.clone(), Some(targets))),
            Err(fault) => told(&fault),
        }
    }
    if used.is_empty() {
        used.extend(known.iter().map(|region| (region.clone(), None)));
    }
    Found {
        account: account.id.clone(),
        role: account.role_arn.clone(),
        regions: used,
        faults,
    }
}

/// The configuration that says what was found.
///
/// # Errors
/// Where an option of the operator makes a fault of it.
pub fn text(found: &[Found], wishes: &Wishes, schema: Option<&Path>) -> Result<String, InitError> {
    let text = draft(found, wishes, schema);
    let read = config::parse(&text, "the new configuration", &Overrides::default());
    read.map_err(InitError::Faults)?;
    Ok(text)
}

fn draft(found: &[Found], wishes: &Wishes, schema: Option<&Path>) -> String {
    let mut text = String::new();
    if let Some(schema) = schema {
        line(&mut text, format_args!("#:schema {}\n", schema.display()));
    }
    text.push_str(HEAD);
    for account in found {
        of_found(&mut text, account);
    }
    match &wishes.topic {
        Some(topic) => {
            line(
                &mut text,
                format_args!("[receiver.on-call]\nkind = \"sns\""),
            );
            line(&mut text, format_args!("topic_arn = {}\n", quoted(topic)));
            text.push_str(ROUTE);
        }
        None => text.push_str(NOBODY),
    }
    text.push_str(TAIL);
    text
}

fn of_found(text: &mut String, found: &Found) {
    for (region, targets) in &found.regions {
        let what = match targets {
            Some(1) => "1 target had traffic in the last three hours".to_owned(),
            Some(number) => format!("{number} targets had traffic in the last three hours"),
            None => {
                "no traffic of Bedrock was seen; is this the Region that callers use?".to_owned()
            }
        };
        line(text, format_args!("# {region}: {what}"));
    }
    for fault in &found.faults {
        let fault = fault.replace(char::is_control, " ");
        line(text, format_args!("# not asked: {fault}"));
    }
    let regions = found
        .regions
        .iter()
        .map(|(region, _)| quoted(region.as_str()));
    let regions: Vec<String> = regions.collect();
    line(
        text,
        format_args!("[[account]]\nid = {}", quoted(found.account.as_str())),
    );
    line(text, format_args!("regions = [{}]", regions.join(", ")));
    if let Some(role) = &found.role {
        line(text, format_args!("role_arn = {}", quoted(role)));
    }
    text.push('\n');
}

fn line(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    let written = writeln!(text, "{arguments}");
    debug_assert!(written.is_ok(), "writing to a text cannot fail");
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// Writes the file, and never over another one.
///
/// # Errors
/// When one is there, or the system refuses.
pub fn write(path: &Path, text: &str) -> Result<(), InitError> {
    let failed = |source: io::Error| {
        let path = path.to_owned();
        if source.kind() == io::ErrorKind::AlreadyExists {
            return InitError::Exists(path);
        }
        InitError::Write { path, source }
    };
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)
}

const HEAD: &str = r#"# Bedrock Ops Alert, written by `bedrock-ops-alert init`. docs/config.md explains every key.
# Check it with `bedrock-ops-alert check --config FILE`, and what it needs with `bedrock-ops-alert doctor --config FILE`.

# observe: watch and tell, file nothing. Later: "propose" files what a person approves, "file" files within [budget].
mode = "observe"

"#;

const ROUTE: &str = r#"[[route]]
receiver = "on-call"
severity = "warning" # this and everything louder; info, warning, critical

"#;

const NOBODY: &str = r#"# Nobody is told anything yet; what happens stands on the page and in `bedrock-ops-alert status`.
# [receiver.on-call]
# kind = "sns"
# topic_arn = "arn:aws:sns:us-east-1:111122223333:on-call"
#
# [[route]]
# receiver = "on-call"
# severity = "warning"

"#;

const TAIL: &str = r#"# What AWS Support reads about you, word for word, once something is filed:
# [organisation]
# use_case = "Answers questions of our customers' employees about their own documents."
# contact = "platform-team@example.com"

[cost]
monthly_budget = "50 USD" # what watching may cost; reads slow down before it is passed
"#;

#[cfg(test)]
mod tests;
