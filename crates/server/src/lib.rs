//! The binary wharf: listeners, TLS, HTTP, drivers and the command line
