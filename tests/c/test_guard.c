/* No reader looks one byte beyond what it was given, whatever it was given:
 * each message is cut at every byte and each byte replaced in turn. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "http/block.h"
#include "http/chunk.h"
#include "guard.h"
#include "http/response_head.h"
#include "http/memo.h"
#include "http/request_line.h"
#include "response.h"

static guard guarded;

static void
read_line(const char *data, size_t size)
{
    wb__line line;
    char *place = guard_put(&guarded, data, size);
    if (wb__line_parse(place, (uint32_t)size, &line) == 0) {
        CHECK(line.target.off + line.target.len <= size);
        CHECK(line.path.off + line.path.len <= size);
        CHECK(line.query.off + line.query.len <= size);
        CHECK(line.authority.off + line.authority.len <= size);
    }
    wb__host_valid(place, (uint32_t)size);
    char decoded[256];
    CHECK(wb__percent_decode(place, (uint32_t)size, decoded) <= size);
}

static void
read_block(const char *data, size_t size)
{
    static wb__reader reader;
    wb__block *block;
    char *place = guard_put(&guarded, data, size);
    for (int again = 0; again < 3; again++) { /* new, and known */
        size_t scanned = 0;
        int64_t end = wb__lines_split(&reader.lines, place, size, &scanned);
        CHECK(end <= (int64_t)size);
        if (end > 0
            && wb__block_new(&reader, place, (uint32_t)end, 1, 100, &block)
                == 0) {
            for (uint32_t i = 0; i < block->fields.names->count; i++) {
                wb_span value = block->fields.values[i];
                CHECK(value.off + value.len <= 2 * (size_t)end);
            }
            wb__block_unref(block);
        }
    }
    if (data[0] == 'H') {
        wb__reader_close(&reader); /* now and then */
    }
}

static void
read_chunks(const char *data, size_t size)
{
    wb__chunk chunk = { 0 };
    wb__chunk_part part = { 0, 0 };
    wb__chunk_read(&chunk, guard_put(&guarded, data, size), size, 1000, &part);
    CHECK(part.size + part.extension <= size);
}

static void
read_response(const char *data, size_t size)
{
    wl__response response = { 0 };
    static wl__known known;
    const wl__body body = { "abcde", 5, 1, 0 };
    size_t used = 0;
    wl__response_read(&response, &known, &body,
                      guard_put(&guarded, data, size), size, &used);
    CHECK(used <= size);
    wl__response_reset(&response);
}

static void
torture(void (*reader)(const char *data, size_t size), const char *text)
{
    static const char odd[] = "\0\r\n \t:;=\"/%?#@[]-_0aZ\x7f\x80\xff,";
    char changed[512];
    size_t size = strlen(text);
    CHECK(size < sizeof(changed));
    for (size_t cut = 0; cut <= size; cut++) {
        reader(text, cut);
    }
    for (size_t at = 0; at < size; at++) {
        memcpy(changed, text, size);
        for (size_t i = 0; i < sizeof(odd) - 1; i++) {
            changed[at] = odd[i];
            reader(changed, size);
            reader(changed, at + 1);
        }
    }
}

/* An answer's head, as an application gives it: lines are NUL-separated, here
 * written with "|". */
static void
read_given_head(const char *data, size_t size)
{
    static wb__responder responder;
    wb__head *head;
    char *place = guard_put(&guarded, data, size);
    for (size_t i = 0; i < size; i++) {
        place[i] = place[i] == '|' ? '\0' : place[i];
    }
    for (uint32_t count = 0; count < 4; count++) {
        const wb_head lines = { "200 OK", place, 6, size, count };
        const wb_head status = { place, "A\0b", size, 4, 1 };
        wb__head_find(&responder, &lines, &head);
        wb__head_find(&responder, &status, &head);
    }
    wb__responder_close(&responder);
}

/* The framing parser, over blocks that we would never show it, too. */
static void
read_framing(const char *data, size_t size)
{
    const wb__framing framings[] = { { 0, -1 }, { 0, 5 }, { 1, -1 } };
    char *place = guard_put(&guarded, data, size);
    for (size_t i = 0; i < sizeof(framings) / sizeof(framings[0]); i++) {
        wb__parse parse;
        int status = wb__parse_begin(&parse, 1);
        CHECK(status == 0);
        status = wb__parse_try(&parse, place, size);
        CHECK(wb__parse_feed(&parse, place, size) == status);
        CHECK(status == 0 || status == 400);
        if (status == 0) {
            status = wb__parse_end(&parse, &framings[i]);
            CHECK(status == 0 || status == 400);
        }
    }
}

static void
torture_lines(void)
{
    torture(read_line, "GET /a%20b/c?d=e%25 HTTP/1.1");
    torture(read_line, "GET http://user@[::1]:80/x?y HTTP/1.0");
    torture(read_line, "CONNECT example.org:443 HTTP/1.1");
    torture(read_line, "OPTIONS * HTTP/1.1");
}

static const char fields[]
    = "Host: a\r\nContent-Length: 12\r\nX-A: b\r\nX-A: c\r\n"
      "Connection: close, keep-alive\r\nCookie: a=b\r\n"
      "Cookie: c=d\r\nExpect: 100-continue\r\n\r\n";
static const char coded[]
    = "Transfer-Encoding: gzip, chunked\r\nHost: [::1]:8\r\n\r\n";

static void
torture_responses(void)
{
    torture(read_response,
            "HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 05:00:00 GMT\r\n"
            "Content-Length: 5\r\n\r\nabcde");
    torture(read_response,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            "5\r\nabcde\r\n0\r\n\r\n");
}

int
main(void)
{
    guarded = guard_new(4096);
    RUN(torture_lines());
    RUN(torture(read_block, fields));
    RUN(torture(read_block, coded));
    RUN(torture(read_framing, fields));
    RUN(torture(read_framing, coded));
    RUN(torture(read_chunks, "5;a=\"b\\\"c\"\r\nabcde\r\n0\r\nA: b\r\n\r\n"));
    RUN(torture(read_given_head, "Content-Length|12|X-A|b|Connection|close|"));
    RUN(torture_responses());
    return 0;
}
