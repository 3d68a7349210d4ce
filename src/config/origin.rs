//! Where each value came from, and the effective configuration as people read it.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use crate::model::{
    access::Access,
    ids::{AccountId, PrincipalArn},
    policy::{Account, CaseException, Policy, Receiver, Regions, Route, Settings},
    price::{PriceSource, exact},
    receiver::Buttons,
    rule::{Matcher, Override, Pattern, Rules},
    tags::Wanted,
};

/// Where a value came from, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Origin {
    /// The command line.
    Flag,
    /// A variable `BOA_*`.
    Environment,
    /// The configuration file.
    File,
    /// Built in.
    Default,
}

impl Origin {
    /// The name in `check --show`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Environment => "environment",
            Self::File => "file",
            Self::Default => "default",
        }
    }
}

/// Origins by key path; a key that is not in it has its default.
pub(super) type Origins = BTreeMap<String, Origin>;

/// One value a line, in the shape of the file, each with its origin.
pub(super) fn show(settings: &Settings, origins: &Origins, rules_folder: Option<&Path>) -> String {
    page(settings, origins, rules_folder).text()
}

/// The same values by their key.
pub(super) fn values(
    settings: &Settings,
    origins: &Origins,
    rules_folder: Option<&Path>,
) -> BTreeMap<String, String> {
    let lines = page(settings, origins, rules_folder).lines.into_iter();
    let split = lines.map(|(line, _)| match line.split_once(" = ") {
        Some((key, value)) => (key.to_owned(), value.to_owned()),
        None => (line, String::new()),
    });
    split.collect()
}

fn page<'a>(settings: &Settings, origins: &'a Origins, rules_folder: Option<&Path>) -> Page<'a> {
    let mut page = Page {
        origins,
        lines: Vec::new(),
    };
    let policy = &settings.policy;
    page.value("mode", &quoted(policy.mode.name()));
    page.value(
        "store.path",
        &quoted(&settings.store_path.display().to_string()),
    );
    page.size("store.reserve", settings.room.reserve);
    page.size("store.warn_below", settings.room.warn_below);
    page.listen(settings);
    if settings.accounts.is_empty() {
        page.note(
            "no [[account]]: the account of our credentials in the Region of the environment",
        );
    }
    for (index, account) in settings.accounts.iter().enumerate() {
        page.account(index, account);
        if let Some(callers) = settings.policy.callers.get(&account.id) {
            page.callers(index, callers);
        }
        if let Some(group) = settings.policy.invocation_logs.get(&account.id) {
            let path = format!("account[{index}].invocation_logs");
            page.file_value(&path, &quoted(group));
        }
    }
    receivers_and_routes(&mut page, policy);
    let budgets = &policy.budgets;
    page.value(
        "budget.requests_per_day",
        &budgets.requests_per_day.to_string(),
    );
    page.value("budget.cases_per_hour", &budgets.cases_per_hour.to_string());
    page.value("budget.cases_per_day", &budgets.cases_per_day.to_string());
    page.value("budget.highest_factor", &budgets.highest_factor.to_string());
    page.optional(
        "budget.highest_value",
        budgets.highest_value.map(|value| value.get().to_string()),
    );
    page.value("budget.approval", &duration(policy.approval_minutes));
    page.value("budget.cooldown", &duration(policy.cooldown_minutes));
    reminders_and_inhibits(&mut page, policy);
    prices(&mut page, policy);
    page.optional(
        "organisation.use_case",
        policy.organisation.use_case.as_deref().map(quoted),
    );
    page.optional(
        "organisation.contact",
        policy.organisation.contact.as_deref().map(quoted),
    );
    case_and_cadence(&mut page, settings);
    if let Some(url) = &settings.heartbeat.url {
        page.file_value("heartbeat.url", &url.shown());
    }
    page.value(
        "heartbeat.metrics",
        &settings.heartbeat.has_metrics.to_string(),
    );
    for (name, what) in super::events::shown(&settings.calendar) {
        page.file_value(&format!("event {}", quoted(name)), &what);
    }
    page.rules(&settings.rules, rules_folder);
    page
}

fn receivers_and_routes(page: &mut Page<'_>, policy: &Policy) {
    for (name, receiver) in &policy.receivers {
        page.receiver(name.as_str(), receiver);
        if let Some(template) = policy.templates.get(name) {
            let path = format!("receiver.{name}.template_file");
            page.file_value(&path, &quoted(&template.name));
        }
        if let Some(fallback) = policy.fallbacks.get(name) {
            let path = format!("receiver.{name}");
            let to = quoted(fallback.receiver.as_str());
            page.file_value(&format!("{path}.fallback"), &to);
            let wait = duration(fallback.after_minutes);
            page.value(&format!("{path}.fallback_after"), &wait);
        }
    }
    if policy.receivers.is_empty() {
        page.note("no [receiver.NAME]: nobody is told anything");
    }
    for (index, route) in policy.routes.iter().enumerate() {
        let path = format!("route[{index}]");
        page.file_value(
            &format!("{path}.receiver"),
            &quoted(route.receiver.as_str()),
        );
        page.value(&format!("{path}.severity"), &quoted(route.least.name()));
        page.matchers(&path, route);
    }
}

fn reminders_and_inhibits(page: &mut Page<'_>, policy: &Policy) {
    let reminders = policy.reminders;
    page.value("reminder.first", &duration(reminders.first_minutes));
    page.value("reminder.longest", &duration(reminders.longest_minutes));
    page.value("blind.after", &duration(policy.blind_minutes));
    for it in &policy.inhibits {
        let equal: Vec<&str> = it.equal.iter().map(|part| part.name()).collect();
        let what = format!(
            "{} not told beside {}, equal {}",
            it.target,
            it.source,
            equal.join(", ")
        );
        page.note(&format!("inhibit {}: {what}", quoted(&it.name)));
    }
    for it in &policy.residency {
        let tags = (!it.tags.is_open()).then(|| format!("tags {}", inline(&it.tags)));
        let pools = Some(matcher(&it.matcher)).filter(|it| !it.is_empty());
        let whose: Vec<String> = tags.into_iter().chain(pools).collect();
        let whose = if whose.is_empty() {
            "all data".to_owned()
        } else {
            whose.join(", ")
        };
        let regions: Vec<&str> = it.allowed.iter().map(Pattern::as_str).collect();
        let regions = if it.is_anywhere {
            "anywhere".to_owned()
        } else {
            regions.join(", ")
        };
        let severity = it.severity.name();
        page.note(&format!(
            "{} ({severity}): {whose} stays in {regions}",
            it.name
        ));
    }
}

/// The operator's prices; what is published is data of ours.
fn prices(page: &mut Page<'_>, policy: &Policy) {
    let rows = policy.prices.rows.iter();
    let own = rows.filter(|it| it.source == PriceSource::Configured);
    for it in own {
        let cached = [
            ("cache reads", it.usd.cache_read),
            ("cache writes", it.usd.cache_write),
        ];
        let kinds = [
            ("input", Some(it.usd.input)),
            ("output", Some(it.usd.output)),
        ];
        let kinds = kinds.into_iter().chain(cached);
        let each = kinds.filter_map(|(name, usd)| Some(format!("{name} {} USD", exact(usd?))));
        let each: Vec<String> = each.collect();
        page.note(&format!(
            "a million tokens of {}: {}",
            matcher(&it.matcher),
            each.join(", ")
        ));
    }
}

/// Which cases, and how they are addressed.
fn exception(it: &CaseException) -> String {
    let listed = |names: Vec<&str>, none: &str| match names[..] {
        [] => none.to_owned(),
        _ => names.join(", "),
    };
    let categories = it.categories.iter().map(|it| it.name()).collect();
    let severities = it.severities.iter().map(|it| it.name()).collect();
    let codes = &it.codes;
    format!(
        "{}, {}: {}, {}, {}, {}, in copy: {}",
        listed(categories, "all categories"),
        listed(severities, "all severities"),
        codes.service,
        codes.category,
        codes.severity,
        codes.issue_type,
        listed(codes.cc.iter().map(String::as_str).collect(), "nobody"),
    )
}

fn case_and_cadence(page: &mut Page<'_>, settings: &Settings) {
    let addresses = &settings.policy.case_codes;
    let codes = &addresses.usual;
    page.value("case.service", &quoted(&codes.service));
    page.value("case.category", &quoted(&codes.category));
    page.value("case.severity", &quoted(&codes.severity));
    page.value("case.issue_type", &quoted(&codes.issue_type));
    if !codes.cc.is_empty() {
        page.value("case.cc", &format!("{:?}", codes.cc));
    }
    page.value("case.close_granted", &addresses.closes_granted.to_string());
    for (index, it) in addresses.exceptions.iter().enumerate() {
        let text = quoted(&exception(it));
        page.file_value(&format!("case.when[{index}]"), &text);
    }
    page.value("cadence.quiet", &duration(settings.cadence.quiet_minutes));
    page.value("cadence.idle", &duration(settings.cadence.idle_minutes));
    page.value("cadence.detail", &duration(settings.cadence.detail_minutes));
    page.value("cadence.hot", &duration(settings.cadence.hot_minutes));
    page.value(
        "cadence.discovery",
        &duration(settings.cadence.discovery_minutes),
    );
    page.value("cadence.desk", &duration(settings.cadence.desk_minutes));
    let budget = format!("{} USD", settings.cost.monthly_budget);
    page.value("cost.monthly_budget", &quoted(&budget));
    page.value(
        "cost.free_share",
        &quoted(&settings.cost.free_share.to_string()),
    );
}

struct Page<'a> {
    origins: &'a Origins,
    lines: Vec<(String, String)>,
}

impl Page<'_> {
    fn listen(&mut self, settings: &Settings) {
        self.value("listen.address", &quoted(&settings.listen.to_string()));
        let Access {
            view,
            act,
            hosts,
            alb,
        } = &settings.access;
        for (key, token) in [("token", view), ("act_token", act)] {
            if let Some(token) = token {
                self.value(&format!("listen.{key}"), &token.shown());
            }
        }
        if !hosts.is_empty() {
            self.value("listen.hosts", &format!("{hosts:?}"));
        }
        if let Some(page) = &settings.policy.places.page {
            self.value("listen.url", &quoted(page));
        }
        let Some(alb) = alb else { return };
        self.value("listen.alb.signer", &quoted(&alb.signer));
        self.value("listen.alb.issuer", &quoted(&alb.issuer));
        if let Some(client) = &alb.client {
            self.value("listen.alb.client", &quoted(client));
        }
        self.value("listen.alb.keys", &quoted(&alb.keys));
        let who = alb.act.iter();
        let who: Vec<String> = who
            .map(|it| format!("{}={}", it.name, it.is.as_str()))
            .collect();
        self.value("listen.alb.act", &format!("{who:?}"));
    }

    fn origin(&self, path: &str) -> Origin {
        self.origins.get(path).copied().unwrap_or(Origin::Default)
    }

    fn value(&mut self, path: &str, value: &str) {
        let origin = self.origin(path).name();
        self.lines
            .push((format!("{path} = {value}"), origin.to_owned()));
    }

    /// A value that has no default, so that it can only be from the file.
    fn file_value(&mut self, path: &str, value: &str) {
        let origin = Origin::File.name().to_owned();
        self.lines.push((format!("{path} = {value}"), origin));
    }

    /// A value that may be unset.
    fn size(&mut self, path: &str, bytes: u64) {
        self.value(path, &size(bytes));
    }

    fn optional(&mut self, path: &str, value: Option<String>) {
        self.value(path, value.as_deref().unwrap_or("(not set)"));
    }

    fn note(&mut self, text: &str) {
        self.lines.push((format!("# {text}"), String::new()));
    }

    fn account(&mut self, index: usize, account: &Account) {
        let path = format!("account[{index}]");
        self.file_value(&format!("{path}.id"), &quoted(account.id.as_str()));
        if let Some(name) = &account.name {
            self.file_value(&format!("{path}.name"), &quoted(name));
        }
        let regions = match &account.regions {
            Regions::These(these) => {
                let these: Vec<String> = these.iter().map(|it| quoted(it.as_str())).collect();
                format!("[{}]", these.join(", "))
            }
            Regions::Enabled { home } => {
                self.file_value(&format!("{path}.home_region"), &quoted(home.as_str()));
                quoted("enabled")
            }
        };
        self.file_value(&format!("{path}.regions"), &regions);
        if let Some(arn) = &account.role_arn {
            self.file_value(&format!("{path}.role_arn"), &quoted(arn));
        }
        if account.external_id.is_some() {
            self.file_value(&format!("{path}.external_id"), "(hidden)");
        }
        if let Some(through) = &account.metrics_through {
            self.file_value(
                &format!("{path}.metrics_through"),
                &quoted(through.as_str()),
            );
        }
    }

    fn callers(&mut self, index: usize, callers: &[PrincipalArn]) {
        let these: Vec<String> = callers.iter().map(|it| quoted(it.as_str())).collect();
        let path = format!("account[{index}].callers");
        self.file_value(&path, &format!("[{}]", these.join(", ")));
    }

    fn receiver(&mut self, name: &str, receiver: &Receiver) {
        let path = format!("receiver.{name}");
        let mut put = |key: &str, value: &str| self.file_value(&format!("{path}.{key}"), value);
        put("kind", &quoted(receiver.kind()));
        match receiver {
            Receiver::Sns { topic_arn, format } => {
                put("topic_arn", &quoted(topic_arn));
                self.value(&format!("{path}.format"), &quoted(format.name()));
            }
            Receiver::Slack { url } => put("url", &url.shown()),
            Receiver::SlackBot {
                token,
                channel,
                api,
                buttons,
            } => {
                put("token", &token.shown());
                put("channel", &quoted(channel));
                put("api", &quoted(api));
                if let Some(Buttons {
                    app_token,
                    approvers,
                }) = buttons
                {
                    put("app_token", &app_token.shown());
                    let approvers: Vec<String> = approvers.iter().map(|it| quoted(it)).collect();
                    put("approvers", &format!("[{}]", approvers.join(", ")));
                }
            }
            Receiver::PagerDuty { routing_key, url } => {
                put("routing_key", &routing_key.shown());
                put("url", &quoted(url));
            }
            Receiver::Webhook { url, secret, .. } => {
                put("url", &url.shown());
                match secret {
                    Some(secret) => put("secret", &secret.shown()),
                    None => put("secret", "(not set: bodies are not signed)"),
                }
            }
            Receiver::Alertmanager { url, token } => {
                put("url", &quoted(url));
                if let Some(token) = token {
                    put("token", &token.shown());
                }
            }
        }
    }

    fn matchers(&mut self, path: &str, route: &Route) {
        let list = |these: Vec<&str>| {
            let these: Vec<String> = these.into_iter().map(quoted).collect();
            format!("[{}]", these.join(", "))
        };
        let Matcher {
            accounts,
            regions,
            families,
            models,
        } = &route.matcher;
        let keys = [
            (
                "categories",
                route.categories.iter().map(|it| it.name()).collect(),
            ),
            ("accounts", accounts.iter().map(AccountId::as_str).collect()),
            ("regions", regions.iter().map(Pattern::as_str).collect()),
            ("families", families.iter().map(|it| it.name()).collect()),
            (
                "models",
                models.iter().map(Pattern::as_str).collect::<Vec<_>>(),
            ),
        ];
        for (key, these) in keys.into_iter().filter(|(_, these)| !these.is_empty()) {
            self.file_value(&format!("{path}.{key}"), &list(these));
        }
        if !route.tags.is_open() {
            self.file_value(&format!("{path}.tags"), &inline(&route.tags));
        }
    }

    fn rules(&mut self, rules: &Rules, folder: Option<&Path>) {
        let shown = folder.map_or("(the built-in rules)".to_owned(), |folder| {
            quoted(&folder.display().to_string())
        });
        self.value("rules.folder", &shown);
        for rule in rules.everywhere() {
            let path = format!("rule.{}", rule.name);
            let origin = match (self.origin(&path), folder) {
                (Origin::File, _) => "changed in the file",
                (_, None) => "built in",
                (_, Some(_)) => "rule folder",
            };
            let line = format!("{path} = {}, hash {}", rule.severity.name(), rule.hash);
            self.lines.push((line, origin.to_owned()));
        }
        // Sorted alike: what is known and not on everywhere was switched off by the file.
        let mut on = rules.everywhere().iter().peekable();
        for rule in rules.known() {
            if on.next_if(|it| it.name == rule.name).is_none() {
                self.file_value(&format!("rule.{}", rule.name), "not enabled");
            }
        }
        for it in rules.overrides() {
            self.by_pool(it);
        }
    }

    /// An override: for which pools, and each value that it gives there.
    fn by_pool(&mut self, it: &Override) {
        let path = format!("override.{}", it.name);
        let tags = (!it.tags.is_open()).then(|| format!("tags {}", inline(&it.tags)));
        let pools = Some(matcher(&it.matcher)).filter(|it| !it.is_empty());
        let whose: Vec<String> = tags.into_iter().chain(pools).collect();
        self.lines.push((
            format!("{path} = for {}", whose.join(", ")),
            it.place.clone(),
        ));
        for (rule, changes) in &it.changes {
            for (key, value) in changes {
                let line = format!("{path}.rule.{rule}.{key} = {value}");
                self.lines.push((line, format!("override {}", it.name)));
            }
        }
    }

    fn text(self) -> String {
        let width = self
            .lines
            .iter()
            .map(|(line, _)| line.chars().count())
            .max()
            .unwrap_or(0)
            .min(72);
        let mut text = String::new();
        for (line, origin) in self.lines {
            let written = if origin.is_empty() {
                writeln!(text, "{line}")
            } else {
                writeln!(text, "{line:width$}  # {origin}")
            };
            debug_assert!(written.is_ok(), "writing to a text cannot fail");
        }
        text
    }
}

/// `models "anthropic.*", regions "eu-west-1" or "eu-north-1"`.
fn matcher(matcher: &Matcher) -> String {
    let list = |name: &str, these: Vec<&str>| {
        let these: Vec<String> = these.into_iter().map(quoted).collect();
        (!these.is_empty()).then(|| format!("{name} {}", these.join(" or ")))
    };
    let accounts = matcher.accounts.iter().map(AccountId::as_str).collect();
    let families = matcher.families.iter().map(|it| it.name()).collect();
    let regions = matcher.regions.iter().map(Pattern::as_str).collect();
    let models = matcher.models.iter().map(Pattern::as_str).collect();
    let texts = [
        list("models", models),
        list("families", families),
        list("regions", regions),
        list("accounts", accounts),
    ];
    let texts: Vec<String> = texts.into_iter().flatten().collect();
    texts.join(", ")
}

/// `{ team = "search" }`.
fn inline(tags: &Wanted) -> String {
    let each = tags.0.iter();
    let each = each.map(|(key, value)| format!("{} = {}", key_of(key), quoted(value.as_str())));
    format!("{{ {} }}", each.collect::<Vec<_>>().join(", "))
}

/// As TOML would write a key.
fn key_of(key: &str) -> String {
    let is_bare = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if key.bytes().all(is_bare) {
        key.to_owned()
    } else {
        quoted(key)
    }
}

/// As TOML would quote it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// As TOML would quote it, in the largest unit that divides it.
fn size(bytes: u64) -> String {
    if bytes == 0 {
        return quoted("0 MB");
    }
    let units = [
        (1_000_000_000, "GB"),
        (1_000_000, "MB"),
        (1_073_741_824, "GiB"),
        (1_048_576, "MiB"),
        (1_000, "KB"),
    ];
    let found = units
        .into_iter()
        .find(|(unit, _)| bytes.is_multiple_of(*unit));
    found.map_or_else(
        || quoted(&format!("{}.{:03} KB", bytes / 1_000, bytes % 1_000)),
        |(unit, name)| quoted(&format!("{} {name}", bytes / unit)),
    )
}

/// As TOML would quote it, in the largest unit that divides it.
fn duration(minutes: i64) -> String {
    quoted(&lasting(minutes))
}

/// In the largest unit that divides it.
pub(super) fn lasting(minutes: i64) -> String {
    let (number, unit) = match minutes {
        days if days % 1_440 == 0 => (days / 1_440, "d"),
        hours if hours % 60 == 0 => (hours / 60, "h"),
        rest => (rest, "m"),
    };
    format!("{number}{unit}")
}
