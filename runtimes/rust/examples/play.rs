//! Plays recorded calls, whose form tests/runtimes/README.md of the repository describes: `play <artefact> <script>`.

use std::collections::HashMap;
use std::io::{self, BufWriter, Write};

use push_gateway::{Artefact, Cache, Connection, Format, Options, Page};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

struct Player {
    cache: Cache,
    connections: HashMap<String, Connection>,
    pages: HashMap<String, Page>,
}

impl Player {
    fn new(artefact: &Artefact, options: Options) -> Result<Self> {
        Ok(Player { cache: Cache::new(artefact, options)?, connections: HashMap::new(), pages: HashMap::new() })
    }

    /// Makes one call; what it writes, if it does.
    fn play(&mut self, words: &[&str]) -> Result<Option<Vec<u8>>> {
        match *words {
            ["push", name, now, bytes] => {
                let connection = self.connections.entry(name.to_string()).or_default();
                self.cache.push(connection, &unescaped(bytes)?, now.parse()?);
            }
            ["finish", name, now] => {
                let connection = self.connections.entry(name.to_string()).or_default();
                self.cache.finish(connection, now.parse()?);
            }
            ["expire", now] => self.cache.expire(now.parse()?),
            ["open", name, flags, now] => {
                let flags: u32 = flags.parse()?;
                let format = Format { openmetrics: flags & 1 != 0, utf8: flags & 2 != 0 };
                let page = self.cache.open_page(format, now.parse()?).ok_or("eight pages are open")?;
                self.pages.insert(name.to_string(), page);
            }
            ["next", name, now] => return Ok(Some(self.cache.next_piece(&self.pages[name], now.parse()?).to_vec())),
            ["rest", name, now] => return Ok(Some(self.rest(name, now.parse()?))),
            ["close", name] => self.cache.close_page(self.pages.remove(name).ok_or("no such page")?),
            ["numbers"] => return Ok(Some(self.numbers().join(" ").into_bytes())),
            ["state"] => return Ok(Some(self.cache.state().to_vec())),
            _ => return Err(format!("unknown call {words:?}").into()),
        }
        Ok(None)
    }

    fn rest(&mut self, name: &str, now_ms: f64) -> Vec<u8> {
        let mut rest = Vec::new();
        while let piece @ [_, ..] = self.cache.next_piece(&self.pages[name], now_ms) {
            rest.extend_from_slice(piece);
        }
        rest
    }

    fn numbers(&mut self) -> Vec<String> {
        let mut numbers: Vec<f64> = (0..13).chain(16..32).map(|index| self.cache.counter(index)).collect();
        numbers.extend((0..12).map(|index| self.cache.gauge(index)));
        numbers.iter().map(f64::to_string).collect()
    }
}

fn options(words: &[&str]) -> Result<Options> {
    let [_, cache_bytes, ttl_ms, flags, max_line] = *words else { return Err("init has four numbers".into()) };
    let flags: u32 = flags.parse()?;
    Ok(Options {
        cache_bytes: cache_bytes.parse()?,
        ttl_ms: ttl_ms.parse()?,
        reject: flags & 1 != 0,
        keep_timestamps: flags & 2 != 0,
        max_line: max_line.parse()?,
    })
}

/// `%` and two hexadecimal digits are a byte.
fn unescaped(text: &str) -> Result<Vec<u8>> {
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        bytes.push(u8::from_str_radix(&piece[..2], 16)?);
        bytes.extend_from_slice(&piece.as_bytes()[2..]);
    }
    Ok(bytes)
}

fn main() -> Result<()> {
    let [_, artefact, script] = &std::env::args().collect::<Vec<_>>()[..] else { return Err("two paths".into()) };
    let artefact = Artefact::new(&std::fs::read(artefact)?)?;
    let mut player = Player::new(&artefact, Options::default())?;
    let mut out = BufWriter::new(io::stdout().lock());
    for line in std::fs::read_to_string(script)?.lines().filter(|line| !line.starts_with('#')) {
        let most = if line.starts_with("push ") { 4 } else { 5 };
        let words: Vec<&str> = line.splitn(most, ' ').collect();
        if words[0] == "init" {
            player = Player::new(&artefact, options(&words)?)?;
        } else if let Some(written) = player.play(&words)? {
            writeln!(out, "{} {}", words[0], written.len())?;
            out.write_all(&written)?;
        }
    }
    Ok(out.flush()?)
}
