"""A host of the push-gateway core on wasmtime.

Prometheus metrics are pushed into a cache of fixed size, expire, and are rendered as a page. docs/ABI.md of the repository
says what each export of the module does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from threading import Lock

from wasmtime import Engine, Instance, Limits, Memory, MemoryType, Module, Store

ABI_VERSION = 1
PAGE_BYTES = 65_536
CONNECTION_BYTES = 16
IMPORTED_FIXED_BYTES = 196_608  # What the imported-memory artefact needs besides the cache.

REJECT, KEEP_TIMESTAMPS = 1, 2
OPENMETRICS, UTF8 = 1, 2


class PagesError(RuntimeError):
    """The eight pages that may be open are."""


class Artefact:
    """A compiled module, of which any number of caches can be made."""

    def __init__(self, path: str) -> None:
        """path: that of push-gateway.wasm or push-gateway.imported.wasm."""
        self.engine = Engine()
        self.module = Module.from_file(self.engine, path)


class Cache:
    """One instance of the module. Its methods may be called by any thread."""

    def __init__(
        self,
        artefact: Artefact,
        *,
        cache_bytes: int = 10_240,
        ttl_ms: float = 60_000,
        reject: bool = False,
        keep_timestamps: bool = False,
        max_line: int = 4096,
        now_ms: Callable[[], float] = lambda: time.monotonic() * 1000,
    ) -> None:
        """Makes an empty cache.

        cache_bytes: all bytes that grow with data.
        ttl_ms: time to live of a metric whose push sets none; 0: never expires.
        reject: refuses newcomers when the cache is full, instead of evicting.
        keep_timestamps: keeps those of samples.
        max_line: longest line in bytes, its LF not counted.
        now_ms: a monotonic clock in milliseconds.
        ValueError: an option is out of range, or the module speaks another ABI.
        """
        self._lock = Lock()
        self._now_ms = now_ms
        self._store = Store(artefact.engine)
        imports = []
        if artefact.module.imports:
            pages = -(-(IMPORTED_FIXED_BYTES + cache_bytes) // PAGE_BYTES)
            imports.append(Memory(self._store, MemoryType(Limits(pages, pages))))
        self._exports = Instance(self._store, artefact.module, imports).exports(self._store)
        self._memory = imports[0] if imports else self._exports["memory"]
        if self._call("abiVersion") != ABI_VERSION:
            raise ValueError("the module speaks another ABI")
        flags = REJECT * reject | KEEP_TIMESTAMPS * keep_timestamps
        status = self._call("init", cache_bytes, float(ttl_ms), flags, max_line)
        if status != 0:
            option = {1: "cache_bytes", 2: "ttl_ms", 3: "max_line"}.get(status, "module")
            raise ValueError(f"{option} is out of range (status {status})")
        self._input, self._input_tail = self._call("inputAddress"), self._call("inputTail")
        self._input_room = self._call("inputBytes") - self._input_tail
        self._output, self._connection = self._call("outputAddress"), self._call("connectionAddress")

    def connect(self) -> Connection:
        """Begins a stream of lines. Any number may be open."""
        return Connection(self)

    def push(self, lines: str | bytes) -> None:
        """Takes a whole push: lines of text 0.0.4 or OpenMetrics, each with its LF."""
        connection = self.connect()
        connection.write(lines.encode() if isinstance(lines, str) else lines)
        connection.close()

    def pages(self, *, openmetrics: bool = False, utf8: bool = False) -> Page:
        """Begins a page, an iterator over its pieces: text 0.0.4, or OpenMetrics 1.0; names beyond the classic alphabet
        are escaped, or left as they are in quotes. PagesError: eight are open."""
        with self._lock:
            flags = OPENMETRICS * openmetrics | UTF8 * utf8
            handle = self._call("renderOpen", flags, self._now_ms())
        if handle < 0:
            raise PagesError("eight pages are open")
        return Page(self, handle)

    def render(self, *, openmetrics: bool = False, utf8: bool = False) -> bytes:
        """Renders a whole page; see `pages`."""
        return b"".join(self.pages(openmetrics=openmetrics, utf8=utf8))

    def expire(self) -> None:
        """Removes what has expired. Nothing needs it but the gauges."""
        with self._lock:
            while self._call("expire", self._now_ms()) == 1:
                pass

    def counter(self, index: int) -> float:
        """How often something happened; docs/ABI.md has the table of indexes. NaN: there is none such."""
        with self._lock:
            return self._call("counter", index)

    def gauge(self, index: int) -> float:
        """What is now; docs/ABI.md has the table of indexes. NaN: there is none such."""
        with self._lock:
            return self._call("gauge", index)

    def state(self) -> bytes:
        """The cache itself: the same pushes at the same times make the same bytes in every runtime."""
        with self._lock:
            return self._read(self._call("cacheAddress"), self._call("cacheBytes"))

    def _call(self, name: str, *arguments: float) -> float:
        return self._exports[name](self._store, *arguments)

    def _read(self, address: int, length: int) -> bytes:
        return bytes(self._memory.read(self._store, address, address + length))

    def _write(self, address: int, data: bytes) -> None:
        self._memory.write(self._store, data, address)


class Connection:
    """A stream of lines, cut anywhere. Made by Cache.connect."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._state = bytes(CONNECTION_BYTES)
        self._tail = b""

    def write(self, data: bytes) -> None:
        """Takes the next bytes. A line counts when its LF comes; a bad one is skipped and counted."""
        room = self._cache._input_room
        with self._cache._lock:
            for at in range(0, len(data), room):
                self._take(data[at : at + room])

    def close(self) -> None:
        """Ends the push: a histogram that it began shows, a line without its LF is dropped and counted. What is written
        afterwards begins another push."""
        cache = self._cache
        with cache._lock:
            cache._write(cache._connection, self._state)
            cache._call("finish", len(self._tail), cache._now_ms())
            self._state = cache._read(cache._connection, CONNECTION_BYTES)
            self._tail = b""

    def _take(self, data: bytes) -> None:
        cache = self._cache
        start = cache._input_tail - len(self._tail)
        lines = self._tail + data
        cache._write(cache._input + start, lines)
        cache._write(cache._connection, self._state)
        consumed = cache._call("ingest", start, len(lines), cache._now_ms())
        self._state = cache._read(cache._connection, CONNECTION_BYTES)
        self._tail = lines[consumed:]


class Page(Iterator[bytes]):
    """A page that is being rendered, whole lines a piece. Between its pieces anything may happen to the cache; a metric
    that lives through it is in the page once. Made by Cache.pages."""

    def __init__(self, cache: Cache, handle: int) -> None:
        self._cache = cache
        self._handle: int | None = handle

    def __next__(self) -> bytes:
        cache = self._cache
        with cache._lock:
            length = 0 if self._handle is None else cache._call("renderNext", self._handle, cache._now_ms())
            if length > 0:
                return cache._read(cache._output, length)
        self._handle = None
        raise StopIteration

    def close(self) -> None:
        """Ends the page early."""
        if self._handle is not None:
            with self._cache._lock:
                self._cache._call("renderClose", self._handle)
        self._handle = None
