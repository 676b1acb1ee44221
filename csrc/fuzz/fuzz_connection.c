/* Whole connections: a server, one or two clients over socket pairs, and an
 * application that reads and answers in every way there is.
 *
 * First byte: settings (bits below); second: the application's script; third:
 * how the bytes are cut. The rest is what each client sends. Held: nothing
 * leaks, no connection or request is forgotten, every answer is well-formed
 * to the last one, and (for the settings that allow it) the same bytes get
 * the same answers however they are cut. */
#define _GNU_SOURCE /* memfd_create, memmem */
#include "server/input.h"
#include "server/server.h"
#include "fuzz.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"

enum settings {
    STREAM = 1,
    SPILL = 2,      /* bodies go to files */
    LOG = 4,
    NARROW = 8,     /* small kernel buffers */
    TWO = 16,       /* clients */
    VANISH = 32,    /* close without reading */
    PLAIN = 64,     /* every request gets the same simple answer */
    SLOW = 128      /* clients read a little at a time */
};

enum { CLIENTS = 2, ROOM = 1 << 18, PATIENCE = 400, BIG = 100000 };

typedef struct client {
    int fd;
    int eof;
    cuts cut;
    size_t sent, received;
    char *data;
} client;

typedef struct world {
    wb_server *server;
    const char *input;
    size_t size;
    uint8_t settings;
    uint32_t script;
    client clients[CLIENTS];
    wb_request *open[CLIENTS]; /* taken, waiting for bytes or for room */
    int file;
} world;

static const char text_plain[] = "Content-Type\0text/plain";

static uint32_t
throw_dice(world *w, uint32_t sides)
{
    w->script = w->script * 1664525u + 1013904223u;
    return (w->script >> 16) % sides;
}

/* ---- the application ---------------------------------------------------- */

static const char *
big(void)
{
    static char block[BIG];
    if (block[0] == '\0') {
        memset(block, 'b', sizeof(block));
    }
    return block;
}

static void
forget(world *w, wb_request *request)
{
    for (int i = 0; i < CLIENTS; i++) {
        if (w->open[i] == request) {
            w->open[i] = NULL;
        }
    }
}

static void
keep_open(world *w, wb_request *request)
{
    forget(w, request); /* it may be in the other place */
    for (int i = 0; i < CLIENTS; i++) {
        if (w->open[i] == NULL) {
            w->open[i] = request;
            return;
        }
    }
    MUST(0); /* more requests at a time than connections */
}

static void
simple(wb_request *request, const char *body, size_t size)
{
    const wb_head head = { "200 OK", text_plain, 6, sizeof(text_plain), 1 };
    int code = wb_request_respond(request, &head, body, size, NULL);
    if (code == WB_INVALID || code == WB_NOMEM) {
        wb_request_error(request, 500);
    }
}

/* A head of any kind, then any of the bodies. Ends the request or leaves it
 * open until it comes back. */
static void
in_steps(world *w, wb_request *request)
{
    static const char *const statuses[]
        = { "200 OK", "204 No Content", "304 Not Modified", "404" };
    static const char fields[] = "Content-Length\0"
                                 "10\0Connection\0close";
    const char *status = statuses[throw_dice(w, 4)];
    int64_t length = (int64_t)throw_dice(w, 3) * 7 - 1;
    int with_fields = throw_dice(w, 4) == 0;
    const wb_head head = {
        .status = status,
        .status_size = strlen(status),
        .lines = with_fields ? fields : text_plain,
        .lines_size = with_fields ? sizeof(fields) : sizeof(text_plain),
        .count = with_fields ? 2 : 1,
    };
    int code = wb_request_head(request, &head, length);
    for (uint32_t i = throw_dice(w, 4); i > 0 && code == 0; i--) {
        size_t size = throw_dice(w, 8) == 0 ? BIG : throw_dice(w, 9);
        code = throw_dice(w, 5) == 0
            ? wb_request_file(request, w->file, throw_dice(w, 9), 11)
            : wb_request_write(request, big(), size, NULL);
    }
    if (code == WB_FULL && throw_dice(w, 3) > 0) {
        keep_open(w, request); /* WB_RESUME brings it back */
    } else if (throw_dice(w, 8) == 0) {
        wb_request_abort(request);
    } else {
        wb_request_finish(request);
    }
}

static void
answer(world *w, wb_request *request)
{
    switch (throw_dice(w, 8)) {
    case 0:
        wb_request_error(request, 500);
        break;
    case 1:
        wb_request_abort(request);
        break;
    case 2:
        simple(request, big(), BIG);
        break;
    case 3:
        simple(request, "", 0);
        break;
    case 4:
        wb_request_finish(request); /* without a head */
        break;
    default:
        in_steps(w, request);
    }
}

/* Reads what is there. 1: the body is over, or enough of it. */
static int
read_body(world *w, wb_request *request)
{
    char bytes[300];
    for (;;) {
        size_t room = (w->settings & PLAIN) != 0
            ? sizeof(bytes)
            : 1 + throw_dice(w, sizeof(bytes));
        int64_t n = wb_request_read(request, bytes, room);
        MUST(n <= (int64_t)room);
        if (n == WB_AGAIN) {
            MUST(!request->body_complete);
            MUST(wb_request_wait(request, 1, 0) != WB_GONE);
            return 0;
        }
        if (n <= 0) {
            MUST(n == 0 || n == WB_GONE || n == WB_BADBODY);
            return 1;
        }
    }
}

static void
serve(world *w, wb_request *request)
{
    if (request->event == WB_RESUME) {
        forget(w, request);
        wb_request_finish(request);
        return;
    }
    int read = (w->settings & PLAIN) != 0 || throw_dice(w, 4) > 0;
    if (read && read_body(w, request) == 0) {
        request->user = w; /* not read to the end */
        keep_open(w, request);
        return;
    }
    forget(w, request);
    request->user = NULL;
    if ((w->settings & PLAIN) != 0) {
        simple(request, request->base + request->path.off, request->path.len);
    } else {
        answer(w, request);
    }
}

/* ---- the clients -------------------------------------------------------- */

static void
open_client(world *w, client *c, uint8_t seed)
{
    int ends[2], small = 4096;
    struct sockaddr_storage peer = { .ss_family = AF_UNIX };
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                    ends)
         == 0);
    if ((w->settings & NARROW) != 0) {
        setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    }
    *c = (client) { .fd = ends[1], .cut.seed = seed, .data = malloc(ROOM) };
    MUST(c->data != NULL);
    wb__input_open(w->server, ends[0], &peer);
}

/* 1: something moved. */
static int
client_turn(const world *w, client *c)
{
    int moved = 0;
    if (c->fd < 0) {
        return 0;
    }
    if (c->sent < w->size) {
        size_t piece = next_piece(&c->cut, w->size - c->sent);
        ssize_t n = send(c->fd, w->input + c->sent, piece, MSG_NOSIGNAL);
        if (n > 0) {
            c->sent += (size_t)n;
            moved = 1;
        }
    } else if ((w->settings & VANISH) != 0) {
        close(c->fd);
        c->fd = -1;
        return 1;
    }
    size_t room = ROOM - c->received;
    if ((w->settings & SLOW) != 0 && room > 1000) {
        room = 1000;
    }
    ssize_t n = recv(c->fd, c->data + c->received, room, 0);
    if (n > 0) {
        c->received += (size_t)n;
        c->received %= ROOM; /* very long answers are not looked at */
        moved = 1;
    } else if (n == 0) {
        c->eof = 1;
    }
    return moved;
}

static void
shut(client *c)
{
    if (c->fd >= 0) {
        shutdown(c->fd, SHUT_WR);
    }
}

/* ---- both --------------------------------------------------------------- */

static void
start(world *w, const uint8_t *input, size_t size)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX }; /* autobind */
    wb_config config;
    wb_config_init(&config);
    *w = (world) { .settings = input[0],
                   .script = input[1],
                   .input = (const char *)input + 3,
                   .size = size - 3 };
    config.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    MUST(config.listen_fd >= 0);
    MUST(bind(config.listen_fd, (struct sockaddr *)&name,
              sizeof(name.sun_family))
         == 0);
    config.stream_body = (w->settings & STREAM) != 0;
    config.body_memory = (w->settings & SPILL) != 0 ? 8 : 1 << 20;
    config.log_format = (w->settings & LOG) != 0 ? "combined" : NULL;
    config.write_high = (w->settings & NARROW) != 0 ? 100 : 65536;
    config.log_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    config.max_fields = 100;
    config.max_line = 4096;
    config.temp_dir = "/dev/shm";
    w->file = memfd_create("file", MFD_CLOEXEC);
    MUST(w->file >= 0 && write(w->file, "twenty bytes of it\n", 20) == 20);
    MUST(wb_server_new(&config, &w->server) == 0);
    open_client(w, &w->clients[0], input[2]);
    if ((w->settings & TWO) != 0) {
        open_client(w, &w->clients[1], (uint8_t)(input[2] + 1));
    } else {
        w->clients[1].fd = -1;
    }
}

static void
turn(world *w)
{
    wb_request *request;
    MUST(wb_server_poll(w->server, 0) >= 0);
    while ((request = wb_server_take(w->server)) != NULL) {
        MUST(request->user == NULL || request->event == WB_RESUME);
        serve(w, request);
    }
    for (int i = 0; i < CLIENTS; i++) {
        request = w->open[i];
        if (request != NULL && request->user != NULL) {
            serve(w, request); /* it still reads its body */
        }
    }
}

static void
play(world *w)
{
    wb_stats stats;
    int quiet = 0;
    do {
        turn(w);
        int moved
            = client_turn(w, &w->clients[0]) + client_turn(w, &w->clients[1]);
        quiet = moved ? 0 : quiet + 1;
        if (quiet == 4) {
            shut(&w->clients[0]);
            shut(&w->clients[1]);
        }
        MUST(quiet < PATIENCE); /* a connection was forgotten */
        wb_server_stats(w->server, &stats);
    } while (stats.connections > 0);
    for (int i = 0; i < CLIENTS; i++) {
        while (w->clients[i].fd >= 0 && !w->clients[i].eof
               && client_turn(w, &w->clients[i])) {
        }
    }
    turn(w); /* those who are told of their client's end */
    turn(w);
    MUST(w->open[0] == NULL && w->open[1] == NULL);
}

static void
end(world *w)
{
    wb_stats stats;
    wb_server_stats(w->server, &stats);
    MUST(stats.connections == 0 && stats.busy == 0);
    MUST(stats.body_memory == 0 && stats.accepted == stats.closed);
    int log = w->server->config.log_fd;
    wb_server_free(w->server);
    for (int i = 0; i < CLIENTS; i++) {
        if (w->clients[i].fd >= 0) {
            close(w->clients[i].fd);
        }
    }
    close(log);
    close(w->file);
    MUST(wb__alloc_held() == 0);
}

/* Everything but the Date. */
static size_t
without_dates(client *c)
{
    char *at = c->data, *left = at + c->received;
    while ((at = memmem(at, (size_t)(left - at), "\r\nDate: ", 8)) != NULL
           && left - at > 37) {
        memset(at + 8, 'D', 29);
        at += 37;
    }
    return c->received;
}

/* Content that the reading of a 100-continue head alone does not change. */
static int
same_in_pieces(const world *w)
{
    return (w->settings & PLAIN) != 0
        && (w->settings & (STREAM | VANISH | SLOW | NARROW | TWO)) == 0
        && memmem(w->input, w->size, "100-", 4) == NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    world w, again;
    if (size < 4 || size > 16384) {
        return 0;
    }
    signal(SIGPIPE, SIG_IGN); /* sendfile(2) to a client that left */
    start(&w, input, size);
    play(&w);
    end(&w);
    if (same_in_pieces(&w) && input[2] != 0) {
        uint8_t *whole = (uint8_t *)copy_of(input, size);
        whole[2] = 0;
        start(&again, whole, size);
        play(&again);
        end(&again);
        if (getenv("FUZZ_SHOW") != NULL) {
            fprintf(stderr, "pieces:\n%.*s\nwhole:\n%.*s\n",
                    (int)w.clients[0].received, w.clients[0].data,
                    (int)again.clients[0].received, again.clients[0].data);
        }
        MUST(without_dates(&w.clients[0]) == without_dates(&again.clients[0]));
        MUST(memcmp(w.clients[0].data, again.clients[0].data,
                    w.clients[0].received)
             == 0);
        free(again.clients[0].data);
        free(whole);
    }
    free(w.clients[0].data);
    free(w.clients[1].data);
    return 0;
}
