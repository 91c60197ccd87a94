package pushgateway

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// newCache makes a cache of an artefact in build/, closed with the test.
func newCache(t *testing.T, artefact string, options Options) *Cache {
	t.Helper()
	module, err := os.ReadFile("../../build/" + artefact)
	if err != nil {
		t.Fatalf("%v (npm run build makes it)", err)
	}
	cache, err := NewModule(module).NewCache(context.Background(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cache.Close(context.Background()) })
	return cache
}

func render(t *testing.T, cache *Cache, format Format) string {
	t.Helper()
	var page bytes.Buffer
	if err := cache.Render(&page, format); err != nil {
		t.Fatal(err)
	}
	return page.String()
}

func TestBothArtefacts(t *testing.T) {
	for artefact, cacheBytes := range map[string]uint32{"push-gateway.wasm": 10240, "push-gateway.imported.wasm": 1 << 20} {
		var now time.Duration
		cache := newCache(t, artefact, Options{CacheBytes: cacheBytes, Now: func() time.Duration { return now }})
		connection := cache.Connect()
		for _, piece := range []string{"# TYPE x gauge\nx{a=\"", "1\"} 1.", "5\nno number\n"} {
			io.WriteString(connection, piece)
		}
		connection.Close()
		if page := render(t, cache, Format{OpenMetrics: true}); page != "# TYPE x gauge\nx{a=\"1\"} 1.5\n# EOF\n" {
			t.Errorf("%s: %q", artefact, page)
		}
		if taken, bad := cache.Counter(0), cache.Counter(16); taken != 1 || bad+cache.Counter(23) != 1 {
			t.Errorf("%s: %v taken, %v bad", artefact, taken, bad)
		}
		now = time.Minute + time.Millisecond
		cache.Expire()
		if series := cache.Gauge(0); series != 0 {
			t.Errorf("%s: %v series after a minute", artefact, series)
		}
	}
}

func TestOptionsOutOfRange(t *testing.T) {
	module, err := os.ReadFile("../../build/push-gateway.wasm")
	if err != nil {
		t.Fatal(err)
	}
	for word, options := range map[string]Options{
		"cache": {CacheBytes: 100}, "TTL": {TTL: 1 << 62}, "line": {MaxLine: 1},
	} {
		_, err := NewModule(module).NewCache(context.Background(), options)
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", word, err)
		}
	}
	if _, err := NewModule([]byte("nothing")).NewCache(context.Background(), Options{}); err == nil {
		t.Error("that is no module")
	}
}

func TestManyGoroutines(t *testing.T) {
	cache := newCache(t, "push-gateway.wasm", Options{})
	var all sync.WaitGroup
	for index := range 8 {
		all.Go(func() {
			connection := cache.Connect()
			defer connection.Close()
			for value := range 100 {
				fmt.Fprintf(connection, "x{n=\"%d\"} ", index)
				fmt.Fprintf(connection, "%d\n", value)
				cache.Render(io.Discard, Format{})
			}
		})
	}
	all.Wait()
	for index := range 8 {
		if line := fmt.Sprintf("x{n=\"%d\"} 99\n", index); !strings.Contains(render(t, cache, Format{}), line) {
			t.Errorf("%q is missing", line)
		}
	}
}

func TestEightPages(t *testing.T) {
	cache := newCache(t, "push-gateway.wasm", Options{})
	var pages []*Page
	for range 8 {
		page, err := cache.OpenPage(Format{})
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, page)
	}
	if _, err := cache.OpenPage(Format{}); err != ErrPages {
		t.Errorf("the ninth page: %v", err)
	}
	pages[3].Close()
	if _, err := cache.OpenPage(Format{}); err != nil {
		t.Errorf("after one was closed: %v", err)
	}
}
