/*
 * Compiled once for each program: MODULE is narrow or wide, SOURCE the C that wasm2c wrote for it. Included here, so that
 * the compiler sees that there is one instance.
 */
#include "core.h"

#include <sys/mman.h>

/* Accesses to memory are small functions, which -Os would call: inline, with one instance, they are as small and faster. */
#define inline inline __attribute__((always_inline))
#include SOURCE
#undef inline

#define JOIN(a, b, c) a##b##c
#define JOINED(a, b, c) JOIN(a, b, c)
/* A call of an export. */
#define CALL(name, ...) JOINED(w2c_, MODULE, _##name)(&instance, ##__VA_ARGS__)

/* The version of docs/ABI.md that this file was written for. */
enum { ABI_VERSION = 1 };
enum { PAGE_BYTES = 65536 };
/* What the imported-memory artefact needs besides the cache. */
enum { WIDE_FIXED_BYTES = 196608 };

struct core core;

static JOINED(w2c_, MODULE, ) instance;
static uint8_t *connection_window;

const char *const core_bad_reasons[16] = {
    "syntax",         "not UTF-8",       "NUL byte",      "bad metric name", "bad label name", "duplicate label",
    "bad escape",     "bad value",       "bad timestamp", "bad exemplar",    "too long",       "incomplete",
    "series too big", "too many labels", "bad metadata",  "sample does not fit its family",
};

#ifdef WIDE
const bool core_is_wide = true;

/* What the module imports: env.memory. */
struct w2c_env {
  wasm_rt_memory_t memory;
};
static struct w2c_env env;
wasm_rt_memory_t *w2c_env_memory(struct w2c_env *from) { return &from->memory; }

/* Maps a memory of exactly what the cache needs, and starts the module in it, unless it has one as large. */
static int instantiate(uint64_t cache_bytes) {
  uint64_t pages = (WIDE_FIXED_BYTES + cache_bytes + PAGE_BYTES - 1) / PAGE_BYTES;
  if (pages <= env.memory.pages) return 0;
  void *bytes = mmap(NULL, pages * PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (bytes == MAP_FAILED) return CORE_NO_MEMORY;
  if (wasm_rt_bytes != NULL) munmap(wasm_rt_bytes, wasm_rt_size);
  wasm_rt_bytes = bytes;
  wasm_rt_size = pages * PAGE_BYTES;
  env.memory.pages = pages;
  wasm2c_wide_instantiate(&instance, &env);
  return 0;
}
#else
const bool core_is_wide = false;

/* Starts the module, once: its memory is there. */
static int instantiate(uint64_t cache_bytes) {
  (void)cache_bytes;
  if (instance.w2c_memory.pages == 0) wasm2c_narrow_instantiate(&instance);
  return 0;
}
#endif

/* Starts the module with a memory for such a cache, and looks where its windows are. */
static int start(uint64_t cache_bytes) {
  int status = instantiate(cache_bytes);
  if (status != 0) return status;
  if (CALL(abiVersion) != ABI_VERSION) return CORE_BAD_ABI;
  connection_window = wasm_rt_bytes + CALL(connectionAddress);
  core.input = wasm_rt_bytes + CALL(inputAddress);
  core.output = wasm_rt_bytes + CALL(outputAddress);
  core.output_bytes = CALL(outputBytes);
  core.line_limit = CALL(inputTail) - 16;
  return 0;
}

int core_open(uint64_t cache_bytes, double ttl_ms, uint32_t flags, uint32_t max_line_bytes) {
  int status = start(cache_bytes);
  if (status != 0) return status;
  if (CALL(memoryPages, (uint32_t)cache_bytes) == 0) return CORE_BAD_CACHE;
  status = (int)CALL(init, (uint32_t)cache_bytes, ttl_ms, flags, max_line_bytes);
  if (status != 0) return status;
  core.tail_limit = max_line_bytes + 1;
  core.read_offset = CALL(inputTail);
  core.read_bytes = CALL(inputBytes) - core.read_offset;
  core.state = wasm_rt_bytes + CALL(cacheAddress);
  core.state_bytes = CALL(cacheBytes);
  return 0;
}

uint32_t core_ingest(struct core_connection *connection, uint32_t offset, uint32_t length, double now_ms) {
  memcpy(connection_window, connection, sizeof *connection);
  uint32_t consumed = CALL(ingest, offset, length, now_ms);
  memcpy(connection, connection_window, sizeof *connection);
  return consumed;
}

void core_finish(struct core_connection *connection, uint32_t tail_bytes, double now_ms) {
  memcpy(connection_window, connection, sizeof *connection);
  CALL(finish, tail_bytes, now_ms);
  memcpy(connection, connection_window, sizeof *connection);
}

int32_t core_bad_line(uint32_t *offset, uint32_t *length) {
  int32_t reason = (int32_t)CALL(badReason);
  if (reason >= 0) {
    *offset = CALL(badOffset);
    *length = CALL(badLength);
  }
  return reason;
}

bool core_expire(double now_ms) { return CALL(expire, now_ms) == 1; }

int32_t core_render_open(uint32_t flags, double now_ms) { return (int32_t)CALL(renderOpen, flags, now_ms); }

uint32_t core_render_next(int32_t handle, double now_ms) {
  int32_t length = (int32_t)CALL(renderNext, (uint32_t)handle, now_ms);
  return length > 0 ? (uint32_t)length : 0;
}

void core_render_close(int32_t handle) { CALL(renderClose, (uint32_t)handle); }

double core_counter(uint32_t index) { return CALL(counter, index); }
double core_gauge(uint32_t index) { return CALL(gauge, index); }
