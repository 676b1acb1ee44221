/* The parser seam: request line, header block and body, whole and in pieces.
 *
 * First byte: how the pieces are cut. The rest: one message. Held: what is
 * accepted whole is accepted in pieces, with the same end and the same body;
 * the framing parser agrees with us about all we accept; CGI names come once
 * each and every value may stand in an environ. */
#include "http/block.h"
#include "server/body.h"
#include "fuzz.h"
#include "http/memo.h"
#include "http/request_line.h"
#include "http/scan.h"

#include "base/alloc.h"

enum { MAX_LINE = 4096, MAX_FIELDS = 100 };

typedef struct reading {
    int status;   /* 0: not whole, 1: accepted, otherwise refused */
    size_t end;   /* of the message */
    uint8_t *body;
    size_t body_size;
} reading;

static void
check_span(wb_span span, size_t size)
{
    MUST(span.off <= size && span.len <= size - span.off);
}

static void
check_line(const char *data, uint32_t size, const wb__line *line)
{
    check_span(line->method, size);
    check_span(line->target, size);
    check_span(line->path, size);
    check_span(line->query, size);
    check_span(line->authority, size);
    MUST(line->method.len > 0 && line->target.len > 0);
    char *path = malloc(line->path.len + 1u);
    MUST(path != NULL);
    MUST(wb__percent_decode(data + line->path.off, line->path.len, path)
         <= line->path.len);
    free(path);
    wb__host_valid(data + line->target.off, line->target.len);
}

static void
check_fields(const wb__block *block)
{
    const wb_fields *fields = &block->fields;
    const wb_names *names = fields->names;
    for (uint32_t i = 0; i < names->count; i++) {
        wb_span name = names->spans[i], value = fields->values[i];
        MUST(wb__scan(fields->base + value.off, value.len, WB__VALUE)
             == value.len);
        for (uint32_t c = 0; c < value.len && fields->ascii; c++) {
            MUST((uint8_t)fields->base[value.off + c] < 128);
        }
        for (uint32_t c = 0; c < name.len; c++) {
            char byte = names->base[name.off + c];
            MUST(byte != '-' && !(byte >= 'a' && byte <= 'z'));
        }
        for (uint32_t j = 0; j < i; j++) {
            wb_span other = names->spans[j];
            MUST(other.len != name.len
                 || memcmp(names->base + other.off, names->base + name.off,
                           name.len)
                     != 0);
        }
    }
}

/* http-parser 2.9 takes Transfer-Encoding-Foo for a Transfer-Encoding without
 * chunked, and refuses it: the one disagreement that we allow. */
static int
has_longer_name(const char *data, size_t size)
{
    static const char name[] = "transfer-encoding";
    size_t length = sizeof(name) - 1;
    for (const char *end = data + size; end - data > (int)length; data++) {
        if (wb__equal_nocase(data, length, name)
            && wb__is(data[length], WB__TOKEN)) {
            return 1;
        }
    }
    return 0;
}

/* The same block again comes from the table, and only the same. */
static void
check_memo(wb__block *block, const char *data, uint32_t size)
{
    wb__memo *memo = calloc(1, sizeof(*memo));
    MUST(memo != NULL);
    wb__memo_add(memo, block);
    wb__memo_add(memo, block);
    if (block->slot != WB_NO_SLOT) {
        uint8_t minor = block->minor_version;
        MUST(wb__memo_find(memo, block->hash, minor, data, size) == block);
        wb__block_unref(block);
        MUST(wb__memo_guess(memo, block->slot, minor, data, size) == block);
        wb__block_unref(block);
        MUST(wb__memo_guess(memo, block->slot, minor, data, size - 1) == NULL);
    }
    wb__memo_close(memo);
    free(memo);
}

/* The framing parser, shown the whole block, reads it as it did in parts. */
static void
check_parser(const wb__block *block, const char *data, size_t size)
{
    wb__parse parse;
    if (has_longer_name(data, size) || memchr(data, '\t', size) != NULL) {
        return; /* it was shown something else */
    }
    MUST(wb__parse_begin(&parse, block->minor_version) == 0);
    MUST(size == 2 || wb__parse_feed(&parse, data, size - 2) == 0);
    MUST(wb__parse_end(&parse, &block->framing) == 0);
}

/* A reader that has seen the block before finds the same in it. */
static void
check_again(wb__reader *reader, const wb__block *block, const char *data,
            size_t size)
{
    for (int i = 0; i < 3; i++) {
        wb__block *again;
        size_t scanned = 0;
        MUST(wb__lines_split(&reader->lines, data, size, &scanned)
             == (int64_t)size);
        MUST(wb__block_new(reader, data, (uint32_t)size, block->minor_version,
                           MAX_FIELDS, &again)
             == 0);
        const wb_fields *one = &block->fields, *other = &again->fields;
        MUST(again->flags == block->flags && again->hash == block->hash);
        MUST(again->framing.length == block->framing.length);
        MUST(again->framing.chunked == block->framing.chunked);
        MUST(other->names->count == one->names->count);
        for (uint32_t f = 0; f < one->names->count; f++) {
            MUST(other->values[f].len == one->values[f].len);
            MUST(memcmp(other->base + other->values[f].off,
                        one->base + one->values[f].off, one->values[f].len)
                 == 0);
        }
        wb__block_unref(again);
    }
}

/* The end of the block, found in pieces. Below 0: refused. */
static int64_t
find_block(wb__lines *lines, const char *data, size_t size, cuts cut)
{
    size_t scanned = 0, here = 0;
    for (;;) {
        here += next_piece(&cut, size - here);
        char *piece = copy_of(data, here);
        int64_t end = wb__lines_split(lines, piece, here, &scanned);
        free(piece);
        if (end != 0 || here == size) {
            return end;
        }
    }
}

static void
read_body(wb__body *body, const char *data, size_t size, cuts cut,
          reading *out)
{
    size_t at = 0;
    while (at < size && !body->complete) {
        size_t piece = next_piece(&cut, size - at), used = 0;
        char *copy = copy_of(data + at, piece);
        int status = wb__body_feed(body, copy, piece, &used);
        free(copy);
        if (status != 0) {
            MUST(status > 0); /* there was memory */
            out->status = status;
            return;
        }
        MUST(used <= piece && (used == piece || body->complete));
        at += used;
    }
    out->status = body->complete != 0;
    out->end += at;
    out->body = (uint8_t *)copy_of("", 0);
    for (;;) {
        char bytes[100];
        int64_t n = wb__body_read(body, bytes, sizeof(bytes));
        if (n <= 0) {
            MUST(n == (body->complete ? 0 : WB_AGAIN));
            break;
        }
        uint8_t *grown = realloc(out->body, out->body_size + (size_t)n);
        MUST(grown != NULL);
        memcpy(grown + out->body_size, bytes, (size_t)n);
        out->body = grown;
        out->body_size += (size_t)n;
    }
    MUST(out->body_size == body->received);
}

static void
read_accepted(const wb__block *block, const char *data, size_t size, cuts cut,
              reading *out)
{
    wb_config config;
    uint64_t held = 0;
    wb__body *body;
    wb_config_init(&config);
    int status
        = wb__body_new(&config, &held, &block->framing, &block->parse, &body);
    MUST(status == 0 || block->framing.length > (int64_t)config.max_body);
    if (status == 0) {
        read_body(body, data, size, cut, out);
        wb__body_free(body);
    } else {
        out->status = 413;
    }
    MUST(held == 0);
}

static void
read_block(wb__reader *reader, const char *data, size_t size, uint8_t version,
           cuts cut, reading *out)
{
    wb__block *block;
    int64_t end = find_block(&reader->lines, data, size, cut);
    out->status = end < 0 ? 400 : 0;
    if (end <= 0) {
        return;
    }
    char *copy = copy_of(data, (size_t)end);
    out->status = wb__block_new(reader, copy, (uint32_t)end, version,
                                MAX_FIELDS, &block);
    if (out->status != 0) {
        free(copy);
        return;
    }
    check_fields(block);
    MUST(block->framing.chunked == 0 || block->framing.length < 0);
    check_parser(block, copy, (size_t)end);
    check_again(reader, block, copy, (size_t)end);
    if ((block->flags & WB__TE_UNKNOWN) != 0
        || (version == 0 && (block->flags & WB__HAS_TE) != 0)) {
        out->status = 501;
    } else {
        check_memo(block, block->raw, block->raw_size);
        out->status = 1;
        out->end += (size_t)end;
        if (block->framing.chunked || block->framing.length > 0) {
            read_accepted(block, data + end, size - (size_t)end, cut, out);
        }
    }
    wb__block_unref(block);
    free(copy);
}

static reading
read_message(const char *data, size_t size, cuts cut)
{
    wb__line line;
    reading out = { 0 };
    const char *lf = memchr(data, '\n', size < MAX_LINE ? size : MAX_LINE);
    if (lf == NULL || lf == data || lf[-1] != '\r') {
        out.status = 400;
        return out;
    }
    size_t end = (size_t)(lf - data) + 1;
    char *copy = copy_of(data, end - 2);
    out.status = wb__line_parse(copy, (uint32_t)end - 2, &line);
    if (out.status == 0) {
        check_line(copy, (uint32_t)end - 2, &line);
        out.end = end;
        wb__reader *reader = calloc(1, sizeof(*reader));
        MUST(reader != NULL);
        read_block(reader, data + end, size - end, line.minor_version, cut,
                   &out);
        wb__reader_close(reader);
        free(reader);
    }
    free(copy);
    return out;
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size < 2) {
        return 0;
    }
    const char *data = (const char *)input + 1;
    reading whole = read_message(data, size - 1, (cuts) { 0 });
    reading pieces = read_message(data, size - 1, (cuts) { .seed = input[0] });
    MUST((whole.status > 1) == (pieces.status > 1));
    MUST((whole.status == 1) == (pieces.status == 1));
    if (whole.status == 1) {
        MUST(whole.end == pieces.end);
        MUST(whole.body_size == pieces.body_size);
        MUST(whole.body_size == 0
             || memcmp(whole.body, pieces.body, whole.body_size) == 0);
    }
    free(whole.body);
    free(pieces.body);
    MUST(wb__alloc_held() == 0);
    return 0;
}
