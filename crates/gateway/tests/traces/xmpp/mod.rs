//! XMPP through a WebSocket. What is said and heard is XML; identifiers of streams are `*`.

mod opening;
