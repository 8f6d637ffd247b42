//! WebSocket (RFC 6455, RFC 7692, interim versions 6 to 8) as a sans-IO engine

pub mod handshake;
pub mod uri;
pub mod version;
