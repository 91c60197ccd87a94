#include "program.h"

#include <string.h>
#include <unistd.h>

#include "core.h"
#include "text.h"

static const char suffix[] = "-wide";
enum { SUFFIX_LENGTH = sizeof suffix - 1 };

bool program_is_wide(uint64_t cache_bytes) { return cache_bytes > CORE_NARROW_CACHE_LIMIT; }

bool program_choose(bool wide, char **arguments) {
  char bytes[1024];
  struct text path = TEXT(bytes);
  if (core_is_wide == wide) return true;
  ssize_t length = readlink("/proc/self/exe", bytes, sizeof bytes);
  if (length < SUFFIX_LENGTH) return false;
  path.length = (size_t)length;
  if (wide) text_add(&path, suffix);
  else if (memcmp(bytes + length - SUFFIX_LENGTH, suffix, SUFFIX_LENGTH) == 0) path.length -= SUFFIX_LENGTH;
  execv(text_end(&path), arguments);
  return false;
}
