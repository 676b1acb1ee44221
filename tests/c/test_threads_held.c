/* Threads that the application starts: they hold a request while another ends
 * it, the server polls, or is closed. And with threads of the server: who
 * turns the loop while one of them is held up. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "check.h"
#include "wire.h"

enum { ROUNDS = 60, CUTS = 200 };

static wb_server *server;
static struct sockaddr_in address;

/* ---- both ends ---------------------------------------------------------- */

static void
start(int threaded)
{
    wb_config config;
    wb_config_init(&config);
    config.listen_fd = wire_listen(&address);
    config.threaded = (uint8_t)threaded;
    config.stream_body = 1;
    CHECK(wb_server_new(&config, &server) == 0);
}

static void
stop(void)
{
    wb_server_free(server);
    CHECK(wb__alloc_held() == 0);
}

static int
visit(const char *text)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    CHECK(send(fd, text, strlen(text), MSG_NOSIGNAL) > 0);
    return fd;
}

static wb_request *
next_request(void)
{
    wb_request *request;
    do {
        CHECK(wb_server_poll(server, 100) >= 0);
        request = wb_server_take(server);
    } while (request == NULL);
    return request;
}

static const char half[] = "POST / HTTP/1.1\r\nHost: a\r\n"
                           "Content-Length: 10\r\n\r\nhello";

/* ---- helpers ------------------------------------------------------------ */

typedef struct helper {
    pthread_t thread;
    wb_request *request;
    atomic_int waits;
    int size, code; /* of the body; how it ended */
} helper;

/* Reads the body to its end, and lets go of the request. */
static void *
read_body(void *argument)
{
    helper *self = argument;
    char body[100];
    for (;;) {
        int64_t n = wb_request_read(self->request, body, sizeof(body));
        if (n == WB_AGAIN) {
            self->waits++;
            n = wb_request_wait(self->request, 1, 5000);
            if (n == 0) {
                continue;
            }
        }
        if (n <= 0) {
            self->code = (int)n;
            break;
        }
        self->size += (int)n;
    }
    wb_request_release(self->request);
    return NULL;
}

static void
help(helper *self, wb_request *request)
{
    memset(self, 0, sizeof(*self));
    self->request = request;
    wb_request_hold(request);
    CHECK(pthread_create(&self->thread, NULL, read_body, self) == 0);
    while (self->waits == 0) { /* it has what is there, and waits for more */
        sched_yield();
    }
}

/* The thread that took the request ends it under the helper, which was turning
 * the loop. */
static void
check_ended_by_another(void)
{
    start(0);
    for (int i = 0; i < ROUNDS; i++) {
        helper one, two;
        int fd = visit(half);
        wb_request *request = next_request();
        help(&one, request);
        help(&two, request);
        CHECK(wb_request_respond(request, &wire_ok, "hello", 5, NULL) == 0);
        pthread_join(one.thread, NULL);
        pthread_join(two.thread, NULL);
        CHECK(one.code == WB_OVER && two.code == WB_OVER);
        CHECK(one.size + two.size == 5);
        close(fd);
    }
    stop();
}

/* The body comes while the thread that took the request polls, too. */
static void
check_read_while_polling(void)
{
    start(0);
    for (int i = 0; i < ROUNDS; i++) {
        helper one;
        int fd = visit(half);
        wb_request *request = next_request();
        help(&one, request);
        CHECK(wb_server_poll(server, 1) >= 0);
        CHECK(send(fd, "world", 5, MSG_NOSIGNAL) == 5);
        int other = visit("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        wb_request *second = next_request(); /* the helper is not in its way */
        CHECK(wb_request_respond(second, &wire_ok, "hello", 5, NULL) == 0);
        pthread_join(one.thread, NULL);
        CHECK(one.code == 0 && one.size == 10);
        CHECK(wb_request_respond(request, &wire_ok, "hello", 5, NULL) == 0);
        close(fd);
        close(other);
    }
    stop();
}

static void
check_closed_under_a_helper(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        helper one;
        start(0);
        int fd = visit(half);
        help(&one, next_request());
        wb_server_free(server);
        pthread_join(one.thread, NULL);
        CHECK(one.code == WB_OVER && one.size == 5);
        CHECK(wb__alloc_held() == 0);
        close(fd);
    }
}

/* ---- with threads ------------------------------------------------------- */

static void *
run(void *unused)
{
    (void)unused;
    CHECK(wb_server_run(server) == 0);
    return NULL;
}

static void
check_threaded_ended_by_another(void)
{
    pthread_t loop;
    start(1);
    pthread_create(&loop, NULL, run, NULL);
    for (int i = 0; i < ROUNDS; i++) {
        helper one;
        int fd = visit(half);
        wb_request *request = next_request();
        help(&one, request);
        CHECK(wb_request_abort(request) == 0);
        pthread_join(one.thread, NULL);
        CHECK(one.code == WB_OVER && one.size == 5);
        close(fd);
    }
    wb_server_close(server); /* waits until the loop's thread is out of it */
    pthread_join(loop, NULL);
    stop();
}

/* Ended by a thread that does not turn the loop, a cut answer is a reset. */
static void
check_threaded_cuts(void)
{
    pthread_t loop;
    start(1);
    pthread_create(&loop, NULL, run, NULL);
    for (int i = 0; i < CUTS; i++) {
        char data[1000];
        ssize_t n;
        int fd = visit("GET / HTTP/1.0\r\n\r\n");
        wb_request *request = next_request();
        CHECK(wb_request_head(request, &wire_ok, -1) == 0);
        CHECK(wb_request_write(request, "part of it", 10, NULL) == 0);
        if (i % 2) { /* it is in the poll set by now */
            CHECK(recv(fd, data, sizeof(data), 0) > 0);
        }
        CHECK(wb_request_abort(request) == 0);
        while ((n = recv(fd, data, sizeof(data), 0)) > 0) {
        }
        CHECK(n < 0 && errno == ECONNRESET);
        close(fd);
    }
    wb_server_stop(server, 0);
    pthread_join(loop, NULL);
    stop();
}

/* ---- the lead ----------------------------------------------------------- */

static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

static void
answer(wb_request *request)
{
    CHECK(wb_request_respond(request, &wire_ok, "hello", 5, NULL) == 0);
}

static void
expect_hello(int fd)
{
    char data[1000];
    ssize_t n = recv(fd, data, sizeof(data), 0);
    CHECK(n > 5 && memcmp(data + n - 5, "hello", 5) == 0);
}

static void
read_whole(wb_request *request)
{
    char body[100];
    for (int64_t got = 0, n; got < 10; got += n) {
        while ((n = wb_request_read(request, body, sizeof(body)))
               == WB_AGAIN) {
            CHECK(wb_request_wait(request, 1, -1) == 0);
        }
        CHECK(n > 0);
    }
}

static void *
answer_one(void *unused)
{
    (void)unused;
    answer(next_request());
    return NULL;
}

/* Nobody stands by yet: this thread leads, until so many have come. */
static void
lead_until(uint64_t requests)
{
    wb_stats stats;
    do {
        CHECK(wb_server_poll(server, 100) >= 0);
        wb_server_stats(server, &stats);
    } while (stats.requests < requests);
}

static void
answer_in_another(int fd)
{
    pthread_t worker;
    pthread_create(&worker, NULL, answer_one, NULL);
    expect_hello(fd);
    pthread_join(worker, NULL);
    close(fd);
}

/* One thread has read two requests, and stays with the first: the other is
 * answered, and one that comes later, and the body of the first is read. */
static void
check_leader_held_up(void)
{
    pthread_t loop;
    for (int i = 0; i < ROUNDS; i++) {
        start(1);
        int slow = visit(half);
        lead_until(1);
        int quick = visit(get);
        lead_until(2);
        wb_request *first = wb_server_take(server);
        CHECK(first->content_length == 10);
        pthread_create(&loop, NULL, run, NULL);
        answer_in_another(quick);
        answer_in_another(visit(get));
        CHECK(send(slow, "world", 5, MSG_NOSIGNAL) == 5);
        read_whole(first);
        answer(first);
        expect_hello(slow);
        close(slow);
        wb_server_stop(server, 0);
        pthread_join(loop, NULL);
        stop();
    }
}

/* What a connection sent ahead goes on in another thread, if the one that has
 * answered does not come back. */
static void
check_pipelined_behind_a_leader(void)
{
    pthread_t loop, worker;
    for (int i = 0; i < ROUNDS; i++) {
        start(1);
        pthread_create(&loop, NULL, run, NULL);
        int fd = visit("GET / HTTP/1.1\r\nHost: a\r\n\r\n"
                       "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        wb_request *first = next_request();
        pthread_create(&worker, NULL, answer_one, NULL);
        answer(first);
        pthread_join(worker, NULL); /* while this one is elsewhere */
        close(fd);
        wb_server_stop(server, 0);
        pthread_join(loop, NULL);
        stop();
    }
}

/* One thread does it all: nobody stands by. */
static void
check_alone(void)
{
    start(1);
    int fd = visit(half);
    wb_request *request = next_request();
    int other = visit(get);
    CHECK(wb_server_poll(server, -1) == 1); /* the call before this goes on */
    answer(wb_server_take(server));
    expect_hello(other);
    CHECK(send(fd, "world", 5, MSG_NOSIGNAL) == 5);
    read_whole(request);
    answer(request);
    expect_hello(fd);
    close(fd);
    close(other);
    stop();
}

/* A child frees the server whose threads sleep in its parent. */
static void
check_freed_in_a_child(void)
{
    pthread_t loop, worker;
    int status;
    start(1);
    pthread_create(&loop, NULL, run, NULL);
    pthread_create(&worker, NULL, answer_one, NULL);
    for (int i = 0; i < 50; i++) { /* the worker goes to sleep */
        sched_yield();
    }
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        wb_server_free(server);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    int fd = visit(get);
    expect_hello(fd);
    pthread_join(worker, NULL);
    close(fd);
    wb_server_stop(server, 0);
    pthread_join(loop, NULL);
    stop();
}

int
main(void)
{
    signal(SIGPIPE, SIG_IGN);
    RUN(check_ended_by_another());
    RUN(check_read_while_polling());
    RUN(check_closed_under_a_helper());
    RUN(check_threaded_ended_by_another());
    RUN(check_threaded_cuts());
    RUN(check_leader_held_up());
    RUN(check_pipelined_behind_a_leader());
    RUN(check_alone());
    RUN(check_freed_in_a_child());
    return 0;
}
