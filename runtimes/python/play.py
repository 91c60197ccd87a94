"""Plays recorded calls, whose form tests/runtimes/README.md of the repository describes: play.py <artefact> <script>."""

import sys
from urllib.parse import unquote_to_bytes

from push_gateway import KEEP_TIMESTAMPS, OPENMETRICS, REJECT, UTF8, Artefact, Cache, Connection, Page


class Player:
    def __init__(self, artefact: Artefact) -> None:
        self.artefact = artefact
        self.now = 0.0

    def play(self, line: str) -> bytes | None:
        """Makes one call; what it writes, or None."""
        match line.split(" ", 4):
            case ["init", cache_bytes, ttl_ms, flags, max_line]:
                self.init(int(cache_bytes), int(ttl_ms), int(flags), int(max_line))
            case ["push", connection, now, *_]:
                self.now = float(now)
                self.connection(connection).write(unquote_to_bytes(line.split(" ", 3)[3]))
            case ["finish", connection, now]:
                self.now = float(now)
                self.connection(connection).close()
            case ["expire", now]:
                self.now = float(now)
                self.cache.expire()
            case ["open", page, flags, now]:
                self.now = float(now)
                flags = int(flags)
                self.pages[page] = self.cache.pages(openmetrics=bool(flags & OPENMETRICS), utf8=bool(flags & UTF8))
            case ["next", page, now]:
                self.now = float(now)
                return next(self.pages[page], b"")
            case ["rest", page, now]:
                self.now = float(now)
                return b"".join(self.pages[page])
            case ["close", page]:
                self.pages[page].close()
            case ["numbers"]:
                counters = [self.cache.counter(index) for index in [*range(13), *range(16, 32)]]
                gauges = [self.cache.gauge(index) for index in range(12)]
                return " ".join(f"{number:.0f}" for number in counters + gauges).encode()
            case ["state"]:
                return self.cache.state()
            case _:
                raise ValueError(f"unknown call {line!r}")
        return None

    def init(self, cache_bytes: int, ttl_ms: int, flags: int, max_line: int) -> None:
        self.connections: dict[str, Connection] = {}
        self.pages: dict[str, Page] = {}
        self.cache = Cache(
            self.artefact,
            cache_bytes=cache_bytes,
            ttl_ms=ttl_ms,
            reject=bool(flags & REJECT),
            keep_timestamps=bool(flags & KEEP_TIMESTAMPS),
            max_line=max_line,
            now_ms=lambda: self.now,
        )

    def connection(self, name: str) -> Connection:
        if name not in self.connections:
            self.connections[name] = self.cache.connect()
        return self.connections[name]


def main(artefact: str, script: str) -> None:
    player = Player(Artefact(artefact))
    with open(script, encoding="ascii", newline="\n") as lines:
        for line in lines:
            if line.startswith("#"):
                continue
            written = player.play(line.removesuffix("\n"))
            if written is not None:
                sys.stdout.buffer.write(f"{line.split()[0]} {len(written)}\n".encode() + written)


if __name__ == "__main__":
    main(*sys.argv[1:])
