/* When requests are due.
 *
 * The n-th arrival is where the integral of the rate reaches n (equal gaps)
 * or the sum of n exponential variables (a Poisson process, by time change).
 * That integral is inverted in closed form, so no rounding adds up and a ramp
 * is no special case. */
#include "base/posix.h"

#include <math.h>
#include <stdlib.h>

#include "load.h"
#include "base/alloc.h"
#include "random.h"

enum { MAX_QUEUE = 1 << 26 }; /* 512 MB; what else is due is never sent */

/* Units that fall due in a stage. */
static double
units_of(const wl__stage *stage)
{
    return (stage->start + stage->end) / 2 * stage->seconds;
}

/* Seconds after the start at which the integral of the rate is `units`;
 * within a stage it is a t + (b - a) t^2 / 2T. After the last one: never. */
static double
time_of(wl_load *load, double units)
{
    const wl__stage *stage = &load->stages[load->stage_at];
    while (units - load->stage_units > units_of(stage)) {
        load->stage_units += units_of(stage);
        load->stage_seconds += stage->seconds;
        if (++load->stage_at == load->stage_count) {
            load->stage_at--;
            return INFINITY;
        }
        stage++;
    }
    double a = stage->start, rest = units - load->stage_units;
    double slope = (stage->end - a) / stage->seconds;
    double under_root = a * a + 2 * slope * rest;
    double divisor = a + sqrt(under_root < 0 ? 0 : under_root);
    return load->stage_seconds + (divisor > 0 ? 2 * rest / divisor : 0);
}

static uint64_t
next_arrival(wl_load *load)
{
    double step = load->config.parts;
    if (load->config.poisson) {
        uint64_t bits = wl__next_random(load->random) >> 11;
        step *= -log((double)(bits + 1) * 0x1.0p-53);
    }
    load->arrival_units += step;
    double seconds = time_of(load, load->arrival_units);
    return seconds * 1e9 < (double)(UINT64_MAX / 4)
        ? load->start_ns + (uint64_t)(seconds * 1e9)
        : UINT64_MAX;
}

void
wl__schedule_init(wl_load *load)
{
    wl__seed_random(load->random,
                    load->config.seed + load->config.part * 1000003u);
    /* Equal gaps: the first of each part lies one gap behind the other. */
    if (!load->config.poisson) {
        load->arrival_units
            = (double)load->config.part + 1 - load->config.parts;
    }
    load->next_arrival_ns = load->open_loop ? next_arrival(load) : UINT64_MAX;
}

void
wl__schedule_next(wl_load *load, wl__sent *sent)
{
    uint64_t number
        = load->request_at++ * load->config.parts + load->config.part;
    sent->number = number;
    sent->request = load->order != NULL
        ? load->order[number % load->order_count]
        : load->request_count == 1 ? 0
                                   : (uint32_t)(number % load->request_count);
}

static int
push(wl_load *load, uint64_t due_ns)
{
    if (load->queue_size == MAX_QUEUE) {
        return -1;
    }
    if (load->queue_size == load->queue_cap) {
        uint64_t cap = load->queue_cap == 0 ? 4096 : 2 * load->queue_cap;
        uint64_t *queue = wb__alloc(cap * sizeof(*queue));
        if (queue == NULL) {
            return -1;
        }
        for (uint64_t i = 0; i < load->queue_size; i++) {
            queue[i] = load->queue[(load->queue_first + i) % load->queue_cap];
        }
        wb__free(load->queue);
        load->queue = queue;
        load->queue_cap = cap;
        load->queue_first = 0;
    }
    load->queue[(load->queue_first + load->queue_size++) % load->queue_cap]
        = due_ns;
    return 0;
}

static int
may_schedule(const wl_load *load)
{
    return !load->ending
        && (load->config.max_requests == 0
            || load->scheduled < load->config.max_requests);
}

static void
count_scheduled(wl_load *load)
{
    load->scheduled++;
    load->window.scheduled++;
}

void
wl__schedule_advance(wl_load *load)
{
    while (load->next_arrival_ns <= load->now_ns && may_schedule(load)
           && load->next_arrival_ns < load->end_ns) {
        count_scheduled(load);
        if (push(load, load->next_arrival_ns) < 0) {
            wl__sent sent = { .intended_ns = load->next_arrival_ns };
            wl__schedule_next(load, &sent);
            wl__record_failed(load, WL__UNSENT, &sent);
        }
        load->next_arrival_ns = next_arrival(load);
    }
}

/* Lateness of the generator is told apart from waiting for a connection: the
 * lag of what waits was recorded when it began to. */
static void
take_queued(wl_load *load, uint64_t *intended_ns)
{
    *intended_ns = load->queue[load->queue_first];
    load->queue_first = (load->queue_first + 1) % load->queue_cap;
    load->queue_size--;
    if (load->starved > 0) {
        load->starved--;
        return;
    }
    wl__histogram_record(&load->lag, load->now_ns - *intended_ns);
}

int
wl__schedule_take(wl_load *load, uint64_t *intended_ns)
{
    if (load->ending) {
        return 0;
    }
    if (load->open_loop) {
        if (load->queue_size == 0) {
            return 0;
        }
        take_queued(load, intended_ns);
        return 1;
    }
    if (!may_schedule(load) || load->now_ns >= load->end_ns) {
        return 0;
    }
    count_scheduled(load);
    *intended_ns = load->now_ns;
    return 1;
}

void
wl__schedule_starved(wl_load *load)
{
    for (uint64_t i = load->starved; i < load->queue_size; i++) {
        uint64_t at = (load->queue_first + i) % load->queue_cap;
        wl__histogram_record(&load->lag, load->now_ns - load->queue[at]);
    }
    load->starved_total += load->queue_size - load->starved;
    load->starved = load->queue_size;
}
