/*
 * Accesses at the edges of the module's memory, by the functions that the translated module makes them with: those inside
 * succeed, all others trap, and none wraps round. Includes core.c, so that the checks are those of the build.
 * usage: bounds        prints what is wrong, a line each
 */
#include "core.c"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void load8(uint64_t address) { i32_load8_u_default32(NULL, address); }
static void load16(uint64_t address) { i32_load16_u_default32(NULL, address); }
static void load32(uint64_t address) { i32_load_default32(NULL, address); }
static void load64(uint64_t address) { i64_load_default32(NULL, address); }
static void store8(uint64_t address) { i32_store8_default32(NULL, address, 1); }
static void store16(uint64_t address) { i32_store16_default32(NULL, address, 1); }
static void store32(uint64_t address) { i32_store_default32(NULL, address, 1); }
static void store64(uint64_t address) { i64_store_default32(NULL, address, 1); }

/* Whether an access ends the process by the instruction that traps are made of. */
static bool traps(void (*access)(uint64_t), uint64_t address) {
  int status;
  pid_t child = fork();
  if (child == 0) {
    access(address);
    _exit(0);
  }
  if (child < 0 || waitpid(child, &status, 0) != child) _exit(1);
  return WIFSIGNALED(status) && (WTERMSIG(status) == SIGILL || WTERMSIG(status) == SIGTRAP);
}

int main(void) {
  static const struct {
    const char *name;
    void (*access)(uint64_t);
    uint64_t bytes;
  } accesses[] = {
      {"load8", load8, 1},   {"load16", load16, 2},   {"load32", load32, 4},   {"load64", load64, 8},
      {"store8", store8, 1}, {"store16", store16, 2}, {"store32", store32, 4}, {"store64", store64, 8},
  };
  if (core_open(10240, 0, 0, 4096) != 0) return 1;
  for (size_t i = 0; i < sizeof accesses / sizeof *accesses; i++) {
    uint64_t end = wasm_rt_size, last = end - accesses[i].bytes;
    /* The last is the largest address with the largest offset: an addition of 32 bits would wrap, as would its end. */
    const uint64_t addresses[] = {
        0, last, last + 1, end, end + 4096, UINT32_MAX, UINT64_C(1) << 32, 2 * (uint64_t)UINT32_MAX,
    };
    for (size_t j = 0; j < sizeof addresses / sizeof *addresses; j++) {
      if (traps(accesses[i].access, addresses[j]) == (addresses[j] > last)) continue;
      printf("%s at %llu is wrong\n", accesses[i].name, (unsigned long long)addresses[j]);
    }
  }
  return 0;
}
