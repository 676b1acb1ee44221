/* The run as JSON. */
#include "posix.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
        char *data = realloc(out->data, room);
        if (data == NULL) {
            out->failed = 1;
            return;
        }
        out->data = data;
        out->room = room;
    }
}

/* Counts by place, [place, count, place, count ...]: see histogram.h. */
static void
put_histogram(text *out, const char *name, const wl__histogram *h)
{
    static const double quantiles[] = { 0.5, 0.9, 0.99, 0.999, 0.9999 };
    put(out, "\"%s\":{\"count\":%llu,\"mean_ns\":%.1f,\"max_ns\":%llu", name,
        (unsigned long long)h->count,
        h->count == 0 ? 0.0 : h->sum / (double)h->count,
        (unsigned long long)h->max);
    for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
        put(out, ",\"p%g_ns\":%llu", quantiles[i] * 100,
            (unsigned long long)wl__histogram_quantile(h, quantiles[i]));
    }
    put(out, ",\"places\":[");
    const char *comma = "";
    for (int i = 0; i < WL__PLACES; i++) {
        if (h->places[i] != 0) {
            put(out, "%s%d,%u", comma, i, h->places[i]);
            comma = ",";
        }
    }
    put(out, "]}");
}

static void
put_windows(text *out, const wl_load *load)
{
    put(out, "\"windows\":[");
    for (uint32_t i = 0; i < load->window_count; i++) {
        const wl__window *w = &load->windows[i];
        put(out,
            "%s{\"start_ns\":%llu,\"end_ns\":%llu,\"ok\":%llu,"
            "\"failed\":%llu,\"p50_ns\":%llu,\"p99_ns\":%llu,"
            "\"max_ns\":%llu}",
            i == 0 ? "" : ",", (unsigned long long)w->start_ns,
            (unsigned long long)w->end_ns, (unsigned long long)w->ok,
            (unsigned long long)w->failed, (unsigned long long)w->p50_ns,
            (unsigned long long)w->p99_ns, (unsigned long long)w->max_ns);
    }
    put(out, "]");
}

/* Who was answered at all, and how evenly: Jain's index (sum x)^2 / n sum
 * x^2. */
static void
put_fairness(text *out, const wl_load *load)
{
    double sum = 0, squares = 0;
    uint64_t ever = 0, least = UINT64_MAX, most = 0;
    for (uint32_t i = 0; i < load->config.connections; i++) {
        uint64_t n = load->conns[i].answered;
        sum += (double)n;
        squares += (double)n * (double)n;
        ever += n > 0;
        least = n < least ? n : least;
        most = n > most ? n : most;
    }
    put(out,
        "\"connections\":{\"asked\":%u,\"dialled\":%u,\"connects\":%llu,"
        "\"established\":%llu,\"ever_answered\":%llu,\"least\":%llu,"
        "\"most\":%llu,\"jain\":%.6f,\"closes_seen\":%llu}",
        load->config.connections, load->dialled,
        (unsigned long long)load->connects,
        (unsigned long long)load->established, (unsigned long long)ever,
        (unsigned long long)least, (unsigned long long)most,
        squares == 0
            ? 0.0
            : sum * sum / (load->config.connections * squares),
        (unsigned long long)load->closes_seen);
}

static void
put_classes(text *out, const wl_load *load)
{
    put(out, "\"scheduled\":%llu,\"classes\":{",
        (unsigned long long)load->scheduled);
    for (int i = 0; i < WL__CLASSES; i++) {
        put(out, "%s\"%s\":%llu", i == 0 ? "" : ",", wl__class_names[i],
            (unsigned long long)load->classes[i]);
    }
    put(out, "}");
}

int
wl_result(wl_load *load, const char **result, size_t *size)
{
    text out = { .room = 65536 };
    out.data = malloc(out.room);
    if (out.data == NULL) {
        return -ENOMEM;
    }
    uint64_t end = load->over && load->now_ns < load->end_ns ? load->now_ns
                                                             : load->end_ns;
    put(&out,
        "{\"start_ns\":%llu,\"duration_ns\":%llu,\"window_ns\":%llu,"
        "\"interrupted\":%s,\"cpu_ns\":%llu,\"bytes_in\":%llu,"
        "\"bytes_out\":%llu,",
        (unsigned long long)load->start_ns,
        (unsigned long long)(end - load->start_ns),
        (unsigned long long)load->config.window_ns,
        load->interrupted ? "true" : "false",
        (unsigned long long)(load->cpu_end_ns - load->cpu_start_ns),
        (unsigned long long)load->bytes_in,
        (unsigned long long)load->bytes_out);
    put_classes(&out, load);
    put(&out, ",");
    put_fairness(&out, load);
    put(&out, ",");
    put_histogram(&out, "service", &load->service);
    put(&out, ",");
    put_histogram(&out, "response", &load->response);
    put(&out, ",");
    put_histogram(&out, "connect", &load->connect);
    put(&out, ",");
    put_histogram(&out, "first_byte", &load->first_byte);
    put(&out, ",");
    put_histogram(&out, "lag", &load->lag);
    put(&out, ",");
    put_windows(&out, load);
    put(&out, "}");
    if (out.failed) {
        free(out.data);
        return -ENOMEM;
    }
    free(load->text);
    load->text = out.data;
    *result = out.data;
    *size = out.size;
    return 0;
}
