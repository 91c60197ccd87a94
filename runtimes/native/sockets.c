#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "loop.h"
#include "text.h"

enum { LISTENERS = 2 * ADDRESS_LIMIT, BACKLOG = 511, FIRST_ACTIVATED = 3, TAKE_ATTEMPTS = 5 };
/* A server binds and listens in two steps; a refusal in between must not look stale. */
enum { STALE_RECHECK_MS = 20 };

struct listener {
  struct source source;
  enum socket_role role;
  bool is_tcp;
  /* The file that was made, to be removed; no path: there is none. */
  const char *path;
  dev_t device;
  ino_t inode;
  char address[SOCKET_PATH_LIMIT + 8];
};

static struct listener listeners[LISTENERS];
static size_t listener_count;
static socket_taker *takers[2];
/* A descriptor to give up when there are no others, so that what waits can be refused. */
static int spare = -1;

_Noreturn static void refuse(const char *where, const char *why) {
  fail(STATUS_FAILURE, "cannot listen on ", where, ": ", why, NULL);
}

static const char *explain(int error) {
  switch (error) {
    case EADDRINUSE:
      return "the address is in use";
    case EACCES:
      return "permission denied";
    case ENOTDIR:
      return "a folder of its path is a file";
    case EADDRNOTAVAIL:
      return "this machine does not have the address";
    default:
      return strerror(error);
  }
}

static void open_spare(void) {
  if (spare < 0) spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Accepts one connection; when descriptors have run out, refuses it instead of spinning on it. */
static void take(struct source *source, uint32_t events) {
  (void)events;
  struct listener *listener = (struct listener *)source;
  open_spare();
  int fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd >= 0) {
    if (listener->is_tcp) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    takers[listener->role](fd);
    return;
  }
  if (errno != EMFILE && errno != ENFILE) return;
  if (log_warn(LOG_ACCEPT, loop_now_ms, "cannot accept connections")) {
    log_text("code", errno == EMFILE ? "EMFILE" : "ENFILE");
    log_end();
  }
  if (spare < 0) return;
  close(spare);
  spare = -1;
  fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC);
  if (fd >= 0) close(fd);
  open_spare();
}

/* Makes a listener of a socket that listens. */
static struct listener *add(int fd, enum socket_role role, bool is_tcp) {
  struct listener *listener = &listeners[listener_count++];
  *listener = (struct listener){.source = {.fd = fd, .ready = take}, .role = role, .is_tcp = is_tcp};
  if (!loop_add(&listener->source, EPOLLIN)) fail(STATUS_FAILURE, "cannot wait for connections", NULL);
  return listener;
}

static bool has(enum socket_role role) {
  for (size_t i = 0; i < listener_count; i++)
    if (listeners[i].role == role) return true;
  return false;
}

/*
 * Asks whether nobody serves a socket file.
 * Returns false if the file is gone; ends the program if somebody does, or if that cannot be told.
 */
static bool is_stale(const struct address *address) {
  int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int error = connect(probe, (const struct sockaddr *)&address->bytes, address->length) == 0 ? 0 : errno;
  close(probe);
  if (error == ECONNREFUSED) return true;
  if (error == ENOENT) return false;
  refuse(address->text, error == 0 || error == EAGAIN ? "a running server uses it" : explain(error));
}

/*
 * Removes a stale file by moving it aside first: only what was seen to be stale is ever unlinked.
 * Returns false if there was another file by then; it is back in its place.
 */
static bool remove_stale(const char *path, const struct stat *seen) {
  char bytes[SOCKET_PATH_LIMIT + 16];
  struct text aside = TEXT(bytes);
  const char *slash = strrchr(path, '/');
  if (slash != NULL) text_add_bytes(&aside, path, (size_t)(slash - path) + 1);
  text_add(&aside, ".pg");
  text_add_number(&aside, (uint64_t)getpid());
  text_end(&aside);
  if (rename(path, bytes) != 0) {
    if (errno == ENOENT) return false;
    fail(STATUS_FAILURE, "cannot replace the stale ", path, ": ", explain(errno), NULL);
  }
  struct stat moved;
  bool same = lstat(bytes, &moved) == 0 && moved.st_ino == seen->st_ino && moved.st_dev == seen->st_dev &&
              moved.st_mtim.tv_sec == seen->st_mtim.tv_sec && moved.st_mtim.tv_nsec == seen->st_mtim.tv_nsec;
  if (!same && link(bytes, path) != 0) return false;
  unlink(bytes);
  return same;
}

/* Makes room for a socket at a path: nothing there, or a socket that nobody serves any more. */
static void clear_path(const struct address *address) {
  const char *path = address->text, *slash = strrchr(path, '/');
  char bytes[SOCKET_PATH_LIMIT + 2];
  struct text folder = TEXT(bytes);
  struct stat found;
  if (slash == NULL) text_add(&folder, ".");
  else text_add_bytes(&folder, path, slash == path ? 1 : (size_t)(slash - path));
  int error = stat(text_end(&folder), &found) != 0 ? errno : S_ISDIR(found.st_mode) ? 0 : ENOTDIR;
  if (error == ENOENT) fail(STATUS_FAILURE, "cannot listen on ", path, ": there is no folder ", folder.bytes, NULL);
  if (error != 0) refuse(path, explain(error));
  for (int attempt = 0; attempt < TAKE_ATTEMPTS; attempt++) {
    if (lstat(path, &found) != 0) {
      if (errno == ENOENT) return;
      refuse(path, explain(errno));
    }
    if (!S_ISSOCK(found.st_mode)) refuse(path, "there is a file that is no socket");
    if (!is_stale(address)) continue;
    nanosleep(&(struct timespec){.tv_nsec = STALE_RECHECK_MS * 1000000}, NULL);
    if (is_stale(address) && remove_stale(path, &found)) return;
  }
  refuse(path, "the file changes all the time");
}

/* Binds with the wanted mode: the umask holds for the file from the moment it exists. */
static void listen_unix(const struct address *address, mode_t mode, enum socket_role role) {
  for (int attempt = 1;; attempt++) {
    clear_path(address);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t mask = umask(0777 & ~mode);
    bool listens = fd >= 0 && bind(fd, (const struct sockaddr *)&address->bytes, address->length) == 0 &&
                   listen(fd, BACKLOG) == 0;
    int error = errno;
    umask(mask);
    struct stat made;
    if (listens) {
      struct listener *listener = add(fd, role, false);
      if (lstat(address->text, &made) == 0) {
        listener->path = address->text;
        listener->device = made.st_dev;
        listener->inode = made.st_ino;
      }
      struct text text = TEXT(listener->address);
      text_add(&text, "unix:");
      text_add(&text, address->text);
      text_end(&text);
      return;
    }
    if (fd >= 0) close(fd);
    /* Somebody else was faster: look again at what is there now. */
    if (error != EADDRINUSE || attempt == TAKE_ATTEMPTS) refuse(address->text, explain(error));
  }
}

/* Appends an address of numbers. IPv6 has all its groups, but for the wildcard. */
static void add_host(struct text *text, const struct sockaddr_storage *bound) {
  const uint8_t *v4 = (const uint8_t *)&((const struct sockaddr_in *)bound)->sin_addr;
  const uint8_t *v6 = ((const struct sockaddr_in6 *)bound)->sin6_addr.s6_addr;
  if (bound->ss_family == AF_INET) {
    for (int i = 0; i < 4; i++) {
      if (i > 0) text_add(text, ".");
      text_add_number(text, v4[i]);
    }
  } else if (memcmp(v6, &in6addr_any, 16) == 0) {
    text_add(text, "[::]");
  } else {
    for (int i = 0; i < 16; i += 2) {
      text_add(text, i > 0 ? ":" : "[");
      text_add_hex(text, (uint64_t)(v6[i] << 8 | v6[i + 1]));
    }
    text_add(text, "]");
  }
}

/* Writes where a TCP socket listens; its port may have been chosen by the system, its host is written as it was given. */
static void describe_tcp(struct listener *listener, const char *given) {
  struct sockaddr_storage bound;
  socklen_t length = sizeof bound;
  getsockname(listener->source.fd, (struct sockaddr *)&bound, &length);
  const char *colon = given == NULL ? NULL : strrchr(given, ':');
  struct text text = TEXT(listener->address);
  if (colon != NULL && colon != given) text_add_bytes(&text, given, (size_t)(colon - given));
  else add_host(&text, &bound);
  text_add(&text, ":");
  /* The port stands at the same place in both families. */
  text_add_number(&text, ntohs(((struct sockaddr_in *)&bound)->sin_port));
  text_end(&text);
}

static void listen_tcp(const struct address *address, enum socket_role role) {
  struct address now = *address;
  const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address->bytes;
  bool is_any = now.bytes.ss_family == AF_INET6 && memcmp(&v6->sin6_addr, &in6addr_any, sizeof in6addr_any) == 0;
  int fd = socket(now.bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 && is_any && errno == EAFNOSUPPORT) {
    /* A kernel without IPv6: all interfaces are those of IPv4. */
    now.length = sizeof(struct sockaddr_in);
    memcpy(&now.bytes, &(struct sockaddr_in){.sin_family = AF_INET, .sin_port = v6->sin6_port}, now.length);
    fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  }
  if (fd < 0) refuse(address->text, explain(errno));
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
  /* As Node does it: an address without host takes both families, a bracketed one only its own. */
  if (now.bytes.ss_family == AF_INET6)
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &(int){address->text[0] == '['}, sizeof(int));
  if (bind(fd, (const struct sockaddr *)&now.bytes, now.length) != 0 || listen(fd, BACKLOG) != 0)
    refuse(address->text, explain(errno));
  describe_tcp(add(fd, role, true), address->text);
}

static void listen_on(const struct address *address, mode_t mode, enum socket_role role) {
  if (address->bytes.ss_family == AF_UNIX) listen_unix(address, mode, role);
  else listen_tcp(address, role);
}

/* What the name of a handed-over socket says that it is for: a role, or -1. */
static int role_of(const char *name, size_t length) {
  static const struct {
    const char *word;
    enum socket_role role;
  } words[] = {{"push", SOCKET_PUSH}, {"socket", SOCKET_PUSH}, {"raw", SOCKET_PUSH}};
  for (size_t at = 0; at < length; at++) {
    if (length - at >= 4 && same_word(name + at, 4, "http")) return SOCKET_HTTP;
    if (length - at >= 7 && same_word(name + at, 7, "metrics")) return SOCKET_HTTP;
  }
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (same_word(name, length, words[i].word)) return words[i].role;
  return -1;
}

/* Listens on a descriptor that was handed over. A socket without a telling name is HTTP's if it is TCP or a second one. */
static void open_descriptor(int fd, int named) {
  struct sockaddr_storage bound;
  socklen_t length = sizeof bound;
  int listening = 0;
  char digits[16];
  struct text number = TEXT(digits);
  text_add_number(&number, (uint64_t)fd);
  text_end(&number);
  if (getsockname(fd, (struct sockaddr *)&bound, &length) != 0 ||
      getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &(socklen_t){sizeof listening}) != 0 || !listening)
    fail(STATUS_FAILURE, "cannot listen on descriptor ", digits, ": it is no socket that listens", NULL);
  bool is_tcp = bound.ss_family != AF_UNIX;
  enum socket_role role = named >= 0 ? (enum socket_role)named : is_tcp || has(SOCKET_PUSH) ? SOCKET_HTTP : SOCKET_PUSH;
  if (role == SOCKET_PUSH && is_tcp)
    fail(STATUS_FAILURE, "descriptor ", digits, " is no Unix socket to push to", NULL);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  struct listener *listener = add(fd, role, is_tcp);
  if (is_tcp) {
    describe_tcp(listener, NULL);
    return;
  }
  struct text text = TEXT(listener->address);
  const char *path = ((struct sockaddr_un *)&bound)->sun_path;
  bool has_path = length > offsetof(struct sockaddr_un, sun_path) && path[0] != 0;
  text_add(&text, has_path ? "unix:" : "fd:");
  if (has_path) text_add_bytes(&text, path, strnlen(path, length - offsetof(struct sockaddr_un, sun_path)));
  else text_add(&text, digits);
  text_end(&text);
}

/* Opens the sockets that systemd opened for us (sd_listen_fds), and removes the variables. */
static void open_activated(void) {
  int64_t count = text_whole(getenv("LISTEN_FDS"));
  bool ours = text_whole(getenv("LISTEN_PID")) == getpid();
  const char *name = getenv("LISTEN_FDNAMES");
  for (int i = 0; ours && i < count && listener_count < ADDRESS_LIMIT; i++) {
    size_t length = name == NULL ? 0 : strcspn(name, ":");
    open_descriptor(FIRST_ACTIVATED + i, role_of(name, length));
    if (name != NULL) name += length + (name[length] == ':');
  }
  unsetenv("LISTEN_FDS");
  unsetenv("LISTEN_PID");
  unsetenv("LISTEN_FDNAMES");
}

static bool is_writable_folder(const char *path) {
  struct stat found;
  return access(path, W_OK | X_OK) == 0 && stat(path, &found) == 0 && S_ISDIR(found.st_mode);
}

/* The path of the push socket in the first folder that fits. */
static const char *default_path(void) {
  static char bytes[4096];
  struct text path = TEXT(bytes);
  const char *runtime = getenv("RUNTIME_DIRECTORY"), *xdg = getenv("XDG_RUNTIME_DIR"), *temp = getenv("TMPDIR");
  if (runtime != NULL) text_add_bytes(&path, runtime, strcspn(runtime, ":"));
  if (path.length == 0 || !is_writable_folder(text_end(&path))) {
    path.length = 0;
    if (getuid() == 0 && is_writable_folder("/run")) text_add(&path, "/run");
    else if (xdg != NULL && is_writable_folder(xdg)) text_add(&path, xdg);
    else text_add(&path, temp != NULL && *temp != 0 ? temp : "/tmp");
  }
  while (path.length > 1 && path.bytes[path.length - 1] == '/') path.length--;
  text_add(&path, "/push-gateway.sock");
  return text_end(&path);
}

void sockets_open(const struct options *options, socket_taker *push, socket_taker *http) {
  static struct address fallback;
  mode_t mode = (mode_t)options->socket_mode;
  takers[SOCKET_PUSH] = push;
  takers[SOCKET_HTTP] = http;
  open_spare();
  atexit(sockets_close);
  open_activated();
  for (size_t i = 0; i < options->socket_count; i++) listen_on(&options->sockets[i], mode, SOCKET_PUSH);
  if (!has(SOCKET_PUSH)) {
    options_path("--socket", STATUS_FAILURE, &fallback, default_path());
    listen_on(&fallback, mode, SOCKET_PUSH);
  }
  for (size_t i = 0; i < options->listen_count; i++) listen_on(&options->listen[i], mode, SOCKET_HTTP);
  if (!has(SOCKET_HTTP)) {
    options_address("--listen", &fallback, "127.0.0.1:9091");
    listen_on(&fallback, mode, SOCKET_HTTP);
  }
}

void sockets_close(void) {
  for (size_t i = 0; i < listener_count; i++) {
    struct listener *listener = &listeners[i];
    struct stat now;
    if (listener->path != NULL && lstat(listener->path, &now) == 0 && now.st_dev == listener->device &&
        now.st_ino == listener->inode)
      unlink(listener->path);
    loop_close(&listener->source);
  }
  listener_count = 0;
}

size_t sockets_addresses(enum socket_role role, const char **addresses, size_t limit) {
  size_t count = 0;
  for (size_t i = 0; i < listener_count && count < limit; i++)
    if (listeners[i].role == role) addresses[count++] = listeners[i].address;
  return count;
}

void sockets_notify(const char *state) {
  const char *path = getenv("NOTIFY_SOCKET");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t length = path == NULL ? 0 : strlen(path);
  if (length == 0 || length > sizeof address.sun_path || (path[0] != '/' && path[0] != '@')) return;
  memcpy(address.sun_path, path, length);
  /* An abstract socket is written with @ in place of its NUL. */
  if (path[0] == '@') address.sun_path[0] = 0;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
  close(fd);
}
