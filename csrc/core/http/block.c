#include "base/posix.h"

#include "http/block.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "http/request_line.h"
#include "http/scan.h"

/* ---- finding the end ---------------------------------------------------- */

/* A CR that is the last byte may still become a line's end. */
static int
has_bare_cr(const char *data, size_t size)
{
    const char *cr = data, *end = data + size;
    while ((cr = memchr(cr, '\r', (size_t)(end - cr))) != NULL && ++cr < end) {
        if (*cr != '\n') {
            return 1;
        }
    }
    return 0;
}

int64_t
wb__block_end(const char *data, size_t size, size_t *scanned)
{
    size_t i = *scanned;
    for (;;) {
        const char *lf = size > i ? memchr(data + i, '\n', size - i) : NULL;
        if (lf == NULL) {
            break;
        }
        size_t at = (size_t)(lf - data);
        if (at == 0 || data[at - 1] != '\r') {
            return -1;
        }
        if (at == 1 || data[at - 2] == '\n') {
            return (int64_t)at + 1;
        }
        i = at + 1;
    }
    /* Not whole: a bare CR is refused as early as it would be if the bytes
     * came one by one. */
    if (has_bare_cr(data + *scanned, size - *scanned)) {
        return -1;
    }
    *scanned = i;
    return 0;
}

/* ---- one field line ----------------------------------------------------- */

typedef struct field {
    const char *name, *value;
    uint32_t name_size, value_size;
} field;

/* field-line = field-name ":" OWS field-value OWS, RFC 9112 section 5. No
 * blank before the colon, no folding (a line that starts with a blank has no
 * token to start with). Bytes 33..126 and obs-text, SP and HTAB are values
 * (RFC 9110 5.5). */
static int
read_line(char *line, size_t size, field *out, uint32_t *flags)
{
    size_t name = wb__scan(line, size, WB__TOKEN);
    if (name == 0 || name == size || line[name] != ':') {
        return 400;
    }
    const char *value = line + name + 1;
    size_t length = size - name - 1;
    if (wb__scan(value, length, WB__VALUE) != length) {
        return 400;
    }
    wb__trim(&value, &length);
    /* http-parser stumbles over HTAB after a Content-Length; to it blanks are
     * all alike, so the line's own HTABs around the value become SP. */
    for (char *p = line + name + 1; p < line + size; p++) {
        if (p == value && length > 0) {
            p += length - 1;
        } else if (*p == '\t') {
            *p = ' ';
            *flags |= WB__REWRITTEN;
        }
    }
    *out = (field) { line, value, (uint32_t)name, (uint32_t)length };
    return 0;
}

/* ---- what a field means for the message --------------------------------- */

static const uint64_t MAX_LENGTH = (uint64_t)1 << 59;

/* 1*DIGIT up to 2^59 (RFC 9110 8.6). A list of equal values may be
 * accepted, and is not: nobody sends it in good faith. */
static int
note_content_length(wb__block *block, const field *f)
{
    uint64_t length;
    if (block->framing.length >= 0
        || wb__decimal(f->value, f->value_size, MAX_LENGTH, &length) < 0) {
        return 400;
    }
    block->framing.length = (int64_t)length;
    return 0;
}

/* chunked must be there once, and last (RFC 9112 6.1, 6.3); codings before it
 * are ones we do not have. */
static int
note_transfer_encoding(wb__block *block, const field *f)
{
    const char *data = f->value;
    size_t size = f->value_size;
    block->flags |= WB__HAS_TE;
    for (int more = 1; more;) {
        const char *comma = memchr(data, ',', size);
        const char *coding = data;
        size_t length = comma == NULL ? size : (size_t)(comma - data);
        more = comma != NULL;
        data += length + (size_t)more;
        size -= length + (size_t)more;
        wb__trim(&coding, &length);
        if (block->framing.chunked || length == 0) {
            return 400;
        }
        if (wb__equal_nocase(coding, length, "chunked")) {
            block->framing.chunked = 1;
        } else {
            block->flags |= WB__TE_UNKNOWN;
        }
    }
    return 0;
}

static int
note_host(wb__block *block, const field *f)
{
    if ((block->flags & WB__HAS_HOST) != 0
        || !wb__host_valid(f->value, f->value_size)) {
        return 400; /* RFC 9112 3.2 */
    }
    block->flags |= WB__HAS_HOST;
    return 0;
}

static int
note_connection(wb__block *block, const field *f)
{
    if (wb__list_has(f->value, f->value_size, "close")) {
        block->flags |= WB__CLOSE;
    }
    if (wb__list_has(f->value, f->value_size, "keep-alive")) {
        block->flags |= WB__KEEP_ALIVE;
    }
    return 0;
}

static int
note_expect(wb__block *block, const field *f)
{
    block->flags |= wb__equal_nocase(f->value, f->value_size, "100-continue")
        ? WB__CONTINUE
        : WB__EXPECT;
    return 0;
}

typedef struct meaning {
    const char *name;
    int (*note)(wb__block *, const field *);
} meaning;

static int
note_field(wb__block *block, const field *f)
{
    static const meaning meanings[] = {
        { "content-length", note_content_length },
        { "transfer-encoding", note_transfer_encoding },
        { "host", note_host },
        { "connection", note_connection },
        { "expect", note_expect },
    };
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (wb__equal_nocase(f->name, f->name_size, meanings[i].name)) {
            return meanings[i].note(block, f);
        }
    }
    return 0;
}

/* ---- CGI form (RFC 3875 4.1.18, PEP 3333) ------------------------------- */

/* Writes the CGI name, or returns 0 for a name with "_", which would be taken
 * for another one's (X_User for X-User): such a field is dropped. */
static uint32_t
cgi_name(const field *f, char *out)
{
    uint32_t prefix = 5;
    if (wb__equal_nocase(f->name, f->name_size, "content-type")
        || wb__equal_nocase(f->name, f->name_size, "content-length")) {
        prefix = 0;
    }
    memcpy(out, "HTTP_", prefix);
    for (uint32_t i = 0; i < f->name_size; i++) {
        char c = f->name[i];
        if (c == '_') {
            return 0;
        }
        if (c >= 'a' && c <= 'z') {
            c = (char)(c - 32);
        }
        out[prefix + i] = c == '-' ? '_' : c;
    }
    return prefix + f->name_size;
}

/* Where the strings go; spans grow beside them. */
typedef struct builder {
    wb__block *block;
    wb_span *spans;
    char *base;
    uint32_t used, count;
} builder;

static void
put(builder *b, const char *data, uint32_t size)
{
    memcpy(b->base + b->used, data, size);
    b->used += size;
}

static char
lower(char c) /* tolower() and strncasecmp() would ask the locale */
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static int
same_name(const field *a, const field *b)
{
    uint32_t i = 0;
    if (a->name_size != b->name_size) {
        return 0;
    }
    while (i < a->name_size && lower(a->name[i]) == lower(b->name[i])) {
        i++;
    }
    return i == a->name_size;
}

/* http-parser takes a name that only begins like this for the field itself. */
static int
is_longer_coding(const field *f)
{
    static const char name[] = "transfer-encoding";
    return f->name_size >= sizeof(name)
        && wb__equal_nocase(f->name, sizeof(name) - 1, name);
}

/* fields[0] and those after it that repeat its name become one: joined in
 * order (RFC 9110 5.3), cookies by "; " (RFC 6265 5.4). What was taken gets an
 * empty name. */
static void
put_field(builder *b, field *fields, uint32_t count)
{
    uint32_t name = cgi_name(fields, b->base + b->used);
    if (name == 0) {
        return;
    }
    wb_span *span = &b->spans[2 * b->count++];
    span[0] = (wb_span) { b->used, name };
    b->used += name;
    int cookie = wb__equal_nocase(fields->name, fields->name_size, "cookie");
    span[1].off = b->used;
    put(b, fields->value, fields->value_size);
    for (uint32_t i = 1; i < count; i++) {
        if (fields[i].name_size != 0 && same_name(fields, &fields[i])) {
            put(b, cookie ? "; " : ", ", 2);
            put(b, fields[i].value, fields[i].value_size);
            fields[i].name_size = 0;
        }
    }
    span[1].len = b->used - span[1].off;
}

static int32_t
find_field(const builder *b, const char *name, uint32_t size)
{
    for (uint32_t i = 0; i < b->count; i++) {
        const wb_span *span = &b->spans[2 * i];
        if (span->len == size
            && memcmp(b->base + span->off, name, size) == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}

/* ---- the whole block ---------------------------------------------------- */

static uint32_t
count_lines(const char *data, uint32_t size)
{
    uint32_t lines = 0;
    const char *end = data + size, *lf;
    for (; (lf = memchr(data, '\n', (size_t)(end - data))) != NULL; lines++) {
        data = lf + 1;
    }
    return lines - 1; /* the empty one */
}

static int
read_lines(wb__block *block, char *data, uint32_t size, field *fields)
{
    char *end = data + size - 2; /* the empty line */
    for (; data < end; fields++) {
        char *lf = memchr(data, '\n', (size_t)(end - data));
        int status
            = read_line(data, (size_t)(lf - data - 1), fields, &block->flags);
        if (status == 0) {
            status = note_field(block, fields);
        }
        if (status != 0) {
            return status;
        }
        data = lf + 1;
    }
    /* Both lengths at once is an attack or a mistake (RFC 9112 6.1); a coding
     * list without chunked has no end (6.3). */
    return (block->flags & WB__HAS_TE) != 0
            && (!block->framing.chunked || block->framing.length >= 0)
        ? 400
        : 0;
}

int
wb__block_new(char *data, uint32_t size, uint32_t max_fields, wb__block **out)
{
    uint32_t lines = count_lines(data, size);
    if (lines > max_fields) {
        /* The answer that it would get in pieces, too. */
        return has_bare_cr(data, size) ? 400 : 431;
    }
    /* One allocation: the block, its spans, the fields while it is built, the
     * strings ("HTTP_" and ", " make them longer than they came), the copy. */
    size_t spans = 2 * sizeof(wb_span) * lines;
    size_t scratch = sizeof(field) * lines;
    size_t strings = (size_t)size + 7 * (size_t)lines;
    wb__block *block
        = wb__alloc(sizeof(*block) + spans + scratch + strings + size);
    if (block == NULL) {
        return WB_NOMEM;
    }
    memset(block, 0, sizeof(*block));
    builder b = { .block = block, .spans = (wb_span *)(block + 1) };
    field *fields = (field *)((char *)(block + 1) + spans);
    b.base = (char *)fields + scratch;
    char *raw = b.base + strings;
    memcpy(raw, data, size); /* before blanks are rewritten */
    block->refs = 1;
    block->raw = raw;
    block->raw_size = size;
    block->framing.length = -1;
    int status = read_lines(block, data, size, fields);
    if (status != 0) {
        wb__free(block);
        return status;
    }
    if ((block->flags & WB__REWRITTEN) != 0) {
        memcpy(raw, data, size); /* what the framing parser shall see */
    }
    for (uint32_t i = 0; i < lines; i++) {
        if (is_longer_coding(&fields[i])) {
            raw[fields[i].name - data] = 'X';
            block->flags |= WB__REWRITTEN;
        }
    }
    for (uint32_t i = 0; i < lines; i++) {
        if (fields[i].name_size != 0) {
            put_field(&b, &fields[i], lines - i);
        }
    }
    block->fields = (wb_fields) { .slot = WB_NO_SLOT,
                                  .seen = 1,
                                  .count = b.count,
                                  .base = b.base,
                                  .spans = b.spans };
    block->referer = find_field(&b, "HTTP_REFERER", 12);
    block->user_agent = find_field(&b, "HTTP_USER_AGENT", 15);
    *out = block;
    return 0;
}

void
wb__block_unref(wb__block *block)
{
    if (block != NULL && --block->refs == 0) {
        wb__free(block);
    }
}
