//! Tells a service manager how the broker is (`sd_notify(3)`): a datagram to the socket that it
//! names in the environment. Without one nobody listens, and nothing is sent.

use std::ffi::OsStr;
#[cfg(target_os = "linux")]
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;

/// Clients are served.
pub(crate) const READY: &str = "READY=1";
/// Nobody new is let in.
pub(crate) const STOPPING: &str = "STOPPING=1";

/// Says how the broker is.
pub(crate) fn say(state: &str) {
    let Some(path) = std::env::var_os("NOTIFY_SOCKET") else { return };
    // A manager that cannot be told finds out by itself.
    let _ = send(&path, state);
}

/// The settings are being read again; `READY=1` ends that.
pub(crate) fn reloading() {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let micros = now.tv_sec * 1_000_000 + now.tv_nsec / 1000;
    say(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
}

fn send(path: &OsStr, state: &str) -> std::io::Result<usize> {
    let socket = UnixDatagram::unbound()?;
    #[cfg(target_os = "linux")]
    if let Some(name) = path.as_bytes().strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt;
        let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
        return socket.send_to_addr(state.as_bytes(), &address);
    }
    socket.send_to(state.as_bytes(), path)
}
