/* What the access log can say of one request and its answer. */
#ifndef WB_LOG_ENTRY_H
#define WB_LOG_ENTRY_H

#include "wsgibench.h"

/* Texts need not end in NUL; NULL: not known. */
typedef struct wb__log_text {
    const char *data;
    size_t size;
} wb__log_text;

typedef struct wb__log_entry {
    const char *time;         /* "26/Nov/2026:05:00:00" in UTC ... */
    const char *iso_time;     /* ... and "2026-11-26T05:00:00Z" */
    const char *peer;         /* address; "" for a unix socket */
    wb__log_text line;        /* of the request, without its version */
    wb__log_text method, target, path, query;
    int minor_version;        /* HTTP/1.x; -1: not known */
    const wb_fields *fields;
    wb__log_text variables;   /* as in wb_request */
    wb__log_text answer_head; /* wire form */
    int status;
    uint64_t sent;            /* bytes of the body */
    uint64_t duration_us, queue_us;
} wb__log_entry;

/* The value of a field of the request, by its name in CGI form. */
wb__log_text wb__log_field(const wb__log_entry *entry, const char *name,
                           size_t size);
/* The value of a field of the answer. */
wb__log_text wb__log_answer_field(const wb__log_entry *entry, const char *name,
                                  size_t size);
wb__log_text wb__log_variable(const wb__log_entry *entry, const char *name,
                              size_t size);
/* The client as the application sees it. */
wb__log_text wb__log_address(const wb__log_entry *entry);
/* The user of "Basic" credentials (RFC 7617), put into `room`. */
wb__log_text wb__log_user(const wb__log_entry *entry, char *room, size_t size);

#endif
