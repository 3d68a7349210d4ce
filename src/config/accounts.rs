//! Which accounts and Regions to watch, and with whose rights.

use super::{
    fault::Wrong,
    sheet::{Entry, Section, Sheet},
    values,
};
use crate::model::policy::Account;

/// All `[[account]]` tables, in the order of the file.
pub(super) fn read_all(sheet: &mut Sheet, root: &mut Section<'_>) -> Vec<Account> {
    let mut accounts: Vec<Account> = Vec::new();
    let Some(entry) = root.take("account") else {
        return accounts;
    };
    for section in sheet.tables(&entry) {
        let Some((account, id)) = read(sheet, section) else {
            continue;
        };
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
    accounts
}

fn read<'t>(sheet: &mut Sheet, mut section: Section<'t>) -> Option<(Account, Entry<'t>)> {
    let entry = section.take("id");
    let id = entry
        .as_ref()
        .and_then(|it| sheet.parsed(it, values::account));
    let id = sheet.require(&section, "id", "\"111122223333\"", id);
    let name = section
        .take("name")
        .and_then(|it| sheet.parsed(&it, values::words));
    let written = section.take("regions");
    let regions = written.as_ref().map(|it| sheet.list(it, values::region));
    if let (Some(entry), true) = (&written, regions.as_ref().is_some_and(Vec::is_empty)) {
        let help = "write at least one, such as regions = [\"us-east-1\"]";
        sheet.wrong(
            entry,
            Wrong::new("no Region is watched", "none that is valid", help),
        );
    }
    let regions = sheet.require(&section, "regions", "[\"us-east-1\"]", regions);
    let role_entry = section.take("role_arn");
    let role = role_entry
        .as_ref()
        .and_then(|it| sheet.parsed(it, values::role_arn));
    let external_id = section
        .take("external_id")
        .and_then(|it| sheet.parsed(&it, values::words));
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
    section.finish(sheet);
    let account = Account {
        id: id?,
        name,
        regions: regions?,
        role_arn: role.map(|role| role.text),
        external_id,
    };
    Some((account, entry?))
}
