/* The event loop: epoll, one clock reading a turn, one alarm. */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

/* Something with a descriptor. The first member of what it belongs to. */
struct source {
  int fd;
  uint32_t events;
  /* Called with what is ready (EPOLLIN, EPOLLOUT, EPOLLHUP...); it may be called once too often. */
  void (*ready)(struct source *source, uint32_t events);
};

/* Monotonic time in milliseconds, as of the beginning of this turn. */
extern double loop_now_ms;

/* Reads the clock within a turn, for work that takes long. */
void loop_read_clock(void);

/* Opens the loop. */
void loop_open(void);

/* Watches a source for events. False: the system has no room. */
bool loop_add(struct source *source, uint32_t events);

/* Watches it for other events. */
void loop_change(struct source *source, uint32_t events);

/* Closes a source's descriptor, which ends the watch; its fd is -1 then. */
void loop_close(struct source *source);

/* Asks for an alarm: loop_turn calls the keepers at that time or soon after. The earliest of several counts. */
void loop_alarm(double at_ms);

/*
 * Waits until something is ready, an alarm or at most so many milliseconds (-1: no limit), and calls who is concerned.
 * keep is called when the alarm is due, which it has to set anew.
 * Returns how many sources were ready.
 */
int loop_turn(int wait_ms, void (*keep)(void));

#endif
