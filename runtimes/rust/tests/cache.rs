//! Needs the artefacts in build/ (npm run build).

use push_gateway::{Artefact, Cache, Connection, Error, Format, Options};

const TEXT: Format = Format { openmetrics: false, utf8: false };
const OPENMETRICS: Format = Format { openmetrics: true, utf8: false };

fn artefact(name: &str) -> Artefact {
    let path = format!("{}/../../build/{name}", env!("CARGO_MANIFEST_DIR"));
    Artefact::new(&std::fs::read(path).expect("npm run build makes it")).unwrap()
}

#[test]
fn both_artefacts() {
    for (name, cache_bytes) in [("push-gateway.wasm", 10_240), ("push-gateway.imported.wasm", 1 << 20)] {
        let mut cache = Cache::new(&artefact(name), Options { cache_bytes, ..Options::default() }).unwrap();
        let mut connection = Connection::default();
        for piece in ["# TYPE x gauge\nx{a=\"", "1\"} 1.", "5\nno number\n"] {
            cache.push(&mut connection, piece.as_bytes(), 0.0);
        }
        cache.finish(&mut connection, 0.0);
        let page = cache.render(OPENMETRICS, 0.0).unwrap();
        assert_eq!(String::from_utf8(page).unwrap(), "# TYPE x gauge\nx{a=\"1\"} 1.5\n# EOF\n");
        assert_eq!(cache.counter(0), 1.0);
        assert_eq!((16..32).map(|index| cache.counter(index)).sum::<f64>(), 1.0);
        cache.expire(60_001.0);
        assert_eq!(cache.gauge(0), 0.0);
    }
}

#[test]
fn options_out_of_range() {
    let artefact = artefact("push-gateway.wasm");
    let cases = [
        ("cache_bytes", Options { cache_bytes: 100, ..Options::default() }),
        ("ttl_ms", Options { ttl_ms: -1.0, ..Options::default() }),
        ("max_line", Options { max_line: 1, ..Options::default() }),
    ];
    for (name, options) in cases {
        assert!(matches!(Cache::new(&artefact, options), Err(Error::Option(option)) if option == name), "{name}");
    }
    assert!(matches!(Artefact::new(b"nothing"), Err(Error::Module(_))));
}

#[test]
fn eight_pages() {
    let mut cache = Cache::new(&artefact("push-gateway.wasm"), Options::default()).unwrap();
    let mut pages: Vec<_> = (0..8).map(|_| cache.open_page(TEXT, 0.0).unwrap()).collect();
    assert_eq!(cache.open_page(TEXT, 0.0), None);
    cache.close_page(pages.pop().unwrap());
    assert_eq!(cache.render(TEXT, 0.0).unwrap(), b"");
    assert!(cache.open_page(TEXT, 0.0).is_some());
}

#[test]
fn a_push_longer_than_the_window() {
    let mut cache = Cache::new(&artefact("push-gateway.wasm"), Options::default()).unwrap();
    let lines: String = (0..3000).map(|value| format!("m{{n=\"{}\"}} {value}\n", value % 50)).collect();
    let mut connection = Connection::default();
    cache.push(&mut connection, lines.as_bytes(), 0.0);
    cache.finish(&mut connection, 0.0);
    assert_eq!((cache.counter(0), cache.gauge(0)), (3000.0, 50.0));
    assert!(String::from_utf8(cache.render(TEXT, 0.0).unwrap()).unwrap().contains("m{n=\"49\"} 2999\n"));
}
