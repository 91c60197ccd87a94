"""A push gateway: lines come in on a Unix socket, /metrics serves them."""

import argparse
import os
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer
from threading import Thread

from push_gateway import Artefact, Cache, PagesError

TYPES = {
    False: "text/plain; version=0.0.4; charset=utf-8",
    True: "application/openmetrics-text; version=1.0.0; charset=utf-8",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--module", default="push-gateway.wasm", help="the artefact")
    parser.add_argument("--socket", default="push-gateway.sock", help="for pushes; a file of that name is replaced")
    parser.add_argument("--listen", default="127.0.0.1:9091", help="host:port of /metrics")
    options = parser.parse_args()
    cache = Cache(Artefact(options.module))

    class Push(StreamRequestHandler):
        def handle(self) -> None:
            with closing(cache.connect()) as connection:
                while data := self.request.recv(65536):
                    connection.write(data)

    class Scrape(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            if self.path.partition("?")[0] != "/metrics":
                return self.send_error(404)
            openmetrics = "application/openmetrics-text" in self.headers.get("Accept", "")
            try:
                page = cache.render(openmetrics=openmetrics)
            except PagesError as error:
                return self.send_error(503, str(error))
            self.send_response(200)
            self.send_header("Content-Type", TYPES[openmetrics])
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    if os.path.exists(options.socket):
        os.unlink(options.socket)
    pushes = ThreadingUnixStreamServer(options.socket, Push)
    pushes.daemon_threads = True
    host, _, port = options.listen.rpartition(":")
    scrapes = ThreadingHTTPServer((host, int(port)), Scrape)
    print(f"push to {options.socket}, scrape http://{host}:{scrapes.server_port}/metrics", flush=True)
    Thread(target=pushes.serve_forever, daemon=True).start()
    scrapes.serve_forever()


if __name__ == "__main__":
    main()
