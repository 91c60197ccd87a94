/*
 * The core: the WebAssembly module, translated to C by wasm2c, behind functions. docs/ABI.md says what each export does;
 * nothing here knows sockets, logs or the daemon. The Node host's host/core.ts is the model.
 */
#ifndef CORE_H
#define CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Largest cache of the one-page artefact. */
enum { CORE_NARROW_CACHE_LIMIT = 16320 };
/* Pages that can be under way at once. */
enum { CORE_RENDERS = 8 };
/* Flags of init and of renderOpen. */
enum { CORE_REJECT = 1, CORE_KEEP_TIMESTAMPS = 2, CORE_OPENMETRICS = 1, CORE_UTF8 = 2 };
/* Statuses of core_open; those up to 5 are the module's own. */
enum { CORE_BAD_CACHE = 1, CORE_BAD_TTL = 2, CORE_BAD_LINE = 3, CORE_BAD_FLAGS = 4, CORE_NO_MEMORY = 5, CORE_BAD_ABI };

/* Indexes of counters and gauges that this host reads. */
enum {
  CORE_SAMPLES = 0,
  CORE_PUSHES = 2,
  CORE_EXPIRED = 4,
  CORE_EVICTED = 5,
  CORE_REFUSED_FAMILY = 6,
  CORE_REFUSED_FULL = 7,
  CORE_HELP_DROPPED = 8,
  CORE_TYPE_CLASHES = 9,
  CORE_UNITS_DROPPED = 10,
  CORE_BAD_TTL_LINES = 11,
};
enum { CORE_SERIES = 0, CORE_FAMILIES = 2 };
/* The reason of a line that the end of its stream cut. */
enum { CORE_INCOMPLETE = 11 };

/* What a connection has with the module: 16 opaque bytes, zero at first. */
struct core_connection {
  uint32_t words[4];
};

/* The windows and the state, which never move. */
struct core {
  /* The input window, where in it bytes that were read belong, and how many fit there. A tail goes directly before. */
  uint8_t *input;
  uint32_t read_offset;
  uint32_t read_bytes;
  /* Most bytes that a connection's tail can have. */
  uint32_t tail_limit;
  /* The output window. */
  const uint8_t *output;
  uint32_t output_bytes;
  /* The bytes whose hash is the cache's state. */
  const uint8_t *state;
  uint32_t state_bytes;
  /* The longest line that init takes. */
  uint32_t line_limit;
};
extern struct core core;

/* Whether this program has the imported-memory artefact, else the one-page one. */
extern const bool core_is_wide;

/* Makes the cache afresh, with a memory of exactly what it needs. Returns 0, or a status. */
int core_open(uint64_t cache_bytes, double ttl_ms, uint32_t flags, uint32_t max_line_bytes);

/* Takes bytes of the input window as the next ones of a connection. Returns how many were consumed. */
uint32_t core_ingest(struct core_connection *connection, uint32_t offset, uint32_t length, double now_ms);

/* Ends a push; tail_bytes is the length of the tail that was left. */
void core_finish(struct core_connection *connection, uint32_t tail_bytes, double now_ms);

/* The reason of the first bad line of the last ingest, and where it lies in the input window; -1: there was none. */
int32_t core_bad_line(uint32_t *offset, uint32_t *length);

/* Removes expired metrics, in bounded work. Returns whether there may be more. */
bool core_expire(double now_ms);

/* Begins a page. Returns a handle, or -1: all are taken. */
int32_t core_render_open(uint32_t flags, double now_ms);

/* Renders a page's next piece. Returns how many bytes of the output window it has; 0: the page is complete and closed. */
uint32_t core_render_next(int32_t handle, double now_ms);

/* Ends a page early. */
void core_render_close(int32_t handle);

double core_counter(uint32_t index);
double core_gauge(uint32_t index);

/* Why a line is bad, by its reason. */
extern const char *const core_bad_reasons[16];

#endif
