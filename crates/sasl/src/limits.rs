//! The bounds of every input. All are far above what people use and far below what hurts.

/// Longest message of a peer. Three strings of [`STRING_MAX_BYTES`] fit in.
pub const MESSAGE_MAX_BYTES: usize = 4096;

/// Longest user name, authorization identity or password. RFC 4616, section 2, asks for 255.
pub const STRING_MAX_BYTES: usize = 1024;

/// Longest trace of ANONYMOUS, in characters (RFC 4505, section 2).
pub const TRACE_MAX_CHARS: usize = 255;

/// Longest nonce of one side.
pub const NONCE_MAX_BYTES: usize = 256;

/// Longest salt that is read.
pub const SALT_MAX_BYTES: usize = 256;

/// Fewest iterations a client accepts: what RFC 5802, section 5.1, and RFC 7677, section 4, ask of
/// a server. With fewer, a false server would learn something that is cheap to guess from.
pub const ITERATIONS_MIN: u32 = 4096;

/// Most iterations a client accepts, because the server decides and the client pays (RFC 5802,
/// section 9). A second or so.
pub const ITERATIONS_MAX: u32 = 1_500_000;

/// Longest message of OAUTHBEARER: tokens are longer than passwords.
pub const TOKEN_MESSAGE_MAX_BYTES: usize = 8192;
