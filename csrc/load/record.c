/* What became of the requests: totals, windows, samples of failures. */
#include "base/posix.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "load.h"

const char *const wl__class_names[WL__CLASSES] = {
    "ok",        "bad_status", "bad_body",    "refused", "connect_timeout",
    "reset",     "early_eof",  "parse_error", "timeout", "unsent",
    "in_flight",
};

static uint64_t
clock_ns(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t
wl__now_ns(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

uint64_t
wl__cpu_ns(void)
{
    return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

/* ---- windows ------------------------------------------------------------ */

/* Without memory the totals still count what was in it. */
static void
pack_routes(const wl_load *load, wl__window *window)
{
    window->routes = wb__calloc(load->route_count * sizeof(*window->routes));
    for (uint32_t i = 0; window->routes != NULL && i < load->route_count;
         i++) {
        wl__route_window *packed = &window->routes[i];
        const wl__route *route = &load->routes[i];
        memcpy(packed->classes, route->window.classes,
               sizeof(packed->classes));
        wl__histogram_pack(&route->window.response, &packed->response);
    }
}

/* Moves the open window's counters to the totals. */
static void
add_classes(uint64_t *classes, uint64_t *window)
{
    for (int i = 0; i < WL__CLASSES; i++) {
        classes[i] += window[i];
        window[i] = 0;
    }
}

static void
pack_window(wl_load *load, wl__window *window, uint64_t end_ns)
{
    *window = (wl__window) {
        .start_ns = load->window.start_ns - load->start_ns,
        .end_ns = end_ns - load->start_ns,
        .cpu_ns = wl__cpu_ns() - load->cpu_start_ns,
        .scheduled = load->window.scheduled,
        .p50_ns = wl__histogram_quantile(&load->window.service, 0.5),
        .p99_ns = wl__histogram_quantile(&load->window.service, 0.99),
    };
    memcpy(window->classes, load->window.classes, sizeof(window->classes));
    wl__histogram_pack(&load->window.service, &window->service);
    wl__histogram_pack(&load->window.response, &window->response);
    if (load->routes != NULL) {
        pack_routes(load, window);
    }
}

static wl__window *
new_window(wl_load *load)
{
    if (load->window_count == load->window_cap) {
        uint32_t cap = load->window_cap == 0 ? 64 : 2 * load->window_cap;
        wl__window *windows
            = wb__realloc(load->windows, cap * sizeof(*windows));
        if (windows == NULL) {
            return NULL; /* the totals still count what was in it */
        }
        load->windows = windows;
        load->window_cap = cap;
    }
    return &load->windows[load->window_count++];
}

/* The open window ends, the next begins. Hot counters live in the window
 * only and reach the totals here. What comes after the end of the run is one
 * window, however long. */
static void
close_window(wl_load *load, uint64_t end_ns, wl__window *window)
{
    if (window != NULL) {
        pack_window(load, window, end_ns);
    }
    add_classes(load->classes, load->window.classes);
    for (uint32_t i = 0; load->routes != NULL && i < load->route_count; i++) {
        wl__route *route = &load->routes[i];
        add_classes(route->classes, route->window.classes);
        wl__histogram_move(&route->response, &route->window.response);
    }
    load->window.scheduled = 0;
    wl__histogram_move(&load->service, &load->window.service);
    wl__histogram_move(&load->response, &load->window.response);
    wl__histogram_move(&load->first_byte, &load->window.first_byte);
    uint64_t next = end_ns + load->config.window_ns;
    load->window.start_ns = end_ns;
    load->window.end_ns = load->ending || end_ns >= load->end_ns ? UINT64_MAX
        : next > load->end_ns                                    ? load->end_ns
                                                                 : next;
}

void
wl__record_windows(wl_load *load)
{
    while (load->now_ns >= load->window.end_ns) {
        close_window(load, load->window.end_ns, new_window(load));
    }
}

void
wl__record_so_far(wl_load *load)
{
    wl__record_windows(load);
    if (load->window.start_ns < load->now_ns) {
        close_window(load, load->now_ns, new_window(load));
    }
}

void
wl__record_end(wl_load *load)
{
    wl__record_windows(load);
    if (load->window.start_ns < load->ended_ns) {
        close_window(load, load->ended_ns, new_window(load));
    }
    load->ok_in_time = load->classes[WL__OK];
}

void
wl__record_drained(wl_load *load)
{
    close_window(load, load->now_ns, &load->drain);
}

/* ---- requests ----------------------------------------------------------- */

/* A lower bound of the time: a right answer would have taken at least until
 * now. */
void
wl__record_failed(wl_load *load, enum wl__class class, const wl__sent *sent)
{
    uint64_t now = load->now_ns;
    uint64_t waited = now > sent->intended_ns ? now - sent->intended_ns : 0;
    wl__record_windows(load);
    load->window.classes[class]++;
    wl__histogram_record(&load->censored, waited);
    if (load->routes != NULL) {
        wl__route *route = &load->routes[load->requests[sent->request].route];
        route->window.classes[class]++;
        wl__histogram_record(&route->censored, waited);
    }
}

void
wl__record_ok(wl_load *load, wl__conn *conn, const wl__sent *sent)
{
    uint64_t now = load->now_ns;
    if (now >= load->window.end_ns) {
        wl__record_windows(load);
    }
    load->window.classes[WL__OK]++;
    conn->answered++;
    wl__histogram_record(&load->window.service, now - sent->sent_ns);
    wl__histogram_record(&load->window.response, now - sent->intended_ns);
    wl__histogram_record(&load->window.first_byte,
                         conn->first_ns - sent->sent_ns);
    if (load->routes != NULL) {
        wl__route *route = &load->routes[load->requests[sent->request].route];
        route->window.classes[WL__OK]++;
        wl__histogram_record(&route->window.response, now - sent->intended_ns);
    }
}

/* At most two of a class, so that one kind of failure leaves room for
 * others. */
void
wl__record_sample(wl_load *load, const wl__conn *conn, enum wl__class class,
                  const char *data, size_t size)
{
    uint32_t same = 0;
    for (uint32_t i = 0; i < load->sample_count; i++) {
        same += load->samples[i].class == class;
    }
    if (load->sample_count == WL__SAMPLES || same == 2) {
        return;
    }
    wl__sample *sample = &load->samples[load->sample_count++];
    size = size < WL__SAMPLE_ROOM ? size : WL__SAMPLE_ROOM;
    sample->class = class;
    sample->conn = conn->number;
    sample->request = conn->sent[conn->first].request;
    sample->at_ns = load->now_ns - load->start_ns;
    sample->size = (uint32_t)size;
    if (size > 0) {
        memcpy(sample->text, data, size);
    }
}
