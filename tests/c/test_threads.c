/* The threaded mode: a thread that turns the loop, others that answer, others
 * that ask, vanish and are slow. Made for ThreadSanitizer; also a test that
 * nothing is lost or left. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "check.h"
#include "wire.h"

enum { WORKERS = 3, CLIENTS = 4, ROUNDS = 120, BIG = 300000 };

static wb_server *server;
static struct sockaddr_in address;
static atomic_int answered;
static int file;
static char big[BIG];

/* ---- workers ------------------------------------------------------------ */

static int
wait_for(wb_request *request, int for_body)
{
    int code;
    while ((code = wb_request_wait(request, for_body, 50)) == WB_AGAIN) {
    }
    return code;
}

static int
read_body(wb_request *request)
{
    char bytes[700];
    for (;;) {
        int64_t n = wb_request_read(request, bytes, sizeof(bytes));
        if (n == WB_AGAIN) {
            int code = wait_for(request, 1);
            if (code < 0) {
                return code;
            }
        } else if (n <= 0) {
            return (int)n;
        }
    }
}

static void
stream(wb_request *request, int whole)
{
    int code = wb_request_head(request, &wire_ok, whole ? 20 : -1);
    if (code == 0) {
        code = whole ? wb_request_file(request, file, 0, 20)
                     : wb_request_write(request, big, sizeof(big), NULL);
    }
    if (code == WB_FULL) {
        code = wait_for(request, 0);
    }
    if (code < 0) {
        wb_request_abort(request);
    } else {
        wb_request_finish(request);
    }
}

static void *
work(void *unused)
{
    (void)unused;
    while (!wb_server_stopped(server)) {
        wb_request *request = wb_server_take(server);
        if (request == NULL) {
            wb_server_poll(server, 50);
            continue;
        }
        CHECK(request->event == WB_NEW && request->user == NULL);
        request->user = request;
        if (read_body(request) < 0) {
            wb_request_error(request, 500);
        } else if (wire_path_is(request, "/big")) {
            stream(request, 0);
        } else if (wire_path_is(request, "/file")) {
            stream(request, 1);
        } else if (wire_path_is(request, "/abort")) {
            wb_request_abort(request);
        } else {
            wb_request_respond(request, &wire_ok, "hello", 5, NULL);
        }
        answered++;
    }
    return NULL;
}

static void *
run(void *unused)
{
    (void)unused;
    CHECK(wb_server_run(server) == 0);
    return NULL;
}

/* ---- clients ------------------------------------------------------------ */

/* 1: the text came, 0: the connection ended before. */
static int
receive(int fd, const char *text)
{
    static __thread char data[BIG + 1000];
    size_t size = 0;
    while (size < sizeof(data)) {
        ssize_t n = recv(fd, data + size, sizeof(data) - size, 0);
        if (n <= 0) {
            return 0;
        }
        size += (size_t)n;
        if (memmem(data, size, text, strlen(text)) != NULL) {
            return 1;
        }
    }
    return 0;
}

static void
say(int fd, const char *text)
{
    send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void
one_visit(int fd, int kind)
{
    switch (kind) {
    case 0:
        for (int i = 0; i < 5; i++) {
            say(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
            CHECK(receive(fd, "hello"));
        }
        break;
    case 1: /* a body in pieces */
        say(fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nab");
        say(fd, "cd");
        say(fd, "efGET /file HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(receive(fd, "twenty bytes of it"));
        break;
    case 2:
        say(fd, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(receive(fd, "\r\n0\r\n\r\n"));
        break;
    case 3: /* leaves in the middle of the answer */
        say(fd, "GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
        receive(fd, "200 OK");
        break;
    case 4: /* leaves in the middle of the body */
        say(fd, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nab");
        break;
    case 5:
        say(fd, "GET /abort HTTP/1.1\r\nHost: a\r\n\r\n");
        CHECK(!receive(fd, "hello"));
        break;
    case 6:
        say(fd,
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
            "\r\n5\r\nhello\r\nx");
        CHECK(!receive(fd, "hello"));
        break;
    default: /* several at once, and gone with a reset */
        say(fd,
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
            "GET /file HTTP/1.1\r\nHost: a\r\n\r\n"
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
}

static void *
visit(void *number)
{
    for (int round = 0; round < ROUNDS; round++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        CHECK(fd >= 0);
        CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
        int kind = (round + *(int *)number) % 8;
        one_visit(fd, kind);
        if (kind == 7 || kind == 3) {
            struct linger hard = { 1, 0 };
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
        }
        close(fd);
    }
    return NULL;
}

/* ---- all together ------------------------------------------------------- */

static void
start(int stream_body)
{
    wb_config config;
    int small = 8192;
    wb_config_init(&config);
    config.listen_fd = wire_listen(&address);
    setsockopt(config.listen_fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    config.threaded = 1;
    config.stream_body = (uint8_t)stream_body;
    config.write_high = 1000;
    CHECK(wb_server_new(&config, &server) == 0);
}

static void
check_threads(int stream_body)
{
    pthread_t loop, workers[WORKERS], clients[CLIENTS];
    int numbers[CLIENTS];
    wb_stats stats;
    start(stream_body);
    answered = 0;
    pthread_create(&loop, NULL, run, NULL);
    for (int i = 0; i < WORKERS; i++) {
        pthread_create(&workers[i], NULL, work, NULL);
    }
    for (int i = 0; i < CLIENTS; i++) {
        numbers[i] = 2 * i;
        pthread_create(&clients[i], NULL, visit, &numbers[i]);
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(clients[i], NULL);
    }
    wb_server_stop(server, 2000);
    pthread_join(loop, NULL);
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(workers[i], NULL);
    }
    wb_server_stats(server, &stats);
    CHECK(answered > CLIENTS * ROUNDS / 2);
    CHECK(stats.busy == 0 && stats.connections == 0);
    CHECK(stats.body_memory == 0);
    wb_server_free(server);
    CHECK(wb__alloc_held() == 0);
}

int
main(void)
{
    signal(SIGPIPE, SIG_IGN);
    file = memfd_create("file", 0);
    CHECK(file >= 0 && write(file, "twenty bytes of it\n", 20) == 20);
    RUN(check_threads(0));
    RUN(check_threads(1));
    return 0;
}
