/*
 * What the C that wasm2c writes needs of its runtime, for one kind of module: one memory of fixed size, no tables, no
 * exceptions, no threads, little-endian machines. Included by the generated code under this name.
 *
 * Every access is checked against the memory's bounds (MEMCHECK in the generated code); nothing relies on guard pages,
 * so that no address space is reserved.
 */
#ifndef WASM_RT_H
#define WASM_RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the module's memory is little-endian, and so must the machine be"
#endif
#define WABT_BIG_ENDIAN 0

#define WASM_RT_MEMCHECK_GUARD_PAGES 0
#define WASM_RT_STACK_DEPTH_COUNT 0
#define WASM_RT_USE_SEGUE 0

/*
 * The memory's bytes and their number, which build.mjs has the generated code ask for: with every access. There is one
 * memory in a program. The narrow module's has a fixed place and size; the wide one's is mapped by core.c. Both are
 * variables of their own, whose address nobody has: stores into the memory cannot change them, so they need not be
 * loaded again after each.
 */
#ifdef WIDE
static uint8_t *wasm_rt_bytes;
static uint64_t wasm_rt_size;
#else
enum { wasm_rt_size = 65536 };
static _Alignas(64) uint8_t wasm_rt_bytes[wasm_rt_size];
#endif

/* Whether `count` bytes, 8 at most, from a 64-bit address on leave the memory, which is never smaller than 64 KiB. */
#define WASM_RT_IS_OUTSIDE(address, count) ((address) > wasm_rt_size - (uint64_t)(count))

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define wasm_rt_memcpy memcpy
#define wasm_rt_unreachable __builtin_unreachable

/* A module's memory, which it asks for its size. Its bytes never move and their number never changes. */
typedef struct {
  uint8_t *data;
  uint64_t pages;
  uint64_t size;
} wasm_rt_memory_t;

typedef enum { WASM_RT_I32, WASM_RT_I64, WASM_RT_F32, WASM_RT_F64 } wasm_rt_type_t;

typedef enum {
  WASM_RT_TRAP_OOB,
  WASM_RT_TRAP_INT_OVERFLOW,
  WASM_RT_TRAP_DIV_BY_ZERO,
  WASM_RT_TRAP_INVALID_CONVERSION,
  WASM_RT_TRAP_UNREACHABLE,
} wasm_rt_trap_t;

/* A trap is a bug of the module: the process ends. */
_Noreturn static inline void wasm_rt_trap(wasm_rt_trap_t trap) {
  (void)trap;
  __builtin_trap();
}

static inline bool wasm_rt_is_initialized(void) { return true; }

/* The narrow module's memory is there; it is told how large it is. */
static inline void wasm_rt_allocate_memory(wasm_rt_memory_t *memory, uint64_t pages, uint64_t limit, bool is64,
                                           uint32_t page_bytes) {
  (void)limit;
  (void)is64;
  if (pages * page_bytes != wasm_rt_size) __builtin_trap();
  memory->pages = pages;
}
static inline void wasm_rt_free_memory(wasm_rt_memory_t *memory) { (void)memory; }

/* Types of what MVP modules without tables never use, but the generated code mentions. */
typedef const char *wasm_rt_func_type_t;
typedef void (*wasm_rt_function_ptr_t)(void);
typedef struct {
  wasm_rt_function_ptr_t fn;
} wasm_rt_tailcallee_t;
typedef struct {
  wasm_rt_func_type_t func_type;
  wasm_rt_function_ptr_t func;
  wasm_rt_tailcallee_t func_tailcallee;
  void *module_instance;
} wasm_rt_funcref_t;
typedef void *wasm_rt_externref_t;
typedef struct {
  wasm_rt_funcref_t *data;
  uint32_t size;
} wasm_rt_funcref_table_t;
typedef struct {
  wasm_rt_externref_t *data;
  uint32_t size;
} wasm_rt_externref_table_t;
static const wasm_rt_funcref_t wasm_rt_funcref_null_value;
static const wasm_rt_externref_t wasm_rt_externref_null_value;

#endif
