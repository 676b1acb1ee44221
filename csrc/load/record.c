/* What became of the requests. */
#include "posix.h"

#include <stdlib.h>
#include <time.h>

#include "load.h"

const char *const wl__class_names[WL__CLASSES] = {
    "ok", "bad_status", "bad_body", "refused", "connect_timeout", "reset",
    "early_eof", "parse_error", "timeout", "unsent", "in_flight",
};

uint64_t
wl__now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void
keep_window(wl_load *load, uint64_t end_ns)
{
    if (load->window_count == load->window_cap) {
        uint32_t cap = load->window_cap == 0 ? 64 : 2 * load->window_cap;
        wl__window *windows
            = realloc(load->windows, cap * sizeof(*windows));
        if (windows == NULL) {
            return; /* the totals still count what was in it */
        }
        load->windows = windows;
        load->window_cap = cap;
    }
    const wl__histogram *h = &load->window;
    load->windows[load->window_count++] = (wl__window) {
        .start_ns = load->window_end_ns - load->config.window_ns
            - load->start_ns,
        .end_ns = end_ns - load->start_ns,
        .ok = load->window_ok,
        .failed = load->window_failed,
        .p50_ns = wl__histogram_quantile(h, 0.5),
        .p99_ns = wl__histogram_quantile(h, 0.99),
        .max_ns = h->max,
    };
}

void
wl__record_window(wl_load *load)
{
    while (load->now_ns >= load->window_end_ns) {
        keep_window(load, load->window_end_ns);
        wl__histogram_clear(&load->window);
        load->window_ok = load->window_failed = 0;
        load->window_end_ns += load->config.window_ns;
    }
}

void
wl__record_failed(wl_load *load, enum wl__class class, uint64_t count)
{
    wl__record_window(load);
    load->classes[class] += count;
    load->window_failed += count;
}

void
wl__record_ok(wl_load *load, wl__conn *conn, const wl__sent *sent)
{
    uint64_t now = load->now_ns;
    if (now >= load->window_end_ns) {
        wl__record_window(load);
    }
    load->classes[WL__OK]++;
    load->window_ok++;
    conn->answered++;
    wl__histogram_record(&load->service, now - sent->sent_ns);
    wl__histogram_record(&load->window, now - sent->sent_ns);
    if (load->config.rate > 0) {
        wl__histogram_record(&load->response, now - sent->intended_ns);
    }
}
