//! The configuration file: from TOML to checked settings. Every default stands here, once.

mod case;
mod listen;

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use toml::de::DeTable;

use super::{
    Loaded, Overrides, accounts, by_pool, events,
    fault::{Fault, Wrong},
    files, hints, inhibits,
    origin::{Origin, Origins},
    overrides, prices,
    receivers::{self, Receivers, Surroundings},
    residency,
    sheet::{Entry, Section, Sheet},
    values,
};
use crate::model::{
    hint::HintRules,
    inhibit::Inhibit,
    policy::{
        Account, Budgets, Cadence, CostBounds, Heartbeat, Mode, Organisation, Policy, Reminders,
        Route, Settings,
    },
    room::RoomBounds,
    rule::Rules,
    units::{Amount, Share},
};

/// Below the working directory, so that a first try needs no rights; `deploy/` sets `/var/lib/bedrock-ops-alert`.
pub(super) const STORE_PATH: &str = "bedrock-ops-alert-store";
/// Hours of messages and minutes of a few hundred pools.
pub(super) const RESERVE: u64 = 64_000_000;
/// Early enough for a person to come, on disks that are as small as they may be.
pub(super) const WARN_BELOW: u64 = 500_000_000;
pub(super) const LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 9464);
pub(super) const REQUESTS_PER_DAY: u32 = 3;
pub(super) const CASES_PER_HOUR: u32 = 3;
pub(super) const CASES_PER_DAY: u32 = 10;
pub(super) const HIGHEST_FACTOR: f64 = 3.0;
pub(super) const APPROVAL_MINUTES: i64 = 24 * 60;
pub(super) const COOLDOWN_MINUTES: i64 = 7 * 24 * 60;
/// Alertmanager's `repeat_interval`.
pub(super) const FIRST_REMINDER_MINUTES: i64 = 4 * 60;
pub(super) const LONGEST_REMINDER_MINUTES: i64 = 24 * 60;
/// Long enough that a pause of CloudWatch or of the network is over, and no longer than its late datapoints take.
pub(super) const BLIND_MINUTES: i64 = 15;
pub(super) const QUIET_MINUTES: i64 = 5;
pub(super) const HOT_MINUTES: i64 = 1;
pub(super) const IDLE_MINUTES: i64 = 15;
/// Less than the quarter of an hour after which minutes settle.
pub(super) const DETAIL_MINUTES: i64 = 10;
/// Enough for about 30 targets that are hot all the month, or 100 of which one in ten is.
pub(super) const MONTHLY_BUDGET: f64 = 50.0;
/// Half of the free requests: other tools of the account draw on them, too.
pub(super) const FREE_SHARE: Share = Share::HALF;
pub(super) const DISCOVERY_MINUTES: i64 = 15;
pub(super) const DESK_MINUTES: i64 = 5;
pub(super) const CASE_SERVICE: &str = "service-bedrock";
pub(super) const CASE_CATEGORY: &str = "general-guidance";
pub(super) const CASE_SEVERITY: &str = "normal";
pub(super) const CASE_ISSUE_TYPE: &str = "technical";
pub(super) const CASE_SEVERITIES: [&str; 5] = ["low", "normal", "high", "urgent", "critical"];
pub(super) const CASE_ISSUE_TYPES: [&str; 2] = ["technical", "customer-service"];
/// Addresses that Support takes in copy of a case at most.
pub(super) const MOST_CC: usize = 10;

/// Bounds of what a budget may be set to; zero switches the kind off.
pub(super) const MOST_A_DAY: u32 = 1_000;

/// A document being read, with what is known about its surroundings.
struct Reader<'a> {
    sheet: Sheet,
    origins: Origins,
    overrides: &'a Overrides,
    folder: PathBuf,
    rules_folder: Option<PathBuf>,
    hints: HintRules,
}

/// The settings as far as they could be read, and all faults. With any fault the settings mean nothing.
pub(super) fn read(text: &str, name: &str, overrides: &Overrides) -> (Option<Loaded>, Vec<Fault>) {
    let hints = match hints::read(hints::BUILTIN.0, hints::BUILTIN.1) {
        (Some(hints), _) => hints,
        (None, faults) => return (None, faults),
    };
    let folder = Path::new(name).parent().unwrap_or(Path::new("")).to_owned();
    let mut reader = Reader {
        sheet: Sheet::new(name, text),
        origins: Origins::new(),
        overrides,
        folder,
        rules_folder: None,
        hints,
    };
    let (table, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        reader.sheet.syntax(errors);
        return (None, reader.sheet.faults);
    }
    let (settings, rule_faults) = reader.settings(Section::root(&table));
    let mut faults = reader.sheet.faults;
    faults.extend(rule_faults);
    let loaded = Loaded {
        settings,
        origins: reader.origins,
        rules_folder: reader.rules_folder,
    };
    (Some(loaded), faults)
}

impl Reader<'_> {
    fn settings(&mut self, mut root: Section<'_>) -> (Settings, Vec<Fault>) {
        let mode = self.mode(&mut root);
        let (store_path, room) = self.store(&mut root);
        let listening = self.listen(&mut root);
        let (accounts, callers, invocation_logs) = accounts::read_all(&mut self.sheet, &mut root);
        let receivers = self.receivers(&mut root, &accounts);
        let routes = self.routes(&mut root, &receivers, &accounts);
        receivers::check_fallbacks(&mut self.sheet, &receivers);
        let digests = receivers::digests(&mut self.sheet, &mut root, &receivers, &accounts);
        let written = receivers.iter().flat_map(|(name, it)| it.written(name));
        self.origins
            .extend(written.map(|path| (path, Origin::File)));
        let (budgets, approval_minutes, cooldown_minutes) = self.budget(&mut root);
        let reminders = self.reminders(&mut root);
        let blind_minutes = self.blind(&mut root);
        let organisation = self.organisation(&mut root);
        let case_codes = self.case_codes(&mut root);
        let cadence = self.cadence(&mut root);
        let cost = self.cost(&mut root);
        let heartbeat = self.heartbeat(&mut root, &accounts);
        let calendar = events::read_all(&mut self.sheet, &mut root, &accounts);
        let (rules, mut rule_faults) = self.rules(&mut root, &accounts);
        let residency = residency::read_all(&mut self.sheet, &mut root, &accounts, &rules);
        let prices = prices::read_all(&mut self.sheet, &mut root, &accounts);
        let (inhibits, faults) = self.inhibits(&mut root, &rules);
        rule_faults.extend(faults);
        root.finish(&mut self.sheet);
        let fallbacks = receivers::each(&receivers, |it| it.fallback.clone());
        let templates = receivers::each(&receivers, |it| it.template.clone());
        let receivers = receivers::each(&receivers, |it| it.receiver.clone());
        let policy = Policy {
            mode,
            budgets,
            routes,
            receivers,
            fallbacks,
            templates,
            organisation,
            case_codes,
            hints: self.hints,
            approval_minutes,
            cooldown_minutes,
            inhibits,
            reminders,
            blind_minutes,
            digests,
            residency,
            prices,
            metrics_only: accounts::metrics_only(&accounts),
            callers,
            invocation_logs,
            places: listening.places,
        };
        let settings = Settings {
            accounts,
            policy,
            cadence,
            cost,
            store_path,
            room,
            listen: listening.address,
            access: listening.access,
            heartbeat,
            calendar,
            rules,
        };
        (settings, rule_faults)
    }

    fn routes(
        &mut self,
        root: &mut Section<'_>,
        receivers: &Receivers,
        accounts: &[Account],
    ) -> Vec<Route> {
        let routes = root
            .take("route")
            .map(|it| self.sheet.tables(&it))
            .unwrap_or_default();
        self.route_origins(&routes);
        receivers::routes(&mut self.sheet, routes, receivers, accounts)
    }

    fn route_origins(&mut self, routes: &[Section<'_>]) {
        for (index, section) in routes.iter().enumerate() {
            if section.has("severity") {
                let path = format!("route[{index}].severity");
                self.origins.insert(path, Origin::File);
            }
        }
    }

    fn mode(&mut self, root: &mut Section<'_>) -> Mode {
        let modes = [Mode::Observe, Mode::Propose, Mode::File].map(|mode| (mode.name(), mode));
        let written = self.value(root, "mode", |sheet, it| sheet.choice(it, &modes));
        let given = self.overrides.mode;
        self.given("mode", given.is_some());
        given.or(written).unwrap_or(Mode::Observe)
    }

    fn store(&mut self, root: &mut Section<'_>) -> (PathBuf, RoomBounds) {
        let folder = self.folder.clone();
        let mut written = None;
        let mut room = RoomBounds {
            reserve: RESERVE,
            warn_below: WARN_BELOW,
        };
        if let Some(mut table) = self.table(root, "store") {
            written = self.value(&mut table, "path", |sheet, it| sheet.parsed(it, path_text));
            let bytes = |sheet: &mut Sheet, it: &Entry<'_>| sheet.parsed(it, values::bytes);
            self.set(&mut room.reserve, &mut table, "reserve", bytes);
            self.set(&mut room.warn_below, &mut table, "warn_below", bytes);
            table.finish(&mut self.sheet);
        }
        let given = self.overrides.store_path.clone();
        self.given("store.path", given.is_some());
        let written = written.map(|path| folder.join(path));
        let path = given
            .or(written)
            .unwrap_or_else(|| PathBuf::from(STORE_PATH));
        (path, room)
    }

    fn receivers(&mut self, root: &mut Section<'_>, accounts: &[Account]) -> Receivers {
        let Some(table) = self.table(root, "receiver") else {
            return Receivers::new();
        };
        let around = Surroundings {
            folder: &self.folder,
            overrides: self.overrides,
            accounts,
        };
        receivers::read_all(&mut self.sheet, table, around)
    }

    fn budget(&mut self, root: &mut Section<'_>) -> (Budgets, i64, i64) {
        let mut budgets = Budgets {
            requests_per_day: REQUESTS_PER_DAY,
            cases_per_hour: CASES_PER_HOUR,
            cases_per_day: CASES_PER_DAY,
            highest_factor: HIGHEST_FACTOR,
            highest_value: None,
        };
        let (mut approval, mut cooldown) = (APPROVAL_MINUTES, COOLDOWN_MINUTES);
        if let Some(mut table) = self.table(root, "budget") {
            let most = 0..MOST_A_DAY + 1;
            self.set(
                &mut budgets.requests_per_day,
                &mut table,
                "requests_per_day",
                |sheet, it| sheet.whole(it, most.clone()),
            );
            self.set(
                &mut budgets.cases_per_hour,
                &mut table,
                "cases_per_hour",
                |sheet, it| sheet.whole(it, most.clone()),
            );
            self.set(
                &mut budgets.cases_per_day,
                &mut table,
                "cases_per_day",
                |sheet, it| sheet.whole(it, most.clone()),
            );
            self.set(
                &mut budgets.highest_factor,
                &mut table,
                "highest_factor",
                |sheet, it| sheet.number(it, 1.0),
            );
            budgets.highest_value = self
                .value(&mut table, "highest_value", |sheet, it| {
                    sheet.number(it, 1.0)
                })
                .and_then(Amount::new);
            self.minutes(&mut approval, &mut table, "approval");
            self.minutes(&mut cooldown, &mut table, "cooldown");
            table.finish(&mut self.sheet);
        }
        (budgets, approval, cooldown)
    }

    fn reminders(&mut self, root: &mut Section<'_>) -> Reminders {
        let mut reminders = Reminders {
            first_minutes: FIRST_REMINDER_MINUTES,
            longest_minutes: LONGEST_REMINDER_MINUTES,
        };
        if let Some(mut table) = self.table(root, "reminder") {
            self.minutes(&mut reminders.first_minutes, &mut table, "first");
            self.minutes(&mut reminders.longest_minutes, &mut table, "longest");
            table.finish(&mut self.sheet);
        }
        reminders
    }

    fn blind(&mut self, root: &mut Section<'_>) -> i64 {
        let mut after = BLIND_MINUTES;
        if let Some(mut table) = self.table(root, "blind") {
            self.minutes(&mut after, &mut table, "after");
            table.finish(&mut self.sheet);
        }
        after
    }

    fn organisation(&mut self, root: &mut Section<'_>) -> Organisation {
        let mut organisation = Organisation::default();
        if let Some(mut table) = self.table(root, "organisation") {
            let text = |sheet: &mut Sheet, it: &Entry<'_>| sheet.parsed(it, values::words);
            organisation.use_case = self.value(&mut table, "use_case", text);
            organisation.contact = self.value(&mut table, "contact", text);
            table.finish(&mut self.sheet);
        }
        organisation
    }

    fn cadence(&mut self, root: &mut Section<'_>) -> Cadence {
        let mut cadence = Cadence {
            quiet_minutes: QUIET_MINUTES,
            idle_minutes: IDLE_MINUTES,
            detail_minutes: DETAIL_MINUTES,
            hot_minutes: HOT_MINUTES,
            discovery_minutes: DISCOVERY_MINUTES,
            desk_minutes: DESK_MINUTES,
        };
        if let Some(mut table) = self.table(root, "cadence") {
            self.minutes(&mut cadence.quiet_minutes, &mut table, "quiet");
            self.minutes(&mut cadence.idle_minutes, &mut table, "idle");
            self.minutes(&mut cadence.detail_minutes, &mut table, "detail");
            self.minutes(&mut cadence.hot_minutes, &mut table, "hot");
            self.minutes(&mut cadence.discovery_minutes, &mut table, "discovery");
            self.minutes(&mut cadence.desk_minutes, &mut table, "desk");
            table.finish(&mut self.sheet);
        }
        cadence
    }

    fn cost(&mut self, root: &mut Section<'_>) -> CostBounds {
        let mut cost = CostBounds {
            monthly_budget: MONTHLY_BUDGET,
            free_share: FREE_SHARE,
        };
        if let Some(mut table) = self.table(root, "cost") {
            self.set(
                &mut cost.monthly_budget,
                &mut table,
                "monthly_budget",
                |sheet, it| sheet.parsed(it, values::usd),
            );
            self.set(
                &mut cost.free_share,
                &mut table,
                "free_share",
                |sheet, it| sheet.parsed(it, values::share),
            );
            table.finish(&mut self.sheet);
        }
        cost
    }

    fn heartbeat(&mut self, root: &mut Section<'_>, accounts: &[Account]) -> Heartbeat {
        let mut heartbeat = Heartbeat::default();
        if let Some(mut table) = self.table(root, "heartbeat") {
            self.set(
                &mut heartbeat.has_metrics,
                &mut table,
                "metrics",
                |sheet, it| sheet.flag(it),
            );
            let around = Surroundings {
                folder: &self.folder,
                overrides: self.overrides,
                accounts,
            };
            heartbeat.url = receivers::heartbeat_url(&mut self.sheet, &mut table, around);
            table.finish(&mut self.sheet);
        }
        heartbeat
    }

    fn rules(&mut self, root: &mut Section<'_>, accounts: &[Account]) -> (Rules, Vec<Fault>) {
        let (mut written, mut named_at) = (None, None);
        if let Some(mut table) = self.table(root, "rules") {
            written = self.value(&mut table, "folder", |sheet, it| {
                named_at = Some(it.span());
                sheet.parsed(it, path_text)
            });
            table.finish(&mut self.sheet);
        }
        let given = self.overrides.rules.clone();
        // A folder that can't be read is told where it is named, unless a flag named it.
        let named_at = named_at.filter(|_| given.is_none());
        self.given("rules.folder", given.is_some());
        self.rules_folder = given.or_else(|| written.map(|path| self.folder.join(path)));
        let (mut book, mut faults) = self
            .rules_folder
            .as_deref()
            .map_or_else(files::builtin_rules, files::rules_in);
        if let Some(span) = named_at {
            faults = faults
                .into_iter()
                .map(|it| self.sheet.placed(it, &span, "rules.folder"))
                .collect();
        }
        // With a faulty rule file a rule may be missing for that reason alone.
        let is_whole = faults.is_empty();
        let mut off = BTreeSet::new();
        if let Some((hints, more)) = self.rules_folder.as_deref().and_then(files::hints_in) {
            self.hints = hints.unwrap_or(self.hints);
            faults.extend(more);
        }
        if let Some(table) = self.table(root, "rule") {
            for name in table.keys() {
                self.origins.insert(format!("rule.{name}"), Origin::File);
            }
            if is_whole {
                off = overrides::apply(&mut self.sheet, table, &mut book);
            }
        }
        let by_pool = root.take("override");
        let by_pool = by_pool.filter(|_| is_whole).map_or_else(Vec::new, |entry| {
            let around = by_pool::Around {
                accounts,
                book: &book,
            };
            by_pool::read_all(&mut self.sheet, &entry, around)
        });
        let known = book.into_values().map(|(rule, _)| rule).collect();
        let overrides = by_pool.iter().map(|it| it.given.clone()).collect();
        let rules = Rules::new(known, off, overrides);
        by_pool::check(&mut self.sheet, &by_pool, &rules);
        by_pool::keep_single(&mut self.sheet, &by_pool, &rules);
        (rules, faults)
    }

    fn inhibits(&mut self, root: &mut Section<'_>, rules: &Rules) -> (Vec<Inhibit>, Vec<Fault>) {
        let (shipped, faults) = inhibits::builtin();
        let Some(entry) = root.take("inhibit") else {
            return (shipped, faults);
        };
        let known = rules.known().iter().map(|rule| rule.name.clone());
        let known = known.collect();
        let given = inhibits::read_all(&mut self.sheet, &entry, Some(&known), &shipped);
        (inhibits::over(shipped, given), faults)
    }

    fn table<'t>(&mut self, root: &mut Section<'t>, key: &'static str) -> Option<Section<'t>> {
        let entry = root.take(key)?;
        self.sheet.table(&entry)
    }

    /// A value of the file, if it is written and right.
    fn value<T>(
        &mut self,
        table: &mut Section<'_>,
        key: &'static str,
        read: impl FnOnce(&mut Sheet, &Entry<'_>) -> Option<T>,
    ) -> Option<T> {
        let entry = table.take(key)?;
        self.origins.insert(entry.path.clone(), Origin::File);
        read(&mut self.sheet, &entry)
    }

    fn set<T>(
        &mut self,
        place: &mut T,
        table: &mut Section<'_>,
        key: &'static str,
        read: impl FnOnce(&mut Sheet, &Entry<'_>) -> Option<T>,
    ) {
        if let Some(value) = self.value(table, key, read) {
            *place = value;
        }
    }

    fn minutes(&mut self, place: &mut i64, table: &mut Section<'_>, key: &'static str) {
        self.set(place, table, key, |sheet, it| {
            sheet.parsed(it, values::minutes)
        });
    }

    /// Notes that an override won.
    fn given(&mut self, key: &str, is_given: bool) {
        if !is_given {
            return;
        }
        let origin = if self.overrides.from_environment.contains(key) {
            Origin::Environment
        } else {
            Origin::Flag
        };
        self.origins.insert(key.to_owned(), origin);
    }
}

fn path_text(text: &str) -> Result<PathBuf, Wrong> {
    if text.trim().is_empty() {
        return Err(Wrong::new(
            "must be a path",
            "empty",
            "leave the key out to get the default",
        ));
    }
    Ok(PathBuf::from(text))
}
