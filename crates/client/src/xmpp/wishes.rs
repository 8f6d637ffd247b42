//! What the application wants to receive.

use std::collections::BTreeSet;

use wharf_xmpp::jid::Jid;

use super::names::Names;
use super::stanzas::{write_consume, write_presence};
use crate::Error;
use crate::channels::{Reply, Wish};

/// One address that is received.
#[derive(Debug)]
struct Wanted {
    address: String,
    /// Who answers; for the client's own account, that account.
    jid: String,
    stanza: Vec<u8>,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    wanted: Vec<Wanted>,
    asking: Option<Asking>,
}

/// A wish that is not granted yet.
#[derive(Debug)]
struct Asking {
    left: BTreeSet<String>,
    reply: Reply,
}

impl Wishes {
    /// Adds a wish; the stanzas that say it.
    pub(super) fn add(
        &mut self,
        wish: Wish,
        names: &Names,
        own: &Jid,
        reply: Reply,
    ) -> Vec<Vec<u8>> {
        match wanted(wish, names, own) {
            Ok(wanted) => {
                let left = wanted.iter().map(|wanted| wanted.jid.clone()).collect();
                let stanzas = wanted.iter().map(|wanted| wanted.stanza.clone()).collect();
                self.wanted.extend(wanted);
                self.asking = Some(Asking { left, reply });
                stanzas
            }
            Err(error) => {
                let _ = reply.send(Err(error));
                Vec::new()
            }
        }
    }

    /// What is said on a stream that begins.
    pub(super) fn again(&self) -> impl Iterator<Item = &[u8]> + '_ {
        self.wanted.iter().map(|wanted| wanted.stanza.as_slice())
    }

    /// Presence came: an address is received now.
    pub(super) fn granted(&mut self, from: &str) {
        let Some(asking) = &mut self.asking else { return };
        asking.left.remove(from);
        if asking.left.is_empty()
            && let Some(asking) = self.asking.take()
        {
            let _ = asking.reply.send(Ok(()));
        }
    }

    /// An address cannot be received. If nobody waits for the answer, the client cannot go on.
    pub(super) fn refused(
        &mut self,
        from: &str,
        condition: String,
        description: String,
    ) -> Option<Error> {
        let at = self.wanted.iter().position(|wanted| wanted.jid == from)?;
        let address = self.wanted.remove(at).address;
        let refused = Error::LinkRefused { address, condition, description };
        match self.asking.take() {
            Some(asking) if asking.left.contains(from) => {
                let _ = asking.reply.send(Err(refused));
                None
            }
            other => {
                self.asking = other;
                Some(refused)
            }
        }
    }

    /// Who waits for an answer.
    pub(super) fn into_reply(self) -> Option<Reply> {
        self.asking.map(|asking| asking.reply)
    }
}

fn wanted(wish: Wish, names: &Names, own: &Jid) -> Result<Vec<Wanted>, Error> {
    let Wish { addresses, credit, subscription } = wish;
    let one = |address: String| {
        let jid = names.jid(&address)?;
        let jid = jid.as_str().to_owned();
        let stanza = match Names::is_person(&address) {
            true if jid == own.bare_str() => write_presence(),
            true => return Err(Error::NotInProtocol("no way to receive for somebody else")),
            false => write_consume(&jid, credit, subscription.as_deref()),
        };
        Ok(Wanted { address, jid, stanza })
    };
    addresses.into_iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot;

    fn wish(addresses: &[&str]) -> Wish {
        let addresses = addresses.iter().map(|&it| it.to_owned()).collect();
        Wish { addresses, credit: 5, subscription: None }
    }

    #[test]
    fn a_wish_is_granted_when_all_of_it_is() {
        let (names, own) = (Names::new(None, "h"), Jid::parse("me@h/r").unwrap());
        let mut wishes = Wishes::default();
        let (reply, mut granted) = oneshot::channel();
        let said = wishes.add(wish(&["orders", "xmpp:me@h"]), &names, &own, reply);
        let said: Vec<String> = said.into_iter().map(|it| String::from_utf8(it).unwrap()).collect();
        assert_eq!(
            said,
            [
                "<presence xmlns='jabber:client' to='orders@mq.h'>\
                 <consume xmlns='urn:wharf:consume:0' window='5'/></presence>",
                "<presence xmlns='jabber:client'/>"
            ]
        );
        wishes.granted("me@h");
        assert!(granted.try_recv().is_err());
        wishes.granted("orders@mq.h");
        assert!(matches!(granted.try_recv(), Ok(Ok(()))));
        assert_eq!(wishes.again().count(), 2);
    }

    #[test]
    fn what_is_refused_is_not_asked_for_again() {
        let (names, own) = (Names::new(None, "h"), Jid::parse("me@h/r").unwrap());
        let mut wishes = Wishes::default();
        let (reply, mut granted) = oneshot::channel();
        wishes.add(wish(&["orders", "news"]), &names, &own, reply);
        wishes.granted("news@mq.h");
        let end = wishes.refused("orders@mq.h", "forbidden".to_owned(), String::new());
        assert!(end.is_none());
        let answer = granted.try_recv().unwrap();
        let Err(Error::LinkRefused { address, condition, .. }) = answer else { panic!() };
        assert_eq!((&*address, &*condition), ("orders", "forbidden"));
        assert_eq!(wishes.again().count(), 1);
        // Later, when nobody waits.
        assert!(wishes.refused("news@mq.h", "gone".to_owned(), String::new()).is_some());
        assert!(wishes.refused("news@mq.h", "gone".to_owned(), String::new()).is_none());
        let (reply, mut other) = oneshot::channel();
        wishes.add(wish(&["xmpp:you@h"]), &names, &own, reply);
        assert!(matches!(other.try_recv(), Ok(Err(Error::NotInProtocol(_)))));
    }
}
