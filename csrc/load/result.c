/* The run as JSON. */
#include "base/posix.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "load.h"

typedef struct text {
    char *data;
    size_t size, room;
    int failed;
} text;

__attribute__((format(printf, 2, 3))) static void
put(text *out, const char *format, ...)
{
    for (;;) {
        va_list arguments;
        va_start(arguments, format);
        int need = vsnprintf(out->data + out->size, out->room - out->size,
                             format, arguments);
        va_end(arguments);
        if (out->failed || need < 0) {
            return;
        }
        if ((size_t)need < out->room - out->size) {
            out->size += (size_t)need;
            return;
        }
        size_t room = 2 * out->room + (size_t)need;
        char *data = wb__realloc(out->data, room);
        if (data == NULL) {
            out->failed = 1;
            return;
        }
        out->data = data;
        out->room = room;
    }
}

typedef unsigned long long ull;

/* Counts by place, [place, count, place, count ...]: see histogram.h. */
static void
put_pairs(text *out, const wl__packed *packed)
{
    put(out, "[");
    for (uint32_t i = 0; i < packed->size; i++) {
        put(out, "%s%u,%u", i == 0 ? "" : ",", packed->pairs[2 * i],
            packed->pairs[2 * i + 1]);
    }
    put(out, "]");
}

static void
put_histogram(text *out, const char *name, const wl__histogram *h)
{
    wl__packed packed;
    if (wl__histogram_pack(h, &packed) < 0) {
        out->failed = 1;
    }
    put(out,
        "\"%s\":{\"count\":%llu,\"mean_ns\":%.1f,\"max_ns\":%llu,"
        "\"places\":",
        name, (ull)h->count, h->count == 0 ? 0.0 : h->sum / (double)h->count,
        (ull)h->max);
    put_pairs(out, &packed);
    put(out, "},");
    wb__free(packed.pairs);
}

/* ---- parts of the result ------------------------------------------------ */

static void
put_classes(text *out, const uint64_t *classes)
{
    put(out, "\"classes\":{");
    for (int i = 0; i < WL__CLASSES; i++) {
        put(out, "%s\"%s\":%llu", i == 0 ? "" : ",", wl__class_names[i],
            (ull)classes[i]);
    }
    put(out, "},");
}

/* Only those that were asked for in it. */
static void
put_route_windows(text *out, const wl__route_window *routes, uint32_t count)
{
    const char *comma = "";
    put(out, ",\"routes\":{");
    for (uint32_t i = 0; i < count; i++) {
        uint64_t total = 0;
        for (int class = 0; class < WL__CLASSES; class++) {
            total += routes[i].classes[class];
        }
        if (total > 0) {
            put(out, "%s\"%u\":{", comma, i);
            put_classes(out, routes[i].classes);
            put(out, "\"max_ns\":%llu,\"response\":{\"places\":",
                (ull)routes[i].response.max);
            put_pairs(out, &routes[i].response);
            put(out, "}}");
            comma = ",";
        }
    }
    put(out, "}");
}

static void
put_routes(text *out, const wl_load *load)
{
    put(out, "\"routes\":[");
    for (uint32_t i = 0; load->routes != NULL && i < load->route_count; i++) {
        put(out, i == 0 ? "{" : ",{");
        put_classes(out, load->routes[i].classes);
        put_histogram(out, "response", &load->routes[i].response);
        put_histogram(out, "censored", &load->routes[i].censored);
        put(out, "\"number\":%u}", i);
    }
    put(out, "],");
}

static void
put_window(text *out, const wl__window *window, uint32_t routes)
{
    uint64_t failed = 0;
    for (int i = WL__OK + 1; i < WL__CLASSES; i++) {
        failed += window->classes[i];
    }
    put(out,
        "{\"start_ns\":%llu,\"end_ns\":%llu,\"cpu_ns\":%llu,"
        "\"scheduled\":%llu,\"ok\":%llu,\"failed\":%llu,",
        (ull)window->start_ns, (ull)window->end_ns, (ull)window->cpu_ns,
        (ull)window->scheduled, (ull)window->classes[WL__OK], (ull)failed);
    put_classes(out, window->classes);
    put(out,
        "\"p50_ns\":%llu,\"p99_ns\":%llu,\"max_ns\":%llu,"
        "\"service\":{\"places\":",
        (ull)window->p50_ns, (ull)window->p99_ns, (ull)window->service.max);
    put_pairs(out, &window->service);
    put(out, "},\"response\":{\"places\":");
    put_pairs(out, &window->response);
    put(out, "}");
    if (window->routes != NULL) {
        put_route_windows(out, window->routes, routes);
    }
    put(out, "}");
}

static void
put_windows(text *out, const wl_load *load)
{
    put(out, "\"windows\":[");
    for (uint32_t i = 0; i < load->window_count; i++) {
        put(out, i == 0 ? "" : ",");
        put_window(out, &load->windows[i], load->route_count);
    }
    put(out, "],\"drain\":");
    put_window(out, &load->drain, load->route_count);
}

/* Who was answered at all, and how evenly: from the sums Jain's index
 * (sum x)^2 / n sum x^2 follows, over several processes too. */
static void
put_connections(text *out, const wl_load *load)
{
    double squares = 0;
    uint64_t sum = 0, ever = 0, least = UINT64_MAX, most = 0;
    uint64_t resent = load->resent;
    for (uint32_t i = 0; i < load->users_most; i++) {
        uint64_t n = load->conns[i].answered;
        sum += n;
        squares += (double)n * (double)n;
        ever += n > 0;
        resent += wl__socket_resent(&load->conns[i]);
        least = n < least ? n : least;
        most = n > most ? n : most;
    }
    put(out,
        "\"connections\":{\"asked\":%u,\"dialled\":%u,\"connects\":%llu,"
        "\"established\":%llu,\"open_at_once\":%llu,\"open_at_end\":%u,"
        "\"ever_answered\":%llu,\"least\":%llu,\"most\":%llu,"
        "\"answers\":%llu,\"answers_squared\":%.0f,\"closes_seen\":%llu,"
        "\"stray\":%llu,\"resent\":%llu,\"sent_again\":%llu,"
        "\"redirects\":%llu},",
        load->users_most, load->dialled, (ull)load->connects,
        (ull)load->established, (ull)load->opened_most, load->still_open,
        (ull)ever, (ull)(least < most ? least : most), (ull)most, (ull)sum,
        squares, (ull)load->closes_seen, (ull)load->stray, (ull)resent,
        (ull)load->sent_again, (ull)load->redirects);
}

/* Bytes are written as latin-1 characters. */
static void
put_bytes(text *out, const char *data, size_t size)
{
    put(out, "\"");
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)data[i];
        if (c == '"' || c == '\\' || c < ' ' || c > '~') {
            put(out, "\\u%04x", c);
        } else {
            put(out, "%c", c);
        }
    }
    put(out, "\"");
}

/* Answers by status, those of 0 left out. */
static void
put_statuses(text *out, const wl_load *load)
{
    const char *comma = "";
    put(out, "\"statuses\":{");
    for (int i = 0; i < WL__STATUSES; i++) {
        if (load->statuses[i] > 0) {
            put(out, "%s\"%d\":%llu", comma, i, (ull)load->statuses[i]);
            comma = ",";
        }
    }
    put(out, "},");
}

static void
put_samples(text *out, const wl_load *load)
{
    put(out, "\"samples\":[");
    for (uint32_t i = 0; i < load->sample_count; i++) {
        const wl__sample *sample = &load->samples[i];
        put(out,
            "%s{\"class\":\"%s\",\"connection\":%u,\"request\":%u,"
            "\"at_ns\":%llu,\"bytes\":",
            i == 0 ? "" : ",", wl__class_names[sample->class], sample->conn,
            sample->request, (ull)sample->at_ns);
        put_bytes(out, sample->text, sample->size);
        put(out, "}");
    }
    put(out, "],");
}

static void
put_run(text *out, const wl_load *load)
{
    put(out,
        "\"start_ns\":%llu,\"duration_ns\":%llu,\"window_ns\":%llu,"
        "\"interrupted\":%s,\"error\":\"%s\",\"cpu_ns\":%llu,"
        "\"spin_ns\":%llu,\"bytes_in\":%llu,\"bytes_out\":%llu,"
        "\"scheduled\":%llu,\"ok_in_time\":%llu,\"starved\":%llu,",
        (ull)load->start_ns, (ull)(load->ended_ns - load->start_ns),
        (ull)load->config.window_ns, load->interrupted ? "true" : "false",
        load->error < 0 ? uv_err_name(load->error) : "",
        (ull)(load->cpu_end_ns - load->cpu_start_ns), (ull)load->spin_ns,
        (ull)load->bytes_in, (ull)load->bytes_out, (ull)load->scheduled,
        (ull)load->ok_in_time, (ull)load->starved_total);
}

/* In mid-run: what is under way is in no class yet. */
static void
look_at_it(wl_load *load)
{
    load->now_ns = wl__now_ns();
    wl__record_so_far(load);
    load->ended_ns = load->now_ns;
    load->still_open = (uint32_t)load->opened_now;
    load->ok_in_time = load->classes[WL__OK];
    load->cpu_end_ns = wl__cpu_ns();
}

int
wl_result(wl_load *load, const char **result, size_t *size)
{
    text out = { .room = 65536 };
    if (!load->started) {
        return -EAGAIN;
    }
    if (!load->ending) {
        look_at_it(load);
    }
    out.data = wb__alloc(out.room);
    if (out.data == NULL) {
        return -ENOMEM;
    }
    put(&out, "{");
    put_run(&out, load);
    put_classes(&out, load->classes);
    put_connections(&out, load);
    put_histogram(&out, "service", &load->service);
    put_histogram(&out, "response", &load->response);
    put_histogram(&out, "connect", &load->connect);
    put_histogram(&out, "first_byte", &load->first_byte);
    put_histogram(&out, "lag", &load->lag);
    put_histogram(&out, "censored", &load->censored);
    put_statuses(&out, load);
    put_samples(&out, load);
    put_routes(&out, load);
    put_windows(&out, load);
    put(&out, "}");
    if (out.failed) {
        wb__free(out.data);
        return -ENOMEM;
    }
    wb__free(load->text);
    load->text = out.data;
    *result = out.data;
    *size = out.size;
    return 0;
}
