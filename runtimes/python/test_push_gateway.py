"""python -m unittest; needs what requirements.txt lists, and the artefacts in build/ (npm run build)."""

import unittest
from pathlib import Path
from threading import Thread

from push_gateway import Artefact, Cache, PagesError

BUILD = Path(__file__).parents[2] / "build"
ONE_PAGE = Artefact(str(BUILD / "push-gateway.wasm"))
IMPORTED = Artefact(str(BUILD / "push-gateway.imported.wasm"))


class CacheTest(unittest.TestCase):
    def test_both_artefacts(self) -> None:
        for artefact, cache_bytes in [(ONE_PAGE, 10_240), (IMPORTED, 1 << 20)]:
            now = 0.0
            cache = Cache(artefact, cache_bytes=cache_bytes, now_ms=lambda: now)
            connection = cache.connect()
            for piece in [b'# TYPE x gauge\nx{a="', b'1"} 1.', b"5\nno number\n"]:
                connection.write(piece)
            connection.close()
            self.assertEqual(cache.render(openmetrics=True), b'# TYPE x gauge\nx{a="1"} 1.5\n# EOF\n')
            self.assertEqual(cache.counter(0), 1)
            self.assertEqual(sum(cache.counter(index) for index in range(16, 32)), 1)
            now = 60_001.0
            cache.expire()
            self.assertEqual(cache.gauge(0), 0)

    def test_options_out_of_range(self) -> None:
        for option in [{"cache_bytes": 100}, {"ttl_ms": -1}, {"max_line": 1}]:
            with self.assertRaisesRegex(ValueError, *option):
                Cache(ONE_PAGE, **option)

    def test_eight_pages(self) -> None:
        cache = Cache(ONE_PAGE)
        pages = [cache.pages() for _ in range(8)]
        with self.assertRaises(PagesError):
            cache.pages()
        pages[3].close()
        pages[3].close()
        self.assertEqual(list(cache.pages()), [])
        self.assertEqual(list(pages[3]), [])

    def test_many_threads(self) -> None:
        cache = Cache(ONE_PAGE)

        def push(index: int) -> None:
            connection = cache.connect()
            for value in range(100):
                connection.write(f'x{{n="{index}"}} '.encode())
                connection.write(f"{value}\n".encode())
            connection.close()

        threads = [Thread(target=push, args=[index]) for index in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        page = cache.render().decode().splitlines()
        for index in range(8):
            self.assertIn(f'x{{n="{index}"}} 99', page)


if __name__ == "__main__":
    unittest.main()
