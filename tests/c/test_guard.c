/* No reader looks one octet beyond what it was given, whatever it was given:
 * each message is cut at every octet and each octet replaced in turn. */
#define _GNU_SOURCE /* MAP_ANONYMOUS */
#include "block.h"
#include "chunk.h"
#include "guard.h"
#include "memo.h"
#include "request_line.h"
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
    wb__block *block;
    size_t scanned = 0;
    char *place = guard_put(&guarded, data, size);
    int64_t end = wb__block_end(place, size, &scanned);
    CHECK(end <= (int64_t)size);
    if (end > 0 && wb__block_new(place, (uint32_t)end, 100, &block) == 0) {
        for (uint32_t i = 0; i < 2 * block->fields.count; i++) {
            CHECK(block->fields.base != NULL);
        }
        wb__block_unref(block);
    }
}

static void
read_chunks(const char *data, size_t size)
{
    wb__chunk chunk = { 0 };
    size_t used = 0;
    wb__chunk_read(&chunk, guard_put(&guarded, data, size), size, 1000,
                   &used);
    CHECK(used <= size);
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

int
main(void)
{
    guarded = guard_new(4096);
    torture(read_line, "GET /a%20b/c?d=e%25 HTTP/1.1");
    torture(read_line, "GET http://user@[::1]:80/x?y HTTP/1.0");
    torture(read_line, "CONNECT example.org:443 HTTP/1.1");
    torture(read_line, "OPTIONS * HTTP/1.1");
    torture(read_block,
            "Host: a\r\nContent-Length: 12\r\nX-A: b\r\nX-A: c\r\n"
            "Connection: close, keep-alive\r\nCookie: a=b\r\n"
            "Cookie: c=d\r\nExpect: 100-continue\r\n\r\n");
    torture(read_block,
            "Transfer-Encoding: gzip, chunked\r\nHost: [::1]:8\r\n\r\n");
    torture(read_chunks, "5;a=\"b\\\"c\"\r\nabcde\r\n0\r\nA: b\r\n\r\n");
    torture(read_response,
            "HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 05:00:00 GMT\r\n"
            "Content-Length: 5\r\n\r\nabcde");
    torture(read_response,
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            "5\r\nabcde\r\n0\r\n\r\n");
    return 0;
}
