/* Whole conversations: every cut, every vanishing point, every allocation
 * failing in turn. */
#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "check.h"
#include "wire.h"

#define HOST  "Host: a\r\n"
#define CLOSE "Connection: close\r\n"

typedef struct talk {
    const char *text;
    int answers; /* with status 200 */
    const char *also;
} talk;

static const talk talks[] = {
    { "GET / HTTP/1.1\r\n" HOST CLOSE "\r\n", 1, "hello" },
    { "GET /%41?q HTTP/1.1\r\n" HOST "\r\n"
      "GET / HTTP/1.1\r\n" HOST CLOSE "\r\n",
      2, "hello" },
    { "GET / HTTP/1.0\r\n\r\n", 1, "hello" },
    { "HEAD / HTTP/1.1\r\n" HOST CLOSE "\r\n", 1, "Content-Length: 5" },
    { "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nabcde"
      "GET / HTTP/1.1\r\n" HOST CLOSE "\r\n",
      2, "abcde" },
    { "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
      "\r\n3\r\nabc\r\n2;x=\"y\"\r\nde\r\n0\r\nT: v\r\n\r\n"
      "GET / HTTP/1.1\r\n" HOST CLOSE "\r\n",
      2, "abcde" },
    { "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
      "GET /file HTTP/1.1\r\n" HOST CLOSE "\r\n",
      2, "a file, sent as one" },
    { "GET /error HTTP/1.1\r\n" HOST "\r\n", 0, "HTTP/1.1 500 " },
    { "GET /abort HTTP/1.1\r\n" HOST "\r\n", 0, "" },
    { "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 0,
      "HTTP/1.1 400 " },
    { "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n"
      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      0, "HTTP/1.1 400 " },
    { "GET / HTTP/1.1\r\n" HOST "A: b\r\n A: c\r\n\r\n", 0, "HTTP/1.1 400 " },
    { "GET / HTTP/1.1\nHost: a\n\n", 0, "HTTP/1.1 400 " },
    { "POST /echo HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"
      "fffffffffffffffff\r\n",
      0, "Connection: close" }, /* 400, or the application's 500 */
};

enum { TALKS = sizeof(talks) / sizeof(talks[0]) };

static wire the_wire;
static int null_fd;

static void
small(wb_config *config)
{
    config->body_memory = 4; /* larger bodies go to a file */
    config->log_format = "combined";
    config->log_fd = null_fd;
}

static void
streaming(wb_config *config)
{
    config->stream_body = 1;
}

static void
expect(const talk *talk)
{
    if (wire_count(&the_wire, "HTTP/1.1 200 ") != talk->answers) {
        fprintf(stderr, "%s\nwas answered\n%.*s\n", talk->text,
                (int)the_wire.size, the_wire.data);
    }
    CHECK(wire_count(&the_wire, "HTTP/1.1 200 ") == talk->answers);
    if (talk->also[0] != '\0') {
        CHECK(wire_count(&the_wire, talk->also) >= 1);
    }
}

static void
every_cut(void (*configure)(wb_config *config))
{
    CHECK(wire_open(&the_wire, configure) == 0);
    for (int i = 0; i < TALKS; i++) {
        size_t size = strlen(talks[i].text);
        for (size_t cut = 0; cut < size; cut++) {
            wire_talk(&the_wire, talks[i].text, size, cut);
            expect(&talks[i]);
        }
    }
    wire_close(&the_wire);
    CHECK(wb__alloc_held() == 0);
}

static void
every_vanishing(void (*configure)(wb_config *config))
{
    CHECK(wire_open(&the_wire, configure) == 0);
    for (int i = 0; i < TALKS; i++) {
        size_t size = strlen(talks[i].text);
        for (size_t kept = 0; kept <= size; kept++) {
            wire_vanish(&the_wire, talks[i].text, kept, kept % 2 == 0);
        }
    }
    wire_talk(&the_wire, talks[0].text, strlen(talks[0].text), 0);
    expect(&talks[0]);
    wire_close(&the_wire);
    CHECK(wb__alloc_held() == 0);
}

/* One conversation with the n-th allocation failing, then one without. 0: it
 * did not come to that any more. */
static int
with_failure(const talk *talk, long n, void (*configure)(wb_config *config))
{
    int failed;
    wb__alloc_fail_at(n);
    if (wire_open(&the_wire, configure) == 0) {
        wire_talk(&the_wire, talk->text, strlen(talk->text), 20);
        failed = wb__alloc_failed();
        wb__alloc_fail_at(0);
        CHECK(wire_count(&the_wire, "abcde") <= 1); /* nothing sent twice */
        wire_talk(&the_wire, talks[0].text, strlen(talks[0].text), 0);
        expect(&talks[0]);
        /* The same conversation is unharmed by what went before. */
        wire_talk(&the_wire, talk->text, strlen(talk->text), 0);
        expect(talk);
        wire_close(&the_wire);
    } else {
        failed = wb__alloc_failed();
        CHECK(failed);
    }
    wb__alloc_fail_at(0);
    CHECK(wb__alloc_held() == 0);
    return failed;
}

static void
every_allocation(void (*configure)(wb_config *config))
{
    for (int i = 0; i < TALKS; i++) {
        long n = 1;
        while (with_failure(&talks[i], n, configure)) {
            n++;
        }
        CHECK(n > 3); /* a server is more than three */
    }
}

int
main(void)
{
    null_fd = open("/dev/null", O_WRONLY);
    CHECK(null_fd >= 0);
    RUN(every_cut(NULL));
    RUN(every_cut(small));
    RUN(every_cut(streaming));
    RUN(every_vanishing(NULL));
    RUN(every_vanishing(streaming));
    RUN(every_allocation(small));
    RUN(every_allocation(streaming));
    return 0;
}
