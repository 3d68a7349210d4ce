//! What the person on call reads of a hint: what the numbers show, then what to do next.

use std::fmt;

use super::{
    CacheFallen, Capacity, Carried, Carrier, Clue, Counted, Daily, Denied, Headroom, Hint, Part,
    RaisedElsewhere, RaisedHere, Reservation, Retries, SharedDay, Valley,
};
use crate::model::{
    catalog::{PoolId, TargetKind},
    time::{HOUR, Minute, Timestamp},
    units::grouped,
};

/// Longer names are cut.
const MOST_NAME_CHARS: usize = 80;

impl fmt::Display for Hint {
    /// Both sentences: `WHAT. NEXT`, without the final stop.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.clue.what(), self.clue.next())
    }
}

impl Clue {
    /// What the numbers show, as a sentence without its final stop.
    #[must_use]
    pub fn what(&self) -> String {
        match self {
            Self::Reservation(it) => it.what(),
            Self::Daily(it) => it.what(),
            Self::Capacity(it) => it.what(),
            Self::Retries(it) => it.what(),
            Self::CacheFallen(it) => it.what(),
            Self::Carrier(it) => it.what(),
            Self::Carried(it) => it.what(),
            Self::Denied(it) => it.what(),
            Self::RaisedHere(it) => it.what(),
            Self::RaisedElsewhere(it) => it.what(),
            Self::Valley(it) => it.what(),
            Self::Headroom(it) => it.what(),
        }
    }

    /// What to do next, as a sentence without its final stop.
    #[must_use]
    pub fn next(&self) -> String {
        match self {
            Self::Reservation(it) => format!(
                "Have callers set max_tokens to what they need: at {enough} about {freed} tokens a minute are free again",
                enough = grouped(it.enough),
                freed = grouped(it.freed),
            ),
            Self::Daily(it) => format!(
                "Look for \"Too many tokens per day\" in the callers' logs; it ends at 00:00 UTC, in {left}. Shift what can wait, and have the daily quota raised by a support case",
                left = length(i64::from(it.left)),
            ),
            Self::Capacity(_) => "Spread the load over other profiles or Regions and back off; see whether the errors are 503 and whether AWS Health says something".to_owned(),
            Self::Retries(_) => "Find the client that retries without a pause: exponential back-off with jitter, few attempts, one queue".to_owned(),
            Self::CacheFallen(_) => "See what changed at the front of the prompts or in the cache points, such as a release or a time of day in the system prompt".to_owned(),
            Self::Carrier(_) => "Ask its owner first what changed".to_owned(),
            Self::Carried(it) => it.next().to_owned(),
            Self::Denied(_) => "Look for AccessDeniedException in the callers' logs; the Region it names must be allowed in IAM and in the service control policies, or leave the profile".to_owned(),
            Self::RaisedHere(_) => "See which limit the error texts name before asking for more of this one".to_owned(),
            Self::RaisedElsewhere(it) => format!(
                "Call the model as {place}, or ask for the quota of this pool",
                place = place(&it.raised),
            ),
            Self::Valley(it) => format!(
                "Move what can wait there ({at} UTC), or into batch inference, which has quotas of its own",
                at = it.from.start().strftime("%H:%M"),
            ),
            Self::Headroom(it) => format!(
                "Send a part there, if your rules on where data may go allow {}",
                it.pool.family
            ),
        }
    }
}

impl Reservation {
    fn what(&self) -> String {
        format!(
            "this looks like max_tokens set too high: {refused} requests refused while {charged} of {quota} tokens a minute ({code}) were charged. {in_flight} requests in flight must have held about {held} tokens each; a mean answer has {output}",
            refused = grouped(self.refused),
            charged = grouped(self.charged),
            quota = self.quota,
            code = self.code,
            in_flight = grouped(self.in_flight),
            held = grouped(self.held),
            output = grouped(self.output),
        )
    }
}

impl Daily {
    fn what(&self) -> String {
        let refused = grouped(self.refused);
        let highest = percent(self.highest);
        let today = grouped(self.today);
        if let Some(SharedDay {
            code,
            today,
            low,
            high,
        }) = &self.shared
        {
            return format!(
                "this looks like the daily quota of all models together ({code}): {} USD worth of tokens since 00:00 UTC, and it comes to between {} and {} USD. {refused} requests refused, nearly all, with no quota per minute above {highest}",
                grouped(*today),
                grouped(*low),
                grouped(*high),
            );
        }
        match &self.quota {
            Some((code, quota)) => format!(
                "the tokens of the day are used up: {today} of {quota} ({code}) since 00:00 UTC. {refused} requests refused with no quota per minute above {highest}"
            ),
            None => format!(
                "this looks like a daily limit, which can't be read: {refused} requests refused, nearly all, with no quota per minute above {highest}; {today} tokens charged since 00:00 UTC"
            ),
        }
    }
}

impl Capacity {
    fn what(&self) -> String {
        format!(
            "AWS is short of capacity: {errors} server errors beside {refused} refused requests, with no quota per minute above {highest}",
            errors = grouped(self.errors),
            refused = grouped(self.refused),
            highest = percent(self.highest),
        )
    }
}

impl Retries {
    fn what(&self) -> String {
        format!(
            "clients try again at once: {before} requests a minute before, {started} when the first was refused at {since}, {after} right after, of which {through} get through",
            since = self.since,
            before = grouped(self.before),
            started = grouped(self.started),
            after = grouped(self.after),
            through = grouped(self.through),
        )
    }
}

impl CacheFallen {
    fn what(&self) -> String {
        format!(
            "the prompt cache served {before} of the input in the {of} before, now {now}: about {extra} of {charged} tokens a minute are charged for that",
            of = length(i64::from(self.of)),
            before = percent(self.before),
            now = percent(self.now),
            extra = grouped(self.extra),
            charged = grouped(self.charged),
        )
    }
}

impl Carrier {
    fn what(&self) -> String {
        let name = self.name.as_ref();
        format!(
            "`{target}`{name}, one of {targets} targets, takes {share} of the pool",
            target = self.target,
            name = name.map_or_else(String::new, |name| format!(" ({})", inert(name))),
            targets = self.targets,
            share = percent(self.share.factor()),
        )
    }
}

impl Carried {
    fn what(&self) -> String {
        let (change, sign) = if self.is_fall {
            ("fall", "-")
        } else {
            ("rise", "+")
        };
        let unit = match self.counted {
            Counted::Requests => "requests a minute",
            Counted::Tokens => "tokens a minute",
            Counted::TokensARequest => "tokens a minute beyond the usual number a request",
        };
        let by = |by: f64| format!("{sign}{} {unit}", rate(by));
        let largest = self.parts.first();
        let who = match largest {
            Some(largest) if self.is_spread => format!(
                "nobody in particular: the {change} ({by}) is spread over {all} targets, and the largest part, that of {who}, is {share}",
                by = by(self.by),
                all = self.others.saturating_add(1),
                who = called(largest),
                share = percent(largest.share.factor()),
            ),
            _ => {
                let parts = self.parts.iter().map(|part| {
                    let share = percent(part.share.factor());
                    format!(
                        "{}: {share} of the {change} ({})",
                        called(part),
                        by(part.by)
                    )
                });
                let parts: Vec<String> = parts.collect();
                let verb = if self.is_fall {
                    "missing is"
                } else {
                    "carried by"
                };
                format!("{verb} {}{}", parts.join(", "), self.rest())
            }
        };
        let against = if 0.0 < self.against {
            let way = if self.is_fall { "more" } else { "less" };
            format!("; all others together have {} {way}", rate(self.against))
        } else {
            String::new()
        };
        let (now, usual) = (rate(self.now), rate(self.usual));
        let pool = match self.counted {
            Counted::Requests | Counted::Tokens => format!("{now} {unit}"),
            Counted::TokensARequest => format!("{now} tokens a request"),
        };
        format!(
            "{who}{against}. The pool has {pool}, usual at this time are {usual} (by {days} days)",
            days = self.days,
        )
    }

    /// What the targets carry that are not named.
    fn rest(&self) -> String {
        let named: f64 = self.parts.iter().map(|it| it.by).sum();
        if self.others == 0 || self.by <= named {
            return String::new();
        }
        let share = percent(1.0 - named / self.by);
        match self.others {
            1 => format!("; 1 other {share}"),
            others => format!("; {others} others {share}"),
        }
    }

    const fn next(&self) -> &'static str {
        match (self.is_spread, self.is_fall) {
            (true, false) => {
                "Look for what these callers share, such as a release, a gateway or their own callers"
            }
            (true, true) => "Look for what these callers share, such as a network or a release",
            (false, false) => "Ask its owner first what changed",
            (false, true) => {
                "Ask its owner first whether its callers still run, and what they call now"
            }
        }
    }
}

/// A target as people know it: the name its owner gave it first.
fn called(part: &Part) -> String {
    let id = inert(part.target.as_str());
    match &part.kind {
        Some(TargetKind::ApplicationProfile { name }) => {
            format!("application profile `{}` ({id})", inert(name))
        }
        Some(TargetKind::SystemProfile) => format!("system profile `{id}`"),
        Some(TargetKind::Base) => format!("model id `{id}`"),
        Some(TargetKind::Mantle) => format!("model `{id}`"),
        None => format!("`{id}`, which is gone,"),
    }
}

/// A number a minute: small ones have a part that matters.
fn rate(value: f64) -> String {
    if value < 10.0 {
        format!("{value:.1}")
    } else {
        grouped(value.round())
    }
}

impl Denied {
    fn what(&self) -> String {
        format!(
            "{errors} of {demand} calls through the profile fail by the caller's fault, and {plain_errors} of {plain_demand} to the same model in the Region itself: as where a policy denies one of the profile's destination Regions",
            errors = grouped(self.errors),
            demand = grouped(self.demand),
            plain_errors = grouped(self.plain_errors),
            plain_demand = grouped(self.plain_demand),
        )
    }
}

impl RaisedHere {
    fn what(&self) -> String {
        format!(
            "{code} was raised from {old} to {new} on {at}, and {refused} requests were refused since with no quota per minute above {highest}",
            code = self.code,
            old = self.old,
            new = self.new,
            at = day(self.at),
            refused = grouped(self.refused),
            highest = percent(self.highest),
        )
    }
}

impl RaisedElsewhere {
    fn what(&self) -> String {
        format!(
            "the increase is for other traffic: {code} ({old} to {new} on {at}) limits {raised}, and {here} of the model's requests come through this pool, with {refused} refused since",
            code = self.code,
            old = self.old,
            new = self.new,
            at = day(self.at),
            raised = place(&self.raised),
            here = percent(self.here),
            refused = grouped(self.refused),
        )
    }
}

impl Valley {
    fn what(&self) -> String {
        format!(
            "the quota is idle at other hours: {quiet} of it used in the {hours} hours from {from}, {peak} in the busiest hour; {free} tokens were left",
            hours = self.hours,
            from = self.from,
            quiet = percent(self.quiet),
            peak = percent(self.peak),
            free = grouped(self.free),
        )
    }
}

impl Headroom {
    fn what(&self) -> String {
        let source = if self.is_default { "default " } else { "" };
        let lacking = self.lacking.map_or_else(String::new, |lacking| {
            format!("; about {} lack here", grouped(lacking))
        });
        format!(
            "the model has room as {place}: its busiest minute of the last day took {peak} of the {source}{quota} tokens a minute{lacking}",
            place = place(&self.pool),
            peak = grouped(self.peak),
            quota = self.quota,
        )
    }
}

/// A name that somebody else chose, so that it can't forge a line of a message.
fn inert(name: &str) -> String {
    name.chars()
        .take(MOST_NAME_CHARS)
        .collect::<String>()
        .escape_debug()
        .to_string()
        .replace('`', "'") // names stand between them
}

/// Where a pool of the same model is, as short as it can be said.
fn place(pool: &PoolId) -> String {
    format!("{} in {}", pool.family, pool.scope.region)
}

/// A share as people read it: whole percents, and below one a tenth, so that a little is not nothing.
fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if 0.0 < percent && percent < 1.0 {
        format!("{percent:.1} %")
    } else {
        format!("{percent:.0} %")
    }
}

fn day(at: Timestamp) -> String {
    Minute::of(at).to_string()
}

fn length(minutes: i64) -> String {
    match (minutes / HOUR, minutes % HOUR) {
        (0, minutes) => format!("{minutes} minutes"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}
