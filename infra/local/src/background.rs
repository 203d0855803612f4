//! What comes to functions by itself, as `EventBridge` brings it: their schedules, and the events of the bucket and of SES. The
//! table's stream is in `database`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use gatehouse::clock::Clock;
use gatehouse_template::Schedule;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::error;

use crate::functions::Functions;

/// How often the clock, which a test can move, and the pause are looked at.
const POLL: Duration = Duration::from_millis(50);
/// How long an event of the bucket is on its way.
const ARRIVES_AFTER: Duration = Duration::from_millis(50);
/// How often Lambda calls a function for one event that nobody waits for.
const TRIES: usize = 3;
/// How soon it does so again. On AWS that is minutes; nobody wants to wait for them here.
const RETRY: Duration = Duration::from_millis(500);

/// Holds back everything that comes by itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pause(Arc<AtomicBool>);

impl Pause {
    pub(crate) fn set(&self, paused: bool) {
        self.0.store(paused, Ordering::Relaxed);
    }

    /// Comes back when nothing is held back.
    pub(crate) async fn over(&self) {
        while self.0.load(Ordering::Relaxed) {
            sleep(POLL).await;
        }
    }
}

/// Calls a function whenever whole intervals have passed since the start, by the clock of the stack. However many
/// those are, it is called once: a clock that a test has moved on jumped over the others.
pub(crate) async fn keep(schedule: Schedule, function: String, functions: Arc<Functions>, clock: Clock, pause: Pause) {
    let (start, mut passed) = (clock.now(), 0);
    loop {
        sleep(POLL).await;
        pause.over().await;
        let intervals = clock.now().duration_since(start).unsigned_abs().as_secs() / schedule.every.as_secs();
        if intervals > passed {
            passed = intervals;
            call(&functions, &function, schedule.input.clone(), &pause).await;
        }
    }
}

/// Brings the events of the bucket, or of SES, to their function. They wait in memory, so a process that ends loses those that are on
/// their way; on AWS `EventBridge` keeps them.
pub(crate) async fn bring(
    mut events: UnboundedReceiver<Value>,
    function: &'static str,
    functions: Arc<Functions>,
    pause: Pause,
) {
    // A task for each: one that fails does not hold up the next. They end when this does.
    let mut under_way = JoinSet::new();
    while let Some(event) = events.recv().await {
        while under_way.try_join_next().is_some() {}
        let (functions, pause) = (Arc::clone(&functions), pause.clone());
        under_way.spawn(async move {
            sleep(ARRIVES_AFTER).await;
            call(&functions, function, event, &pause).await;
        });
    }
}

/// Calls a function as Lambda does when nobody waits for it.
async fn call(functions: &Functions, function: &str, event: Value, pause: &Pause) {
    for attempt in 1..=TRIES {
        pause.over().await;
        let error = match functions.invoke(function, event.clone()).await {
            Ok(outcome) => {
                // "Asynchronous invocation record", as far as anybody here reads it.
                if let Some(destination) = functions.destinations.get(function) {
                    let record = json!({ "version": "1.0", "requestPayload": event, "responsePayload": outcome });
                    Box::pin(call(functions, destination, record, pause)).await;
                }
                return;
            }
            Err(error) => error,
        };
        error!(%error, attempt, "what nobody waits for has failed");
        sleep(RETRY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;
    use std::sync::atomic::AtomicUsize;

    use gatehouse::clock::SignedDuration;
    use gatehouse::event::Trigger;

    /// A function that counts its calls and fails at the first ones.
    fn function(fails: usize) -> (Arc<Functions>, Arc<AtomicUsize>) {
        let count = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&count);
        let trigger: Trigger = Arc::new(move |event| {
            let call = counted.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move { if call < fails { Err("it fails".into()) } else { Ok(event) } })
        });
        let triggers = HashMap::from([("daily", trigger)]);
        (Arc::new(Functions { endpoints: HashMap::new(), triggers, destinations: HashMap::new() }), count)
    }

    #[tokio::test(start_paused = true)]
    async fn a_schedule_goes_by_the_clock_of_the_stack_and_waits_while_all_is_paused() {
        let (functions, count) = function(0);
        let (clock, pause) = (Clock::default(), Pause::default());
        let schedule = Schedule { every: Duration::from_hours(24), input: json!({}) };
        let mut tasks = JoinSet::new();
        tasks.spawn(keep(schedule, "daily".to_owned(), functions, clock.clone(), pause.clone()));
        let calls_after = async |days: i64| {
            clock.advance(SignedDuration::from_hours(24 * days));
            sleep(POLL * 4).await;
            count.load(Ordering::Relaxed)
        };
        assert_eq!(calls_after(0).await, 0);
        assert_eq!(calls_after(1).await, 1);
        assert_eq!(calls_after(3).await, 2);
        pause.set(true);
        assert_eq!(calls_after(1).await, 2);
        pause.set(false);
        assert_eq!(calls_after(0).await, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_is_tried_three_times() {
        for (fails, calls) in [(0, 1), (2, 3), (9, 3)] {
            let (functions, count) = function(fails);
            call(&functions, "daily", json!({}), &Pause::default()).await;
            assert_eq!(count.load(Ordering::Relaxed), calls);
        }
    }
}
