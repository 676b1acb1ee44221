/* The format of the access log: a text with gunicorn's atoms (%(h)s,
 * %({referer}i)s ...), compiled once and applied to one entry a request.
 *
 * What a client can choose is escaped, so that no value can end a line, a
 * quoted text or a JSON string: bytes that are no printable ASCII, quotes and
 * backslashes. */
#ifndef WB_LOG_FORMAT_H
#define WB_LOG_FORMAT_H

#include "wsgibench.h"

/* What is known of one request and its answer. Texts need not end in NUL;
 * NULL: not known. */
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

typedef struct wb__log_format wb__log_format;

/* `text`: "common", "combined", "json" or a format. 0, WB_BADFORMAT or
 * WB_NOMEM. */
int wb__log_format_new(const char *text, wb__log_format **out);
void wb__log_format_free(wb__log_format *format); /* NULL is fine */
/* What an entry must have beyond the request itself. */
int wb__log_format_wants_times(const wb__log_format *format);
int wb__log_format_wants_head(const wb__log_format *format);
/* One line with its LF, at most `room` bytes (longer ones are cut short; JSON
 * is not, for a room of WB__LOG_LINE). Returns its length. */
size_t wb__log_format_line(const wb__log_format *format,
                           const wb__log_entry *entry, char *out, size_t room);

enum { WB__LOG_LINE = 32768 };

#endif
