/* Bodies: framing off, in memory and in files, with every allocation failing
 * in turn. Answer heads and the small containers, too. */
#include <string.h>

#include "base/alloc.h"
#include "http/block.h"
#include "server/body.h"
#include "check.h"
#include "server/deadline.h"
#include "http/response_head.h"

static wb_config config;
static uint64_t held;

/* ---- bodies ------------------------------------------------------------- */

typedef struct message {
    const char *fields, *bytes, *content;
    int status; /* of the bytes */
} message;

static const message messages[] = {
    { "Content-Length: 5\r\n\r\n", "abcdeGET", "abcde", 0 },
    { "Transfer-Encoding: chunked\r\n\r\n",
      "3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: v\r\n\r\nGET", "abcde", 0 },
    { "Transfer-Encoding: chunked\r\n\r\n",
      "3 ; a\t= \"b;\\\"\" ;c\r\nabc\r\n2\t;x\r\nde\r\n0; y\r\n\r\nGET",
      "abcde", 0 },
    { "Transfer-Encoding: chunked\r\n\r\n", "3; a=\"b\r\nabc\r\n", "", 400 },
    { "Transfer-Encoding: chunked\r\n\r\n", "3; a \r\nabc\r\n", "", 400 },
    { "Transfer-Encoding: chunked\r\n\r\n", "0\r\n\r\n", "", 0 },
    { "Transfer-Encoding: chunked\r\n\r\n", "3\r\nabcd\r\n", "", 400 },
    { "Transfer-Encoding: chunked\r\n\r\n", "65\r\n", "", 413 },
};

static int
new_body(const message *m, wb__body **out)
{
    wb__reader reader = { 0 };
    wb__block *block;
    size_t scanned = 0;
    int64_t end = wb__lines_split(&reader.lines, m->fields, strlen(m->fields),
                                  &scanned);
    int status = end < 0
        ? WB_NOMEM
        : wb__block_new(&reader, m->fields, (uint32_t)end, 1, 10, &block);
    if (status == 0) {
        status = wb__body_new(&config, &held, &block->framing, &block->parse,
                              out);
        wb__block_unref(block);
    }
    wb__reader_close(&reader);
    return status;
}

static int
feed_all(wb__body *body, const char *bytes, size_t step, size_t *end)
{
    size_t size = strlen(bytes);
    for (*end = 0; *end < size && !body->complete;) {
        size_t piece = size - *end < step ? size - *end : step, used = 0;
        int status = wb__body_feed(body, bytes + *end, piece, &used);
        if (status != 0) {
            return status;
        }
        *end += used;
    }
    return 0;
}

static void
expect_content(wb__body *body, const char *content)
{
    char out[8];
    int64_t n;
    size_t size = strlen(content), at = 0;
    while ((n = wb__body_read(body, out, 2)) > 0) {
        CHECK(at + (size_t)n <= size);
        CHECK(memcmp(out, content + at, (size_t)n) == 0);
        at += (size_t)n;
    }
    CHECK(n == 0 && at == size);
}

static int
one_body(const message *m, size_t step)
{
    wb__body *body;
    size_t end;
    int status = new_body(m, &body);
    if (status != 0) {
        return status;
    }
    status = feed_all(body, m->bytes, step, &end);
    if (status == 0) {
        CHECK(body->complete);
        CHECK(m->bytes[end] == '\0' || strcmp(m->bytes + end, "GET") == 0);
        expect_content(body, m->content);
    }
    wb__body_free(body);
    return status;
}

static void
check_bodies(uint32_t memory, uint64_t memory_all)
{
    config.body_memory = memory;
    config.body_memory_all = memory_all;
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        for (size_t step = 1; step < 40; step++) {
            CHECK(one_body(&messages[i], step) == messages[i].status);
            CHECK(held == 0 && wb__alloc_held() == 0);
        }
        for (long n = 1;; n++) { /* until no allocation is made to fail */
            wb__alloc_fail_at(n);
            int status = one_body(&messages[i], 3);
            int failed = wb__alloc_failed();
            wb__alloc_fail_at(0);
            CHECK(status == messages[i].status
                  || (failed && (status == WB_NOMEM || status >= 500)));
            CHECK(held == 0 && wb__alloc_held() == 0);
            if (!failed) {
                break;
            }
        }
    }
}

/* Content that nobody reads is framed all the same, and not kept. */
static void
check_discarding(void)
{
    wb__body *body;
    size_t end;
    config.body_memory = 100;
    config.body_memory_all = 100;
    CHECK(new_body(&messages[1], &body) == 0);
    CHECK(feed_all(body, "3\r\nab", 1, &end) == 0 && held == 2);
    wb__body_discard(body);
    CHECK(held == 0);
    CHECK(feed_all(body, "c\r\n0\r\n\r\n", 1, &end) == 0);
    CHECK(body->complete && body->received == 3);
    wb__body_free(body);
}

static void
check_limits(void)
{
    static const message large = { "Content-Length: 101\r\n\r\n", "", "", 0 };
    wb__body *body;
    CHECK(new_body(&large, &body) == 413);
    config.temp_dir = "/no/such/directory";
    config.body_memory = 1;
    CHECK(new_body(&messages[0], &body) == 0);
    size_t used = 0;
    CHECK(wb__body_feed(body, "abc", 3, &used) == 500);
    wb__body_free(body);
    config.temp_dir = NULL;
    CHECK(held == 0 && wb__alloc_held() == 0);
}

/* ---- answer heads ------------------------------------------------------- */

static void
check_heads(void)
{
    static const struct {
        const char *status, *lines;
        size_t size;
        uint32_t count;
        const char *text; /* NULL: refused */
    } heads[] = {
#define LINES(text) text, sizeof(text)
        { "200 OK", NULL, 0, 0, "HTTP/1.1 200 OK\r\n" },
        { "404", NULL, 0, 0, "HTTP/1.1 404 \r\n" },
        { "200 \xe9t\xe9", LINES("A\0b"), 1,
          "HTTP/1.1 200 \xe9t\xe9\r\nA: b\r\n" },
        { "200 OK", LINES("A\0"), 1, "HTTP/1.1 200 OK\r\nA: \r\n" },
        { "200 OK",
          LINES("Content-Length\0"
                "5"),
          1, "HTTP/1.1 200 OK\r\n" },
        { "200 OK", LINES("Connection\0close"), 1, "HTTP/1.1 200 OK\r\n" },
        { "200 OK", LINES("A\0b\r\nC: d"), 1, NULL },
        { "200 OK", LINES("A\0b\nC"), 1, NULL },
        { "200 OK", LINES("A: x\0b"), 1, NULL },
        { "200 OK", LINES("A\0b"), 2, NULL },
        { "200 OK", LINES("A\0b"), 0, NULL },
        { "200 OK", LINES("A"), 1, NULL },
        { "200 OK", LINES("\0b"), 1, NULL },
        { "200 OK", LINES("A\xe9\0b"), 1, NULL },
        { "200 OK", LINES("Transfer-Encoding\0chunked"), 1, NULL },
        { "200 OK", LINES("Content-Length\0+5"), 1, NULL },
        { "200 OK",
          LINES("Content-Length\0"
                "5\0Content-Length\0"
                "5"),
          2, NULL },
        { "200 OK\r\nA: b", NULL, 0, 0, NULL },
        { "100 Continue", NULL, 0, 0, NULL },
        { "20", NULL, 0, 0, NULL },
        { "2000 OK", NULL, 0, 0, NULL },
        { "OK", NULL, 0, 0, NULL },
    };
    wb__responder responder = { 0 };
    for (int again = 0; again < 2; again++) {
        for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
            wb__head *head;
            const wb_head given = { .status = heads[i].status,
                                    .status_size = strlen(heads[i].status),
                                    .lines = heads[i].lines,
                                    .lines_size = heads[i].size,
                                    .count = heads[i].count };
            int error = wb__head_find(&responder, &given, &head);
            CHECK(error == (heads[i].text == NULL ? WB_INVALID : 0));
            if (error == 0) {
                CHECK(head->text_size == strlen(heads[i].text));
                CHECK(memcmp(head->key + head->key_size, heads[i].text,
                             head->text_size)
                      == 0);
            }
        }
    }
    wb__responder_close(&responder);
    CHECK(wb__alloc_held() == 0);
}

/* ---- containers --------------------------------------------------------- */

static void
check_buf(void)
{
    wb__buf buf = { 0 };
    char byte = 0;
    size_t in = 0, out = 0;
    for (int i = 0; i < 20000; i++) { /* fill and empty, never in step */
        for (int k = 0; k < i % 7; k++, in++) {
            byte = (char)in;
            CHECK(wb__buf_append(&buf, &byte, 1) == 0);
        }
        for (int k = 0; k < i % 5 && out < in; k++, out++) {
            CHECK(*wb__buf_data(&buf) == (char)out);
            wb__buf_consume(&buf, 1);
        }
        CHECK(wb__buf_size(&buf) == in - out);
    }
    CHECK(wb__buf_reserve(&buf, SIZE_MAX - 5) == WB_NOMEM);
    CHECK(wb__buf_size(&buf) == in - out);
    wb__buf_consume(&buf, in - out);
    CHECK(buf.data == NULL && wb__alloc_held() == 0);
}

static void
check_deadlines(void)
{
    static wb__timed timed[8];
    wb__deadlines deadlines = { 0 };
    enum wb__deadline_kind kind;
    wb__deadlines_init(&deadlines);
    deadlines.length[WB__HEAD] = 100;
    deadlines.length[WB__IDLE] = 10;
    CHECK(wb__deadline_next(&deadlines, 0) == -1);
    for (uint64_t i = 0; i < 8; i++) {
        wb__deadline_arm(&deadlines, &timed[i], i % 2 ? WB__IDLE : WB__HEAD,
                         i);
    }
    CHECK(wb__deadline_next(&deadlines, 5) == 6);
    CHECK(wb__deadline_expired(&deadlines, 10, &kind) == NULL);
    CHECK(wb__deadline_expired(&deadlines, 11, &kind) == &timed[1]);
    CHECK(kind == WB__IDLE && timed[1].kind == WB__NO_DEADLINE);
    wb__deadline_clear(&timed[3]);
    wb__deadline_clear(&timed[3]);
    wb__deadline_arm(&deadlines, &timed[5], WB__WRITE, 12); /* it is off */
    CHECK(timed[5].kind == WB__NO_DEADLINE);
    CHECK(wb__deadline_expired(&deadlines, 99, &kind) == &timed[7]);
    for (int i = 0; i < 8; i += 2) {
        CHECK(wb__deadline_expired(&deadlines, 1000, &kind) == &timed[i]);
        CHECK(kind == WB__HEAD);
    }
    CHECK(wb__deadline_next(&deadlines, 1000) == -1);
}

int
main(void)
{
    wb_config_init(&config);
    config.max_body = 100;
    RUN(check_bodies(100, 100)); /* in memory */
    RUN(check_bodies(3, 100));   /* the later bytes in a file */
    RUN(check_bodies(100, 0));   /* all in a file */
    RUN(check_discarding());
    RUN(check_limits());
    RUN(check_heads());
    RUN(check_buf());
    RUN(check_deadlines());
    return 0;
}
