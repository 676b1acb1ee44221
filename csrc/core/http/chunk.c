#include "http/chunk.h"

#include "http/scan.h"

/* chunk-ext = *( BWS ";" BWS name [ BWS "=" BWS ( token / quoted-string ) ] )
 * (RFC 9112 7.1.1): a blank stands before something, or the line is wrong. */
enum state {
    SIZE,         /* chunk-size */
    EXT_END,      /* after blanks: ";" must follow */
    EXT_START,    /* after ";": blanks, then the name */
    EXT_NAME,
    EXT_NAME_END, /* after blanks behind the name: "=" or ";" */
    EXT_EQUALS,   /* after "=": blanks, then the value */
    EXT_TOKEN,
    EXT_QUOTED,
    EXT_PAIR,     /* after "\\" in a quoted-string */
    EXT_CLOSED,   /* after a quoted-string */
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

/* After the size, a name or a value: the line ends, another extension begins,
 * or there are blanks before one. */
static int
end_of_word(wb__chunk *chunk, char c, enum state blanks)
{
    switch (c) {
    case '\r':
        chunk->state = SIZE_LF;
        return 0;
    case ';':
        chunk->state = EXT_START;
        return 0;
    case ' ':
    case '\t':
        chunk->state = (uint8_t)blanks;
        return 0;
    default:
        return 400;
    }
}

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
    return end_of_word(chunk, c, EXT_END);
}

static int
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* What may stand where a name or value is to begin. */
static int
begin_word(wb__chunk *chunk, char c, enum state word)
{
    if (is_blank(c)) {
        return 0;
    }
    chunk->state = (uint8_t)word;
    return wb__is(c, WB__TOKEN) ? 0 : 400;
}

static int
read_quoted(wb__chunk *chunk, char c)
{
    if (chunk->state == EXT_PAIR) {
        chunk->state = EXT_QUOTED;
    } else if (c == '"') {
        chunk->state = EXT_CLOSED;
    } else if (c == '\\') {
        chunk->state = EXT_PAIR;
    }
    return wb__is(c, WB__VALUE) ? 0 : 400;
}

static int
read_extension(wb__chunk *chunk, char c)
{
    switch (chunk->state) {
    case EXT_START:
        return begin_word(chunk, c, EXT_NAME);
    case EXT_NAME:
        if (wb__is(c, WB__TOKEN)) {
            return 0;
        }
        if (c == '=') {
            chunk->state = EXT_EQUALS;
            return 0;
        }
        return end_of_word(chunk, c, EXT_NAME_END);
    case EXT_NAME_END:
        if (c == '=') {
            chunk->state = EXT_EQUALS;
            return 0;
        }
        break;
    case EXT_EQUALS:
        if (c == '"') {
            chunk->state = EXT_QUOTED;
            return 0;
        }
        return begin_word(chunk, c, EXT_TOKEN);
    case EXT_TOKEN:
        return wb__is(c, WB__TOKEN) ? 0 : end_of_word(chunk, c, EXT_END);
    case EXT_CLOSED:
        return end_of_word(chunk, c, EXT_END);
    case EXT_QUOTED:
    case EXT_PAIR:
        return read_quoted(chunk, c);
    default: /* EXT_END */
        break;
    }
    if (c == ';') {
        chunk->state = EXT_START;
        return 0;
    }
    return is_blank(c) ? 0 : 400;
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

static int
in_extension(const wb__chunk *chunk)
{
    return chunk->state >= EXT_END && chunk->state <= EXT_CLOSED;
}

/* The rest of an extension, up to the CR after it. */
static int
read_to_line_end(wb__chunk *chunk, const char *data, size_t size,
                 uint32_t max_extra, size_t *used)
{
    size_t i = 0;
    int status = 0;
    while (status == 0 && i < size && data[i] != '\r') {
        status = ++chunk->extra > max_extra ? 400
                                            : read_extension(chunk, data[i++]);
    }
    *used = i;
    return status;
}

int
wb__chunk_read(wb__chunk *chunk, const char *data, size_t size,
               uint32_t max_extra, wb__chunk_part *part)
{
    size_t i = 0;
    part->extension = 0;
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
            part->size = i + 1;
            chunk->done = data[i] == '\n';
            return chunk->done ? 0 : 400;
        }
        int status = read_byte(chunk, data[i], max_extra);
        if (status != 0) {
            return status;
        }
        if (in_extension(chunk)) {
            part->size = i;
            status = read_to_line_end(chunk, data + i + 1, size - i - 1,
                                      max_extra, &part->extension);
            part->extension++;
            return status;
        }
        i++;
    }
    part->size = i;
    return 0;
}
