//! Which accounts and Regions to watch, and with whose rights.

use std::collections::BTreeMap;

use super::{
    fault::Wrong,
    sheet::{Entry, Section, Sheet},
    values,
};
use crate::model::{
    ids::{AccountId, PrincipalArn, Region},
    permit::Callers,
    policy::{Account, Regions},
};

/// All `[[account]]` tables, in the order of the file, who calls models in them, and where invocations are logged.
pub(super) fn read_all(
    sheet: &mut Sheet,
    root: &mut Section<'_>,
) -> (Vec<Account>, Callers, BTreeMap<AccountId, String>) {
    let mut accounts: Vec<Account> = Vec::new();
    let mut callers = Callers::new();
    let mut logs = BTreeMap::new();
    let mut links = Vec::new();
    let Some(entry) = root.take("account") else {
        return (accounts, callers, logs);
    };
    for section in sheet.tables(&entry) {
        let Some(Read {
            account,
            id,
            link,
            callers: named,
            logs: group,
        }) = read(sheet, section)
        else {
            continue;
        };
        if let Some(named) = named {
            let named = read_callers(sheet, &named, &account);
            callers.insert(account.id.clone(), named);
        }
        if let Some(group) = group.and_then(|it| read_logs(sheet, &it, &account)) {
            logs.insert(account.id.clone(), group);
        }
        links.extend(link.map(|entry| (account.clone(), entry)));
        if accounts.iter().any(|it| it.id == account.id) {
            let wrong = Wrong::new(
                format!("account {} is listed twice", account.id),
                "the second time",
                "put all its Regions into one [[account]]",
            );
            sheet.wrong(&id, wrong);
        }
        accounts.push(account);
    }
    for (account, entry) in links {
        if let Some(wrong) = unlinkable(&account, &accounts) {
            sheet.wrong(&entry, wrong);
        }
    }
    (accounts, callers, logs)
}

/// The log group of model invocations: asked in this account, so a way must lead into it.
fn read_logs(sheet: &mut Sheet, written: &Entry<'_>, account: &Account) -> Option<String> {
    let group = sheet.parsed(written, values::log_group)?;
    if account.metrics_only().is_some() {
        let wrong = Wrong::new(
            "logs of the account have to be asked, and no role leads into it",
            "metrics only",
            "give the account a `role_arn`, or leave `invocation_logs` out",
        );
        sheet.wrong(written, wrong);
        return None;
    }
    Some(group)
}

/// Who calls models: asked about in this account, so they are of it.
fn read_callers(sheet: &mut Sheet, written: &Entry<'_>, account: &Account) -> Vec<PrincipalArn> {
    let mut callers: Vec<PrincipalArn> = Vec::new();
    for arn in sheet.list(written, values::principal_arn) {
        let caller = PrincipalArn::new(arn.text);
        let wrong = if arn.account != account.id {
            Some(Wrong::new(
                format!(
                    "the caller is of account {}, the table of account {}",
                    arn.account, account.id
                ),
                "another account",
                "IAM answers for callers of its own account: name the role that they assume here",
            ))
        } else if callers.contains(&caller) {
            Some(Wrong::new(
                format!("names {caller} twice"),
                "each caller once",
                "leave one of them out",
            ))
        } else {
            None
        };
        match wrong {
            Some(wrong) => sheet.wrong(written, wrong),
            None => callers.push(caller),
        }
    }
    let wrong = if MOST_CALLERS < callers.len() {
        Some(Wrong::new(
            format!(
                "names {} callers, at most {MOST_CALLERS} are asked about",
                callers.len()
            ),
            "too many",
            "name those that would have to move: each is asked about for each way out",
        ))
    } else if account.metrics_only().is_some() {
        Some(Wrong::new(
            "IAM of the account has to be asked, and no role leads into it",
            "metrics only",
            "give the account a `role_arn`, or leave `callers` out",
        ))
    } else {
        None
    };
    if let Some(wrong) = wrong {
        sheet.wrong(written, wrong);
    }
    callers
}

/// Accounts of which nothing but metrics can be asked, with the one through which they are read.
pub(super) fn metrics_only(accounts: &[Account]) -> BTreeMap<AccountId, AccountId> {
    let linked = accounts.iter();
    let linked = linked.filter_map(|it| Some((it.id.clone(), it.metrics_only()?.clone())));
    linked.collect()
}

/// Why this account's metrics can't be read through the one that it names.
fn unlinkable(account: &Account, all: &[Account]) -> Option<Wrong> {
    let through = account.metrics_through.as_ref()?;
    let Some(monitoring) = all.iter().find(|it| it.id == *through) else {
        return Some(Wrong::new(
            format!("no [[account]] has the id {through}"),
            "not listed",
            "list the monitoring account with its Regions, so that it is known with whose rights it is asked",
        ));
    };
    if *through == account.id {
        return Some(Wrong::new(
            "names the account itself",
            "itself",
            "leave it out: an account reads its own metrics",
        ));
    }
    if monitoring.metrics_through.is_some() {
        return Some(Wrong::new(
            format!("account {through} is read through another one itself"),
            "not a monitoring account",
            "name the account that holds the sink: a link leads one step and no further",
        ));
    }
    let (own, other) = (account.partition(), monitoring.partition());
    if own != other {
        return Some(Wrong::new(
            format!("account {through} is in the partition {other}, this one in {own}"),
            "another partition",
            "links end at the partition: name a monitoring account of the same one, or give this account a `role_arn`",
        ));
    }
    (account.regions.is_asked() && account.role_arn.is_none()).then(|| {
        Wrong::new(
            "with regions = \"enabled\" the account itself has to be asked, and no role leads into it",
            "metrics only",
            "list its Regions, or give it a `role_arn`",
        )
    })
}

/// An account, and where it says what others must bear out.
struct Read<'t> {
    account: Account,
    id: Entry<'t>,
    link: Option<Entry<'t>>,
    callers: Option<Entry<'t>>,
    logs: Option<Entry<'t>>,
}

fn read<'t>(sheet: &mut Sheet, mut section: Section<'t>) -> Option<Read<'t>> {
    let entry = section.take("id");
    let id = entry
        .as_ref()
        .and_then(|it| sheet.parsed(it, values::account));
    let id = sheet.require(&section, "id", "\"111122223333\"", id);
    let name = section
        .take("name")
        .and_then(|it| sheet.parsed(&it, values::words));
    let written = section.take("regions");
    let home = section.take("home_region");
    let role_entry = section.take("role_arn");
    let role = role_entry
        .as_ref()
        .and_then(|it| sheet.parsed(it, values::role_arn));
    let external_id = section
        .take("external_id")
        .and_then(|it| sheet.parsed(&it, values::words));
    let link = section.take("metrics_through");
    let metrics_through = link
        .as_ref()
        .and_then(|it| sheet.parsed(it, values::account));
    if let (Some(role), Some(id), Some(entry)) = (&role, &id, &role_entry)
        && role.account != *id
    {
        let wrong = Wrong::new(
            format!(
                "the role is of account {}, the table of account {id}",
                role.account
            ),
            "another account",
            "name a role of the account that is watched",
        );
        sheet.wrong(entry, wrong);
    }
    let partition = role.as_ref().and_then(|role| role.text.split(':').nth(1));
    let regions = written
        .as_ref()
        .and_then(|it| regions(sheet, it, home.as_ref(), partition));
    let regions = sheet.require(&section, "regions", "[\"us-east-1\"]", regions);
    let callers = section.take("callers");
    let logs = section.take("invocation_logs");
    section.finish(sheet);
    let account = Account {
        id: id?,
        name,
        regions: regions?,
        role_arn: role.map(|role| role.text),
        external_id,
        metrics_through,
    };
    Some(Read {
        account,
        id: entry?,
        link,
        callers,
        logs,
    })
}

/// Callers of an account: a line of a message holds no more, and each is a call or more for each way and Region.
const MOST_CALLERS: usize = 5;

/// What stands for all Regions that the account has enabled.
const ENABLED: &str = "enabled";

/// A list of Regions, or the word for all.
fn regions(
    sheet: &mut Sheet,
    written: &Entry<'_>,
    home: Option<&Entry<'_>>,
    partition: Option<&str>,
) -> Option<Regions> {
    if written.is_text() {
        let is_word = sheet.parsed(written, word).is_some();
        let home = match home {
            Some(home) => sheet.parsed(home, values::region)?,
            None => Region::new(first_region(partition)),
        };
        return is_word.then_some(Regions::Enabled { home });
    }
    if let Some(home) = home {
        let wrong = Wrong::new(
            "is for regions = \"enabled\" only",
            "the Regions are listed",
            "leave it out",
        );
        sheet.wrong(home, wrong);
    }
    let before = sheet.faults.len();
    let these = sheet.list(written, values::region);
    if these.is_empty() && sheet.faults.len() == before {
        let help =
            "write at least one, such as regions = [\"us-east-1\"], or regions = \"enabled\"";
        let wrong = Wrong::new("no Region is watched", "none that is valid", help);
        sheet.wrong(written, wrong);
    }
    let twice = these.iter().enumerate();
    let twice = twice.filter(|(index, it)| these.iter().take(*index).any(|earlier| earlier == *it));
    for (_, region) in twice {
        let wrong = Wrong::new(
            format!("names {region} twice"),
            "each Region once",
            "leave one of them out, or write the Region that was meant",
        );
        sheet.wrong(written, wrong);
    }
    Some(Regions::These(these))
}

fn word(text: &str) -> Result<(), Wrong> {
    if text == ENABLED {
        return Ok(());
    }
    Err(Wrong::new(
        "must be a list of Regions, or \"enabled\"",
        "neither",
        "write regions = [\"us-east-1\"], or regions = \"enabled\" for all that the account has",
    ))
}

/// A Region that every account of the partition has.
fn first_region(partition: Option<&str>) -> &'static str {
    match partition {
        Some("aws-us-gov") => "us-gov-west-1",
        Some("aws-cn") => "cn-north-1",
        Some(_) | None => "us-east-1",
    }
}
