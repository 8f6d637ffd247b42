use super::{BYTES_MAX, Letter, Mailbox, Outbox};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;
use wharf_broker::{Command, ConnectionId, Event, Message, Unroutable};

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn publish(size_bytes: usize) -> Letter {
    let body = Bytes::from(vec![0; size_bytes]);
    let (message, unroutable) = (Message { format: 0, body }, Unroutable::DeadLetter);
    let publish = Command::Publish { seq: 1, to: Arc::new([]), message, unroutable };
    Letter::Request(ConnectionId(1), publish.into())
}

#[test]
fn letters_come_in_order_and_all_at_once() {
    let mailbox = Mailbox::default();
    let gone = |id| Letter::Gone(ConnectionId(id));
    mailbox.push(&mut vec![gone(1), gone(2)]);
    mailbox.push(&mut vec![gone(3)]);
    let mut batch = Vec::new();
    mailbox.take(&mut batch, None);
    let ids: Vec<u64> = batch
        .iter()
        .map(|letter| match letter {
            Letter::Gone(id) => id.0,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids, [1, 2, 3]);
}

#[test]
fn a_full_mailbox_holds_drivers_until_it_is_taken() {
    let mailbox = Mailbox::default();
    let woken = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&woken));
    let cx = Context::from_waker(&waker);
    assert_eq!(mailbox.poll_room(&cx), Poll::Ready(()));
    mailbox.push(&mut vec![publish(BYTES_MAX)]);
    assert_eq!(mailbox.poll_room(&cx), Poll::Pending);
    mailbox.take(&mut Vec::new(), None);
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    assert_eq!(mailbox.poll_room(&cx), Poll::Ready(()));
}

#[test]
fn the_journal_ends_the_wait_and_so_does_time() {
    let mailbox = Arc::new(Mailbox::default());
    let caller = Arc::clone(&mailbox);
    let calling = std::thread::spawn(move || caller.call_for_journal());
    let mut batch = Vec::new();
    // Whichever comes first, the call or the wait.
    mailbox.take(&mut batch, None);
    calling.join().unwrap();
    assert!(batch.is_empty());
    mailbox.take(&mut batch, Some(Duration::from_millis(1)));
    assert!(batch.is_empty());
}

#[test]
fn one_wake_for_many_events() {
    let outbox = Outbox::default();
    let woken = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&woken));
    let mut events = Vec::new();
    assert_eq!(outbox.take(&mut events, &waker).drain, None);
    outbox.push(&mut vec![Event::Opened, Event::Taken { up_to: 1 }]);
    outbox.push(&mut vec![Event::Taken { up_to: 2 }]);
    outbox.drain(1001);
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    assert_eq!(outbox.take(&mut events, &waker).drain, Some(1001));
    assert_eq!(events.len(), 3);
    assert_eq!(outbox.take(&mut events, &waker).drain, None, "told once");
}
