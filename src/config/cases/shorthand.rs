//! Series in few characters: `"100x30 500x10 _x5 100+10x5"`.

use crate::{config::fault::Wrong, model::series::Sample};

/// Two weeks and a day of minutes: as much as any rule looks back.
const MOST_MINUTES: usize = 15 * 1_440;

/// The samples of this text, one a minute.
///
/// Words, each with `xN` behind it for N minutes: a number; `_` for no datapoint; `?` for a minute that was not read; and
/// `100+10` or `100-10` for a ramp, that begins with 100 and changes by 10 each minute.
pub(super) fn samples(text: &str) -> Result<Vec<Sample>, Wrong> {
    let mut samples = Vec::new();
    for word in text.split_whitespace() {
        let (what, times) = match word.split_once('x') {
            Some((what, times)) => (what, times.parse::<usize>().ok()),
            None => (word, Some(1)),
        };
        let times = times.filter(|it| 0 < *it && *it <= MOST_MINUTES);
        let times = times.ok_or_else(|| wrong(word, "behind the x stands a whole number"))?;
        if MOST_MINUTES < samples.len() + times {
            return Err(wrong(word, "a series has at most 15 days of minutes"));
        }
        match what {
            "_" => samples.extend(std::iter::repeat_n(Sample::NoData, times)),
            "?" => samples.extend(std::iter::repeat_n(Sample::Unobserved, times)),
            numbers => {
                ramp(numbers, times, &mut samples).ok_or_else(|| wrong(word, "no number"))?
            }
        }
    }
    Ok(samples)
}

/// `None`: no number, or one that no count can be.
fn ramp(text: &str, times: usize, samples: &mut Vec<Sample>) -> Option<()> {
    let tail = text.get(1..)?;
    let sign = tail.find(['+', '-']).map(|at| at + 1);
    let (first, step) = match sign {
        Some(at) => {
            let (first, step) = text.split_at_checked(at)?;
            (first, number(step)?)
        }
        None => (text, 0.0),
    };
    let mut value = number(first)?;
    for _ in 0..times {
        if value < 0.0 {
            return None;
        }
        samples.push(Sample::Value(value));
        value += step;
    }
    Some(())
}

fn number(text: &str) -> Option<f64> {
    let number = text.replace('_', "").parse::<f64>().ok();
    number.filter(|it| it.is_finite())
}

fn wrong(word: &str, label: &str) -> Wrong {
    Wrong::new(
        format!("`{word}` is no part of a series"),
        label,
        "such as \"100x30 500x10 _x5\": 30 minutes at 100, ten at 500, five without a datapoint; `?` was not read; \"100+10x5\" rises by 10 each minute and never falls below 0",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_minutes() {
        let of = |text: &str| samples(text).ok();
        let values = |these: &[f64]| {
            these
                .iter()
                .map(|it| Sample::Value(*it))
                .collect::<Vec<_>>()
        };
        assert_eq!(of("100x2 5"), Some(values(&[100.0, 100.0, 5.0])));
        assert_eq!(of("100+10x3"), Some(values(&[100.0, 110.0, 120.0])));
        assert_eq!(of("9-4x3"), Some(values(&[9.0, 5.0, 1.0])));
        assert_eq!(of("1_000 0.5"), Some(values(&[1_000.0, 0.5])));
        let gaps = [Sample::NoData, Sample::Unobserved, Sample::Unobserved];
        assert_eq!(of("_ ?x2"), Some(gaps.to_vec()));
        for bad in [
            "x5", "5x", "5x0", "-5", "9-4x4", "NaN", "5 y", "1x99999", "1+x3",
        ] {
            assert!(samples(bad).is_err(), "{bad}");
        }
    }
}
