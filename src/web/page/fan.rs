//! Demand of the days to come against the quota, as a fan chart: SVG made here, and the same in words beneath.

use maud::{Markup, html};

use super::elements::when;
use crate::{
    model::units::{QuotaKind, grouped},
    web::{
        inert::inert,
        json::{Ahead, FanPoint, Headroom, Status},
        words::{expected, held, odds, place, warned},
    },
};

/// Charts that are shown: those whose quota runs out first.
const MOST_CHARTS: usize = 6;
const WIDTH: f64 = 336.0;
const HEIGHT: f64 = 96.0;

pub(super) fn section(status: &Status) -> Markup {
    let known = status
        .headroom
        .iter()
        .filter_map(|row| Some((row, row.ahead.as_ref()?)));
    let mut charts: Vec<(&Headroom, &Ahead)> = known.filter(|(_, it)| 1 < it.fan.len()).collect();
    charts.sort_by(|(_, a), (_, b)| b.within_week.total_cmp(&a.within_week));
    charts.truncate(MOST_CHARTS);
    html! {
        @if !charts.is_empty() {
            section aria-labelledby="ahead" {
                h2 id="ahead" { "The next seven days" }
                p.quiet { "Demand a minute by the forecast, four hours at a time, and for tokens per day what the UTC day comes to: the line is its middle, the band holds eight of ten, the dashed line is the quota." }
                div.fans { @for (row, ahead) in charts { (chart(row, ahead)) } }
            }
        }
    }
}

fn chart(row: &Headroom, ahead: &Ahead) -> Markup {
    let title = format!("{} of {}", row.kind.to_uppercase(), inert(&row.model));
    let place = place(row.account_name.as_deref(), &row.account, &row.region);
    let points = &ahead.fan;
    let top = points.iter().map(|it| it.p90).fold(0.0, f64::max);
    let top = 1.08 * top.max(row.limit.unwrap_or(0.0)).max(f64::MIN_POSITIVE);
    let last = points.len().saturating_sub(1);
    let across = |place: usize| WIDTH * ratio(place, last);
    let up = |value: f64| HEIGHT * (1.0 - value / top);
    let line = |of: fn(&FanPoint) -> f64| -> Vec<String> {
        let points = points.iter().enumerate();
        let point = points.map(|(place, it)| format!("{:.1},{:.1}", across(place), up(of(it))));
        point.collect()
    };
    let mut band = line(|it| it.p90);
    band.extend(line(|it| it.p10).into_iter().rev());
    let quota = row.limit.map(|limit| format!("{:.1}", up(limit)));
    html! {
        figure.fan {
            svg viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(spoken(row, ahead)) {
                polygon.band points=(band.join(" ")) {}
                polyline.middle points=(line(|it| it.p50).join(" ")) {}
                @if let Some(y) = &quota { line.quota x1="0" x2=(WIDTH) y1=(y) y2=(y) {} }
            }
            figcaption {
                strong { (title) } span.sub { (row.family) " · " (place) }
                span.sub { "runs out " (expected(ahead)) " (" (odds(ahead)) ")" }
                span.sub { "as of " (when(&ahead.as_of)) }
                @for so_far in [held(&ahead.bands), warned(&ahead.warnings)].iter().flatten() { span.sub { (so_far) } }
            }
        }
    }
}

/// What the chart shows, for those who hear the page.
fn spoken(row: &Headroom, ahead: &Ahead) -> String {
    let (first, last) = (ahead.fan.first(), ahead.fan.last());
    let limit = row.limit.map_or("not known".to_owned(), grouped);
    let is_daily = QuotaKind::ALL
        .iter()
        .any(|it| it.is_daily() && it.name() == row.kind);
    let demand = if is_daily {
        "of the day"
    } else {
        "demand a minute"
    };
    match first.zip(last) {
        Some((first, last)) => format!(
            "{} {demand} from {} now to between {} and {} in seven days; the quota is {limit}",
            row.kind.to_uppercase(),
            grouped(first.p50.round()),
            grouped(last.p10.round()),
            grouped(last.p90.round()),
        ),
        None => String::new(),
    }
}

fn ratio(place: usize, of: usize) -> f64 {
    let number = |it: usize| u32::try_from(it).map_or(0.0, f64::from);
    number(place) / number(of).max(1.0)
}
