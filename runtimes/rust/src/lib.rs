//! A host of the push-gateway core on wasmi: Prometheus metrics are pushed into a cache of fixed size, expire, and are
//! rendered as a page. docs/ABI.md of the repository says what each export of the module does.

use std::fmt;

use wasmi::{Engine, Extern, Instance, Memory, MemoryType, Module, Store, WasmParams, WasmResults};

const ABI_VERSION: u32 = 1;
const PAGE_BYTES: u32 = 65_536;
const CONNECTION_BYTES: usize = 16;
/// What the imported-memory artefact needs besides the cache.
const IMPORTED_FIXED_BYTES: u32 = 196_608;

const REJECT: u32 = 1;
const KEEP_TIMESTAMPS: u32 = 2;
const OPENMETRICS: u32 = 1;
const UTF8: u32 = 2;

/// Why there is no cache.
#[derive(Debug)]
pub enum Error {
    /// The bytes are no module that wasmi takes, or there is no memory for it.
    Module(wasmi::Error),
    /// The module is not the one this host knows.
    Abi,
    /// This option is out of range.
    Option(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Module(error) => error.fmt(formatter),
            Error::Abi => write!(formatter, "the module speaks another ABI"),
            Error::Option(name) => write!(formatter, "{name} is out of range"),
        }
    }
}

impl std::error::Error for Error {}

impl From<wasmi::Error> for Error {
    fn from(error: wasmi::Error) -> Self {
        Error::Module(error)
    }
}

/// How a cache is made.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// All bytes that grow with data.
    pub cache_bytes: u32,
    /// Time to live of a metric whose push sets none, in milliseconds; 0: never expires.
    pub ttl_ms: f64,
    /// Refuses newcomers when the cache is full, instead of evicting.
    pub reject: bool,
    /// Keeps the timestamps of samples.
    pub keep_timestamps: bool,
    /// Longest line in bytes, its LF not counted.
    pub max_line: u32,
}

impl Default for Options {
    fn default() -> Self {
        Options { cache_bytes: 10_240, ttl_ms: 60_000.0, reject: false, keep_timestamps: false, max_line: 4096 }
    }
}

/// How a page is rendered. The default is text 0.0.4 with escaped names.
#[derive(Clone, Copy, Debug, Default)]
pub struct Format {
    /// OpenMetrics 1.0.
    pub openmetrics: bool,
    /// Names beyond the classic alphabet as they are, in quotes.
    pub utf8: bool,
}

/// A translated module, of which any number of caches can be made.
pub struct Artefact {
    module: Module,
}

impl Artefact {
    /// Takes the bytes of push-gateway.wasm or push-gateway.imported.wasm.
    pub fn new(bytes: &[u8]) -> Result<Self, Error> {
        Ok(Artefact { module: Module::new(&Engine::default(), bytes)? })
    }
}

/// A stream of lines, cut anywhere: what one connection sends. Any number may be open.
#[derive(Default)]
pub struct Connection {
    state: [u8; CONNECTION_BYTES],
    tail: Vec<u8>,
}

/// A page that is being rendered. It takes one of eight places until its end.
#[derive(Debug, PartialEq)]
pub struct Page {
    handle: u32,
}

/// One instance of the module. `now_ms` is any monotonic clock, in milliseconds.
pub struct Cache {
    store: Store<()>,
    instance: Instance,
    memory: Memory,
    input: usize,
    input_tail: usize,
    input_room: usize,
    output: usize,
    connection: usize,
}

impl Cache {
    /// Makes an empty cache in a memory of its own, which never grows.
    pub fn new(artefact: &Artefact, options: Options) -> Result<Self, Error> {
        let module = &artefact.module;
        let mut store = Store::new(module.engine(), ());
        let mut imports = Vec::new();
        if module.imports().len() > 0 {
            let pages = (IMPORTED_FIXED_BYTES as u64 + options.cache_bytes as u64).div_ceil(PAGE_BYTES as u64) as u32;
            imports.push(Extern::Memory(Memory::new(&mut store, MemoryType::new(pages, Some(pages)))?));
        }
        let instance = Instance::new(&mut store, module, &imports)?;
        let memory = match imports.first() {
            Some(Extern::Memory(memory)) => *memory,
            _ => instance.get_memory(&store, "memory").ok_or(Error::Abi)?,
        };
        let version = instance.get_typed_func::<(), u32>(&store, "abiVersion").map_err(|_| Error::Abi)?;
        if version.call(&mut store, ())? != ABI_VERSION {
            return Err(Error::Abi);
        }
        let mut cache =
            Cache { store, instance, memory, input: 0, input_tail: 0, input_room: 0, output: 0, connection: 0 };
        cache.init(options)?;
        cache.input = cache.address("inputAddress");
        cache.input_tail = cache.address("inputTail");
        cache.input_room = cache.address("inputBytes") - cache.input_tail;
        cache.output = cache.address("outputAddress");
        cache.connection = cache.address("connectionAddress");
        Ok(cache)
    }

    fn init(&mut self, options: Options) -> Result<(), Error> {
        let flags = REJECT * options.reject as u32 | KEEP_TIMESTAMPS * options.keep_timestamps as u32;
        match self.call("init", (options.cache_bytes, options.ttl_ms, flags, options.max_line)) {
            0u32 => Ok(()),
            1 => Err(Error::Option("cache_bytes")),
            2 => Err(Error::Option("ttl_ms")),
            3 => Err(Error::Option("max_line")),
            _ => Err(Error::Abi),
        }
    }

    /// Takes the next bytes of a connection. A line counts when its LF comes; a bad one is skipped and counted.
    pub fn push(&mut self, connection: &mut Connection, bytes: &[u8], now_ms: f64) {
        for piece in bytes.chunks(self.input_room) {
            let start = self.input_tail - connection.tail.len();
            connection.tail.extend_from_slice(piece);
            let length = connection.tail.len();
            self.bytes(self.input + start, length).copy_from_slice(&connection.tail);
            self.bytes(self.connection, CONNECTION_BYTES).copy_from_slice(&connection.state);
            let consumed: u32 = self.call("ingest", (start as u32, length as u32, now_ms));
            connection.state.copy_from_slice(self.bytes(self.connection, CONNECTION_BYTES));
            connection.tail.drain(..consumed as usize);
        }
    }

    /// Ends a push: a histogram that it began shows, a line without its LF is dropped and counted. What the connection
    /// sends afterwards begins another push.
    pub fn finish(&mut self, connection: &mut Connection, now_ms: f64) {
        self.bytes(self.connection, CONNECTION_BYTES).copy_from_slice(&connection.state);
        let _: u32 = self.call("finish", (connection.tail.len() as u32, now_ms));
        *connection = Connection::default();
    }

    /// Begins a page. None: eight are open.
    pub fn open_page(&mut self, format: Format, now_ms: f64) -> Option<Page> {
        let flags = OPENMETRICS * format.openmetrics as u32 | UTF8 * format.utf8 as u32;
        let handle: i32 = self.call("renderOpen", (flags, now_ms));
        u32::try_from(handle).ok().map(|handle| Page { handle })
    }

    /// Renders a page's next piece, whole lines; empty after the last one, which closes the page. Between pieces anything
    /// may happen to the cache; a metric that lives through it is in the page once.
    pub fn next_piece(&mut self, page: &Page, now_ms: f64) -> &[u8] {
        let length: i32 = self.call("renderNext", (page.handle, now_ms));
        self.bytes(self.output, length.max(0) as usize)
    }

    /// Ends a page early.
    pub fn close_page(&mut self, page: Page) {
        let _: i32 = self.call("renderClose", page.handle);
    }

    /// Renders a whole page. None: eight are open.
    pub fn render(&mut self, format: Format, now_ms: f64) -> Option<Vec<u8>> {
        let page = self.open_page(format, now_ms)?;
        let mut whole = Vec::new();
        loop {
            match self.next_piece(&page, now_ms) {
                [] => return Some(whole),
                piece => whole.extend_from_slice(piece),
            }
        }
    }

    /// Removes what has expired. Nothing needs it but the gauges.
    pub fn expire(&mut self, now_ms: f64) {
        while self.call::<_, u32>("expire", now_ms) == 1 {}
    }

    /// How often something happened; docs/ABI.md has the table of indexes. NaN: there is none such.
    pub fn counter(&mut self, index: u32) -> f64 {
        self.call("counter", index)
    }

    /// What is now; docs/ABI.md has the table of indexes. NaN: there is none such.
    pub fn gauge(&mut self, index: u32) -> f64 {
        self.call("gauge", index)
    }

    /// The cache itself: the same pushes at the same times make the same bytes in every runtime.
    pub fn state(&mut self) -> &[u8] {
        let (address, length) = (self.address("cacheAddress"), self.address("cacheBytes"));
        self.bytes(address, length)
    }

    fn address(&mut self, name: &str) -> usize {
        self.call::<_, u32>(name, ()) as usize
    }

    fn bytes(&mut self, address: usize, length: usize) -> &mut [u8] {
        &mut self.memory.data_mut(&mut self.store)[address..address + length]
    }

    /// Calls an export. The module has all of them and cannot trap, so a failure is a bug of this host.
    fn call<P: WasmParams, R: WasmResults>(&mut self, name: &str, params: P) -> R {
        let function = self.instance.get_typed_func::<P, R>(&self.store, name).expect(name);
        function.call(&mut self.store, params).expect(name)
    }
}
