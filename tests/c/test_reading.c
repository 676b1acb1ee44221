/* What is read, and what is refused: request lines, hosts, header blocks,
 * chunks, and the table of blocks. RFC 9112, sections 3, 5 and 7. */
#include <string.h>

#include "base/alloc.h"
#include "http/block.h"
#include "check.h"
#include "http/chunk.h"
#include "http/memo.h"
#include "http/request_line.h"
#include "http/scan.h"

/* ---- request lines ------------------------------------------------------ */

static void
check_lines(void)
{
    static const struct {
        const char *text;
        int status;
        const char *path, *query, *authority;
    } lines[] = {
        { "GET / HTTP/1.1", 0, "/", "", "" },
        { "GET /a?b?c HTTP/1.0", 0, "/a", "b?c", "" },
        { "GET /a? HTTP/1.9", 0, "/a", "", "" },
        { "!#$%&'*+-.^_`|~ /x HTTP/1.1", 0, "/x", "", "" },
        { "OPTIONS * HTTP/1.1", 0, "", "", "" },
        { "GET http://a:8/p?q HTTP/1.1", 0, "/p", "q", "a:8" },
        { "GET HTTPS://[::1]?q HTTP/1.1", 0, "", "q", "[::1]" },
        { "GET //a/b HTTP/1.1", 0, "//a/b", "", "" },
        { "", 400, "", "", "" },
        { "GET", 400, "", "", "" },
        { "GET /", 400, "", "", "" },
        { "GET  / HTTP/1.1", 400, "", "", "" },
        { "GET / HTTP/1.1 ", 400, "", "", "" },
        { "GET\t/ HTTP/1.1", 400, "", "", "" },
        { "G(T / HTTP/1.1", 400, "", "", "" },
        { "GET /\r HTTP/1.1", 400, "", "", "" },
        { "GET a HTTP/1.1", 400, "", "", "" },
        { "GET * HTTP/1.1", 400, "", "", "" },
        { "GET /#a HTTP/1.1", 400, "", "", "" },
        { "GET / http/1.1", 400, "", "", "" },
        { "GET / HTTP/1.10", 400, "", "", "" },
        { "GET / HTTP/11", 400, "", "", "" },
        { "GET http://u@a/ HTTP/1.1", 400, "", "", "" },
        { "GET http:///x HTTP/1.1", 400, "", "", "" },
        { "GET ftp://a/ HTTP/1.1", 400, "", "", "" },
        { "CONNECT a:1 HTTP/1.1", 501, "", "", "" },
        { "CONNECT /a HTTP/1.1", 400, "", "", "" },
        { "GET / HTTP/2.0", 505, "", "", "" },
        { "GET / HTTP/0.9", 505, "", "", "" },
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        wb__line line;
        const char *text = lines[i].text;
        int status = wb__line_parse(text, (uint32_t)strlen(text), &line);
        if (status != lines[i].status) {
            fprintf(stderr, "\"%s\" is answered %d\n", text, status);
        }
        CHECK(status == lines[i].status);
        if (status == 0) {
            CHECK(line.path.len == strlen(lines[i].path));
            CHECK(memcmp(text + line.path.off, lines[i].path, line.path.len)
                  == 0);
            CHECK(line.query.len == strlen(lines[i].query));
            CHECK(line.authority.len == strlen(lines[i].authority));
        }
    }
}

static void
check_hosts(void)
{
    static const char *const good[] = { "",
                                        "a",
                                        "a:",
                                        "a:0",
                                        "a:65535",
                                        "[::1]",
                                        "[v1.a:b]:80",
                                        "%41b",
                                        "a_b",
                                        "1.2.3.4",
                                        "[::ffff:1.2.3.4]" };
    static const char *const bad[] = {
        ":80",         "a:65536", "a:b",   "a b",   "[::1",
        "[]",          "[g::]",   "[v.a]", "[v1.]", "[::1]a",
        "a@b",         "a/b",     "%4",    "%zz",   "a:99999999999999999999",
        "[::1%25eth0]"
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        CHECK(wb__host_valid(good[i], (uint32_t)strlen(good[i])));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        CHECK(!wb__host_valid(bad[i], (uint32_t)strlen(bad[i])));
    }
}

static void
check_decoding(void)
{
    char out[16];
    CHECK(wb__percent_decode("%41%7e%2F%", 10, out) == 4);
    CHECK(memcmp(out, "A~/%", 4) == 0);
    CHECK(wb__percent_decode("%00%zz%1", 8, out) == 6);
    CHECK(memcmp(out, "\0%zz%1", 6) == 0);
}

/* ---- header blocks ------------------------------------------------------ */

static wb__reader reader;

static int
read_block(const char *text, wb__block **out)
{
    size_t size = strlen(text), scanned = 0;
    int64_t end = wb__lines_split(&reader.lines, text, size, &scanned);
    *out = NULL;
    if (end < 0) {
        return end == WB_NOMEM ? WB_NOMEM : 400;
    }
    CHECK(end == (int64_t)size);
    return wb__block_new(&reader, text, (uint32_t)size, 1, 5, out);
}

/* By a reader that has seen nothing before. */
static int
block_status(const char *text, wb__block **out)
{
    wb__reader_close(&reader);
    memset(&reader, 0, sizeof(reader));
    return read_block(text, out);
}

static void
check_refused_blocks(void)
{
    static const char *const bad[] = {
        "A : b\r\n\r\n",
        ": b\r\n\r\n",
        "A\r\n\r\n",
        " A: b\r\n\r\n",
        "A: b\r\n c\r\n\r\n",
        "A: b\n\r\n",
        "A: b\rc\r\n\r\n",
        "\n",
        "A: \x01\r\n\r\n",
        "A: \x7f\r\n\r\n",
        "A\x80: b\r\n\r\n",
        "Host: a\r\nHost: a\r\n\r\n",
        "Host: a b\r\n\r\n",
        "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "Content-Length: +1\r\n\r\n",
        "Content-Length: 1,1\r\n\r\n",
        "Content-Length: \r\n\r\n",
        "Content-Length: 0x1\r\n\r\n",
        "Content-Length: 9223372036854775808\r\n\r\n",
        "Content-Length: 18446744073709551617\r\n\r\n",
        "Content-Length: 99999999999999999999999999\r\n\r\n",
        "Transfer-Encoding: gzip\r\n\r\n",
        "Transfer-Encoding: \r\n\r\n",
        "Transfer-Encoding: chunked, gzip\r\n\r\n",
        "Transfer-Encoding: chunked, chunked\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
        "Transfer-Encoding: ,chunked\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
    };
    wb__block *block;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int status = block_status(bad[i], &block);
        if (status != 400) {
            fprintf(stderr, "%s is answered %d\n", bad[i], status);
        }
        CHECK(status == 400 && block == NULL);
        /* Nothing that it has left behind makes it welcome later. */
        CHECK(read_block(bad[i], &block) == 400);
        CHECK(read_block(bad[i], &block) == 400);
    }
    CHECK(
        block_status("A: \r\nB: \r\nC: \r\nD: \r\nE: \r\nF: \r\n\r\n", &block)
        == 431);
    /* A bare CR is seen first when it comes in pieces. */
    CHECK(block_status("A:\r\nA:\r\nA:\r\nA:\r\nA:\r\nA: b\rc\r\n\r\n", &block)
          == 400);
    wb__reader_close(&reader);
    CHECK(wb__alloc_held() == 0);
}

static void
expect_field(const wb__block *block, uint32_t i, const char *name,
             const char *value)
{
    const wb_fields *fields = &block->fields;
    const wb_names *names = fields->names;
    CHECK(i < names->count);
    wb_span span = names->spans[i];
    CHECK(span.len == strlen(name));
    CHECK(memcmp(names->base + span.off, name, span.len) == 0);
    span = fields->values[i];
    CHECK(span.len == strlen(value));
    CHECK(memcmp(fields->base + span.off, value, span.len) == 0);
}

static void
check_cgi_form(void)
{
    wb__block *block;
    CHECK(block_status("\r\n", &block) == 0);
    CHECK(block->fields.names->count == 0 && block->framing.length == -1);
    wb__block_unref(block);
    CHECK(block_status("x-a:1\r\nContent-Length:\t7 \r\nX_A: 2\r\nX-A: 3\r\n"
                       "coOkie: a\r\n\r\n",
                       &block)
          == 0);
    CHECK(block->fields.names->count == 3 && block->framing.length == 7);
    expect_field(block, 0, "HTTP_X_A", "1, 3");
    expect_field(block, 1, "CONTENT_LENGTH", "7");
    expect_field(block, 2, "HTTP_COOKIE", "a");
    wb__block_unref(block);
    CHECK(block_status("Cookie: a\r\nCOOKIE: b\r\nContent-Type: t\r\n\r\n",
                       &block)
          == 0);
    expect_field(block, 0, "HTTP_COOKIE", "a; b");
    expect_field(block, 1, "CONTENT_TYPE", "t");
    wb__block_unref(block);
    wb__reader_close(&reader);
}

/* Lines and names that came before: what is known of them is what was read of
 * them, and it goes by the whole of their bytes. */
static void
check_known_lines(void)
{
    static const char *const texts[] = {
        "Host: a\r\nA: 1\r\nB:\t2 \r\n\r\n",
        "Host: a\r\nA: 1\r\nB:\t3 \r\n\r\n",
    };
    wb__block *block, *other;
    memset(&reader, 0, sizeof(reader));
    for (int i = 0; i < 4; i++) {
        CHECK(read_block(texts[0], &block) == 0);
        CHECK(block->flags == WB__HAS_HOST && block->framing.length == -1);
        expect_field(block, 1, "HTTP_A", "1");
        expect_field(block, 2, "HTTP_B", "2");
        CHECK((block->fields.lines[1] != 0) == (i > 0));
        CHECK(read_block(texts[1], &other) == 0);
        expect_field(other, 2, "HTTP_B", "3");
        CHECK(other->names == block->names);
        CHECK(i == 0 || other->fields.lines[2] != block->fields.lines[2]);
        CHECK(i < 2 || other->fields.lines[1] == block->fields.lines[1]);
        wb__block_unref(other);
        wb__block_unref(block);
    }
    /* What a line means for the message is asked each time. */
    CHECK(read_block("Host: a\r\nHost: a\r\n\r\n", &block) == 400);
    for (int i = 0; i < 3; i++) {
        CHECK(read_block("Content-Length: 3\r\n\r\n", &block) == 0);
        CHECK(block->framing.length == 3 && block->fields.lines[0] == 0);
        wb__block_unref(block);
        CHECK(read_block("Content-Length: 3\r\nContent-Length: 3\r\n\r\n",
                         &block)
              == 400);
        CHECK(read_block("Connection: close\r\n\r\n", &block) == 0);
        CHECK(block->flags == WB__CLOSE);
        wb__block_unref(block);
    }
    wb__reader_close(&reader);
    CHECK(wb__alloc_held() == 0);
}

/* More lines and names than there is room for. */
static void
check_many_lines(void)
{
    char text[100];
    wb__block *block;
    memset(&reader, 0, sizeof(reader));
    for (int i = 0; i < 20 * WB_LINES; i++) {
        snprintf(text, sizeof(text), "Same: 1\r\nX-%d: %d\r\n\r\n",
                 i / 2 % 999, i / 2);
        CHECK(read_block(text, &block) == 0);
        CHECK(i < 2 || block->fields.lines[0] != 0);
        CHECK((block->fields.lines[1] != 0) == (i % 2 > 0));
        snprintf(text, sizeof(text), "%d", i / 2);
        expect_field(block, 0, "HTTP_SAME", "1");
        CHECK(block->fields.values[1].len == strlen(text));
        wb__block_unref(block);
    }
    CHECK(wb__alloc_held() < WB_LINES + WB__NAMES + WB_SLOTS + 10);
    wb__reader_close(&reader);
    CHECK(wb__alloc_held() == 0);
}

/* Sixteen bytes at a time, and one by one, find the same. */
static void
check_text(void)
{
    char text[64];
    for (size_t size = 0; size <= 40; size++) {
        for (size_t at = 0; at <= size; at++) {
            for (int c = 0; c < 256; c++) {
                int high = 0;
                memset(text, 'a', sizeof(text));
                text[at] = (char)c;
                size_t found = wb__scan_text(text, size, &high);
                CHECK(
                    found
                    == (at < size && !wb__is((char)c, WB__VALUE) ? at : size));
                CHECK((high != 0) == (at < size && c > 127));
            }
        }
    }
}

static void
check_memo(void)
{
    static wb__memo memo;
    char text[64];
    wb__block *block, *found;
    for (int i = 0; i < 3 * WB_SLOTS; i++) {
        snprintf(text, sizeof(text), "Host: h%d\r\n\r\n", i);
        uint32_t size = (uint32_t)strlen(text);
        CHECK(block_status(text, &block) == 0);
        CHECK(wb__memo_find(&memo, block->hash, 1, text, size) == NULL);
        wb__memo_add(&memo, block);
        CHECK(block->slot == WB_NO_SLOT && block->fields.id == 0);
        wb__memo_add(&memo, block); /* it comes again */
        CHECK(block->fields.id == (uint64_t)i + 1);
        found = wb__memo_guess(&memo, block->slot, 1, text, size);
        CHECK(found == block);
        wb__block_unref(found);
        CHECK(wb__memo_guess(&memo, block->slot, 0, text, size) == NULL);
        CHECK(wb__memo_guess(&memo, block->slot, 1, text, size - 1) == NULL);
        CHECK(wb__memo_find(&memo, block->hash, 1, text, size) == block);
        wb__block_unref(block);
        wb__block_unref(block);
    }
    CHECK(memo.hits == 6 * WB_SLOTS && memo.misses == 3 * WB_SLOTS);
    wb__memo_close(&memo);
    wb__reader_close(&reader);
    CHECK(wb__alloc_held() == 0);
}

/* ---- chunks ------------------------------------------------------------- */

/* No text has ";" but in an extension. */
static int
read_parts(wb__chunk *chunk, const char *text, size_t size, size_t *used)
{
    int status = 0;
    while (status == 0 && *used < size && !chunk->done) {
        wb__chunk_part part;
        const char *from = text + *used;
        status = wb__chunk_read(chunk, from, size - *used, 30, &part);
        if (status == 0) {
            CHECK(memchr(from, ';', part.size) == NULL);
            *used += part.size + part.extension;
        }
    }
    CHECK(status != 0 || chunk->done || *used == size);
    return status;
}

static int
chunk_status(const char *text, size_t cut, size_t *end)
{
    wb__chunk chunk = { 0 };
    *end = 0;
    int status = read_parts(&chunk, text, cut, end);
    if (status == 0 && !chunk.done) {
        status = read_parts(&chunk, text, strlen(text), end);
    }
    return status == 0 && chunk.done ? 1 : status;
}

static void
check_chunks(void)
{
    static const struct {
        const char *text;
        int status;
        size_t end;
    } chunks[] = {
        { "0\r\n\r\n", 1, 5 },
        { "0\r\n\r\nGET", 1, 5 },
        { "A\r\n0123456789\r\n000\r\n\r\n", 1, 22 },
        { "1;a=b;c=\"d\\\"\"\r\nx\r\n0\r\nT: v\r\n\r\n", 1, 29 },
        { "1 ; a = b ;\tc\r\nx\r\n0\r\n\r\n", 1, 23 },
        { "1;a=\"\xe9;\" ;b\r\nx\r\n0\r\n\r\n", 1, 21 },
        { "1 \t;a\r\nx\r\n0\r\n\r\n", 1, 15 },
        { "5\r\nhel", 0, 6 },
        { "\r\n", 400, 0 },
        { "g\r\n", 400, 0 },
        { "-1\r\n", 400, 0 },
        { "1\n", 400, 0 },
        { "1\r\nxy", 400, 0 },
        { "1\r\nx\n", 400, 0 },
        { "0x1\r\n", 400, 0 },
        { "1 2\r\n", 400, 0 },
        { "1;\n", 400, 0 },
        { "1;\r\n", 400, 0 },
        { "1;;a\r\n", 400, 0 },
        { "1;a;\r\n", 400, 0 },
        { "1;a \r\n", 400, 0 },
        { "1 \r\n", 400, 0 },
        { "1;a=\r\n", 400, 0 },
        { "1;a=;b\r\n", 400, 0 },
        { "1;=b\r\n", 400, 0 },
        { "1;a=b c\r\n", 400, 0 },
        { "1;a=\"b\"c\r\n", 400, 0 },
        { "1;\"a\"\r\n", 400, 0 },
        { "1;a=\"b\r\n", 400, 0 },
        { "1;a=b\"c\"\r\n", 400, 0 },
        { "1;a=b=c\r\n", 400, 0 },
        { "1;\"\n", 400, 0 },
        { "0\r\n\n", 400, 0 },
        { "0\r\nA b: c\r\n", 400, 0 },
        { "0\r\n b: c\r\n", 400, 0 },
        { "10000000000000001\r\n", 400, 0 },
        { "ffffffffffffffff\r\n", 400, 0 },
        { "00000000000000001\r\n", 400, 0 },
        { "1;aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 400, 0 },
        { "0\r\na:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb", 431, 0 },
    };
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        for (size_t cut = 0; cut <= strlen(chunks[i].text); cut++) {
            size_t end;
            int status = chunk_status(chunks[i].text, cut, &end);
            if (status == 1 && cut > chunks[i].end) {
                CHECK(end == chunks[i].end);
                continue;
            }
            if (status != chunks[i].status) {
                fprintf(stderr, "%s cut at %zu is answered %d\n",
                        chunks[i].text, cut, status);
            }
            CHECK(status == chunks[i].status);
            CHECK(status > 1 || end == chunks[i].end);
        }
    }
}

static void
check_scanning(void)
{
    CHECK(wb__list_has(" a ,\tClose\t, b", 14, "close"));
    CHECK(!wb__list_has("closer, xclose,,", 16, "close"));
    CHECK(!wb__list_has("", 0, "close"));
    CHECK(wb__equal_nocase("HoSt", 4, "host"));
    CHECK(!wb__equal_nocase("hos\x14", 4, "host"));
    for (int c = 0; c < 256; c++) { /* RFC 9110 5.6.2, by its own words */
        int token = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
            || (c >= 'A' && c <= 'Z')
            || (c != 0 && strchr("!#$%&'*+-.^_`|~", c) != NULL);
        CHECK(wb__is((char)c, WB__TOKEN) == token);
        CHECK(wb__is((char)c, WB__VALUE)
              == (c == '\t' || (c >= ' ' && c != 127)));
        CHECK(wb__is((char)c, WB__TARGET) == (c > ' ' && c != 127));
    }
}

static void
parse_name(wb__parse *parse, const char *name)
{
    CHECK(wb__parse_begin(parse, 1) == 0);
    CHECK(wb__parse_feed(parse, name, strlen(name)) == 0);
}

/* What the framing parser says of all values of a name at once, it says of
 * each; and of a name that has to do with the framing it says nothing. */
static void
check_values_at_once(void)
{
    static const char *const plain[] = { "X-A:", "Cookie:", "Cont:", "T:" };
    char value[600];
    wb__parse parse;
    srand(15);
    for (int i = 0; i < 4; i++) {
        parse_name(&parse, plain[i]);
        CHECK(wb__parse_takes_text(&parse));
        for (int round = 0; round < 200; round++) {
            int size = 1 + rand() % 500, blanks = rand() % 3;
            for (int at = 0; at < size; at++) {
                do {
                    value[at] = (char)(rand() % 256);
                } while (!wb__is(value[at], WB__VALUE));
            }
            memset(value, rand() % 2 ? ' ' : '\t', (size_t)blanks);
            value[blanks] = (char)('!' + rand() % 94);
            memcpy(value + (blanks < size ? size : blanks + 1), "\r\n", 3);
            CHECK(wb__parse_try(&parse, value, strlen(value)) == 0);
        }
    }
    parse_name(&parse, "Content-Length:");
    CHECK(!wb__parse_takes_text(&parse));
}

int
main(void)
{
    RUN(check_values_at_once());
    RUN(check_scanning());
    RUN(check_lines());
    RUN(check_hosts());
    RUN(check_decoding());
    RUN(check_refused_blocks());
    RUN(check_cgi_form());
    RUN(check_text());
    RUN(check_known_lines());
    RUN(check_many_lines());
    RUN(check_memo());
    RUN(check_chunks());
    return 0;
}
