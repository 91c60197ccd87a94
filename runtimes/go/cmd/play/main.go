// Plays recorded calls, whose form tests/runtimes/README.md of the repository describes: play <artefact> <script>.
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	pushgateway "push-gateway"
)

type player struct {
	module      *pushgateway.Module
	cache       *pushgateway.Cache
	connections map[string]*pushgateway.Connection
	pages       map[string]*pushgateway.Page
	now         time.Duration
	out         *bufio.Writer
}

func main() {
	artefact, err := os.ReadFile(os.Args[1])
	check(err)
	script, err := os.Open(os.Args[2])
	check(err)
	p := player{module: pushgateway.NewModule(artefact), out: bufio.NewWriter(os.Stdout)}
	lines := bufio.NewScanner(script)
	for lines.Scan() {
		if !strings.HasPrefix(lines.Text(), "#") {
			p.play(lines.Text())
		}
	}
	check(lines.Err())
	check(p.out.Flush())
}

func (p *player) play(line string) {
	words := append(strings.SplitN(line, " ", 5), "", "", "", "")
	switch words[0] {
	case "init":
		p.init(number(words[1]), number(words[2]), number(words[3]), number(words[4]))
	case "push":
		text, err := url.PathUnescape(strings.SplitN(line, " ", 4)[3])
		check(err)
		p.at(words[2])
		p.connection(words[1]).Write([]byte(text))
	case "finish":
		p.at(words[2])
		p.connection(words[1]).Close()
	case "expire":
		p.at(words[1])
		p.cache.Expire()
	case "open":
		p.at(words[3])
		flags := number(words[2])
		page, err := p.cache.OpenPage(pushgateway.Format{OpenMetrics: flags&1 != 0, UTF8: flags&2 != 0})
		check(err)
		p.pages[words[1]] = page
	case "next":
		p.at(words[2])
		piece, _ := p.pages[words[1]].Next()
		p.write(words[0], piece)
	case "rest":
		p.at(words[2])
		p.write(words[0], rest(p.pages[words[1]]))
	case "close":
		p.pages[words[1]].Close()
	case "numbers":
		p.write(words[0], p.numbers())
	case "state":
		p.write(words[0], p.cache.State())
	default:
		log.Fatalf("unknown call %q", line)
	}
}

func (p *player) init(cacheBytes, ttlMs, flags, maxLine int) {
	if p.cache != nil {
		check(p.cache.Close(context.Background()))
	}
	ttl := time.Duration(ttlMs) * time.Millisecond
	if ttl == 0 {
		ttl = pushgateway.Never
	}
	cache, err := p.module.NewCache(context.Background(), pushgateway.Options{
		CacheBytes:     uint32(cacheBytes),
		TTL:            ttl,
		Reject:         flags&1 != 0,
		KeepTimestamps: flags&2 != 0,
		MaxLine:        uint32(maxLine),
		Now:            func() time.Duration { return p.now },
	})
	check(err)
	p.cache = cache
	p.connections, p.pages = map[string]*pushgateway.Connection{}, map[string]*pushgateway.Page{}
}

func (p *player) at(ms string) {
	value, err := strconv.ParseFloat(ms, 64)
	check(err)
	p.now = time.Duration(value * float64(time.Millisecond))
}

func (p *player) connection(name string) *pushgateway.Connection {
	if p.connections[name] == nil {
		p.connections[name] = p.cache.Connect()
	}
	return p.connections[name]
}

func rest(page *pushgateway.Page) []byte {
	var all bytes.Buffer
	for {
		piece, err := page.Next()
		if err == io.EOF {
			return all.Bytes()
		}
		all.Write(piece)
	}
}

func (p *player) numbers() []byte {
	var words []string
	for index := uint32(0); index < 32; index++ {
		if index < 13 || index >= 16 {
			words = append(words, fmt.Sprintf("%.0f", p.cache.Counter(index)))
		}
	}
	for index := uint32(0); index < 12; index++ {
		words = append(words, fmt.Sprintf("%.0f", p.cache.Gauge(index)))
	}
	return []byte(strings.Join(words, " "))
}

func (p *player) write(call string, bytes []byte) {
	fmt.Fprintf(p.out, "%s %d\n", call, len(bytes))
	p.out.Write(bytes)
}

func number(word string) int {
	value, err := strconv.Atoi(word)
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
