/* The generator's own parts: requests made of pieces, timers, and a run in
 * which any allocation fails. */
#include "base/posix.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "check.h"
#include "load.h"
#include "random.h"

/* ---- messages ----------------------------------------------------------- */

static const uint32_t ends[] = { 3, 3, 8 };
static const uint32_t keep[] = { UINT32_MAX, 0, UINT32_MAX };
static const uint32_t alias[] = { 0, 2, 2 };
static const wl_pool pool = {
    .text = "onethree", .ends = ends, .count = 3, .keep = keep, .alias = alias
};

static const wl_piece pieces[] = {
    { .kind = WL_TEXT, .text = "<", .size = 1 },
    { .kind = WL_SIZE, .width = 10, .first = 3, .last = 10 },
    { .kind = WL_TEXT, .text = " ", .size = 1 },
    { .kind = WL_COUNT, .width = 3, .first = 0, .last = UINT64_MAX },
    { .kind = WL_NUMBER, .draw = 1, .first = 5, .last = 5 },
    { .kind = WL_HEX, .draw = 2, .width = 33 },
    { .kind = WL_ADDRESS },
    { .kind = WL_PICK, .draw = 3, .first = 0 },
    { .kind = WL_PICK, .draw = 3, .first = 0 },
    { .kind = WL_VISITOR, .first = 0 },
    { .kind = WL_TEXT, .text = ">", .size = 1 },
};
enum { PIECES = sizeof(pieces) / sizeof(pieces[0]) };

static void
check_rendering(void)
{
    wl__pool copied;
    wl__request request;
    char first[512], again[512];
    wl_request asked = { .pieces = pieces, .piece_count = PIECES };
    CHECK(wl__pool_copy(&copied, &pool) == 0);
    CHECK(wl__request_copy(&request, &asked, &copied, 1) == 0);
    CHECK(request.longest < sizeof(first));
    for (uint64_t number = 0; number < 2000; number++) {
        wl__turn turn = { &copied, 7, number, number };
        size_t size = wl__request_render(&request, &turn, first);
        CHECK(size <= request.longest);
        CHECK(wl__request_render(&request, &turn, again) == size);
        CHECK(memcmp(first, again, size) == 0);
        first[size] = '\0';
        unsigned long told = strtoul(first + 1, NULL, 10);
        size_t digits = told >= 100 ? 3 : 2;
        CHECK(told == size - 2 - digits);
        snprintf(again, sizeof(again), "%03lu5", (unsigned long)number);
        CHECK(memcmp(first + 2 + digits, again, strlen(again)) == 0);
    }
    wl__request_free(&request);
    wl__pool_free(&copied);
}

static void
refuses(const wl_piece *piece, uint32_t count)
{
    wl__request request;
    wl_request asked = { .pieces = piece, .piece_count = count };
    CHECK(wl__request_copy(&request, &asked, NULL, 0) == -EINVAL);
}

static void
check_refusals(void)
{
    refuses(NULL, 0);
    refuses(&(wl_piece) { .kind = 99 }, 1);
    refuses(&(wl_piece) { .kind = WL_PICK }, 1);
    refuses(&(wl_piece) { .kind = WL_NUMBER, .first = 2, .last = 1 }, 1);
    refuses(&(wl_piece) { .kind = WL_HEX, .width = UINT32_MAX }, 1);
    refuses(&(wl_piece) { .kind = WL_SIZE, .first = 0, .last = 0 }, 1);
    refuses(&(wl_piece) { .kind = WL_SIZE, .first = 1, .last = 9 }, 1);
}

/* ---- timers ------------------------------------------------------------- */

enum { CONNS = 257 };

static void
check_timers(void)
{
    static wl__conn conns[CONNS], *room[CONNS];
    wl_load *load = wb__calloc(sizeof(*load));
    uint64_t random[4];
    CHECK(load != NULL);
    load->timers = room;
    wl__seed_random(random, 3);
    for (int round = 0; round < 20000; round++) {
        uint64_t bits = wl__next_random(random);
        wl__timer_set(load, &conns[bits % CONNS],
                      bits >> 60 == 0 ? 0 : 1 + (bits >> 20) % 1000);
    }
    uint32_t armed = load->timer_count, fired = 0;
    uint64_t before = 0;
    CHECK(armed > CONNS / 2 && wl__timer_due(load, 0) == NULL);
    for (wl__conn *conn; (conn = wl__timer_due(load, 1000)) != NULL; fired++) {
        CHECK(conn->due_ns >= before);
        before = conn->due_ns;
        wl__timer_set(load, conn, 0);
        CHECK(conn->timer == 0);
    }
    CHECK(fired == armed && load->timer_count == 0);
    wb__free(load);
}

/* ---- a run -------------------------------------------------------------- */

static uint16_t
free_port(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(fd, (struct sockaddr *)&address, size) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* 0, or the code of the first call that failed. */
static int
run(uint16_t port, int open_loop)
{
    const char *text;
    size_t size;
    wl_config config;
    wl_load *load = NULL;
    wl_request asked = { .pieces = pieces,
                         .piece_count = PIECES,
                         .check_body = 1,
                         .body = "hello",
                         .body_size = 5,
                         .route = 1 };
    wl_config_init(&config);
    config.host = "127.0.0.1\n127.0.0.2";
    config.port = port;
    config.connections = 3;
    config.duration_ns = 3000000;
    config.window_ns = 1000000;
    config.drain_ns = 0;
    int error = wl_new(&config, &load);
    if (error == 0 && (error = wl_add_pool(load, &pool)) >= 0
        && (error = wl_add_request(load, &asked)) >= 0
        && (error = wl_set_order(load, &(uint32_t) { 0 }, 1)) >= 0) {
        error = open_loop ? wl_add_stage(load, 0.003, 3e6, 3e6) : 0;
    }
    while (error >= 0 && (error = wl_poll(load, 50)) > 0) {
    }
    if (error == 0) {
        error = wl_result(load, &text, &size);
        CHECK(error < 0 || (size > 100 && text[size - 1] == '}'));
    }
    wl_free(load);
    return error;
}

static void
check_run(int open_loop)
{
    uint16_t port = free_port();
    int failures = 0;
    for (long n = 1;; n++) {
        CHECK(n < 3000);
        wb__alloc_fail_at(n);
        int error = run(port, open_loop);
        int came = wb__alloc_failed();
        wb__alloc_fail_at(0);
        CHECK(wb__alloc_held() == 0);
        CHECK(error == 0 || error == -ENOMEM);
        failures += error < 0;
        if (!came) {
            CHECK(error == 0);
            break;
        }
    }
    CHECK(failures > 5);
}

static void
check_yardstick(void)
{
    CHECK(wl_yardstick() > 0);
    wb__alloc_fail_at(1);
    CHECK(wl_yardstick() == 0);
    wb__alloc_fail_at(0);
    CHECK(wb__alloc_held() == 0);
}

int
main(void)
{
    RUN(check_rendering());
    RUN(check_refusals());
    RUN(check_timers());
    RUN(check_run(0));
    RUN(check_run(1));
    RUN(check_yardstick());
    return 0;
}
