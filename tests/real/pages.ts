/** Pages by hand: everything that the two formats allow and Prometheus understands. */

/** Text 0.0.4, with every type, spelling and value. No line of it is one that promtool would remark on. */
export const TEXT_PAGE = String.raw`# HELP every_requests_total Requests, by path: a backslash \\, a line\nfeed, "quotes", äöü ✓ 🚀
# TYPE every_requests_total counter
every_requests_total{path="/",method="GET"} 3
every_requests_total{path="C:\\dir\\new",method="say \"hi\""} 17
every_requests_total{path="two\nlines",method="\\n is no \n"} 4e3
every_requests_total{path="späße/✓/🚀/日本語",method=" {},=# "} 1027
# An ordinary comment.
# HELP every_value The values that doubles have.
# TYPE every_value gauge
every_value{is="NaN"} NaN
every_value{is="+Inf"} +Inf
every_value{is="-Inf"} -Inf
every_value{is="17 digits"} 0.30000000000000004
every_value{is="17 digits more"} 123456789.12345679
every_value{is="more digits than a double has"} 3.14159265358979323846264338327950288
every_value{is="smallest subnormal"} 5e-324
every_value{is="subnormal"} 2.2250738585072009e-308
every_value{is="smallest normal"} 2.2250738585072014e-308
every_value{is="largest"} 1.7976931348623157e+308
every_value{is="-0"} -0
every_value{is="0"} 0
every_value{is="2^53+1"} 9007199254740993
every_value{is="halfway"} 9007199254740992.5
every_value{is="large"} 1.2345678901234567e+25
every_value{is="plus"} +1.5
every_value{is="no digit before the point"} .5
every_value{is="no digit after the point"} 5.
every_value{is="capital"} 1E3
every_value{is="leading zeros"} 007
every_value{is="too small"} 1e-400
# HELP every_latency_seconds Latency.
# TYPE every_latency_seconds histogram
every_latency_seconds_bucket{path="/",le="0.005"} 1
every_latency_seconds_bucket{path="/",le="1e-01"} 2
every_latency_seconds_bucket{path="/",le="1"} 3
every_latency_seconds_bucket{path="/",le="+Inf"} 4
every_latency_seconds_sum{path="/"} 12.5
every_latency_seconds_count{path="/"} 4
every_latency_seconds_bucket{le="0.25",path="/b"} 0
every_latency_seconds_bucket{le="+Inf",path="/b"} 0
every_latency_seconds_sum{path="/b"} 0
every_latency_seconds_count{path="/b"} 0
# HELP every_size_bytes Sizes.
# TYPE every_size_bytes summary
every_size_bytes{quantile="0"} NaN
every_size_bytes{quantile="0.5"} 1024
every_size_bytes{quantile="0.999"} 65536
every_size_bytes_sum 1e6
every_size_bytes_count 100
# HELP every_untyped Nobody knows.
# TYPE every_untyped untyped
every_untyped 1
# HELP every_space White space in all places where it may be.
# TYPE every_space gauge
every_space{ a = "1" , b = "2" , }    1
every_space	{a="2"}	2
every_space {a="3"} 3
# HELP every_label Labels of the scraper's own, empty ones, and names of all kinds.
# TYPE every_label gauge
every_label{job="another",instance="other:1"} 1
every_label{a="1",instance=""} 2
every_label{a="2",job="",instance="",empty=""} 3
every_label{_="underscore",A9_z="letters",__reserved="two"} 4
every_label 5
# HELP every:recorded:sum A recording rule's name.
# TYPE every:recorded:sum gauge
every:recorded:sum 1
# HELP every_alloc_bytes Now.
# TYPE every_alloc_bytes gauge
every_alloc_bytes 1
# HELP every_alloc_bytes_total Ever, beside a gauge of that name.
# TYPE every_alloc_bytes_total counter
every_alloc_bytes_total 2
`;

/** Families that promtool has remarks on. */
export const ODD_PAGE = `every_without_metadata{a="1"} 1
# TYPE every_without_help gauge
every_without_help 2
# TYPE every_plain_counter counter
every_plain_counter 3
# HELP every_help_alone Help without a type.
every_help_alone 4
`;

/** Metadata in an order that promtool refuses and Prometheus does not mind. */
export const LATE_PAGE = `every_late 1
# TYPE every_late gauge
# HELP every_late Said afterwards.
# TYPE every_typed gauge
# HELP every_typed Said in the other order.
every_typed 1
`;

/** OpenMetrics 1.0, with every type, units, exemplars and creation times. */
export const OPENMETRICS_PAGE = String.raw`# TYPE om_requests counter
# HELP om_requests Requests: a backslash \\, a line\nfeed, \"quotes\", äöü ✓ 🚀
om_requests_total{path="/"} 17.0 # {trace_id="a b\"c",span="é"} 0.5 1520879607.789
om_requests_created{path="/"} 1520872607.123
om_requests_total{path="\\ \" \n ✓"} 3.0
om_requests_created{path="\\ \" \n ✓"} 1520872608
# TYPE om_temperature_celsius gauge
# UNIT om_temperature_celsius celsius
# HELP om_temperature_celsius Temperature.
om_temperature_celsius{room="a"} -0.0
om_temperature_celsius{room="b"} NaN
om_temperature_celsius{room="c"} 21.700000000000003
# TYPE om_latency_seconds histogram
# UNIT om_latency_seconds seconds
# HELP om_latency_seconds Latency.
om_latency_seconds_bucket{le="0.25"} 1 # {trace_id="x"} 0.2
om_latency_seconds_bucket{le="1.0"} 2
om_latency_seconds_bucket{le="+Inf"} 3 # {} 2.5 1520879607.1
om_latency_seconds_count 3
om_latency_seconds_sum 3.5
om_latency_seconds_created 1520872607.5
# TYPE om_size_bytes summary
# UNIT om_size_bytes bytes
# HELP om_size_bytes Sizes.
om_size_bytes{quantile="0.95"} 123.7
om_size_bytes_count 10
om_size_bytes_sum 1000.5
om_size_bytes_created 1520872607.25
# TYPE om_queue_seconds gaugehistogram
# HELP om_queue_seconds What waits.
om_queue_seconds_bucket{le="0.01"} 20
om_queue_seconds_bucket{le="+Inf"} 25
om_queue_seconds_gcount 25
om_queue_seconds_gsum 3.25
# TYPE om_build info
# HELP om_build What runs.
om_build_info{version="1.2",branch="main"} 1
# TYPE om_state stateset
# HELP om_state Which state.
om_state{om_state="idle"} 0
om_state{om_state="busy"} 1
# TYPE om_odd unknown
# HELP om_odd Nobody knows.
om_odd{a="b"} 1e-5
# EOF
`;
