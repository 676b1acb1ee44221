/* The request line, RFC 9112 section 3.
 *
 * In: the line without its CRLF. Out: spans into it. Allocates nothing.
 */
#ifndef WB_REQUEST_LINE_H
#define WB_REQUEST_LINE_H

#include "wsgibench.h"

typedef struct wb__line {
    wb_span method;
    wb_span target;
    wb_span path;      /* still percent-encoded */
    wb_span query;
    wb_span authority; /* absolute-form only */
    uint8_t minor_version;
    uint8_t encoded; /* path holds a "%" */
} wb__line;

/* 0, or the status to refuse it with: 400, 501, 505. */
int wb__line_parse(const char *data, uint32_t size, wb__line *out);
/* Decodes %XX into `out` (at least `size` bytes), leaving what is not a
 * valid triplet as it is; returns how many bytes it wrote. */
uint32_t wb__percent_decode(const char *data, uint32_t size, char *out);
/* uri-host [ ":" port ], RFC 9110 7.2. */
int wb__host_valid(const char *data, uint32_t size);

#endif
