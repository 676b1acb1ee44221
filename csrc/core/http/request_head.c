#include "http/request_head.h"

#include <string.h>

#include "http/scan.h"

typedef struct text {
    const char *data;
    size_t size;
} text;

/* Where the request line ends (its LF), or NULL and a status: 0 for "not
 * here yet". */
static const char *
find_line(uint32_t max, const char *data, size_t size, int *status)
{
    size_t look = size < (size_t)max + 2 ? size : (size_t)max + 2;
    const char *lf = memchr(data, '\n', look);
    *status = 0;
    if (lf == NULL) {
        const char *cr = memchr(data, '\r', look);
        if (look == (size_t)max + 2) {
            *status = 414;
        } else if (!wb__is(data[0], WB__TOKEN)
                   || (cr != NULL && cr != data + size - 1)) {
            *status = 400; /* it cannot become a request line any more */
        }
    } else if (lf == data || lf[-1] != '\r') {
        *status = 400;
        return NULL;
    }
    return lf;
}

/* max: bytes of a field line with its CRLF. */
static int
has_longer_line(const wb__lines *lines, size_t max)
{
    for (uint32_t i = 0; i < lines->count; i++) {
        if (lines->at[i].raw.len + 2 > max) {
            return 1;
        }
    }
    return 0;
}

/* The last line is longer, and not whole yet. */
static int
last_line_is_longer(const char *data, size_t size, size_t max)
{
    if (size <= max) {
        return 0;
    }
    return memchr(data + size - max, '\n', max) == NULL;
}

/* The block of this head: one seen before, or a new one. 0: *out is set (a
 * reference), or NULL if it is not whole yet; otherwise the status to refuse
 * it with. */
static int
find_block(wb__parser *parser, wb__cursor *cursor, text data,
           uint8_t minor_version, wb__block **out)
{
    const wb__limits *limits = &parser->limits;
    wb__lines *lines = &parser->reader.lines;
    size_t scanned = cursor->scanned;
    *out = wb__memo_guess(&parser->memo, cursor->hint, minor_version,
                          data.data, data.size);
    if (*out != NULL) {
        return 0;
    }
    int64_t end = wb__lines_split(lines, data.data, data.size, &scanned);
    cursor->scanned = (uint32_t)scanned;
    if (end < 0) {
        return end == WB_NOMEM ? 503 : 400;
    }
    if ((end == 0 ? data.size : (size_t)end) > limits->head) {
        return 431;
    }
    if (end == 0) {
        return limits->field != 0
                && last_line_is_longer(data.data, data.size, limits->field)
            ? 431
            : 0;
    }
    if (limits->field != 0 && has_longer_line(lines, limits->field)) {
        return 431;
    }
    *out = wb__memo_find(&parser->memo, lines->hash, minor_version, data.data,
                         (uint32_t)end);
    if (*out != NULL) {
        return 0;
    }
    int status = wb__block_new(&parser->reader, data.data, (uint32_t)end,
                               minor_version, limits->fields, out);
    if (status == 0) {
        wb__memo_add(&parser->memo, *out);
    }
    return status >= 0 ? status : 503;
}

/* What the version makes of the fields, RFC 9112 3.2, 6.1; RFC 9110 10.1.1 */
static int
check_semantics(const wb__line *line, const wb__block *block)
{
    if (line->minor_version == 0) {
        return (block->flags & WB__HAS_TE) != 0 ? 400 : 0;
    }
    if ((block->flags & WB__HAS_HOST) == 0) {
        return 400;
    }
    if ((block->flags & WB__TE_UNKNOWN) != 0) {
        return 501;
    }
    return (block->flags & WB__EXPECT) != 0 ? 417 : 0;
}

static enum wb__verdict
refuse(wb__request_head *out, int status)
{
    out->status = status;
    return WB__REFUSED;
}

enum wb__verdict
wb__request_head_read(wb__parser *parser, wb__cursor *cursor, const char *data,
                      size_t size, wb__request_head *out)
{
    int status;
    out->skipped = 0;
    /* Empty lines before it are ignored, RFC 9112 2.2. */
    while (size >= 2 && data[0] == '\r' && data[1] == '\n') {
        out->skipped += 2;
        data += 2;
        size -= 2;
    }
    if (size == 0 || (size == 1 && data[0] == '\r')) {
        return WB__MORE;
    }
    const char *lf = find_line(parser->limits.line, data, size, &status);
    if (lf == NULL) {
        return status == 0 ? WB__MORE : refuse(out, status);
    }
    size_t start = (size_t)(lf - data) + 1;
    status = wb__line_parse(data, (uint32_t)start - 2, &out->line);
    if (status != 0) {
        return refuse(out, status);
    }
    text rest = { data + start, size - start };
    status = find_block(parser, cursor, rest, out->line.minor_version,
                        &out->block);
    if (status != 0) {
        return refuse(out, status);
    }
    if (out->block == NULL) {
        return WB__MORE;
    }
    status = check_semantics(&out->line, out->block);
    if (status != 0) {
        wb__block_unref(out->block);
        return refuse(out, status);
    }
    out->size = start + out->block->raw_size;
    if (out->block->slot != WB_NO_SLOT) {
        cursor->hint = out->block->slot;
    }
    cursor->scanned = 0;
    return WB__REQUEST;
}

void
wb__parser_close(wb__parser *parser)
{
    wb__memo_close(&parser->memo);
    wb__reader_close(&parser->reader);
}
