/*
 * Starts a program in a process of its own, from a small one: whoever starts it from a large process (Node) has it pay
 * for what that leaves behind, before it is itself.
 * usage: launch CORE PROGRAM [ARGUMENT...]
 *
 * CORE is where it runs, or -1: anywhere. The program has this process' files and environment; /proc/PID/task/PID/children
 * tells which it is. SIGTERM is passed on to it; when this process is killed, it is, too. Ends as the program ended.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t program;

static void fail(const char *what) {
  perror(what);
  exit(127);
}

static void pass_on(int signal) { kill(program, signal); }

int main(int count, char **arguments) {
  if (count < 3) {
    fprintf(stderr, "usage: launch CORE PROGRAM [ARGUMENT...]\n");
    return 2;
  }
  int core = atoi(arguments[1]);
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (core >= 0) CPU_SET((unsigned)core, &cores);
  if (core >= 0 && sched_setaffinity(0, sizeof cores, &cores) < 0) fail("sched_setaffinity");
  /* A signal waits until there is a process to pass it on to. */
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  sigprocmask(SIG_BLOCK, &blocked, &before);
  pid_t launcher = getpid();
  program = fork();
  if (program < 0) fail("fork");
  if (program == 0) {
    sigprocmask(SIG_SETMASK, &before, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == launcher) execvp(arguments[2], arguments + 2);
    fail(arguments[2]);
  }
  struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
  sigaction(SIGTERM, &action, NULL);
  sigprocmask(SIG_SETMASK, &before, NULL);
  int status;
  if (waitpid(program, &status, 0) < 0) fail("waitpid");
  if (!WIFSIGNALED(status)) return WEXITSTATUS(status);
  signal(WTERMSIG(status), SIG_DFL);
  raise(WTERMSIG(status));
  return 1;
}
