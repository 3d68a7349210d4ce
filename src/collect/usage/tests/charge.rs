//! Charged tokens as they were measured at the real AWS, and their peak.

use super::*;

/// One minute at the real AWS: a public repository, 2026-10-09, `global.anthropic.claude-sonnet-4-6`, burndown 5.
struct Measured {
    input: f64,
    output: f64,
    cache_writes: f64,
    cache_reads: f64,
    /// `EstimatedTPMQuotaUsage`.
    charged: f64,
}

const MEASURED: [Measured; 4] = [
    Measured {
        input: 26.0,
        output: 1_203.0,
        cache_writes: 0.0,
        cache_reads: 0.0,
        charged: 6_041.0,
    },
    // `max_tokens` was 8,000, which the metric does not show. The input is derived from the charge.
    Measured {
        input: 14.0,
        output: 4.0,
        cache_writes: 0.0,
        cache_reads: 0.0,
        charged: 34.0,
    },
    // Of the last two only the sum of input and weighted output is known: 33.
    Measured {
        input: 13.0,
        output: 4.0,
        cache_writes: 8_814.0,
        cache_reads: 0.0,
        charged: 8_847.0,
    },
    Measured {
        input: 13.0,
        output: 4.0,
        cache_writes: 0.0,
        cache_reads: 8_814.0,
        charged: 33.0,
    },
];

fn put(fake: &mut Fake, target: &str, ago: i64, it: &Measured) {
    let minute = noon().plus(-ago);
    for (name, value) in [
        ("Invocations", 1.0),
        ("InputTokenCount", it.input),
        ("OutputTokenCount", it.output),
        ("CacheWriteInputTokenCount", it.cache_writes),
        ("CacheReadInputTokenCount", it.cache_reads),
    ] {
        // What was not used is not published.
        if 0.0 < value {
            fake.put(name, target, minute, value);
        }
    }
}

#[tokio::test]
async fn what_was_measured_at_aws_is_what_the_formula_says() {
    for it in &MEASURED {
        let mut fake = Fake::default();
        put(&mut fake, "us.a", 10, it);
        let (by_formula, ..) = read_one(&fake, &one()).await;
        let minute = noon().plus(-10);
        fake.put("EstimatedTPMQuotaUsage", "us.a", minute, it.charged);
        let (by_metric, ..) = read_one(&fake, &one()).await;
        for reading in [by_formula, by_metric] {
            let charged = at(&reading, Signal::ChargedTokens, 10);
            assert_eq!(charged, Sample::Value(it.charged));
            // Cache tokens are charged, and are no input.
            assert_eq!(
                at(&reading, Signal::InputTokens, 10),
                Sample::Value(it.input)
            );
        }
    }
}

/// Input peaks in one minute and output in another, and each target in a minute of its own: a peak of sums, never a sum
/// of peaks.
#[tokio::test]
async fn the_peak_is_that_of_one_minute_over_all_targets() {
    let tokens = |input, output| Measured {
        input,
        output,
        cache_writes: 0.0,
        cache_reads: 0.0,
        charged: 0.0,
    };
    let mut fake = Fake::default();
    for (target, ago, input, output) in [
        ("us.a", 10, 9_000.0, 100.0), // 9,500
        ("us.b", 10, 100.0, 20.0),    // 200
        ("us.a", 9, 100.0, 1_200.0),  // 6,100
        ("us.b", 9, 500.0, 600.0),    // 3,500
    ] {
        put(&mut fake, target, ago, &tokens(input, output));
    }
    let book = book(&[(SONNET, Some(5.0), &["us.a", "us.b"])], Some(5));
    let (reading, ..) = read_one(&fake, &book).await;
    let minutes = reading.signals[&Signal::ChargedTokens].iter();
    let peak = minutes
        .filter_map(|sample| sample.value())
        .fold(0.0, f64::max);
    assert!((peak - 9_700.0).abs() < 1e-9, "{peak}");
}

/// Of a model that publishes no charge, or none yet, a count that was lost is a charge that was lost.
#[tokio::test]
async fn a_charge_that_lacks_a_count_of_the_formula_is_read_again_by_the_next_read() {
    let mut fake = Fake::default();
    let minute = noon().plus(-3);
    fake.put("Invocations", "us.a", minute, 2.0);
    fake.put("OutputTokenCount", "us.a", minute, 20.0);
    let key = ("InputTokenCount", "us.a".to_owned());
    fake.statuses.insert(key, MetricStatus::Partial);
    let (reading, through, _) = read_one(&fake, &one()).await;
    assert_eq!(at(&reading, Signal::ChargedTokens, 3), Sample::Unobserved);
    assert_eq!(through, noon().plus(-5), "limits are judged by the charge");
}
