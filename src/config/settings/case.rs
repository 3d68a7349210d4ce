//! `[case]` and `[[case.when]]`: how cases of our own are addressed, as a rule and for some causes.

use super::{
    CASE_CATEGORY, CASE_ISSUE_TYPE, CASE_ISSUE_TYPES, CASE_SERVICE, CASE_SEVERITIES, CASE_SEVERITY,
    MOST_CC, Reader,
};
use crate::{
    config::{
        fault::Wrong,
        rules::{categories, severities},
        sheet::{Entry, Section, Sheet, one_of},
        values,
    },
    model::policy::{CaseAddresses, CaseCodes, CaseException},
};

/// What may be said of a case.
const CODES: [&str; 5] = ["service", "category", "severity", "issue_type", "cc"];

impl Reader<'_> {
    pub(super) fn case_codes(&mut self, root: &mut Section<'_>) -> CaseAddresses {
        let mut addresses = CaseAddresses {
            usual: CaseCodes {
                service: CASE_SERVICE.to_owned(),
                category: CASE_CATEGORY.to_owned(),
                severity: CASE_SEVERITY.to_owned(),
                issue_type: CASE_ISSUE_TYPE.to_owned(),
                cc: Vec::new(),
            },
            exceptions: Vec::new(),
            closes_granted: false,
        };
        if let Some(mut table) = self.table(root, "case") {
            self.codes(&mut addresses.usual, &mut table);
            let flag = Sheet::flag;
            self.set(
                &mut addresses.closes_granted,
                &mut table,
                "close_granted",
                flag,
            );
            let sections = table.take("when").map(|it| self.sheet.tables(&it));
            for section in sections.into_iter().flatten() {
                let exception = self.exception(&addresses.usual, section);
                addresses.exceptions.push(exception);
            }
            table.finish(&mut self.sheet);
        }
        addresses
    }

    fn codes(&mut self, codes: &mut CaseCodes, table: &mut Section<'_>) {
        let text = |sheet: &mut Sheet, it: &Entry<'_>| sheet.parsed(it, values::words);
        self.set(&mut codes.service, table, "service", text);
        self.set(&mut codes.category, table, "category", text);
        self.set(&mut codes.severity, table, "severity", |sheet, it| {
            let known = CASE_SEVERITIES.map(|it| (it, it));
            sheet.choice(it, &known).map(str::to_owned)
        });
        self.set(&mut codes.issue_type, table, "issue_type", |sheet, it| {
            let known = CASE_ISSUE_TYPES.map(|it| (it, it));
            sheet.choice(it, &known).map(str::to_owned)
        });
        self.set(&mut codes.cc, table, "cc", cc);
    }

    /// One `[[case.when]]`; what it leaves out is `usual`.
    fn exception(&mut self, usual: &CaseCodes, mut section: Section<'_>) -> CaseException {
        let span = section.span.clone();
        let (known, loud) = (categories(), severities());
        let of = section.take("categories");
        let of = of.map(|it| self.sheet.list(&it, |text| one_of(text, &known)));
        let as_severe = section.take("severities");
        let as_severe = as_severe.map(|it| self.sheet.list(&it, |text| one_of(text, &loud)));
        if of.is_none() && as_severe.is_none() {
            let wrong = Wrong::new(
                "it does not say which cases it is for",
                "for all of them, which is what [case] says",
                "add `categories = [\"server-error\"]` or `severities = [\"critical\"]`",
            );
            self.sheet.fault(span.clone(), "case.when", wrong);
        }
        if !CODES.iter().any(|it| section.has(it)) {
            let wrong = Wrong::new(
                "it does not say what is otherwise",
                "the same as in [case]",
                "add `severity = \"urgent\"`, `cc = [\"oncall@example.com\"]` or another key of [case]",
            );
            self.sheet.fault(span, "case.when", wrong);
        }
        let mut codes = usual.clone();
        self.codes(&mut codes, &mut section);
        section.finish(&mut self.sheet);
        CaseException {
            categories: of.unwrap_or_default(),
            severities: as_severe.unwrap_or_default(),
            codes,
        }
    }
}

fn cc(sheet: &mut Sheet, entry: &Entry<'_>) -> Option<Vec<String>> {
    let addresses = sheet.list(entry, address);
    if MOST_CC < addresses.len() {
        let wrong = Wrong::new(
            format!("AWS Support takes {MOST_CC} addresses at most"),
            format!("{} addresses", addresses.len()),
            "name a mailing list",
        );
        sheet.wrong(entry, wrong);
        return None;
    }
    Some(addresses)
}

fn address(text: &str) -> Result<String, Wrong> {
    let is_plain = !text.contains(|it: char| it.is_whitespace() || it.is_control() || it == ',');
    let is_whole = text
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'));
    if is_plain && is_whole {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(
        "must be an e-mail address",
        "no address",
        "such as \"oncall@example.com\"",
    ))
}
