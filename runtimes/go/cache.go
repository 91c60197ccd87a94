// Package pushgateway is a host of the push-gateway core on wazero: Prometheus metrics are pushed into a cache of fixed
// size, expire, and are rendered as a page. docs/ABI.md of the repository says what each export of the module does.
package pushgateway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

const (
	abiVersion      = 1
	pageBytes       = 65536
	connectionBytes = 16

	initReject         = 1
	initKeepTimestamps = 2
	renderOpenMetrics  = 1
	renderUTF8         = 2
)

// Never is a time to live without end.
const Never time.Duration = -1

// ErrPages says that the eight pages that may be open are.
var ErrPages = errors.New("eight pages are open")

// Options say how a cache is made. Zero values are the defaults.
type Options struct {
	// CacheBytes are all bytes that grow with data; 10,240 by default.
	CacheBytes uint32
	// TTL is the time to live of a metric whose push sets none, in whole milliseconds; a minute by default.
	TTL time.Duration
	// Reject refuses newcomers when the cache is full, instead of evicting.
	Reject bool
	// KeepTimestamps keeps the timestamps of samples.
	KeepTimestamps bool
	// MaxLine is the longest line in bytes, its LF not counted; 4,096 by default.
	MaxLine uint32
	// Now is a monotonic clock; the time since New by default.
	Now func() time.Duration
}

// Format says how a page is rendered. The zero value is text 0.0.4 with escaped names.
type Format struct {
	// OpenMetrics asks for OpenMetrics 1.0.
	OpenMetrics bool
	// UTF8 leaves names beyond the classic alphabet as they are, in quotes.
	UTF8 bool
}

// Module is a compiled artefact, from which any number of caches can be made.
type Module struct {
	bytes    []byte
	compiled wazero.CompilationCache
}

// NewModule takes the bytes of push-gateway.wasm or push-gateway.imported.wasm. They are compiled once, with the first
// cache.
func NewModule(bytes []byte) *Module {
	return &Module{bytes, wazero.NewCompilationCache()}
}

// Cache is one instance of the module. Its methods may be called by any goroutine.
type Cache struct {
	mutex   sync.Mutex
	runtime wazero.Runtime
	module  api.Module
	memory  api.Memory
	now     func() time.Duration

	input, inputTail, inputRoom uint32
	output, connection          uint32
}

// NewCache makes an empty cache. It fails if an option is out of range, or the module is not the one this host knows.
func (m *Module) NewCache(ctx context.Context, options Options) (*Cache, error) {
	options = options.withDefaults()
	config := wazero.NewRuntimeConfig().WithCompilationCache(m.compiled)
	cache := &Cache{runtime: wazero.NewRuntimeWithConfig(ctx, config), now: options.Now}
	if err := cache.start(ctx, m.bytes, options); err != nil {
		cache.runtime.Close(ctx)
		return nil, err
	}
	return cache, nil
}

func (o Options) withDefaults() Options {
	if o.CacheBytes == 0 {
		o.CacheBytes = 10240
	}
	if o.TTL == 0 {
		o.TTL = time.Minute
	}
	if o.MaxLine == 0 {
		o.MaxLine = 4096
	}
	if o.Now == nil {
		start := time.Now()
		o.Now = func() time.Duration { return time.Since(start) }
	}
	return o
}

func (c *Cache) start(ctx context.Context, bytes []byte, options Options) error {
	compiled, err := c.runtime.CompileModule(ctx, bytes)
	if err != nil {
		return err
	}
	if imported := compiled.ImportedMemories(); len(imported) > 0 {
		if c.memory, err = c.newMemory(ctx, memoryPages(options.CacheBytes)); err != nil {
			return err
		}
	}
	if c.module, err = c.runtime.InstantiateModule(ctx, compiled, wazero.NewModuleConfig()); err != nil {
		return err
	}
	if c.memory == nil {
		c.memory = c.module.Memory()
	}
	if version := c.module.ExportedFunction("abiVersion"); version == nil || c.call("abiVersion") != abiVersion {
		return errors.New("the module speaks another ABI")
	}
	if err := c.init(options); err != nil {
		return err
	}
	c.input, c.inputTail = uint32(c.call("inputAddress")), uint32(c.call("inputTail"))
	c.inputRoom = uint32(c.call("inputBytes")) - c.inputTail
	c.output, c.connection = uint32(c.call("outputAddress")), uint32(c.call("connectionAddress"))
	return nil
}

func (c *Cache) init(options Options) error {
	flags := flag(options.Reject, initReject) | flag(options.KeepTimestamps, initKeepTimestamps)
	ttlMs := max(0, float64(options.TTL.Milliseconds()))
	status := c.call("init", uint64(options.CacheBytes), api.EncodeF64(ttlMs), flags, uint64(options.MaxLine))
	switch status {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("a cache of %d bytes is out of range", options.CacheBytes)
	case 2:
		return fmt.Errorf("a TTL of %v is out of range", options.TTL)
	case 3:
		return fmt.Errorf("a line of %d bytes is out of range", options.MaxLine)
	}
	return fmt.Errorf("the module refused to start (status %d)", status)
}

// memoryPages is the size that the imported memory needs, as docs/ABI.md has it.
func memoryPages(cacheBytes uint32) uint32 {
	return uint32((196608 + uint64(cacheBytes) + pageBytes - 1) / pageBytes)
}

// newMemory makes the memory env.memory with initial = maximum. Host modules of wazero cannot export one, so it is that of
// a module in 20 bytes or so: a memory section and an export section.
func (c *Cache) newMemory(ctx context.Context, pages uint32) (api.Memory, error) {
	limits := append([]byte{1, 1}, leb128(pages)...)
	limits = append(limits, leb128(pages)...)
	bytes := append([]byte{0, 'a', 's', 'm', 1, 0, 0, 0, 5, byte(len(limits))}, limits...)
	bytes = append(bytes, 7, 10, 1, 6, 'm', 'e', 'm', 'o', 'r', 'y', 2, 0)
	compiled, err := c.runtime.CompileModule(ctx, bytes)
	if err != nil {
		return nil, err
	}
	module, err := c.runtime.InstantiateModule(ctx, compiled, wazero.NewModuleConfig().WithName("env"))
	if err != nil {
		return nil, err
	}
	return module.ExportedMemory("memory"), nil
}

func leb128(value uint32) []byte {
	if value < 128 {
		return []byte{byte(value)}
	}
	return append([]byte{byte(value) | 128}, leb128(value>>7)...)
}

func flag(set bool, bit uint64) uint64 {
	if set {
		return bit
	}
	return 0
}

// call calls an export. The module cannot trap, so an error is a bug of this host or a closed cache.
func (c *Cache) call(name string, arguments ...uint64) uint64 {
	results, err := c.module.ExportedFunction(name).Call(context.Background(), arguments...)
	if err != nil {
		panic(fmt.Errorf("%s: %w", name, err))
	}
	return results[0]
}

func (c *Cache) nowMs() uint64 {
	return api.EncodeF64(float64(c.now()) / float64(time.Millisecond))
}

// view is the module's memory from an address on.
func (c *Cache) view(address, length uint32) []byte {
	bytes, ok := c.memory.Read(address, length)
	if !ok {
		panic(fmt.Errorf("%d bytes at %d are outside of the memory", length, address))
	}
	return bytes
}

// Close frees the memory.
func (c *Cache) Close(ctx context.Context) error {
	return c.runtime.Close(ctx)
}

// Connection is a stream of lines of text 0.0.4 or OpenMetrics, cut anywhere. It is an io.WriteCloser.
type Connection struct {
	cache *Cache
	state [connectionBytes]byte
	tail  []byte
}

// Connect begins a stream. Any number may be open.
func (c *Cache) Connect() *Connection {
	return &Connection{cache: c}
}

// Write takes the next bytes. A line counts when its LF comes; a bad one is skipped and counted. It never fails.
func (n *Connection) Write(bytes []byte) (int, error) {
	c := n.cache
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for at := 0; at < len(bytes); at += int(c.inputRoom) {
		n.take(bytes[at:min(len(bytes), at+int(c.inputRoom))])
	}
	return len(bytes), nil
}

func (n *Connection) take(bytes []byte) {
	c := n.cache
	start := c.inputTail - uint32(len(n.tail))
	window := c.view(c.input+start, uint32(len(n.tail)+len(bytes)))
	copy(window, n.tail)
	copy(window[len(n.tail):], bytes)
	state := c.view(c.connection, connectionBytes)
	copy(state, n.state[:])
	consumed := c.call("ingest", uint64(start), uint64(len(window)), c.nowMs())
	copy(n.state[:], state)
	n.tail = append(n.tail[:0], window[uint32(consumed):]...)
}

// Close ends the push: a histogram that it began shows, a line without its LF is dropped and counted. What is written
// afterwards begins another push.
func (n *Connection) Close() error {
	c := n.cache
	c.mutex.Lock()
	defer c.mutex.Unlock()
	state := c.view(c.connection, connectionBytes)
	copy(state, n.state[:])
	c.call("finish", uint64(len(n.tail)), c.nowMs())
	copy(n.state[:], state)
	n.tail = n.tail[:0]
	return nil
}

// Page is a page that is being rendered. Between its pieces anything may happen to the cache; a metric that lives through
// it is in the page once.
type Page struct {
	cache  *Cache
	handle uint64
}

// OpenPage begins a page. It fails with ErrPages if eight are open.
func (c *Cache) OpenPage(format Format) (*Page, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	flags := flag(format.OpenMetrics, renderOpenMetrics) | flag(format.UTF8, renderUTF8)
	handle := int32(c.call("renderOpen", flags, c.nowMs()))
	if handle < 0 {
		return nil, ErrPages
	}
	return &Page{c, uint64(handle)}, nil
}

// Next renders the next piece, whole lines. After the last one it answers io.EOF, and the page is closed.
func (p *Page) Next() ([]byte, error) {
	c := p.cache
	c.mutex.Lock()
	defer c.mutex.Unlock()
	length := int32(c.call("renderNext", p.handle, c.nowMs()))
	if length <= 0 {
		return nil, io.EOF
	}
	return append([]byte(nil), c.view(c.output, uint32(length))...), nil
}

// Close ends a page early.
func (p *Page) Close() {
	p.cache.mutex.Lock()
	defer p.cache.mutex.Unlock()
	p.cache.call("renderClose", p.handle)
}

// Render writes a whole page. While the writer is busy, the cache is free for others.
func (c *Cache) Render(writer io.Writer, format Format) error {
	page, err := c.OpenPage(format)
	if err != nil {
		return err
	}
	for {
		piece, err := page.Next()
		if err == io.EOF {
			return nil
		}
		if _, err := writer.Write(piece); err != nil {
			page.Close()
			return err
		}
	}
}

// Expire removes what has expired. Nothing needs it but the gauges.
func (c *Cache) Expire() {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for c.call("expire", c.nowMs()) == 1 {
	}
}

// Counter is how often something happened; docs/ABI.md has the table of indexes. NaN if there is none such.
func (c *Cache) Counter(index uint32) float64 {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return api.DecodeF64(c.call("counter", uint64(index)))
}

// Gauge is what is now; docs/ABI.md has the table of indexes. NaN if there is none such.
func (c *Cache) Gauge(index uint32) float64 {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return api.DecodeF64(c.call("gauge", uint64(index)))
}

// State is a copy of the cache itself: the same pushes at the same times make the same bytes in every runtime.
func (c *Cache) State() []byte {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return append([]byte(nil), c.view(uint32(c.call("cacheAddress")), uint32(c.call("cacheBytes")))...)
}
