//! The MessageBroker WebSocket Subprotocol (MBWS, MBLWS) as a sans-IO engine
