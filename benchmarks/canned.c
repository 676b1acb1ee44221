/* The least that a server on libuv and http-parser can do: every head goes
   through http-parser, every request gets one canned answer. No limits, no
   deadlines, no WSGI. speed.py holds c-uv against it.

   usage: canned LISTEN_FD RESPONSE_FILE

   cc -O2 canned.c -luv -lhttp_parser -o canned */

#include <http_parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { READ_SIZE = 65536, RESPONSE_MAX = 4096, PIPELINED_MAX = 64 };

typedef struct client {
    uv_tcp_t tcp;
    http_parser parser;
    unsigned due; /* answers to requests of this read */
    int last;     /* no keep-alive */
} client;

/* What the kernel did not take at once. */
typedef struct rest {
    uv_write_t write;
    int last;
    char bytes[];
} rest;

static char read_buffer[READ_SIZE]; /* of the loop: one read at a time */
static char response[RESPONSE_MAX * PIPELINED_MAX];
static size_t response_size;
static http_parser_settings callbacks;

static void
fail(const char *what, int code)
{
    fprintf(stderr, "canned: %s: %s\n", what, uv_strerror(code));
    exit(1);
}

static void
on_close(uv_handle_t *handle)
{
    free(handle->data);
}

static void
close_client(client *c)
{
    if (!uv_is_closing((uv_handle_t *)&c->tcp)) {
        uv_close((uv_handle_t *)&c->tcp, on_close);
    }
}

static void
on_written(uv_write_t *write, int status)
{
    rest *left = (rest *)write;
    client *c = write->handle->data;

    if (status < 0 || left->last) {
        close_client(c);
    }
    free(left);
}

/* The part of the answers that is left goes out when it can. */
static void
write_rest(client *c, const char *bytes, size_t size)
{
    rest *left = malloc(sizeof(*left) + size);

    if (left == NULL) {
        close_client(c);
        return;
    }
    memcpy(left->bytes, bytes, size);
    left->last = c->last;
    uv_buf_t buf = uv_buf_init(left->bytes, (unsigned)size);
    if (uv_write(&left->write, (uv_stream_t *)&c->tcp, &buf, 1, on_written)) {
        free(left);
        close_client(c);
    }
}

static void
answer(client *c)
{
    size_t size = response_size * c->due;
    uv_buf_t buf = uv_buf_init(response, (unsigned)size);
    int sent = uv_try_write((uv_stream_t *)&c->tcp, &buf, 1);

    c->due = 0;
    if (sent < 0 && sent != UV_EAGAIN) {
        close_client(c);
        return;
    }
    size_t done = sent < 0 ? 0 : (size_t)sent;
    if (done < size) {
        write_rest(c, response + done, size - done);
    } else if (c->last) {
        close_client(c);
    }
}

static int
on_message_complete(http_parser *parser)
{
    client *c = parser->data;

    if (c->due == PIPELINED_MAX) {
        answer(c);
    }
    c->due++;
    if (!http_should_keep_alive(parser)) {
        c->last = 1;
    }
    return 0;
}

static void
on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)handle;
    (void)suggested;
    *buf = uv_buf_init(read_buffer, READ_SIZE);
}

static void
on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    client *c = stream->data;

    if (count < 0) {
        close_client(c);
        return;
    }
    size_t size = (size_t)count;
    size_t read = http_parser_execute(&c->parser, &callbacks, buf->base, size);
    if (c->due > 0 && !uv_is_closing((uv_handle_t *)stream)) {
        answer(c);
    }
    if (read != size) {
        close_client(c);
    }
}

static void
on_connection(uv_stream_t *listener, int status)
{
    client *c;

    if (status < 0 || (c = calloc(1, sizeof(*c))) == NULL) {
        return;
    }
    int code = uv_tcp_init(listener->loop, &c->tcp);
    if (code != 0) {
        fail("uv_tcp_init", code);
    }
    c->tcp.data = c;
    c->parser.data = c;
    http_parser_init(&c->parser, HTTP_REQUEST);
    if (uv_accept(listener, (uv_stream_t *)&c->tcp) != 0
        || uv_tcp_nodelay(&c->tcp, 1) != 0
        || uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) != 0) {
        close_client(c);
    }
}

/* As often as one read can ask for it, so that one write answers all. */
static void
load_response(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        perror(path);
        exit(1);
    }
    response_size = fread(response, 1, RESPONSE_MAX, file);
    fclose(file);
    for (size_t i = 1; i < PIPELINED_MAX; i++) {
        memcpy(response + i * response_size, response, response_size);
    }
}

int
main(int argc, char **argv)
{
    uv_tcp_t listener;

    if (argc != 3) {
        fprintf(stderr, "usage: canned LISTEN_FD RESPONSE_FILE\n");
        return 2;
    }
    load_response(argv[2]);
    http_parser_settings_init(&callbacks);
    callbacks.on_message_complete = on_message_complete;
    uv_loop_t *loop = uv_default_loop();
    int code = uv_tcp_init(loop, &listener);
    if (code == 0) {
        code = uv_tcp_open(&listener, atoi(argv[1]));
    }
    if (code == 0) {
        code = uv_listen((uv_stream_t *)&listener, 2048, on_connection);
    }
    if (code != 0) {
        fail("the listener", code);
    }
    return uv_run(loop, UV_RUN_DEFAULT);
}
