#include "reply.h"

#include <string.h>

const char *reply_reason(uint16_t status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 413:
      return "Payload Too Large";
    case 431:
      return "Request Header Fields Too Large";
    default:
      return "Service Unavailable";
  }
}

void reply_add_head(struct text *text, uint16_t status, int64_t keep_alive_s) {
  text_add(text, "HTTP/1.1 ");
  text_add_number(text, status);
  text_add(text, " ");
  text_add(text, reply_reason(status));
  if (status == 405) text_add(text, "\r\nAllow: GET, HEAD");
  if (keep_alive_s >= 0) {
    text_add(text, "\r\nConnection: keep-alive\r\nKeep-Alive: timeout=");
    text_add_number(text, (uint64_t)keep_alive_s);
  } else {
    text_add(text, "\r\nConnection: close");
  }
  text_add(text, "\r\nContent-Type: ");
}

static bool is_path(const struct http_request *request, const char *path) {
  return request->path_length == strlen(path) && memcmp(request->path, path, request->path_length) == 0;
}

struct reply reply_to(const struct http_request *request, bool is_stopping) {
  bool is_metrics = is_path(request, "/metrics"), is_ready = is_path(request, "/-/ready");
  if (request->is_1_1 && !request->has_host) return (struct reply){400, "There is no Host header."};
  if (!is_metrics && !is_ready && !is_path(request, "/-/healthy")) return (struct reply){404, "Not found."};
  if (request->method == HTTP_OTHER) return (struct reply){405, "Method not allowed."};
  if (is_ready && is_stopping) return (struct reply){503, "push-gateway is stopping."};
  if (is_metrics) return (struct reply){200, NULL};
  return (struct reply){200, is_ready ? "push-gateway is ready." : "push-gateway is healthy."};
}

void reply_add_line(struct text *text, const char *line, bool has_body) {
  text_add(text, "Content-Length: ");
  text_add_number(text, strlen(line) + 1);
  text_add(text, "\r\n\r\n");
  if (!has_body) return;
  text_add(text, line);
  text_add(text, "\n");
}
