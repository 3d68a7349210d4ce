//! The configuration file, in the order in which `docs/config.md` explains it.

use super::{
    Key, Shape, Table,
    form::{
        ACCOUNT, BEGINNING, BYTES, CALLER, CHANGE, EMAIL, END, Form, INSTANT, LOG_GROUP, MINUTES,
        MODEL, NAME, PATH, PLACE, REGION, ROLE, SECRET, SHARE, USD, WEEKLY, WORDS,
    },
    incidents::{inhibit, reminder},
    key,
    listen::listen,
    prices::price,
    receivers::{digest, pools, receiver, route, tags},
    rules,
};
use crate::{
    config::{
        rules::{categories, severities},
        settings as defaults,
    },
    model::{
        calendar::WindowKind,
        policy::Mode,
        room::Bytes,
        rule::{Rule, Severity},
    },
};

/// The whole file.
pub(super) fn table(shipped: &[Rule]) -> Table {
    let modes = [Mode::Observe, Mode::Propose, Mode::File].map(Mode::name);
    Table::of([
        key(
            "mode",
            "observe files nothing, propose files what a person approves, file files by itself within [budget].",
            Shape::choice(modes),
        )
        .default(Mode::Observe.name()),
        table_of("store", "Where decisions and measurements are kept.", [
            key("path", "Folder of the store.", &PATH).default(defaults::STORE_PATH),
            key("reserve", "Held beside the ledger, and given back when the disk is full, so that messages go on.", &BYTES)
                .default(Bytes(defaults::RESERVE).to_string()),
            key("warn_below", "People hear of it when less than this is free on the disk.", &BYTES)
                .default(Bytes(defaults::WARN_BELOW).to_string()),
        ]),
        key("listen", "Health, metrics and the page.", Shape::Table(listen())),
        key("account", "Accounts to watch; without any, that of the credentials.", Shape::Tables(account())),
        key("receiver", "Whom to tell.", Shape::Named(Vec::new(), receiver())),
        key("route", "Which receiver hears what.", Shape::Tables(route())),
        key("digest", "Who hears once a day or week how things stand.", Shape::Tables(digest())),
        key("budget", "Bounds of what is filed.", Shape::Table(budget())),
        key("reminder", "When people hear again of what goes on.", Shape::Table(reminder())),
        table_of("blind", "When people hear that an account and Region is not seen.", [key(
            "after",
            "So long nothing could be read of it.",
            &MINUTES,
        )
        .default(lasting(defaults::BLIND_MINUTES))]),
        table_of("organisation", "What AWS Support reads about you, word for word.", [
            key("use_case", "What the workload does, and whom it serves.", &WORDS),
            key("contact", "Whom AWS may ask.", &WORDS),
        ]),
        key("case", "How cases of our own are addressed.", Shape::Table(case())),
        key("cadence", "How often what is read.", Shape::Table(cadence())),
        table_of("cost", "What watching may cost.", [
            key("monthly_budget", "A calendar month, over all accounts; reads slow down before it is passed.", &USD)
                .default(format!("{} USD", defaults::MONTHLY_BUDGET)),
            key("free_share", "How much of each account's free CloudWatch requests is ours.", &SHARE)
                .default(defaults::FREE_SHARE.to_string()),
        ]),
        key(
            "heartbeat",
            "How others notice that the service is alive: after each whole cycle.",
            Shape::Table(heartbeat()),
        ),
        key("event", "Planned events.", Shape::Tables(event())),
        table_of("rules", "Rule files.", [key(
            "folder",
            "A folder of rule files instead of the built-in ones.",
            &PATH,
        )]),
        key("rule", "Single values of a rule.", rules::changes(shipped)),
        key("override", "Single values of rules for some pools.", Shape::Tables(by_pool(shipped))),
        key("residency", "Where data may go.", Shape::Tables(residency())),
        key("price", "What tokens cost, where that is not what is published.", Shape::Tables(price())),
        key("inhibit", "What is a part of what, and not told twice.", Shape::Tables(inhibit())),
    ])
}

pub(super) fn table_of(name: &'static str, says: &str, keys: impl IntoIterator<Item = Key>) -> Key {
    key(name, says, Shape::Table(Table::of(keys)))
}

fn account() -> Table {
    let common = [
        key("id", "Twelve digits, in quotes.", &ACCOUNT).required(),
        key("name", "For people.", &WORDS),
        key(
            "role_arn",
            "The role to assume; without it our own credentials are the account's.",
            &ROLE,
        ),
        key("external_id", "For that role.", &WORDS),
        key(
            "metrics_through",
            "The [[account]] that is its monitoring account: its metrics are read there, all else needs the role.",
            &ACCOUNT,
        ),
        key(
            "callers",
            "Who calls models: whether they may use a way out is asked of IAM, and said beside it.",
            Shape::list(&CALLER),
        ),
        key(
            "invocation_logs",
            "The log group of model invocations: where requests ran is asked of it, hour by hour.",
            &LOG_GROUP,
        ),
    ];
    Table::ways(
        &common,
        [
            vec![key("regions", "Regions to watch.", Shape::list(&REGION)).required()],
            vec![
                key(
                    "regions",
                    "All that the account has, asked for each day.",
                    Shape::choice(["enabled"]),
                )
                .required(),
                key(
                    "home_region",
                    "Where the account is asked; watched as well.",
                    &REGION,
                ),
            ],
        ],
    )
}

fn budget() -> Table {
    let most = |name, says, default: u32| {
        key(name, says, Shape::Whole(0, defaults::MOST_A_DAY)).default(default)
    };
    Table::of([
        most(
            "requests_per_day",
            "Quota requests in 24 hours, over all accounts; 0 switches them off.",
            defaults::REQUESTS_PER_DAY,
        ),
        most(
            "cases_per_hour",
            "Support cases of our own in an hour.",
            defaults::CASES_PER_HOUR,
        ),
        most(
            "cases_per_day",
            "Support cases of our own in 24 hours.",
            defaults::CASES_PER_DAY,
        ),
        key(
            "highest_factor",
            "Never ask for more than this many times the applied value.",
            Shape::Number(1.0),
        )
        .default(defaults::HIGHEST_FACTOR),
        key(
            "highest_value",
            "Never ask for more than this.",
            Shape::Number(1.0),
        ),
        key(
            "approval",
            "A proposal that nobody approved expires.",
            &MINUTES,
        )
        .default(lasting(defaults::APPROVAL_MINUTES)),
        key(
            "cooldown",
            "After a refusal the same quota is not asked again for so long.",
            &MINUTES,
        )
        .default(lasting(defaults::COOLDOWN_MINUTES)),
    ])
}

fn case() -> Table {
    Table::of([
        key("service", "Service code of AWS Support.", &WORDS).default(defaults::CASE_SERVICE),
        key("category", "Category code of that service.", &WORDS).default(defaults::CASE_CATEGORY),
        key(
            "severity",
            "Severity code.",
            Shape::choice(defaults::CASE_SEVERITIES),
        )
        .default(defaults::CASE_SEVERITY),
        key(
            "issue_type",
            "Kind of case.",
            Shape::choice(defaults::CASE_ISSUE_TYPES),
        )
        .default(defaults::CASE_ISSUE_TYPE),
        cc(),
        key(
            "close_granted",
            "Whether cases of ours are thanked for and closed once the value they asked for is there.",
            Shape::Flag,
        )
        .default(false),
        key(
            "when",
            "Some cases are addressed otherwise; the first that fits holds.",
            Shape::Tables(case_when()),
        ),
    ])
}

fn cc() -> Key {
    let most = defaults::MOST_CC;
    key(
        "cc",
        format!("E-mail addresses in copy, {most} at most."),
        Shape::list(&EMAIL),
    )
}

fn case_when() -> Table {
    let categories = categories().into_iter().map(|(name, _)| name);
    let severities = severities().map(|(name, _)| name);
    Table::of([
        key(
            "categories",
            "Cases about these.",
            Shape::list(Shape::choice(categories)),
        ),
        key(
            "severities",
            "Cases of incidents as severe as this.",
            Shape::list(Shape::choice(severities)),
        ),
        key("service", "Service code of AWS Support.", &WORDS),
        key("category", "Category code of that service.", &WORDS),
        key(
            "severity",
            "Severity code.",
            Shape::choice(defaults::CASE_SEVERITIES),
        ),
        key(
            "issue_type",
            "Kind of case.",
            Shape::choice(defaults::CASE_ISSUE_TYPES),
        ),
        cc(),
    ])
}

fn cadence() -> Table {
    let each = |name, says, minutes| key(name, says, &MINUTES).default(lasting(minutes));
    Table::of([
        each("quiet", "A pool in no danger.", defaults::QUIET_MINUTES),
        each(
            "hot",
            "A pool near a limit, or in trouble.",
            defaults::HOT_MINUTES,
        ),
        each(
            "idle",
            "A pool unused for three hours.",
            defaults::IDLE_MINUTES,
        ),
        each(
            "detail",
            "Errors, single token counts, latency: no limit is judged by them.",
            defaults::DETAIL_MINUTES,
        ),
        each(
            "discovery",
            "Targets, profiles and quotas.",
            defaults::DISCOVERY_MINUTES,
        ),
        each("desk", "Open requests and cases.", defaults::DESK_MINUTES),
    ])
}

fn heartbeat() -> Table {
    let common = [key(
        "metrics",
        "Print a line of metrics for CloudWatch on standard output.",
        Shape::Flag,
    )
    .default(false)];
    let url = |name, says, form: &'static Form| vec![key(name, says, form)];
    Table::ways(
        &common,
        [
            url(
                "url_file",
                "A file with the URL that is pinged, in one line.",
                &PATH,
            ),
            vec![
                key(
                    "url",
                    "credential:NAME of systemd, or env:NAME of the environment; the URL itself is a secret and has no place here.",
                    &SECRET,
                )
                .required(),
            ],
        ],
    )
}

fn event() -> Table {
    let any = |name, says, form: &'static Form| key(name, says, Shape::list(form));
    let common = [
        key("name", "Unique; reasons name it.", &WORDS).required(),
        any("accounts", "Left out for any.", &ACCOUNT),
        any("regions", "Left out for any.", &REGION),
        any("models", "Base models; left out for any.", &BEGINNING),
    ];
    let kinds = WindowKind::ALL.map(WindowKind::name);
    let kind = || {
        key(
            "kind",
            "Its minutes are neither judged nor learned.",
            Shape::choice(kinds),
        )
        .required()
    };
    let from = || {
        key(
            "from",
            "An instant with its offset, or a date for 00:00 UTC.",
            &INSTANT,
        )
        .required()
    };
    let until = || key("until", "The end, which is not part of it.", &END);
    Table::ways(
        &common,
        [
            vec![kind(), from(), until().required()],
            vec![
                kind(),
                key("every", "Each week, in UTC all year round.", &WEEKLY).required(),
                key("lasts", "Less than a week.", &MINUTES).required(),
            ],
            vec![
                key("growth", "A change of demand for forecasts.", &CHANGE).required(),
                from(),
                until(),
            ],
        ],
    )
}

fn by_pool(shipped: &[Rule]) -> Table {
    let mut keys = vec![key("name", "Told where one of its values holds.", &NAME).required()];
    keys.extend(pools());
    keys.push(tags("For pools of which a target has all these tags."));
    let changes = rules::changes(shipped);
    keys.push(key("rule", "What changes, as in [rule.NAME].", changes).required());
    Table::of(keys)
}

fn residency() -> Table {
    let severities = Severity::ALL.map(Severity::name);
    Table::of([
        key(
            "name",
            "Alerts are called so, with residency- before it.",
            &NAME,
        )
        .required(),
        key("accounts", "Of these accounts.", Shape::list(&ACCOUNT)),
        key(
            "models",
            "Of these base models; * stands for any characters.",
            Shape::list(&MODEL),
        ),
        tags("Of application profiles with all these tags."),
        key(
            "allow",
            "Geographies and Regions in which requests may be answered.",
            Shape::list(&PLACE),
        )
        .required(),
        key(
            "severity",
            "How loudly a breach is told.",
            Shape::choice(severities),
        )
        .default(crate::config::residency::SEVERITY.name()),
    ])
}

/// As `check --show` writes it.
pub(super) fn lasting(minutes: i64) -> String {
    crate::config::origin::lasting(minutes)
}
