#include "loop.h"

#include <errno.h>
#include <math.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

enum { EVENTS = 64 };

double loop_now_ms;

static int epoll = -1;
static double alarm_ms = INFINITY;

void loop_read_clock(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  loop_now_ms = (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

void loop_open(void) {
  epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) fail(STATUS_FAILURE, "cannot wait for events: epoll is not available", NULL);
  loop_read_clock();
}

bool loop_add(struct source *source, uint32_t events) {
  source->events = events;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, source->fd, &(struct epoll_event){.events = events, .data.ptr = source}) == 0;
}

void loop_change(struct source *source, uint32_t events) {
  if (source->events == events) return;
  source->events = events;
  epoll_ctl(epoll, EPOLL_CTL_MOD, source->fd, &(struct epoll_event){.events = events, .data.ptr = source});
}

void loop_close(struct source *source) {
  close(source->fd);
  source->fd = -1;
}

void loop_alarm(double at_ms) {
  if (at_ms < alarm_ms) alarm_ms = at_ms;
}

int loop_turn(int wait_ms, void (*keep)(void)) {
  struct epoll_event events[EVENTS];
  if (alarm_ms < INFINITY) {
    double left_ms = ceil(alarm_ms - loop_now_ms);
    if (left_ms < 0) left_ms = 0;
    if (left_ms > 60000) left_ms = 60000;
    if (wait_ms < 0 || left_ms < wait_ms) wait_ms = (int)left_ms;
  }
  int count = epoll_wait(epoll, events, EVENTS, wait_ms);
  loop_read_clock();
  for (int i = 0; i < count; i++) {
    struct source *source = events[i].data.ptr;
    if (source->fd >= 0) source->ready(source, events[i].events);
  }
  if (loop_now_ms >= alarm_ms) {
    alarm_ms = INFINITY;
    keep();
  }
  return count > 0 ? count : 0;
}
