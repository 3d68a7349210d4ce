//! The simulated clock over HTTP: server and client together.

use std::time::Duration;

use bedrock_ops_alert::{
    model::time::{Timestamp, after},
    runtime::sim_clock::{Pace, SimClock, SimClockError},
    sim::wire::{Options, Speed},
};

use crate::support::{Served, get, serve, sim};

async fn at_max(grace: Duration) -> Served {
    let mut options = Options::at(Speed::Max);
    options.grace = grace;
    serve(sim(), options).await
}

async fn client(served: &Served, name: &str) -> SimClock {
    SimClock::connect(&served.url, name).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_minutes_pass_wake_by_wake() {
    let served = at_max(Duration::from_secs(600)).await;
    let clock = client(&served, "daemon").await;
    let start = clock.now().await.unwrap();
    assert_eq!(start, served.sim.now());
    for minute in 1..=100 {
        let until = after(start, minute);
        assert_eq!(clock.sleep_until(until).await.unwrap(), until);
    }
    assert_eq!(served.sim.now(), after(start, 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_clock_waits_for_every_client_and_a_dead_one_comes_back() {
    let served = at_max(Duration::from_secs(600)).await;
    let (one, two) = (client(&served, "one").await, client(&served, "two").await);
    let start = served.sim.now();
    let (first, ()) = tokio::join!(one.sleep_until(after(start, 5)), async {
        // `one` sleeps for a while: the clock stands, since `two` is busy.
        for _ in 0..20 {
            assert_eq!(two.now().await.unwrap(), start);
        }
        two.sleep_until(after(start, 2)).await.unwrap();
        // `two` dies here and is started again under its name.
        let again = client(&served, "two").await;
        assert_eq!(again.now().await.unwrap(), after(start, 2));
        assert_eq!(
            again.sleep_until(after(start, 4)).await.unwrap(),
            after(start, 4)
        );
        again.leave().await.unwrap();
    });
    assert_eq!(first.unwrap(), after(start, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_client_holds_the_clock_for_its_grace() {
    let served = at_max(Duration::from_millis(300)).await;
    let survivor = client(&served, "survivor").await;
    let start = served.sim.now();
    let killed = client(&served, "killed").await;
    {
        // The connection of this sleep breaks, as that of a killed process does.
        let sleep = killed.sleep_until(after(start, 1));
        let cut = tokio::time::timeout(Duration::from_millis(50), sleep).await;
        assert!(cut.is_err(), "the survivor is busy, so the clock stands");
    }
    let woken = survivor.sleep_until(after(start, 3)).await.unwrap();
    assert_eq!(woken, after(start, 3), "not woken at minute 1 or 2");
    let shown = get(&served, "/_sim/clock").await;
    assert!(shown["clients"].get("killed").is_none(), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_frees_the_others() {
    let served = at_max(Duration::from_secs(600)).await;
    let (one, two) = (client(&served, "one").await, client(&served, "two").await);
    let start = served.sim.now();
    let (woken, left) = tokio::join!(one.sleep_until(after(start, 60)), two.leave());
    left.unwrap();
    assert_eq!(woken.unwrap(), after(start, 60));
    two.leave().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_at_a_fixed_speed_needs_no_clients() {
    let served = serve(sim(), Options::at(Speed::Times(86_400))).await;
    let clock = client(&served, "daemon").await;
    let until = after(served.sim.now(), 60);
    assert!(until <= clock.sleep_until(until).await.unwrap());
    assert_eq!(get(&served, "/_sim/clock").await["speed"], 86_400);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_speed_is_told_to_whoever_asks_and_nobody_is_registered_by_it() {
    for (speed, pace) in [
        (Speed::Max, Pace::AsClientsLetIt),
        (Speed::Times(50), Pace::Times(50)),
    ] {
        let served = serve(sim(), Options::at(speed)).await;
        let clock = SimClock::new(&served.url, "curious").unwrap();
        assert_eq!(clock.pace().await.unwrap(), pace);
        let shown = get(&served, "/_sim/clock").await;
        assert_eq!(shown["clients"], serde_json::json!({}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_clock_is_told_apart() {
    let far = SimClock::connect("http://192.0.2.1:4566", "daemon").await;
    assert!(matches!(far, Err(SimClockError::NotLoopback { .. })));
    let port = crate::support::free_port();
    let nobody = SimClock::connect(&format!("http://127.0.0.1:{port}"), "daemon").await;
    assert!(matches!(nobody, Err(SimClockError::Unreachable { .. })));
    let served = at_max(Duration::from_secs(600)).await;
    let unnamed = SimClock::connect(&served.url, "").await.unwrap_err();
    assert!(unnamed.to_string().contains("a client's name"), "{unnamed}");
    let clock = client(&served, "daemon").await;
    assert_eq!(
        clock.sleep_until(Timestamp::UNIX_EPOCH).await.unwrap(),
        served.sim.now(),
        "the past is here at once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_ends_its_waits() {
    let served = at_max(Duration::from_secs(600)).await;
    let (one, two) = (client(&served, "one").await, client(&served, "two").await);
    let until = after(served.sim.now(), 60);
    let (cut, ()) = tokio::join!(one.sleep_until(until), async {
        two.now().await.unwrap();
        served.stop().await;
    });
    assert!(cut.is_err(), "{cut:?}");
    assert!(two.now().await.is_err());
}
