//! How much to ask for: from demand, inside the mandate, with the arithmetic as text.

use super::refusal::Refused;
use crate::model::{
    policy::Budgets,
    quota::{Limit, Quota},
    units::{Amount, Share},
};

/// Room above the peak: 1.3 times today's peak shall still lie below the share at which we warn.
const MARGIN: f64 = 1.3;

/// What to ask for, or why nothing can be asked.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Size {
    /// Ask for `desired`.
    Ask {
        /// The value.
        desired: Amount,
        /// How it came about, as a sentence without its final stop.
        arithmetic: String,
    },
    /// Nothing to ask for.
    Nothing(Refused),
}

/// Sizes a request from the highest demand of a minute, and from what is `ahead` by the forecast where that is more.
pub(super) fn size(
    quota: &Quota,
    (peak, ahead): (Amount, Option<Amount>),
    warn_at: Share,
    budgets: &Budgets,
) -> Size {
    let Limit::Applied(applied) = quota.limit() else {
        return Size::Nothing(Refused::for_good(unapplied(quota)));
    };
    let ahead = ahead.filter(|ahead| peak < *ahead);
    let demand = ahead.unwrap_or(peak);
    let need = demand.get() * MARGIN / warn_at.factor();
    let (floor, ceiling) = match bounds(quota, budgets) {
        Ok((floor, ceiling)) => (floor.get(), ceiling.get()),
        Err(why) => return Size::Nothing(Refused::for_good(why)),
    };
    let wanted = round_up(need.max(floor * 1.1));
    let desired = wanted.min(ceiling);
    // Service Quotas refuses what is not above both the applied and the default value.
    let Some(value) = Amount::new(desired).filter(|value| floor < value.get()) else {
        let demand = (floor * 1.1 <= need).then_some(wanted);
        let why = below_the_least(quota, applied, (demand, floor), ceiling);
        return Size::Nothing(Refused::for_good(why).but(mandate(budgets)));
    };
    let capped = if desired < wanted {
        ", cut to the mandate's ceiling"
    } else {
        ""
    };
    let arithmetic = format!(
        "{what} {demand} x {MARGIN} / {warn_at} = {need}, rounded up to {wanted}{capped}; applied now {applied}{default}",
        what = if ahead.is_some() {
            "demand of the next 7 days at 95 %"
        } else {
            "peak demand"
        },
        need = Amount::new(need).unwrap_or(peak),
        wanted = Amount::new(wanted).unwrap_or(peak),
        default = quota
            .default
            .map_or(String::new(), |default| format!(", default {default}")),
    );
    Size::Ask {
        desired: value,
        arithmetic,
    }
}

/// What may be asked for: above the first, which Service Quotas demands, and at most the second, where the mandate ends.
///
/// # Errors
///
/// Why nothing may be asked on it, as a sentence fragment.
pub(crate) fn bounds(quota: &Quota, budgets: &Budgets) -> Result<(Amount, Amount), String> {
    let Limit::Applied(applied) = quota.limit() else {
        return Err(unapplied(quota));
    };
    let default = quota.default.filter(|default| applied < *default);
    let floor = default.unwrap_or(applied);
    let ceiling = applied.get() * budgets.highest_factor;
    let ceiling = budgets
        .highest_value
        .map_or(ceiling, |most| most.get().min(ceiling));
    Ok((floor, Amount::new(ceiling).unwrap_or(applied)))
}

/// That the mandate ends before anything may be asked. `demand` where that alone would call for more than the least.
fn below_the_least(
    quota: &Quota,
    applied: Amount,
    (demand, floor): (Option<f64>, f64),
    ceiling: f64,
) -> String {
    let amount = |value| Amount::new(value).unwrap_or(applied);
    let demand = demand.map(|it| format!("the demand calls for {}, ", amount(it)));
    let default = quota.default.filter(|default| applied < *default);
    let what = default.map_or("the present value", |_| "its default");
    format!(
        "{}AWS takes no request at or below {what} of {}, and the mandate ends at {}",
        demand.unwrap_or_default(),
        amount(floor),
        amount(ceiling)
    )
}

fn unapplied(quota: &Quota) -> String {
    format!(
        "the applied value of {} is {}: nothing is asked on it",
        quota.code,
        quota.limit().source()
    )
}

/// What says how far requests go.
fn mandate(budgets: &Budgets) -> String {
    let value = budgets
        .highest_value
        .map_or_else(String::new, |it| format!(" and `highest_value` ({it})"));
    format!(
        "`[budget] highest_factor` ({}){value} in the configuration says how far a request may go",
        budgets.highest_factor
    )
}

/// Up to two significant digits, as people would write it: 1 234 567 becomes 1 300 000.
fn round_up(value: f64) -> f64 {
    if value < 10.0 {
        return value.ceil();
    }
    let step = 10_f64.powf(value.log10().floor() - 1.0);
    (value / step).ceil() * step
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        ids::{AccountId, QuotaCode, Region, Scope},
        time::Timestamp,
    };

    fn quota(applied: f64, default: Option<f64>) -> Quota {
        Quota {
            scope: Scope {
                account: AccountId::new("111122223333"),
                region: Region::new("us-east-1"),
            },
            code: QuotaCode::new("L-15B8E632"),
            name: "Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.6"
                .to_owned(),
            applied: Amount::new(applied),
            default: default.and_then(Amount::new),
            adjustable: true,
            read_at: Timestamp::UNIX_EPOCH,
            stale: None,
        }
    }

    fn budgets(highest_factor: f64, highest_value: Option<f64>) -> Budgets {
        Budgets {
            requests_per_day: 3,
            cases_per_hour: 3,
            cases_per_day: 10,
            highest_factor,
            highest_value: highest_value.and_then(Amount::new),
        }
    }

    fn asked(applied: f64, default: Option<f64>, peak: f64, budgets: &Budgets) -> Option<f64> {
        let share = Share::from_basis_points(8_000).unwrap();
        match size(
            &quota(applied, default),
            (Amount::new(peak).unwrap(), None),
            share,
            budgets,
        ) {
            Size::Ask { desired, .. } => Some(desired.get()),
            Size::Nothing(_) => None,
        }
    }

    #[test]
    fn size_follows_demand_and_rounds_as_people_do() {
        assert_eq!(
            asked(1_000_000.0, None, 900_000.0, &budgets(3.0, None)),
            Some(1_500_000.0)
        );
    }

    #[test]
    fn what_is_ahead_counts_where_it_is_more_than_what_was() {
        let amount = |value| Amount::new(value).unwrap();
        let ask = |ahead: f64| {
            let demand = (amount(500_000.0), Some(amount(ahead)));
            let budgets = budgets(10.0, None);
            match size(&quota(1_000_000.0, None), demand, Share::FULL, &budgets) {
                Size::Ask {
                    desired,
                    arithmetic,
                } => (desired.get(), arithmetic),
                Size::Nothing(why) => panic!("{why:?}"),
            }
        };
        let (desired, arithmetic) = ask(1_700_000.0);
        assert!((desired - 2_300_000.0).abs() < 1.0, "{desired}");
        assert!(
            arithmetic.starts_with("demand of the next 7 days at 95 % 1,700,000 x 1.3"),
            "{arithmetic}"
        );
        assert!(ask(400_000.0).1.starts_with("peak demand 500,000"));
    }

    #[test]
    fn never_below_the_default_nor_above_the_mandate() {
        assert_eq!(
            asked(200.0, Some(5_000.0), 190.0, &budgets(100.0, None)),
            Some(5_500.0)
        );
        assert_eq!(
            asked(1_000.0, None, 9_000.0, &budgets(3.0, None)),
            Some(3_000.0)
        );
        assert_eq!(
            asked(1_000.0, None, 900.0, &budgets(3.0, Some(1_200.0))),
            Some(1_200.0)
        );
        assert_eq!(
            asked(1_000.0, None, 900.0, &budgets(3.0, Some(900.0))),
            None
        );
        assert_eq!(
            asked(200.0, Some(5_000.0), 190.0, &budgets(3.0, None)),
            None
        );
    }

    #[test]
    fn a_blocked_account_asks_nothing() {
        assert_eq!(asked(0.0, Some(5_000.0), 190.0, &budgets(3.0, None)), None);
    }
}
