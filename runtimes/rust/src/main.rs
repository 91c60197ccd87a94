//! A push gateway: lines come in on a Unix socket, /metrics serves them.
//! `push-gateway [--module FILE] [--socket FILE] [--listen HOST:PORT]`

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use push_gateway::{Artefact, Cache, Connection, Format, Options};

const HEAD_BYTES: u64 = 8192;
const READ_TIMEOUT: Duration = Duration::from_secs(10);
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

struct Gateway {
    cache: Mutex<Cache>,
    start: Instant,
}

impl Gateway {
    fn now_ms(&self) -> f64 {
        self.start.elapsed().as_secs_f64() * 1000.0
    }

    /// Gives what a connection sends to the cache, until its end.
    fn take(&self, mut socket: UnixStream) {
        let mut connection = Connection::default();
        let mut buffer = [0; 16 * 1024];
        while let Ok(length @ 1..) = socket.read(&mut buffer) {
            self.cache.lock().unwrap().push(&mut connection, &buffer[..length], self.now_ms());
        }
        self.cache.lock().unwrap().finish(&mut connection, self.now_ms());
    }

    /// Answers one request and closes.
    fn answer(&self, mut socket: TcpStream) -> io::Result<()> {
        socket.set_read_timeout(Some(READ_TIMEOUT))?;
        socket.set_write_timeout(Some(WRITE_TIMEOUT))?;
        let mut lines = BufReader::new(Read::by_ref(&mut socket).take(HEAD_BYTES)).lines();
        let request = lines.next().unwrap_or(Ok(String::new()))?;
        let mut format = Format::default();
        for line in lines {
            let line = line?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            format.openmetrics |= line.starts_with("accept:") && line.contains("application/openmetrics-text");
        }
        if !request.starts_with("GET /metrics ") && !request.starts_with("GET /metrics?") {
            return socket.write_all(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        }
        let kind = match format.openmetrics {
            false => "text/plain; version=0.0.4; charset=utf-8",
            true => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        };
        // The lock is held while the page is rendered, not while it is sent, so no other page is open.
        let page = self.cache.lock().unwrap().render(format, self.now_ms()).unwrap_or_default();
        write!(socket, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: {kind}\r\n")?;
        write!(socket, "Content-Length: {}\r\n\r\n", page.len())?;
        socket.write_all(&page)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let module = option("--module", "push-gateway.wasm");
    let socket = option("--socket", "push-gateway.sock");
    let artefact = Artefact::new(&std::fs::read(module)?)?;
    let cache = Mutex::new(Cache::new(&artefact, Options::default())?);
    let gateway = Arc::new(Gateway { cache, start: Instant::now() });

    let _ = std::fs::remove_file(&socket);
    let pushes = UnixListener::bind(&socket)?;
    let scrapes = TcpListener::bind(option("--listen", "127.0.0.1:9091"))?;
    println!("push to {socket}, scrape http://{}/metrics", scrapes.local_addr()?);

    let pushed = gateway.clone();
    thread::spawn(move || {
        for socket in pushes.incoming().flatten() {
            let gateway = pushed.clone();
            thread::spawn(move || gateway.take(socket));
        }
    });
    for socket in scrapes.incoming().flatten() {
        let gateway = gateway.clone();
        thread::spawn(move || gateway.answer(socket));
    }
    Ok(())
}

/// The word after an option, or its default.
fn option(name: &str, default: &str) -> String {
    let mut words = std::env::args().skip_while(|word| word != name);
    words.nth(1).unwrap_or(default.to_string())
}
