use std::{collections::VecDeque, sync::Mutex, time::Duration};

use super::*;

/// 2026-11-02T00:00:00Z.
const WALL: Timestamp = Timestamp::constant(1_793_577_600, 0);
const HOUR: i64 = 60;
const YEAR: i64 = 365 * 24 * 60;

/// Shows these instants, one a tick.
#[derive(Debug)]
struct Shown(VecDeque<Timestamp>);

#[async_trait]
impl Ticks for Shown {
    async fn now(&mut self) -> Result<Timestamp, TickError> {
        Ok(*self.0.front().unwrap())
    }

    async fn next(&mut self) -> Result<Timestamp, TickError> {
        self.0.pop_front();
        match self.0.front() {
            Some(at) => Ok(*at),
            None => std::future::pending().await,
        }
    }

    async fn leave(&mut self) {}
}

/// Says these minutes, one for each question; nothing where it does not answer.
#[derive(Debug, Default)]
struct Says {
    answers: Mutex<VecDeque<Option<i64>>>,
    heard: Mutex<Option<SignedDuration>>,
}

#[async_trait]
impl Witness for Says {
    fn heard(&self) -> Option<SignedDuration> {
        *self.heard.lock().unwrap()
    }

    async fn ask(&self) -> Told {
        let Some(minutes) = self.answers.lock().unwrap().pop_front().unwrap() else {
            return Told::Silent;
        };
        let ahead = SignedDuration::from_mins(minutes);
        *self.heard.lock().unwrap() = Some(ahead);
        Told::Ahead(ahead)
    }
}

fn ticks(minutes: &[i64], answers: &[Option<i64>]) -> Trued<Shown, Says> {
    let shown = minutes.iter().map(|it| after(WALL, *it)).collect();
    let says = Says {
        answers: Mutex::new(answers.iter().copied().collect()),
        ..Says::default()
    };
    Trued::new(Shown(shown), says)
}

/// The minutes after the start that came, until the source has no more.
async fn heard(mut ticks: Trued<Shown, Says>) -> Vec<i64> {
    let minute = |at: Timestamp| at.duration_since(WALL).as_mins();
    let mut minutes = Vec::new();
    let first = tokio::time::timeout(Duration::from_millis(50), ticks.now()).await;
    minutes.extend(first.into_iter().map(|it| minute(it.unwrap())));
    while let Ok(next) = tokio::time::timeout(Duration::from_millis(50), ticks.next()).await {
        minutes.push(minute(next.unwrap()));
    }
    let unasked = ticks.other.answers.lock().unwrap().len();
    assert_eq!(unasked, 0, "AWS is asked as often as it has to be");
    minutes
}

#[tokio::test]
async fn a_clock_that_aws_agrees_with_is_asked_about_once() {
    // Ticks of this test come at once: what is shown is the same minute.
    assert_eq!(heard(ticks(&[0, 0, 1, 0], &[Some(0)])).await, [0, 0, 1, 0]);
}

#[tokio::test]
async fn a_clock_that_jumps_is_dated_by_aws() {
    let jumps = [0, YEAR, YEAR + 1, 0, -YEAR, -YEAR];
    let said = [Some(0), Some(YEAR), Some(0), Some(-YEAR)];
    assert_eq!(heard(ticks(&jumps, &said)).await, [0, 0, 1, 0, 0, 0]);
}

#[tokio::test]
async fn a_machine_that_slept_goes_on_at_once() {
    assert_eq!(
        heard(ticks(&[0, 8 * HOUR, 8 * HOUR + 1], &[Some(0), Some(0)])).await,
        [0, 8 * HOUR, 8 * HOUR + 1]
    );
}

#[tokio::test]
async fn a_clock_that_is_off_from_the_start_is_dated_by_aws_until_it_is_set() {
    let shown = [61, 62, 1];
    assert_eq!(
        heard(ticks(&shown, &[Some(HOUR), Some(0)])).await,
        [1, 2, 1]
    );
}

#[tokio::test]
async fn no_tick_comes_from_a_clock_that_jumped_while_aws_does_not_answer() {
    let shown = [0, YEAR, YEAR + 1, YEAR + 1];
    let said = [Some(0), None, None, Some(YEAR)];
    assert_eq!(heard(ticks(&shown, &said)).await, [0, 1]);
    // Set right meanwhile, it needs nobody's word.
    let said = [Some(0), None];
    assert_eq!(heard(ticks(&[0, YEAR, 1], &said)).await, [0, 1]);
}

#[tokio::test]
async fn without_aws_the_store_says_at_the_start_whether_the_clock_is_likely() {
    for (newest, comes) in [
        (None, true),
        (Some(-10), true),
        (Some(-1_000), true),
        (Some(-YEAR), false),
        (Some(YEAR), false),
    ] {
        let mut ticks = ticks(&[0], &[None]);
        if let Some(newest) = newest {
            ticks.known_until(after(WALL, newest));
        }
        let want = if comes { vec![0] } else { vec![] };
        assert_eq!(heard(ticks).await, want, "{newest:?}");
    }
}

/// Answers of the cycles are heard in passing; one that was late says nothing, since AWS is asked before it is believed.
#[tokio::test]
async fn what_is_heard_in_passing_is_asked_about() {
    for (asked, want) in [(Some(0), 1), (Some(3), -2)] {
        let mut ticks = ticks(&[0, 1], &[Some(0), asked]);
        assert_eq!(ticks.now().await.unwrap(), WALL);
        *ticks.other.heard.lock().unwrap() = Some(SignedDuration::from_mins(3));
        assert_eq!(ticks.next().await.unwrap(), after(WALL, want));
    }
}

/// Orders and signals are heard while AWS is asked: whoever stops waiting loses no minute.
#[tokio::test]
async fn a_tick_that_nobody_waited_for_comes_next_time() {
    #[derive(Debug)]
    struct Slow(Mutex<u32>);
    #[async_trait]
    impl Witness for Slow {
        fn heard(&self) -> Option<SignedDuration> {
            None
        }
        async fn ask(&self) -> Told {
            *self.0.lock().unwrap() += 1;
            if *self.0.lock().unwrap() == 1 {
                std::future::pending::<()>().await;
            }
            Told::Ahead(SignedDuration::ZERO)
        }
    }
    let shown = Shown([0, 7].map(|it| after(WALL, it)).into());
    let mut ticks = Trued::new(shown, Slow(Mutex::new(0)));
    let cut = tokio::time::timeout(Duration::from_millis(20), ticks.next()).await;
    assert!(cut.is_err());
    assert_eq!(ticks.next().await.unwrap(), after(WALL, 7));
}
