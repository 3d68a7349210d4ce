//! Rule files, and what `[rule.NAME]` changes of a rule. Which values a rule has is asked of the rule itself.

use std::collections::BTreeMap;

use super::{
    Key, Shape, Table,
    form::{LINE, MILLIS, MINUTES, NAME, SHARE, WINDOW},
    key,
};
use crate::{
    config::rules::{categories, is_only_told},
    model::{
        rule::{Category, Remedy, Rule, Severity, Slot},
        series::Signal,
        units::QuotaKind,
        unusual::Trouble,
    },
};

/// A rule file.
pub(super) fn file() -> Table {
    Table::of([key(
        "rule",
        "Rules; each has one condition.",
        Shape::Tables(rule()),
    )
    .required()])
}

fn rule() -> Table {
    let common = [
        key("name", "Unique over all files.", &NAME).required(),
        severity("How loudly it is told; info wakes nobody.").required(),
        key("runbook", "One line for the person on call.", &LINE).required(),
    ];
    let window = || window().required();
    let clear = || clear_for().required();
    let condition = |name, says, table| key(name, says, Shape::Table(table)).required();
    let with_window = |it| vec![window(), clear(), it];
    let conditions = [
        with_window(condition(
            "quota_share",
            "Use of the live quota is high.",
            quota_share(),
        )),
        with_window(condition(
            "count",
            "Too many requests are refused, or fail.",
            count(),
        )),
        with_window(condition("slow", "Mean latency is high.", slow())),
        with_window(condition(
            "ends",
            "The model's announced end of life is near.",
            Table::of([minutes("within", "At most so far away.")]),
        )),
        vec![condition(
            "unusual",
            "The pool does what it never did.",
            unusual(),
        )],
        vec![
            clear(),
            condition(
                "runs_out",
                "By the forecast a quota will not do.",
                runs_out(),
            ),
        ],
    ];
    let of_kind = kinds().into_iter().flat_map(|kind| {
        let ways = conditions.iter().cloned();
        ways.map(move |own| kind.iter().cloned().chain(own).collect())
    });
    Table::ways(&common, of_kind)
}

fn quota_share() -> Table {
    Table::of([
        kind(&QuotaKind::ALL),
        share("above", "Bad from this share of the quota on."),
        share("clear", "Good again below this; at most `above`."),
    ])
}

fn count() -> Table {
    let counts = Signal::ALL.into_iter().filter(|it| it.is_count());
    Table::of([
        key(
            "of",
            "What is counted.",
            Shape::choice(counts.map(Signal::name)),
        )
        .required(),
        number("at_least", "Bad from so many a minute on.", 1.0),
        share("share", "And only if they are this share of demand."),
        number(
            "min_demand",
            "Minutes with fewer requests are not judged.",
            0.0,
        ),
    ])
}

fn slow() -> Table {
    Table::of([
        key("above", "Bad from this mean on.", &MILLIS).required(),
        number(
            "min_demand",
            "Minutes with fewer requests are not judged.",
            0.0,
        ),
    ])
}

fn unusual() -> Table {
    let rare = || {
        minutes(
            "rare",
            "The pool's calm reaches as much once in so long, at most.",
        )
    };
    let factor = |says| number("factor", says, 1.0);
    let of = |trouble: Trouble, own: Vec<Key>| {
        let of = key(
            "of",
            "What the pool's past is asked about.",
            Shape::choice([trouble.name()]),
        );
        std::iter::once(of.required()).chain(own).collect()
    };
    let ways = Trouble::ALL.map(|trouble| {
        let own = match trouble {
            Trouble::Throttled => Vec::new(),
            Trouble::ClientErrors | Trouble::ServerErrors => vec![
                number("ratio", "So many times the pool's own rate.", 1.0),
                share("excess", "So much of all requests above that rate."),
                rare(),
            ],
            Trouble::Slow => vec![
                factor("So many times what the length of answers explains."),
                rare(),
            ],
            Trouble::TokensUp => vec![factor("So many times the hour before."), rare()],
            Trouble::TrafficUp | Trouble::TrafficDown => vec![
                number(
                    "jump",
                    "So many times the half hour before, or its inverse.",
                    1.0,
                ),
                factor("So many times what is usual at this time."),
                rare(),
            ],
        };
        of(trouble, own)
    });
    Table::ways(&[], ways)
}

fn runs_out() -> Table {
    let table = |name, says, table| key(name, says, Shape::Table(table)).required();
    let daily: Vec<_> = QuotaKind::ALL
        .into_iter()
        .filter(|it| it.is_daily())
        .collect();
    let by_the_minute = QuotaKind::ALL.into_iter().filter(|it| !daily.contains(it));
    let by_the_minute: Vec<_> = by_the_minute.collect();
    Table::ways(
        &[
            key("early", "How loudly notices are told.", severities()).required(),
            minutes("quiet", "`soon` is told again after this."),
            minutes("again", "A notice is told again after this."),
            table("ahead", "The six days after the next: a notice.", chance()),
            table("near", "The week, close to the limit: a notice.", chance()),
            table(
                "soon",
                "The next 24 hours: told with the rule's severity.",
                standing(),
            ),
        ],
        [
            vec![
                kind(&by_the_minute),
                table("climb", "A launch: a notice.", climb()),
            ],
            vec![kind(&daily)],
        ],
    )
}

fn chance() -> Table {
    Table::of([
        share(
            "use",
            "Three of the last five minutes reach this share of the quota; of `tpd`, yesterday's sum or today's so far.",
        ),
        share("chance", "Least probability of sustained throttling."),
    ])
}

fn climb() -> Table {
    Table::of([
        share(
            "use",
            "Three of the last five minutes reach this share of the quota.",
        ),
        share(
            "usual",
            "What is usual now is at most this share of what is seen.",
        ),
        minutes("within", "At this pace it is at the limit within so long."),
    ])
}

fn standing() -> Table {
    Table::of([
        share("chance", "Least probability of sustained throttling."),
        minutes("lasts", "For so long."),
    ])
}

/// `[rule.NAME]` of these rules, and what a rule of another name may have.
pub(super) fn changes(rules: &[Rule]) -> Shape {
    let known = rules
        .iter()
        .map(|it| (it.name.to_string(), Table::of(changes_of(it))));
    let mut any: BTreeMap<&str, Vec<Key>> = BTreeMap::new();
    for key in rules.iter().flat_map(changes_of) {
        let same = any.entry(key.name).or_default();
        if !same.iter().any(|it| is_alike(&it.shape, &key.shape)) {
            same.push(key);
        }
    }
    let any = any.into_values().filter_map(|mut keys| {
        let shapes: Vec<Shape> = keys.iter().map(|it| it.shape.clone()).collect();
        let mut first = keys.pop()?;
        if 1 < shapes.len() {
            first.shape = Shape::Either(shapes);
        }
        Some(first)
    });
    Shape::Named(known.collect(), Table::of(any))
}

fn is_alike(one: &Shape, other: &Shape) -> bool {
    super::of_shape(one) == super::of_shape(other)
}

fn changes_of(rule: &Rule) -> Vec<Key> {
    let (mut rule, category) = (rule.clone(), rule.category);
    let slots = rule.slots().into_iter().map(|(name, slot)| {
        let shape = match slot {
            Slot::Severity(_) => severities(),
            Slot::Remedy(_) => remedies(category),
            Slot::Window(_) => Shape::from(&WINDOW),
            Slot::ClearFor(_) | Slot::Minutes(_) => Shape::from(&MINUTES),
            Slot::Share(_) => Shape::from(&SHARE),
            Slot::Number(_, least) => Shape::Number(least),
            Slot::Millis(_) => Shape::from(&MILLIS),
            Slot::Chance(_) => Shape::Table(chance()),
            Slot::Climb(_) => Shape::Table(climb()),
            Slot::Standing(_) => Shape::Table(standing()),
        };
        key(name, "Instead of the rule's own; see docs/rules.md.", shape)
    });
    let enabled = key("enabled", "Whether the rule is judged at all.", Shape::Flag);
    std::iter::once(enabled).chain(slots).collect()
}

fn severities() -> Shape {
    Shape::choice(Severity::ALL.map(Severity::name))
}

fn severity(says: &str) -> Key {
    key("severity", says, severities())
}

/// What may be done about rules of this category.
fn remedies(category: Category) -> Shape {
    if is_only_told(category) {
        Shape::choice([Remedy::Notify.name()])
    } else {
        Shape::choice(Remedy::ALL.map(Remedy::name))
    }
}

/// Category and remedy of a rule: what is only told, and the rest.
fn kinds() -> [[Key; 2]; 2] {
    [false, true].map(|is_told| {
        let of_kind = categories()
            .into_iter()
            .filter(move |(_, it)| is_only_told(*it) == is_told);
        let first = of_kind.clone().next().map(|(_, it)| it);
        let names = of_kind.map(|(name, _)| name);
        let says = "What it is about; it decides how incidents are told apart.";
        let category = key("category", says, Shape::choice(names)).required();
        let says = "The most that may be done about it.";
        let remedy = key("remedy", says, remedies(first.unwrap_or(Category::Quota)));
        [category, remedy.required()]
    })
}

fn window() -> Key {
    key(
        "window",
        "Bad minutes out of the last so many, at most 60.",
        &WINDOW,
    )
}

fn clear_for() -> Key {
    key(
        "clear_for",
        "Good minutes in a row until it is over, at most 60m.",
        &MINUTES,
    )
}

fn kind(kinds: &[QuotaKind]) -> Key {
    let names = kinds.iter().map(|it| it.name());
    key("kind", "Which quota.", Shape::choice(names)).required()
}

fn share(name: &'static str, says: &str) -> Key {
    key(name, says, &SHARE).required()
}

fn minutes(name: &'static str, says: &str) -> Key {
    key(name, says, &MINUTES).required()
}

fn number(name: &'static str, says: &str, least: f64) -> Key {
    key(name, says, Shape::Number(least)).required()
}
