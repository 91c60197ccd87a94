#include "reply.h"

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
