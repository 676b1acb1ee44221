/* Corners that once were wrong: what is paused, half-closed, held back, or
 * refused a place in the poll set. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "check.h"
#include "wire.h"

enum { BIG = 4 << 20, TURNS = 4000 };

static wire the_wire;
static char big[BIG];

/* ---- helpers ------------------------------------------------------------ */

static void
narrow(wb_config *config)
{
    config->stream_body = 1;
    wire_narrow(config);
}

static void
no_limits(wb_config *config)
{
    config->max_line = config->max_head = config->max_fields = 0;
    config->max_body = 0;
}

static void
say(const char *text)
{
    size_t size = strlen(text);
    CHECK(send(the_wire.client, text, size, MSG_NOSIGNAL) == (ssize_t)size);
}

static wb_request *
next_request(void)
{
    wb_request *request = NULL;
    for (int i = 0; request == NULL; i++) {
        CHECK(i < TURNS);
        CHECK(wb_server_poll(the_wire.server, 1) >= 0);
        request = wb_server_take(the_wire.server);
    }
    return request;
}

static void
hello(wb_request *request)
{
    CHECK(wb_request_respond(request, &wire_ok, "hello", 5, NULL) == 0);
}

/* An answer that its client does not take yet. */
static void
begin_big(wb_request *request)
{
    CHECK(wb_request_head(request, &wire_ok, -1) == 0);
    CHECK(wb_request_write(request, big, sizeof(big), NULL) == WB_FULL);
}

/* Bytes that came back, up to the end of the connection; answers what is
 * asked meanwhile. */
static size_t
read_to_end(int *hellos)
{
    static char data[65536];
    size_t total = 0;
    *hellos = 0;
    for (int quiet = 0;; quiet++) {
        CHECK(quiet < TURNS); /* the server forgot this connection */
        CHECK(wb_server_poll(the_wire.server, 1) >= 0);
        wb_request *request = wb_server_take(the_wire.server);
        if (request != NULL && request->event == WB_NEW) {
            *hellos += wb_request_respond(request, &wire_ok, "hello", 5, NULL)
                == 0;
        } else if (request != NULL) {
            wb_request_finish(request);
        }
        ssize_t n = recv(the_wire.client, data, sizeof(data), 0);
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            return total;
        }
        if (n > 0) {
            total += (size_t)n;
            quiet = 0;
        }
    }
}

static void
expect_nobody(void)
{
    wb_stats stats;
    for (int i = 0; i < 20; i++) {
        CHECK(wb_server_poll(the_wire.server, 1) >= 0);
        CHECK(wb_server_take(the_wire.server) == NULL);
    }
    wb_server_stats(the_wire.server, &stats);
    CHECK(stats.connections == 0 && stats.busy == 0);
}

/* ---- corners ------------------------------------------------------------ */

/* The answer to the first request is not kept until the body of the second is
 * there: the client may wait for it. */
static void
check_no_answer_waits_for_a_body(void)
{
    char data[2000], body[10];
    CHECK(wire_open(&the_wire, narrow) == 0);
    wire_connect(&the_wire);
    say("GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n");
    hello(next_request());
    wb_request *request = next_request();
    CHECK(wb_request_read(request, body, sizeof(body)) == WB_AGAIN);
    CHECK(wb_request_wait(request, 1, 5) == WB_AGAIN);
    ssize_t n = recv(the_wire.client, data, sizeof(data), 0);
    CHECK(n > 0 && memmem(data, (size_t)n, "hello", 5) != NULL);
    say("abcde");
    CHECK(wb_request_wait(request, 1, 1000) == 0);
    CHECK(wb_request_read(request, body, sizeof(body)) == 5);
    hello(request);
    wire_close(&the_wire);
}

/* Ended by its caller while it waits for its client. */
static void
check_ended_while_paused(void (*end)(wb_request *request))
{
    CHECK(wire_open(&the_wire, narrow) == 0);
    wire_connect(&the_wire);
    say("GET / HTTP/1.0\r\n\r\n");
    wb_request *request = next_request();
    begin_big(request);
    end(request);
    int hellos;
    read_to_end(&hellos);
    CHECK(hellos == 0);
    expect_nobody();
    wire_close(&the_wire);
    CHECK(wb__alloc_held() == 0);
}

static void
abort_it(wb_request *request)
{
    CHECK(wb_request_abort(request) == 0);
}

static void
finish(wb_request *request)
{
    CHECK(wb_request_finish(request) == 0);
}

static void
vanish_and_write(wb_request *request)
{
    struct linger hard = { 1, 0 };
    setsockopt(the_wire.client, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close(the_wire.client);
    wire_connect(&the_wire);
    shutdown(the_wire.client, SHUT_WR);
    for (int i = 0; wb_request_write(request, big, 10, NULL) != WB_GONE; i++) {
        CHECK(i < TURNS);
        CHECK(wb_server_poll(the_wire.server, 1) >= 0);
    }
    wb_request_finish(request);
}

/* Who has asked for two and sends no more gets two, however slowly he takes
 * the first. */
static void
check_half_closed(void)
{
    int hellos;
    CHECK(wire_open(&the_wire, narrow) == 0);
    wire_connect(&the_wire);
    say("GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        "GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT");
    wb_request *request = next_request();
    begin_big(request);
    CHECK(wb_request_finish(request) == 0);
    CHECK(shutdown(the_wire.client, SHUT_WR) == 0);
    CHECK(read_to_end(&hellos) > BIG && hellos == 1);
    expect_nobody();
    wire_close(&the_wire);
}

/* A body that nobody reads, behind it half a request, and the end: while the
 * answer is still on its way. */
static void
check_half_a_request_behind_a_body(void)
{
    int hellos;
    CHECK(wire_open(&the_wire, narrow) == 0);
    wire_connect(&the_wire);
    say("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
    wb_request *request = next_request();
    begin_big(request);
    CHECK(wb_request_finish(request) == 0);
    say("defghi"
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
    for (int i = 0; i < 20; i++) {
        CHECK(wb_server_poll(the_wire.server, 1) >= 0);
        CHECK(wb_server_take(the_wire.server) == NULL);
    }
    CHECK(shutdown(the_wire.client, SHUT_WR) == 0);
    CHECK(read_to_end(&hellos) > BIG);
    expect_nobody();
    wire_close(&the_wire);
}

static void
check_limits_switched_off(void)
{
    static char head[60000];
    CHECK(wire_open(&the_wire, no_limits) == 0);
    size_t size = (size_t)sprintf(head,
                                  "GET / HTTP/1.1\r\nHost: a\r\n"
                                  "Connection: close\r\n");
    while (size < 50000) {
        size += (size_t)sprintf(head + size, "X-%zu: v\r\n", size);
    }
    size += (size_t)sprintf(head + size, "\r\n");
    wire_talk(&the_wire, head, size, 0);
    CHECK(wire_count(&the_wire, "HTTP/1.1 200 OK") == 1);
    wire_close(&the_wire);
}

/* ---- no place in the poll set ------------------------------------------- */

static int refuse_at; /* 1: the next one */

/* In place of libc's, for libuv, which tries a descriptor (data.fd is -1)
 * before it takes it. */
__attribute__((visibility("default"))) int
epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    if (op == EPOLL_CTL_ADD && event->data.fd == -1 && refuse_at > 0
        && --refuse_at == 0) {
        errno = ENOSPC;
        return -1;
    }
    return (int)syscall(SYS_epoll_ctl, epfd, op, fd, event);
}

static void
check_no_place_in_the_poll_set(void)
{
    static const char *const talks[] = {
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", /* refused */
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
        "Connection: close\r\n\r\nab",
        "GET /file HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof(talks) / sizeof(talks[0]); i++) {
        for (int n = 1; n < 5; n++) {
            refuse_at = n;
            if (wire_open(&the_wire, narrow) < 0) {
                CHECK(refuse_at == 0);
                continue;
            }
            wire_talk(&the_wire, talks[i], strlen(talks[i]), 20);
            CHECK(n > 1 || refuse_at == 0); /* it came to that */
            refuse_at = 0;
            wire_talk(&the_wire, talks[0], strlen(talks[0]), 0);
            CHECK(wire_count(&the_wire, "hello") == 1);
            wire_close(&the_wire);
            CHECK(wb__alloc_held() == 0);
        }
    }
}

/* A refusal that the client does not take needs a place, too. */
static void
check_no_place_for_a_slow_client(void)
{
    CHECK(wire_open(&the_wire, narrow) == 0);
    wire_connect(&the_wire);
    say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    wb_request *request = next_request();
    CHECK(wb_request_head(request, &wire_ok, -1) == 0);
    refuse_at = 1;
    CHECK(wb_request_write(request, big, sizeof(big), NULL) == WB_GONE);
    CHECK(refuse_at == 0);
    CHECK(wb_request_finish(request) == WB_GONE);
    expect_nobody();
    wire_close(&the_wire);
    CHECK(wb__alloc_held() == 0);
}

int
main(void)
{
    RUN(check_no_answer_waits_for_a_body());
    RUN(check_ended_while_paused(abort_it));
    RUN(check_ended_while_paused(finish));
    RUN(check_ended_while_paused(vanish_and_write));
    RUN(check_half_closed());
    RUN(check_half_a_request_behind_a_body());
    RUN(check_limits_switched_off());
    RUN(check_no_place_in_the_poll_set());
    RUN(check_no_place_for_a_slow_client());
    return 0;
}
