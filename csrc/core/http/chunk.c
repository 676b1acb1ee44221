#include "http/chunk.h"

#include "http/scan.h"

enum state {
    SIZE,         /* chunk-size */
    SIZE_BWS,     /* blanks before ";" (obsolete, RFC 9112 7.1.1) */
    EXTENSION,    /* after ";" */
    QUOTED,       /* quoted-string in an extension */
    QUOTED_PAIR,  /* after its "\" */
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER,      /* first byte of a trailer line, or CR of the last line */
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF
};

/* 2^60: far above any limit, far below any overflow of a sum. */
enum { MAX_DIGITS = 16 };
static const uint64_t MAX_SIZE = (uint64_t)1 << 60;

static int
read_size(wb__chunk *chunk, char c)
{
    if (wb__is(c, WB__HEX)) {
        chunk->left = chunk->left * 16 + (uint64_t)wb__hex_digit(c);
        chunk->digits++;
        return chunk->digits > MAX_DIGITS || chunk->left > MAX_SIZE ? 400 : 0;
    }
    if (chunk->digits == 0) {
        return 400;
    }
    switch (c) {
    case '\r':
        chunk->state = SIZE_LF;
        return 0;
    case ';':
        chunk->state = EXTENSION;
        return 0;
    case ' ':
    case '\t':
        chunk->state = SIZE_BWS;
        return 0;
    default:
        return 400;
    }
}

static int
read_extension(wb__chunk *chunk, char c)
{
    switch (chunk->state) {
    case SIZE_BWS:
        if (c == ';') {
            chunk->state = EXTENSION;
        }
        return c == ';' || c == ' ' || c == '\t' ? 0 : 400;
    case QUOTED_PAIR:
        chunk->state = QUOTED;
        return wb__is(c, WB__VALUE) ? 0 : 400;
    case QUOTED:
        if (c == '"') {
            chunk->state = EXTENSION;
        } else if (c == '\\') {
            chunk->state = QUOTED_PAIR;
        }
        return wb__is(c, WB__VALUE) ? 0 : 400;
    default:
        if (c == '\r') {
            chunk->state = SIZE_LF;
            return 0;
        }
        if (c == '"') {
            chunk->state = QUOTED;
            return 0;
        }
        return wb__is(c, WB__TOKEN) || c == ';' || c == '=' || c == ' '
                || c == '\t'
            ? 0
            : 400;
    }
}

static int
read_trailer(wb__chunk *chunk, char c)
{
    switch (chunk->state) {
    case TRAILER:
        if (c == '\r') {
            chunk->state = LAST_LF;
            return 0;
        }
        chunk->state = TRAILER_NAME;
        return wb__is(c, WB__TOKEN) ? 0 : 400;
    case TRAILER_NAME:
        if (c == ':') {
            chunk->state = TRAILER_VALUE;
            return 0;
        }
        return wb__is(c, WB__TOKEN) ? 0 : 400;
    case TRAILER_VALUE:
        if (c == '\r') {
            chunk->state = TRAILER_LF;
            return 0;
        }
        return wb__is(c, WB__VALUE) ? 0 : 400;
    default: /* TRAILER_LF */
        chunk->state = TRAILER;
        return c == '\n' ? 0 : 400;
    }
}

/* The bytes that frame one chunk's data. */
static int
read_frame(wb__chunk *chunk, char c)
{
    switch (chunk->state) {
    case SIZE_LF:
        chunk->digits = 0;
        chunk->total += chunk->left;
        chunk->state = chunk->left == 0 ? TRAILER : DATA;
        return c == '\n' && chunk->total <= MAX_SIZE ? 0 : 400;
    case DATA_CR:
        chunk->state = DATA_LF;
        return c == '\r' ? 0 : 400;
    default: /* DATA_LF */
        chunk->state = SIZE;
        chunk->left = 0;
        return c == '\n' ? 0 : 400;
    }
}

static int
read_byte(wb__chunk *chunk, char c, uint32_t max_extra)
{
    if (chunk->state == SIZE) {
        return read_size(chunk, c);
    }
    if (chunk->state == SIZE_LF || chunk->state == DATA_CR
        || chunk->state == DATA_LF) {
        return read_frame(chunk, c);
    }
    if (++chunk->extra > max_extra) {
        return chunk->state >= TRAILER ? 431 : 400;
    }
    return chunk->state >= TRAILER ? read_trailer(chunk, c)
                                   : read_extension(chunk, c);
}

int
wb__chunk_read(wb__chunk *chunk, const char *data, size_t size,
               uint32_t max_extra, size_t *used)
{
    size_t i = 0;
    while (i < size) {
        if (chunk->state == DATA) {
            size_t here = size - i;
            if (here >= chunk->left) {
                here = (size_t)chunk->left;
                chunk->state = DATA_CR;
            }
            chunk->left -= here;
            i += here;
            continue;
        }
        if (chunk->state == LAST_LF) {
            *used = i + 1;
            return data[i] == '\n' ? 1 : 400;
        }
        int status = read_byte(chunk, data[i], max_extra);
        if (status != 0) {
            return status;
        }
        i++;
    }
    *used = i;
    return 0;
}
