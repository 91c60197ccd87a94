/*
 * The two programs. Each has one artefact, so that the one that a device needs is small; which one a cache size takes is
 * the same on every host, since the cache's bytes differ.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>
#include <stdint.h>

/* Whether a cache of so many bytes is the wide artefact's. */
bool program_is_wide(uint64_t cache_bytes);

/*
 * Goes on as the program with the other artefact, if that is the one that is wanted. They stand in one folder, and the
 * wide one's name ends in -wide. Returns if this is the right one; false if it is not, and the other cannot be run.
 */
bool program_choose(bool wide, char **arguments);

#endif
