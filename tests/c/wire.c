#define _GNU_SOURCE
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

enum { PATIENCE = 4000 }; /* turns of at most a millisecond */

/* ---- the client --------------------------------------------------------- */

static void
leave(wire *wire)
{
    if (wire->vanish == 2) {
        struct linger hard = { 1, 0 };
        setsockopt(wire->client, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    }
    close(wire->client);
    wire->client = -1;
    wire->eof = 1;
}

/* One piece. The application calls it too, when it waits for a body. */
static void
send_some(wire *wire)
{
    if (wire->client < 0) {
        return;
    }
    if (wire->unsent_size > 0) {
        size_t size
            = wire->unsent_size < wire->step ? wire->unsent_size : wire->step;
        ssize_t n = send(wire->client, wire->unsent, size, MSG_NOSIGNAL);
        if (n > 0) {
            wire->unsent += n;
            wire->unsent_size -= (size_t)n;
        } else if (errno != EAGAIN && errno != EINTR) {
            wire->unsent_size = 0; /* the server closed; its answer comes */
        }
    }
    if (wire->unsent_size == 0 && wire->vanish) {
        leave(wire);
    }
}

/* ---- the application: the path says how it answers ---------------------- */

static const char lines[] = "Content-Type\0text/plain";
const wb_head wire_ok = { .status = "200 OK",
                          .status_size = 6,
                          .lines = lines,
                          .lines_size = sizeof(lines),
                          .count = 1 };

int
wire_path_is(const wb_request *request, const char *path)
{
    return request->path.len == strlen(path)
        && memcmp(request->base + request->path.off, path, request->path.len)
        == 0;
}

/* Reads the body to its end; below 0: it has none. */
static int64_t
read_all(wire *wire, wb_request *request, char *out, size_t room)
{
    size_t size = 0;
    for (;;) {
        int64_t n = wb_request_read(request, out + size, room - size);
        if (n == WB_AGAIN) {
            send_some(wire);
            int error = wb_request_wait(request, 1, 20);
            if (error < 0 && error != WB_AGAIN) {
                return error;
            }
            continue;
        }
        if (n <= 0) {
            return n < 0 ? n : (int64_t)size;
        }
        size += (size_t)n;
        if (size == room) {
            return (int64_t)size;
        }
    }
}

static void
echo(wire *wire, wb_request *request)
{
    static char body[WIRE_ROOM];
    int64_t size = read_all(wire, request, body, sizeof(body));
    int code = size < 0 ? (int)size : wb_request_head(request, &wire_ok, -1);
    if (code < 0) {
        wb_request_error(request, 500);
        return;
    }
    for (int64_t at = 0; at < size && code >= 0; at += 1000) {
        size_t step = size - at < 1000 ? (size_t)(size - at) : 1000;
        code = wb_request_write(request, body + at, step, NULL);
        while (code == WB_FULL || code == WB_AGAIN) {
            code = wb_request_wait(request, 0, 20);
        }
    }
    if (code < 0) {
        wb_request_abort(request);
    } else {
        wb_request_finish(request);
    }
}

static void
send_file(wb_request *request)
{
    static const char text[] = "a file, sent as one\n";
    int fd = memfd_create("file", 0);
    CHECK(fd >= 0 && write(fd, text, sizeof(text) - 1) > 0);
    int code = wb_request_head(request, &wire_ok, sizeof(text) - 1);
    if (code >= 0) {
        code = wb_request_file(request, fd, 0, sizeof(text) - 1);
    }
    if (code < 0) {
        wb_request_error(request, 500);
    } else {
        wb_request_finish(request);
    }
    close(fd);
}

static void
answer(wire *wire, wb_request *request)
{
    if (wire_path_is(request, "/echo")) {
        echo(wire, request);
    } else if (wire_path_is(request, "/file")) {
        send_file(request);
    } else if (wire_path_is(request, "/error")) {
        wb_request_error(request, 500);
    } else if (wire_path_is(request, "/abort")) {
        wb_request_abort(request);
    } else {
        int code = wb_request_respond(request, &wire_ok, "hello", 5, NULL);
        if (code == WB_INVALID || code == WB_NOMEM) {
            wb_request_error(request, 500);
        }
    }
}

/* ---- both ends ---------------------------------------------------------- */

int
wire_listen(struct sockaddr_in *address)
{
    socklen_t size = sizeof(*address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0);
    address->sin_family = AF_INET;
    address->sin_port = 0;
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(fd, (struct sockaddr *)address, size) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)address, &size) == 0);
    return fd;
}

void
wire_narrow(wb_config *config)
{
    int small = 4096;
    CHECK(setsockopt(config->listen_fd, SOL_SOCKET, SO_SNDBUF, &small,
                     sizeof(small))
          == 0);
}

int
wire_open(wire *wire, void (*configure)(wb_config *config))
{
    struct sockaddr_in address;
    wb_config config;
    memset(wire, 0, sizeof(*wire));
    wire->client = -1;
    int fd = wire_listen(&address);
    wire->port = ntohs(address.sin_port);
    wb_config_init(&config);
    config.listen_fd = fd;
    if (configure != NULL) {
        configure(&config);
    }
    int error = wb_server_new(&config, &wire->server);
    if (error < 0) {
        close(fd);
    }
    return error;
}

void
wire_close(wire *wire)
{
    if (wire->client >= 0) {
        close(wire->client);
        wire->client = -1;
    }
    wb_server_free(wire->server);
    wire->server = NULL;
}

int
wire_connect(wire *wire)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    address.sin_port = htons((uint16_t)wire->port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(fd >= 0);
    CHECK(connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    if (wire->client >= 0) {
        close(wire->client);
    }
    wire->client = fd;
    wire->eof = wire->vanish = 0;
    wire->unsent_size = 0;
    wire->size = 0;
    return fd;
}

static void
receive(wire *wire)
{
    while (!wire->eof && wire->client >= 0) {
        CHECK(wire->size < WIRE_ROOM);
        ssize_t n = recv(wire->client, wire->data + wire->size,
                         WIRE_ROOM - wire->size, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (n <= 0) {
            wire->eof = 1;
            return;
        }
        wire->size += (size_t)n;
    }
}

void
wire_turn(wire *wire)
{
    wb_request *request;
    CHECK(wb_server_poll(wire->server, 1) >= 0);
    while ((request = wb_server_take(wire->server)) != NULL) {
        answer(wire, request);
    }
    receive(wire);
}

void
wire_talk(wire *wire, const char *data, size_t size, size_t cut)
{
    wire_connect(wire);
    wire->unsent = data;
    wire->unsent_size = size;
    wire->step = cut == 0 ? size : cut;
    for (int turn = 0; !wire->eof; turn++) {
        CHECK(turn < PATIENCE); /* the server forgot this client */
        send_some(wire);
        wire_turn(wire);
        if (cut > 1) {
            wire->step = size; /* two pieces */
        }
    }
}

void
wire_vanish(wire *wire, const char *data, size_t size, int reset)
{
    wb_stats stats;
    wire_connect(wire);
    wire->unsent = data;
    wire->unsent_size = size;
    wire->step = size / 2 + 1;
    wire->vanish = reset ? 2 : 1;
    for (int turn = 0;; turn++) {
        send_some(wire);
        wire_turn(wire);
        wb_server_stats(wire->server, &stats);
        if (wire->client < 0 && stats.connections == 0) {
            break;
        }
        CHECK(turn < PATIENCE); /* the server kept its connection */
    }
}

int
wire_count(const wire *wire, const char *text)
{
    int count = 0;
    size_t length = strlen(text);
    const char *end = wire->data + wire->size;
    const char *at = wire->data;
    while ((at = memmem(at, (size_t)(end - at), text, length)) != NULL) {
        count++;
        at += length;
    }
    return count;
}
