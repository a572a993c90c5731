//! Opening the socket to a server.

use std::{io, net::IpAddr, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, UnixStream},
};

use super::conn_info::{Host, KeepAlive, Place};

/// What a socket can do.
pub(super) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A socket of either family.
pub(super) type Socket = Box<dyn Stream>;

/// Connects to an address, or without one to the host's Unix socket.
///
/// # Errors
/// What the system says.
pub(super) async fn dial(host: &Host, address: Option<IpAddr>, keep: &KeepAlive) -> io::Result<Socket> {
    let Some(address) = address else {
        let Place::Socket(folder) = &host.place else {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        };
        return Ok(Box::new(UnixStream::connect(folder.join(format!(".s.PGSQL.{}", host.port))).await?));
    };
    let stream = TcpStream::connect((address, host.port)).await?;
    stream.set_nodelay(true)?;
    let socket = SockRef::from(&stream);
    // A server that vanishes without a word (a failover, a dropped NAT) is noticed within a minute and a half, not in the system's eleven minutes.
    socket.set_tcp_user_timeout(Some(keep.user_timeout.unwrap_or(Duration::from_secs(60))))?;
    if keep.on {
        let probes = TcpKeepalive::new()
            .with_time(keep.idle.unwrap_or(Duration::from_secs(60)))
            .with_interval(keep.interval.unwrap_or(Duration::from_secs(10)))
            .with_retries(keep.count.unwrap_or(3));
        socket.set_tcp_keepalive(&probes)?;
    }
    Ok(Box::new(stream))
}
