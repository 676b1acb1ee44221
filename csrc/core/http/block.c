#include "base/posix.h"

#include "http/block.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "http/request_line.h"
#include "http/scan.h"

/* A block while it is read. */
typedef struct reading {
    wb__reader *reader;
    const char *data;
    uint32_t flags;
    uint8_t minor_version, framed; /* framed: `parse` has begun */
    wb__framing framing;
    wb__parse parse; /* has read the lines about the framing */
} reading;

/* ---- what a field means for the message --------------------------------- */

static const uint64_t MAX_LENGTH = (uint64_t)1 << 59;

/* 1*DIGIT up to 2^59 (RFC 9110 8.6). A list of equal values may be
 * accepted, and is refused here. */
static int
note_content_length(reading *r, const char *value, uint32_t size)
{
    uint64_t length;
    if (r->framing.length >= 0
        || wb__decimal(value, size, MAX_LENGTH, &length) < 0) {
        return 400;
    }
    r->framing.length = (int64_t)length;
    return 0;
}

/* chunked must be there once, and last (RFC 9112 6.1, 6.3); codings before it
 * are ones we do not have. */
static int
note_transfer_encoding(reading *r, const char *data, size_t size)
{
    r->flags |= WB__HAS_TE;
    for (int more = 1; more;) {
        const char *comma = memchr(data, ',', size);
        const char *coding = data;
        size_t length = comma == NULL ? size : (size_t)(comma - data);
        more = comma != NULL;
        data += length + (size_t)more;
        size -= length + (size_t)more;
        wb__trim(&coding, &length);
        if (r->framing.chunked || length == 0) {
            return 400;
        }
        if (wb__equal_nocase(coding, length, "chunked")) {
            r->framing.chunked = 1;
        } else {
            r->flags |= WB__TE_UNKNOWN;
        }
    }
    return 0;
}

static uint16_t
connection_flags(const char *value, uint32_t size)
{
    int flags = wb__list_has(value, size, "close") ? WB__CLOSE : 0;
    flags |= wb__list_has(value, size, "keep-alive") ? WB__KEEP_ALIVE : 0;
    flags |= wb__list_has(value, size, "upgrade") ? WB__UPGRADE : 0;
    return (uint16_t)flags;
}

/* Into line->flags, and for the fields that say how long the message is into
 * the reading: those are read anew each time. */
static int
note_meaning(reading *r, enum wb__meaning meaning, wb__field_line *line)
{
    const char *value = r->data + line->value.off;
    uint32_t size = line->value.len;
    switch (meaning) {
    case WB__HOST:
        line->flags = WB__HAS_HOST; /* RFC 9112 3.2 */
        return wb__host_valid(value, size) ? 0 : 400;
    case WB__EXPECTATION:
        line->flags = wb__equal_nocase(value, size, "100-continue")
            ? WB__CONTINUE
            : WB__EXPECT;
        return 0;
    case WB__CONTENT_TYPE:
        line->flags = WB__HAS_TYPE;
        return 0;
    case WB__CONNECTION:
        line->flags = connection_flags(value, size);
        return 0;
    case WB__CONTENT_LENGTH:
        return note_content_length(r, value, size);
    case WB__TRANSFER_ENCODING:
        return note_transfer_encoding(r, value, size);
    default:
        return 0;
    }
}

/* ---- the second opinion ------------------------------------------------- */

/* A line that is not about the framing is shown to the parser by itself, and
 * only once: after its name, which the parser has read before. Most need not
 * be shown: the parser was asked about all values of such a name at once.
 * Longer lines are, for the parser has a limit. */
static int
judge_alone(const reading *r, const wb__field_line *line, const wb__name *name)
{
    if (name->takes_text && line->value.len > 0
        && line->raw.len <= WB__MAX_LINE_KEPT) {
        return 0;
    }
    return wb__parse_try(&name->after,
                         r->data + line->raw.off + name->size + 1,
                         line->raw.len - name->size - 1 + 2);
}

/* http-parser stumbles over HTAB after a Content-Length; to it blanks are all
 * alike, so it gets the value with one SP before it. It also takes a name that
 * only begins like Transfer-Encoding for the field itself, and is shown
 * another in its place. */
static int
feed_framing(reading *r, const wb__field_line *line)
{
    static const char coding[] = "transfer-encoding";
    const char *text = r->data + line->raw.off;
    const char *colon = memchr(text, ':', line->raw.len);
    size_t size = (size_t)(colon - text);
    int status = r->framed ? 0 : wb__parse_begin(&r->parse, r->minor_version);
    r->framed = 1;
    if (status == 0 && size < sizeof(coding) && text[size + 1] == ' '
        && line->raw.len == size + 2 + line->value.len) {
        return wb__parse_feed(&r->parse, text, line->raw.len + 2);
    }
    if (status == 0 && size >= sizeof(coding)
        && wb__equal_nocase(text, sizeof(coding) - 1, coding)) {
        status = wb__parse_feed(&r->parse, "X", 1);
        text++;
        size--;
    }
    if (status == 0) {
        status = wb__parse_feed(&r->parse, text, size);
    }
    if (status == 0) {
        status = wb__parse_feed(&r->parse, ": ", 2);
    }
    if (status == 0 && line->value.len > 0) {
        status = wb__parse_feed(&r->parse, r->data + line->value.off,
                                line->value.len);
    }
    return status == 0 ? wb__parse_feed(&r->parse, "\r\n", 2) : status;
}

/* ---- one field line ----------------------------------------------------- */

/* field-line = field-name ":" OWS field-value OWS, RFC 9112 section 5. No
 * blank before the colon, no folding (a line that starts with a blank has no
 * token to start with). That no byte is a control character, but for HTAB, was
 * seen when the lines were split (RFC 9110 5.5). */
static int
read_new(reading *r, wb__field_line *line)
{
    wb__name spare;
    const wb__name *name;
    const char *text = r->data + line->raw.off;
    const char *colon = memchr(text, ':', line->raw.len);
    if (colon == NULL) {
        return 400;
    }
    int status = wb__names_find(&r->reader->names, text,
                                (uint32_t)(colon - text), &spare, &name);
    if (status != 0) {
        return status;
    }
    const char *value = colon + 1;
    size_t size = line->raw.len - name->size - 1;
    wb__trim(&value, &size);
    line->value = (wb_span) { (uint32_t)(value - r->data), (uint32_t)size };
    line->name = name->id;
    line->flags = 0;
    line->framing = name->meaning >= WB__OTHER_FRAMING;
    status = note_meaning(r, name->meaning, line);
    if (status == 0 && !line->framing) {
        status = judge_alone(r, line, name);
    }
    if (status != 0 || name->meaning >= WB__CONTENT_LENGTH) {
        line->id = 0;
        return status;
    }
    wb__lines_keep(&r->reader->lines, r->data, line);
    return 0;
}

static int
read_line(reading *r, wb__field_line *line)
{
    if (!line->known && !wb__lines_find(&r->reader->lines, r->data, line)) {
        int status = read_new(r, line);
        if (status != 0) {
            return status;
        }
    }
    /* Host: RFC 9112 3.2. Content-Type: it is no list (RFC 9110 8.3), and who
     * reads the first and who reads the last see different bodies. */
    if ((line->flags & r->flags & (WB__HAS_HOST | WB__HAS_TYPE)) != 0) {
        return 400;
    }
    r->flags |= line->flags;
    return line->framing ? feed_framing(r, line) : 0;
}

static int
read_lines(reading *r)
{
    wb__lines *lines = &r->reader->lines;
    for (uint32_t i = 0; i < lines->count; i++) {
        int status = read_line(r, &lines->at[i]);
        if (status != 0) {
            return status;
        }
    }
    /* Both lengths at once is an attack or a mistake (RFC 9112 6.1); a coding
     * list without chunked has no end (6.3). */
    if ((r->flags & WB__HAS_TE) != 0
        && (!r->framing.chunked || r->framing.length >= 0)) {
        return 400;
    }
    /* What the parser makes of a block without a word on its framing was seen
     * in each of its lines. */
    return r->framed ? wb__parse_end(&r->parse, &r->framing) : 0;
}

/* ---- the whole block ---------------------------------------------------- */

static uint32_t
put(char *out, uint32_t at, const char *data, uint32_t size)
{
    memcpy(out + at, data, size);
    return at + size;
}

/* Values of fields with several lines are put together in order (RFC 9110
 * 5.3), cookies by "; " (RFC 6265 5.4); `at` is where in base they go. */
static void
join_values(const wb__lines *lines, const wb__field_names *names, char *base,
            uint32_t at, wb_span *values, uint64_t *ids)
{
    const wb_names *fields = &names->names;
    for (uint32_t field = 0; field < fields->count; field++) {
        const wb_span *name = &fields->spans[field];
        int cookie = name->len == 11
            && memcmp(fields->base + name->off, "HTTP_COOKIE", 11) == 0;
        uint32_t start = at, count = 0;
        for (uint32_t i = 0; i < lines->count; i++) {
            const wb__field_line *line = &lines->at[i];
            if (names->field_of[i] == field) {
                at = count++ == 0 ? at
                                  : put(base, at, cookie ? "; " : ", ", 2);
                at = put(base, at, base + line->value.off, line->value.len);
                ids[field] = count == 1 ? line->id : 0;
            }
        }
        values[field] = (wb_span) { start, at - start };
    }
}

static int
make_block(const reading *r, uint32_t size, wb__field_names *names,
           wb__block **out)
{
    const wb__lines *lines = &r->reader->lines;
    uint32_t count = names->names.count;
    /* One allocation: the block, ids, values, the copy, joined values. */
    wb__block *block = wb__alloc(sizeof(*block)
                                 + count * (sizeof(uint64_t) + sizeof(wb_span))
                                 + (names->joined ? 2 * (size_t)size : size));
    if (block == NULL) {
        return WB_NOMEM;
    }
    uint64_t *ids = (uint64_t *)(block + 1);
    wb_span *values = (wb_span *)(ids + count);
    char *raw = (char *)(values + count);
    memcpy(raw, r->data, size);
    if (names->joined) {
        join_values(lines, names, raw, size, values, ids);
    } else {
        for (uint32_t i = 0; i < count; i++) {
            values[i] = lines->at[i].value;
            ids[i] = lines->at[i].id;
        }
    }
    block->fields = (wb_fields) { .names = &names->names,
                                  .ascii = !lines->high,
                                  .base = raw,
                                  .values = values,
                                  .lines = ids };
    block->names = names;
    block->refs = 1;
    block->hash = lines->hash;
    block->slot = WB_NO_SLOT;
    block->used = 0;
    block->raw_size = size;
    block->flags = r->flags;
    block->framing = r->framing;
    block->minor_version = r->minor_version;
    block->raw = raw;
    if (r->framing.chunked || r->framing.length > 0) {
        block->parse = r->parse;
    }
    *out = block;
    return 0;
}

int
wb__block_new(wb__reader *reader, const char *data, uint32_t size,
              uint8_t minor_version, uint32_t max_fields, wb__block **out)
{
    const wb__lines *lines = &reader->lines;
    reading r = { .reader = reader,
                  .data = data,
                  .minor_version = minor_version,
                  .framing = { .length = -1 } };
    if (lines->count > max_fields) {
        return 431;
    }
    int status = lines->control ? 400 : read_lines(&r);
    if (status != 0) {
        return status;
    }
    wb__field_names *names
        = wb__names_of(&reader->names, data, lines->at, lines->count);
    if (names == NULL) {
        return WB_NOMEM;
    }
    status = make_block(&r, size, names, out);
    if (status != 0) {
        wb__field_names_unref(names);
    }
    return status;
}

void
wb__block_unref(wb__block *block)
{
    if (block != NULL && --block->refs == 0) {
        wb__field_names_unref(block->names);
        wb__free(block);
    }
}

void
wb__reader_close(wb__reader *reader)
{
    wb__lines_close(&reader->lines);
    wb__names_close(&reader->names);
}
