//! `check`: a configuration and its rules, without asking anybody.

use std::{collections::BTreeSet, process::ExitCode};

use serde_json::json;

use super::{
    args::CheckArgs,
    configuration::{misconfigured, read_here},
    exit::{self, Exit},
    output::say,
    print,
};
use crate::{
    model::{
        ids::ReceiverName,
        policy::{Mode, Policy, Settings},
        rule::Severity,
    },
    web::inert,
};

pub(super) fn check(args: &CheckArgs) -> Result<ExitCode, Exit> {
    let loaded = match read_here(args.overrides.clone())? {
        Ok(loaded) => loaded,
        Err(error) => {
            if args.json {
                let document = json!({ "ok": false, "faults": error.lines() });
                print(|out| out.write_all(inert::json(&document)?.as_bytes()))?;
            }
            return Err(misconfigured(error));
        }
    };
    let settings = &loaded.settings;
    let warnings = warnings(settings);
    let rules = settings.rules.everywhere().len();
    let mode = settings.policy.mode.name();
    if args.json {
        let values = args.show.then(|| loaded.values());
        let document = json!({
            "ok": true,
            "rules": rules,
            "mode": mode,
            "warnings": warnings,
            "values": values,
        });
        print(|out| out.write_all(inert::json(&document)?.as_bytes()))?;
    } else if args.show {
        print(|out| out.write_all(loaded.show().as_bytes()))?;
    } else {
        print(|out| writeln!(out, "ok: {rules} rules, mode {mode}"))?;
    }
    for warning in &warnings {
        say(&format!("warning: {warning}"));
    }
    let is_denied = args.deny_warnings && !warnings.is_empty();
    Ok(if is_denied {
        ExitCode::from(exit::WARNED)
    } else {
        ExitCode::SUCCESS
    })
}

/// What is allowed and hardly meant.
fn warnings(settings: &Settings) -> Vec<String> {
    let policy = &settings.policy;
    let mut warnings = Vec::new();
    let is_loud = |least: Severity| least <= Severity::Warning;
    if policy.routes.is_empty() {
        warnings.push("nobody hears of anything: there is no [[route]] to a receiver".to_owned());
    } else if !policy.routes.iter().any(|it| is_loud(it.least)) {
        warnings.push(
            "nobody hears of warnings: each [[route]] has severity = \"critical\"".to_owned(),
        );
    }
    let deaf = deaf(policy);
    warnings.extend(deaf.iter().map(|name| {
        format!("[receiver.{name}] hears nothing: no [[route]], [[digest]] or fallback names it")
    }));
    if policy.mode != Mode::Observe {
        warnings.extend(policy.metrics_only.keys().map(|account| {
            format!("nothing is filed in account {account}, although mode = \"{}\": it is read through another one, and has no role_arn", policy.mode.name())
        }));
    }
    warnings
}

/// Receivers that nothing leads to.
fn deaf(policy: &Policy) -> BTreeSet<&ReceiverName> {
    let routes = policy.routes.iter().map(|it| &it.receiver);
    let digests = policy.digests.iter().map(|it| &it.receiver);
    let fallbacks = policy.fallbacks.values().map(|it| &it.receiver);
    let heard: BTreeSet<&ReceiverName> = routes.chain(digests).chain(fallbacks).collect();
    let all = policy.receivers.keys();
    all.filter(|it| !heard.contains(it)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    fn of(text: &str) -> Vec<String> {
        let overrides = config::Overrides::default();
        warnings(&config::parse(text, "warned.toml", &overrides).unwrap())
    }

    #[test]
    fn what_is_hardly_meant_is_told() {
        let receivers = "[receiver.a]\nkind = \"sns\"\ntopic_arn = \"arn:aws:sns:us-east-1:111122223333:a\"\n\
             [receiver.b]\nkind = \"sns\"\ntopic_arn = \"arn:aws:sns:us-east-1:111122223333:b\"\n";
        let with = |more: &str| of(&format!("{receivers}{more}"));
        assert_eq!(of("").len(), 1, "without a receiver nobody is told");
        let unheard = with("[[route]]\nreceiver = \"a\"\n");
        assert_eq!(
            unheard,
            ["[receiver.b] hears nothing: no [[route]], [[digest]] or fallback names it"]
        );
        let digest = "[[digest]]\nreceiver = \"b\"\n";
        assert_eq!(
            with(&format!("[[route]]\nreceiver = \"a\"\n{digest}")),
            Vec::<String>::new()
        );
        let quiet = with(&format!(
            "[[route]]\nreceiver = \"a\"\nseverity = \"critical\"\n{digest}"
        ));
        assert_eq!(
            quiet,
            ["nobody hears of warnings: each [[route]] has severity = \"critical\""]
        );
    }
}
