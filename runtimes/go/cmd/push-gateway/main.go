// A push gateway: lines come in on a Unix socket, /metrics serves them.
package main

import (
	"context"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	pushgateway "push-gateway"
)

func main() {
	module := flag.String("module", "push-gateway.wasm", "the artefact")
	socket := flag.String("socket", "push-gateway.sock", "the Unix socket for pushes; a file of that name is replaced")
	listen := flag.String("listen", "127.0.0.1:9091", "host:port of /metrics")
	flag.Parse()

	bytes, err := os.ReadFile(*module)
	check(err)
	cache, err := pushgateway.NewModule(bytes).NewCache(context.Background(), pushgateway.Options{})
	check(err)
	os.Remove(*socket)
	pushes, err := net.Listen("unix", *socket)
	check(err)
	scrapes, err := net.Listen("tcp", *listen)
	check(err)
	log.Printf("push to %s, scrape http://%s/metrics", *socket, scrapes.Addr())

	go accept(pushes, cache)
	http.HandleFunc("GET /metrics", func(response http.ResponseWriter, request *http.Request) {
		scrape(cache, response, request)
	})
	server := http.Server{ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	check(server.Serve(scrapes))
}

// accept gives each connection to the cache until its end.
func accept(pushes net.Listener, cache *pushgateway.Cache) {
	for {
		socket, err := pushes.Accept()
		check(err)
		go func() {
			connection := cache.Connect()
			io.Copy(connection, socket)
			connection.Close()
			socket.Close()
		}()
	}
}

// scrape answers with the page, in OpenMetrics for those who ask for it.
func scrape(cache *pushgateway.Cache, response http.ResponseWriter, request *http.Request) {
	openMetrics := strings.Contains(request.Header.Get("Accept"), "application/openmetrics-text")
	contentType := "text/plain; version=0.0.4; charset=utf-8"
	if openMetrics {
		contentType = "application/openmetrics-text; version=1.0.0; charset=utf-8"
	}
	response.Header().Set("Content-Type", contentType)
	if err := cache.Render(response, pushgateway.Format{OpenMetrics: openMetrics}); err == pushgateway.ErrPages {
		http.Error(response, err.Error(), http.StatusServiceUnavailable)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
