/* Who owns what: requests that are held, blocks that are kept, descriptors,
 * and a server in a process that did not make it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "check.h"
#include "wire.h"

enum { BIG = 1 << 20, TURNS = 4000 };

static wire the_wire;
static char big[BIG];

static void
streaming(wb_config *config)
{
    config->stream_body = 1;
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

static wb_request *
ask(const char *text)
{
    wire_connect(&the_wire);
    say(text);
    return next_request();
}

static void
turn_a_little(void)
{
    for (int i = 0; i < 20; i++) {
        CHECK(wb_server_poll(the_wire.server, 1) >= 0);
    }
}

/* Reads until the connection ends. 0: by FIN, otherwise errno. */
static int
read_to_end(size_t *total)
{
    static char data[65536];
    *total = 0;
    for (int quiet = 0;; quiet++) {
        CHECK(quiet < TURNS);
        if (the_wire.server != NULL) {
            CHECK(wb_server_poll(the_wire.server, 1) != WB_FORKED);
        }
        ssize_t n = recv(the_wire.client, data, sizeof(data), 0);
        if (n > 0) {
            *total += (size_t)n;
            quiet = 0;
        } else if (n == 0 || errno != EAGAIN) {
            return n == 0 ? 0 : errno;
        }
    }
}

/* ---- requests that are held --------------------------------------------- */

static void
expect_every_call_to_say(wb_request *request, int code)
{
    char body[8];
    void *owner = &the_wire;
    CHECK(wb_request_read(request, body, sizeof(body)) == code);
    CHECK(wb_request_wait(request, 0, 0) == code);
    CHECK(wb_request_wait(request, 1, -1) == code);
    CHECK(wb_request_head(request, &wire_ok, -1) == code);
    CHECK(wb_request_write(request, big, BIG, &owner) == code);
    CHECK(wb_request_file(request, 0, 0, 1) == code);
    CHECK(wb_request_respond(request, &wire_ok, big, BIG, &owner) == code);
    CHECK(wb_request_finish(request) == code);
    CHECK(wb_request_abort(request) == code);
    CHECK(wb_request_error(request, 500) == code);
    CHECK(owner == &the_wire);
}

static void
expect_to_read_as_before(const wb_request *request)
{
    CHECK(memcmp(request->base + request->path.off, "/held", 5) == 0);
    CHECK(request->fields->names->count == 2 && request->fields->base != NULL);
    CHECK(request->body == NULL && request->peer[0] == '\0');
}

static const char held_text[] = "POST /held HTTP/1.1\r\nHost: a\r\n"
                                "Content-Length: 5\r\n\r\nhello";

static int
respond(wb_request *request)
{
    return wb_request_respond(request, &wire_ok, "hello", 5, NULL);
}

static int
finish(wb_request *request)
{
    CHECK(wb_request_head(request, &wire_ok, 0) == 0);
    return wb_request_finish(request);
}

static int
error(wb_request *request)
{
    return wb_request_error(request, 500);
}

static void
check_held(int (*end)(wb_request *request))
{
    CHECK(wire_open(&the_wire, NULL) == 0);
    wb_request *request = ask(held_text);
    wb_request_hold(request);
    wb_request_hold(request);
    CHECK(end(request) == 0);
    turn_a_little();
    expect_to_read_as_before(request);
    expect_every_call_to_say(request, WB_OVER);
    wb_request_release(request);
    expect_to_read_as_before(request);
    wb_request_release(request);
    wire_close(&the_wire);
    CHECK(wb__alloc_held() == 0);
}

/* Released before its end, it ends as if nobody had held it. */
static void
check_held_for_a_while(void)
{
    CHECK(wire_open(&the_wire, NULL) == 0);
    for (int i = 0; i < 3; i++) {
        wb_request *request = ask(held_text);
        wb_request_hold(request);
        wb_request_release(request);
        CHECK(respond(request) == 0);
    }
    wire_close(&the_wire);
    CHECK(wb__alloc_held() == 0);
}

static void
check_held_longer_than_the_server(int ended)
{
    CHECK(wire_open(&the_wire, NULL) == 0);
    wb_request *request = ask(held_text);
    wb_request_hold(request);
    if (ended) {
        CHECK(respond(request) == 0);
    }
    wire_close(&the_wire);
    expect_to_read_as_before(request);
    expect_every_call_to_say(request, WB_OVER);
    wb_request_release(request);
    CHECK(wb__alloc_held() == 0);
}

/* ---- blocks that are kept ----------------------------------------------- */

static int owners[3];

static void *
next_released(void)
{
    void *owner = NULL;
    for (int i = 0; owner == NULL; i++) {
        CHECK(i < TURNS);
        CHECK(wb_server_poll(the_wire.server, 1) >= 0);
        owner = wb_server_released(the_wire.server);
    }
    return owner;
}

/* One response of two blocks, of which its client takes little. */
static wb_request *
keep_two(void)
{
    wb_request *request = ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    CHECK(wb_request_head(request, &wire_ok, -1) == 0);
    for (int i = 0; i < 2; i++) {
        void *owner = &owners[i];
        CHECK(wb_request_write(request, big, BIG, &owner) == WB_FULL);
        CHECK(owner == NULL);
    }
    CHECK(wb_server_released(the_wire.server) == NULL);
    return request;
}

static void
check_kept_until_sent(void)
{
    size_t total;
    CHECK(wire_open(&the_wire, wire_narrow) == 0);
    wb_request *request = keep_two();
    CHECK(wb__alloc_held() < 40); /* references, not copies */
    CHECK(wb_request_finish(request) == 0);
    CHECK(shutdown(the_wire.client, SHUT_WR) == 0);
    CHECK(read_to_end(&total) == 0 && total > 2 * (size_t)BIG);
    int seen = 0;
    for (int i = 0; i < 2; i++) {
        seen |= 1 << ((int *)next_released() - owners);
    }
    CHECK(seen == 3 && wb_server_released(the_wire.server) == NULL);
    wire_close(&the_wire);
    CHECK(wb__alloc_held() == 0);
}

static void
check_kept_until_lost(int vanishes)
{
    CHECK(wire_open(&the_wire, wire_narrow) == 0);
    wb_request *request = keep_two();
    if (vanishes) {
        struct linger hard = { 1, 0 };
        setsockopt(the_wire.client, SOL_SOCKET, SO_LINGER, &hard,
                   sizeof(hard));
        close(the_wire.client);
        the_wire.client = -1;
    } else {
        CHECK(wb_request_abort(request) == 0);
    }
    CHECK(next_released() != next_released());
    CHECK(wb_server_released(the_wire.server) == NULL);
    if (vanishes) {
        CHECK(wb_request_abort(request) == 0);
    }
    wire_close(&the_wire);
    CHECK(wb__alloc_held() == 0);
}

static void
check_kept_until_closed(void)
{
    CHECK(wire_open(&the_wire, wire_narrow) == 0);
    keep_two();
    wb_server_close(the_wire.server);
    CHECK(wb_server_released(the_wire.server) != NULL);
    CHECK(wb_server_released(the_wire.server) != NULL);
    CHECK(wb_server_released(the_wire.server) == NULL);
    wire_close(&the_wire);
    CHECK(wb__alloc_held() == 0);
}

/* The kernel took it all, or little is left: nothing is kept. */
static void
check_small_blocks_stay_the_caller_s(void)
{
    CHECK(wire_open(&the_wire, NULL) == 0);
    wb_request *request = ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    void *owner = &owners[0];
    CHECK(wb_request_respond(request, &wire_ok, big, 30000, &owner) == 0);
    CHECK(owner == &owners[0]);
    wire_close(&the_wire);
    CHECK(wb__alloc_held() == 0);
}

/* ---- files -------------------------------------------------------------- */

static int
file_of(char byte, size_t size)
{
    int fd = memfd_create("file", 0);
    CHECK(fd >= 0);
    memset(big, byte, size);
    CHECK(write(fd, big, size) == (ssize_t)size);
    return fd;
}

/* The caller closes its descriptor at once, and the number is used again. */
static void
check_closed_file(void)
{
    static char data[65536];
    size_t total = 0;
    CHECK(wire_open(&the_wire, wire_narrow) == 0);
    wb_request *request = ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    int fd = file_of('a', BIG);
    CHECK(wb_request_head(request, &wire_ok, BIG) == 0);
    CHECK(wb_request_file(request, fd, 0, BIG) == WB_FULL);
    close(fd);
    CHECK(file_of('!', BIG) == fd);
    for (int quiet = 0; total < BIG; quiet++) {
        CHECK(quiet < TURNS);
        CHECK(wb_server_poll(the_wire.server, 1) >= 0);
        ssize_t n = recv(the_wire.client, data, sizeof(data), 0);
        if (n > 0) {
            CHECK(memchr(data, '!', (size_t)n) == NULL);
            total += (size_t)n;
            quiet = 0;
        }
    }
    CHECK(next_request() == request && wb_request_finish(request) == 0);
    close(fd);
    wire_close(&the_wire);
    CHECK(wb__alloc_held() == 0);
}

static void
check_short_file(void)
{
    size_t total;
    CHECK(wire_open(&the_wire, NULL) == 0);
    wb_request *request = ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    int fd = file_of('a', 100);
    CHECK(wb_request_head(request, &wire_ok, 200) == 0);
    CHECK(wb_request_file(request, fd, 0, 200) == WB_GONE);
    close(fd);
    CHECK(wb_request_finish(request) == WB_GONE);
    CHECK(read_to_end(&total) == ECONNRESET && total > 100);
    wire_close(&the_wire);
    CHECK(wb__alloc_held() == 0);
}

/* ---- Expect ------------------------------------------------------------- */

static const char expecting[] = "POST /held HTTP/1.1\r\nHost: a\r\n"
                                "Expect: 100-continue\r\n"
                                "Transfer-Encoding: chunked\r\n\r\n";
static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";

static void
expect_interim(void)
{
    char data[100];
    ssize_t n = recv(the_wire.client, data, sizeof(data), 0);
    CHECK(n == sizeof(interim) - 1);
    CHECK(memcmp(data, interim, (size_t)n) == 0);
}

static void
check_expect_before_the_call(void)
{
    CHECK(wire_open(&the_wire, NULL) == 0);
    wire_connect(&the_wire);
    say(expecting);
    turn_a_little();
    expect_interim();
    say("5\r\nhello\r\n");
    turn_a_little();
    CHECK(wb_server_take(the_wire.server) == NULL);
    say("0\r\n\r\n");
    wb_request *request = next_request();
    CHECK(request->body_complete && request->content_length == 5);
    CHECK(respond(request) == 0);
    wire_close(&the_wire);
    CHECK(wb__alloc_held() == 0);
}

static void
check_expect_streamed(void)
{
    char body[10];
    CHECK(wire_open(&the_wire, streaming) == 0);
    wb_request *request = ask(expecting);
    CHECK(recv(the_wire.client, body, sizeof(body), 0) < 0);
    CHECK(wb_request_read(request, body, sizeof(body)) == WB_AGAIN);
    expect_interim();
    CHECK(wb_request_abort(request) == 0);
    wire_close(&the_wire);
    CHECK(wb__alloc_held() == 0);
}

/* ---- answers that are cut off ------------------------------------------- */

static void
begin_until_close(wb_request *request)
{
    CHECK(wb_request_head(request, &wire_ok, -1) == 0);
    CHECK(wb_request_write(request, "part of it", 10, NULL) == 0);
}

/* However the server gives up an answer of HTTP/1.0, it does not look
 * whole. */
static void
check_cut_by(int way)
{
    size_t total;
    CHECK(wire_open(&the_wire, NULL) == 0);
    wb_request *request = ask("GET / HTTP/1.0\r\n\r\n");
    begin_until_close(request);
    if (way == 0) {
        CHECK(wb_request_abort(request) == 0);
    } else if (way == 1) {
        CHECK(wb_request_error(request, 500) == 0);
    } else if (way == 2) {
        wb_server_stop(the_wire.server, 0); /* and no time to finish it */
    } else {
        wb_server_close(the_wire.server);
    }
    CHECK(read_to_end(&total) == ECONNRESET);
    if (way == 2) {
        CHECK(wb_request_finish(request) == WB_GONE);
    }
    wire_close(&the_wire);
    CHECK(wb__alloc_held() == 0);
}

/* ---- forks -------------------------------------------------------------- */

/* What a child does with its parent's server, and how that ends. */
static void
in_child(wb_request *request)
{
    wb_stats stats;
    wb_server *server = the_wire.server;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child > 0) {
        int status;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        return;
    }
    CHECK(wb_server_poll(server, -1) == WB_FORKED);
    CHECK(wb_server_run(server) == WB_FORKED);
    CHECK(wb_server_canned(server, "x", 1, 10) == WB_FORKED);
    CHECK(wb_server_take(server) == NULL);
    CHECK(wb_server_fileno(server) == WB_FORKED);
    CHECK(wb_server_wake_fd(server) == WB_FORKED);
    CHECK(wb_server_timeout(server) == -1);
    CHECK(wb_server_tls_reload(server) == WB_FORKED);
    CHECK(wb_server_stopped(server) == 1);
    wb_server_wake(server);
    wb_server_stop(server, 0);
    wb_server_stats(server, &stats);
    CHECK(stats.accepted > 0);
    if (request != NULL) {
        wb_request_hold(request);
        expect_every_call_to_say(request, WB_FORKED);
    }
    wb_server_free(server);
    if (request != NULL) {
        wb_request_release(request);
    }
    CHECK(wb__alloc_held() == 0);
    exit(0); /* with what the sanitizers have to say */
}

static void
expect_an_answer(void)
{
    for (int i = 0;; i++) {
        CHECK(i < TURNS);
        wire_turn(&the_wire);
        if (wire_count(&the_wire, "hello") == 1) {
            return;
        }
    }
}

static void
check_fork_between_requests(void)
{
    CHECK(wire_open(&the_wire, NULL) == 0);
    CHECK(wb_server_wake_fd(the_wire.server) >= 0);
    wire_connect(&the_wire);
    say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_an_answer();
    in_child(NULL);
    the_wire.size = 0;
    say("GET / HTTP/1.1\r\nHost: a\r\n\r\n"); /* the connection is kept */
    expect_an_answer();
    wire_connect(&the_wire); /* and new ones are let in */
    say("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_an_answer();
    wire_close(&the_wire);
    CHECK(wb__alloc_held() == 0);
}

static void
check_fork_in_a_request(int slow)
{
    size_t total;
    CHECK(wire_open(&the_wire, wire_narrow) == 0);
    wb_request *request
        = slow ? keep_two() : ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    in_child(request);
    CHECK((slow ? wb_request_finish(request) : respond(request)) == 0);
    CHECK(shutdown(the_wire.client, SHUT_WR) == 0);
    CHECK(read_to_end(&total) == 0);
    CHECK(slow ? total > 2 * (size_t)BIG : total > 50);
    while (wb_server_released(the_wire.server) != NULL) {
    }
    wire_close(&the_wire);
    CHECK(wb__alloc_held() == 0);
}

/* A child that lives on has a copy of the descriptor: the client learns of the
 * end all the same. */
static void
check_end_beside_a_child(int cut)
{
    size_t total;
    int gate[2];
    CHECK(wire_open(&the_wire, NULL) == 0);
    wb_request *request = ask("GET / HTTP/1.0\r\n\r\n");
    begin_until_close(request);
    CHECK(pipe(gate) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        char byte;
        close(gate[1]);
        _exit(read(gate[0], &byte, 1) != 0); /* until the parent is done */
    }
    if (cut) {
        CHECK(wb_request_abort(request) == 0);
    } else {
        CHECK(wb_request_finish(request) == 0);
    }
    CHECK(read_to_end(&total) == (cut ? ECONNRESET : 0));
    close(gate[0]);
    close(gate[1]);
    CHECK(waitpid(child, NULL, 0) == child);
    wire_close(&the_wire);
    CHECK(wb__alloc_held() == 0);
}

int
main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(check_held(respond));
    RUN(check_held(finish));
    RUN(check_held(error));
    RUN(check_held(wb_request_abort));
    RUN(check_held_for_a_while());
    RUN(check_held_longer_than_the_server(0));
    RUN(check_held_longer_than_the_server(1));
    RUN(check_kept_until_sent());
    RUN(check_kept_until_lost(0));
    RUN(check_kept_until_lost(1));
    RUN(check_kept_until_closed());
    RUN(check_small_blocks_stay_the_caller_s());
    RUN(check_closed_file());
    RUN(check_short_file());
    RUN(check_expect_before_the_call());
    RUN(check_expect_streamed());
    for (int way = 0; way < 4; way++) {
        RUN(check_cut_by(way));
    }
    RUN(check_fork_between_requests());
    RUN(check_fork_in_a_request(0));
    RUN(check_fork_in_a_request(1));
    RUN(check_end_beside_a_child(0));
    RUN(check_end_beside_a_child(1));
    return 0;
}
