//! Sessions come and go: begin and end (AMQP 2.5.1 to 2.5.5, 2.7.2, 2.7.8).

use super::connection::{Connection, Fault, Stage, Step};
use super::event::{By, Event, LinkId, Misuse, SessionId};
use super::outgoing::undecided;
use super::session::{Session, SessionState};
use super::violation::Violation;
use crate::condition::Error;
use crate::performative::{Begin, End, Performative};

impl Connection {
    // AMQP 2.5.1.
    pub(super) fn on_begin<'a>(
        &mut self,
        channel: u16,
        begin: Box<Begin>,
    ) -> Result<Step<'a>, Fault> {
        if channel > self.config.channel_max {
            return Err(Violation::Channel("the channel is above channel-max").into());
        }
        if self.channels.contains_key(&channel) {
            return Err(Violation::Channel("the channel is in use").into());
        }
        match begin.remote_channel {
            Some(local) => self.on_begin_answer(channel, local, begin),
            None => self.on_begin_asked(channel, begin),
        }
    }

    fn on_begin_answer<'a>(
        &mut self,
        channel: u16,
        local: u16,
        begin: Box<Begin>,
    ) -> Result<Step<'a>, Fault> {
        let session = self.sessions.get_mut(&local);
        let Some(session) = session.filter(|session| session.remote_channel.is_none()) else {
            return Err(Violation::Unexpected("begin for no session of ours").into());
        };
        self.channels.insert(channel, local);
        let ended = !session.is_live();
        session.map_to(channel, &begin);
        if ended {
            session.state = SessionState::EndSent;
            return Ok(Step::Again);
        }
        Ok(Step::Event(Event::Begun(session.id, begin)))
    }

    fn on_begin_asked<'a>(&mut self, channel: u16, begin: Box<Begin>) -> Result<Step<'a>, Fault> {
        let Ok(id) = self.make_session(SessionState::Mapped) else {
            return Err(Violation::Channel("no channel is free").into());
        };
        self.channels.insert(channel, id.0);
        if let Some(session) = self.sessions.get_mut(&id.0) {
            session.map_to(channel, &begin);
            let answer = session.begin(Some(channel), self.config.handle_max);
            self.send(id.0, |out| Performative::Begin(Box::new(answer)).encode(out));
        }
        Ok(Step::Event(Event::Begun(id, begin)))
    }

    pub(super) fn on_end<'a>(&mut self, session: u16, end: End) -> Step<'a> {
        let Some(ended) = self.sessions.get(&session) else { return Step::Again };
        if let Some(channel) = ended.remote_channel {
            self.channels.remove(&channel);
        }
        if ended.is_live() {
            self.send_end(session, None);
            self.clear_session(session);
            let error = end.error.map(|error| (By::Peer, error));
            self.events.push_back(Event::Ended { session: SessionId(session), error });
        }
        self.sessions.remove(&session);
        Step::Again
    }

    /// Begins a session; the peer's answer comes as `Begun`, but links may be asked for at once.
    /// Before the peer has opened there may be one.
    ///
    /// # Errors
    /// If no channel is free, or the connection is not open.
    pub fn begin(&mut self) -> Result<SessionId, Misuse> {
        if !self.opened || matches!(self.stage, Stage::Closing | Stage::Over) {
            return Err(Misuse::WrongStage);
        }
        let id = self.make_session(SessionState::BeginSent)?;
        let begin = self.sessions.get(&id.0).map(|s| s.begin(None, self.config.handle_max));
        if let Some(begin) = begin {
            self.send(id.0, |out| Performative::Begin(Box::new(begin)).encode(out));
        }
        Ok(id)
    }

    /// Ends a session with all its links. What it had queued comes back as `Unsent`, what is not
    /// settled as `Outcome`; nothing else is said.
    ///
    /// # Errors
    /// If there is none.
    pub fn end_session(&mut self, id: SessionId, error: Option<Error>) -> Result<(), Misuse> {
        let session = self.sessions.get_mut(&id.0).filter(|session| session.is_live());
        session.ok_or(Misuse::NoSession)?.state = SessionState::EndSent;
        self.clear_session(id.0);
        self.send_end(id.0, error);
        Ok(())
    }

    /// Ends a session for a reason that the caller does not know yet.
    pub(super) fn break_session(&mut self, id: SessionId, error: Error) {
        if self.end_session(id, Some(error.clone())).is_ok() {
            let error = Some((By::Local, error));
            self.events.push_back(Event::Ended { session: id, error });
        }
    }

    fn send_end(&mut self, channel: u16, error: Option<Error>) {
        self.send_with_error(channel, error, |error| Performative::End(Box::new(End { error })));
    }

    // AMQP 2.5.1: "always assign the lowest available unused channel number".
    fn make_session(&mut self, state: SessionState) -> Result<SessionId, Misuse> {
        let highest = self.config.channel_max.min(self.peer.channel_max);
        let free = (0..=highest).find(|channel| !self.sessions.contains_key(channel));
        let id = SessionId(free.ok_or(Misuse::Exhausted)?);
        let window = self.config.incoming_window_frames.max(1);
        self.sessions.insert(id.0, Box::new(Session::new(id, state, window)));
        Ok(id)
    }

    /// What a session that ends leaves behind.
    fn clear_session(&mut self, id: u16) {
        let handles: Vec<u32> = match self.sessions.get(&id) {
            Some(session) => session.links.keys().copied().collect(),
            None => return,
        };
        for handle in handles {
            let link = LinkId { session: SessionId(id), handle };
            self.clear_link(link, true);
            self.forget_link(link);
        }
        if let Some(session) = self.sessions.get_mut(&id) {
            session.clear();
            // Of links that were detached before: nobody can settle them any more.
            let id = session.id;
            let rest = session.unsettled.take_all();
            self.events.extend(rest.iter().map(|run| undecided(id, run)));
        }
    }
}
