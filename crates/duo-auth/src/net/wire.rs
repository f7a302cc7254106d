//! The layers of a connection, as ureq wants them: TCP that keeps to the deadline, and TLS.

use std::fmt;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport as Wire,
    TransportAdapter,
};

use super::exchange::Exchange;
use super::tcp::connect_any;

/// Size of one buffer, in bytes.
const BUFFER: usize = 32 * 1024;

/// First in the chain: a new connection is wanted.
pub(super) struct Begin(pub(super) Arc<Exchange>);

impl Connector<()> for Begin {
    type Out = ();

    fn connect(
        &self,
        _details: &ConnectionDetails,
        _chained: Option<()>,
    ) -> Result<Option<()>, Error> {
        self.0.set_stage(Exchange::CONNECTING);
        Ok(None)
    }
}

/// Opens a TCP connection, unless there is one to a proxy.
pub(super) struct TcpConnector(pub(super) Arc<Exchange>);

impl<In: Wire> Connector<In> for TcpConnector {
    type Out = Either<In, Socket>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if let Some(wire) = chained {
            return Ok(Some(Either::A(wire)));
        }
        let out_of_time = || Error::Timeout(ureq::Timeout::Connect);
        let left = *self.0.bound(details.timeout)?.after;
        let deadline = Instant::now().checked_add(left).ok_or_else(out_of_time)?;
        let addresses = self.0.in_order(&details.addrs);
        let stream = connect_any(&addresses, deadline).map_err(|error| match error.kind() {
            ErrorKind::TimedOut => out_of_time(),
            _ => Error::Io(error),
        })?;
        self.0.connected_to(stream.peer_addr().ok());
        Ok(Some(Either::B(Socket {
            stream,
            buffers: LazyBuffers::new(BUFFER, BUFFER),
            exchange: Arc::clone(&self.0),
        })))
    }
}

/// A TCP connection whose every read and write ends by the deadline of the exchange.
pub(super) struct Socket {
    stream: TcpStream,
    buffers: LazyBuffers,
    exchange: Arc<Exchange>,
}

impl Socket {
    /// Does `operation` until it is done, fails or `timeout` or the exchange is over. A signal of
    /// the application is not a failure.
    fn bounded<R>(
        &mut self,
        timeout: NextTimeout,
        set: fn(&TcpStream, Option<Duration>) -> io::Result<()>,
        mut operation: impl FnMut(&mut Self) -> io::Result<R>,
    ) -> Result<R, Error> {
        loop {
            let timeout = self.exchange.bound(timeout)?;
            set(&self.stream, Some(*timeout.after))?;
            match operation(self) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_time_out(&error) => return Err(Error::Timeout(timeout.reason)),
                other => return Ok(other?),
            }
        }
    }
}

/// What a socket's own time limit gives (socket(7)), beside a connection's.
fn is_time_out(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

impl Wire for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let mut sent = 0;
        while sent < amount {
            sent += self.bounded(timeout, TcpStream::set_write_timeout, |this| {
                let rest = this.buffers.output().get(sent..amount).unwrap_or_default();
                match this.stream.write(rest)? {
                    0 => Err(ErrorKind::WriteZero.into()),
                    written => Ok(written),
                }
            })?;
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let amount = self.bounded(timeout, TcpStream::set_read_timeout, |this| {
            this.stream.read(this.buffers.input_append_buf())
        })?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// Whether nothing waits to be read: neither the end of the connection nor bytes that nobody
    /// asked for.
    fn is_open(&mut self) -> bool {
        if self.stream.set_nonblocking(true).is_err() {
            return false;
        }
        let idle = match self.stream.read(&mut [0]) {
            Ok(_) => false,
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        };
        idle && self.stream.set_nonblocking(false).is_ok()
    }
}

/// Last in the chain: wraps the connection in TLS.
pub(super) struct TlsConnector {
    pub(super) tls: Arc<ClientConfig>,
    pub(super) exchange: Arc<Exchange>,
}

impl<In: Wire> Connector<In> for TlsConnector {
    type Out = Either<In, TlsWire<In>>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(wire) = chained else {
            return Err(Error::ConnectionFailed);
        };
        if !details.needs_tls() {
            // The connection to a proxy; TLS to Duo goes on top of it.
            return Ok(Some(Either::A(wire)));
        }
        let host = details.uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| Error::Tls("the host is neither a name nor an address"))?;
        let mut connection = ClientConnection::new(Arc::clone(&self.tls), name)?;
        let mut wire = TransportAdapter::new(wire, details.current_time.clone());
        wire.set_timeout(details.timeout);
        connection.complete_io(&mut wire)?;
        self.exchange.set_stage(Exchange::CONNECTED);
        Ok(Some(Either::B(TlsWire {
            buffers: LazyBuffers::new(BUFFER, BUFFER),
            stream: StreamOwned::new(connection, wire),
        })))
    }
}

/// A TLS connection as ureq wants it.
pub(super) struct TlsWire<W: Wire> {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter<W>>,
}

impl<W: Wire> Wire for TlsWire<W> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream.write_all(output)?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// ureq wants `Debug` of the parts it is given; none of them has anything to show.
macro_rules! opaque_debug {
    ($($name:ident $(<$parameter:ident>)?),*) => {$(
        impl$(<$parameter: Wire>)? fmt::Debug for $name$(<$parameter>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}

opaque_debug!(Begin, TcpConnector, Socket, TlsConnector, TlsWire<W>);
