//! Sending everybody away, evenly over a time: a fleet that comes back all at once hurts whoever
//! takes it over.

use crate::node::Node;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How often some are sent away.
const TICK: Duration = Duration::from_millis(20);

/// Sends every connection away within `over`, the oldest first, and then those that came meanwhile:
/// a handshake that was judged before may end after.
pub(crate) async fn send_away(node: Arc<Node>, over: Duration, close_code: u16) {
    let all = node.connections.all();
    let began = Instant::now();
    let mut sent = 0;
    while sent < all.len() {
        let due = share(all.len(), began.elapsed(), over);
        while sent < due {
            all[sent].drain(close_code);
            sent += 1;
        }
        if sent < all.len() {
            tokio::time::sleep(TICK).await;
        }
    }
    loop {
        tokio::time::sleep(TICK).await;
        node.connections.all().iter().for_each(|outbox| outbox.drain(close_code));
    }
}

/// How many of so many are due after a part of the time.
fn share(count: usize, elapsed: Duration, over: Duration) -> usize {
    if elapsed >= over {
        return count;
    }
    let part = elapsed.as_secs_f64() / over.as_secs_f64();
    // At once the first, so that a drain is seen to have begun.
    ((count as f64 * part).ceil() as usize).clamp(1, count)
}

#[cfg(test)]
mod tests {
    use super::share;
    use std::time::Duration;

    #[test]
    fn everybody_has_a_time() {
        let minute = Duration::from_secs(60);
        let at = |seconds| share(600, Duration::from_secs(seconds), minute);
        assert_eq!([at(0), at(1), at(30), at(59), at(60), at(99)], [1, 10, 300, 590, 600, 600]);
        assert_eq!(share(3, Duration::ZERO, Duration::ZERO), 3);
        assert_eq!(share(0, minute, minute), 0);
    }
}
