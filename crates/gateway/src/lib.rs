//! One client connection as one sans-IO machine: WebSocket, protocol, mapping to the broker
