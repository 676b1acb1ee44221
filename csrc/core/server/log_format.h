/* The format of the access log: a text with gunicorn's atoms (%(h)s,
 * %({referer}i)s ...), compiled once into steps that log_line.c takes for each
 * request. */
#ifndef WB_LOG_FORMAT_H
#define WB_LOG_FORMAT_H

#include <stddef.h>
#include <stdint.h>

enum wb__log_op {
    WB__LOG_LITERAL, /* `text` as it stands */
    WB__LOG_ADDRESS,
    WB__LOG_DASH,
    WB__LOG_USER,
    WB__LOG_TIME,
    WB__LOG_REQUEST_LINE,
    WB__LOG_METHOD,
    WB__LOG_PATH,
    WB__LOG_QUERY,
    WB__LOG_PROTOCOL,
    WB__LOG_STATUS,
    WB__LOG_LENGTH,
    WB__LOG_LENGTH_OR_DASH,
    WB__LOG_SECONDS,
    WB__LOG_MILLISECONDS,
    WB__LOG_MICROSECONDS,
    WB__LOG_DECIMAL_SECONDS,
    WB__LOG_PROCESS,
    WB__LOG_FIELD, /* of the request; `text` is its name in CGI form */
    WB__LOG_ANSWER_FIELD, /* `text` is its name */
    WB__LOG_VARIABLE, /* of the environ; `text` is its name */
    WB__LOG_JSON
};

typedef struct wb__log_step {
    enum wb__log_op op;
    const char *text; /* in the format's own memory */
    size_t size;
} wb__log_step;

typedef struct wb__log_format {
    char *texts; /* owned */
    size_t count;
    uint8_t wants_times, wants_head;
    wb__log_step steps[];
} wb__log_format;

/* `text`: "common", "combined", "json" or a format. 0, WB_BADFORMAT or
 * WB_NOMEM. */
int wb__log_format_new(const char *text, wb__log_format **out);
void wb__log_format_free(wb__log_format *format); /* NULL is fine */
/* What an entry must have beyond the request itself. */
int wb__log_format_wants_times(const wb__log_format *format);
int wb__log_format_wants_head(const wb__log_format *format);

#endif
