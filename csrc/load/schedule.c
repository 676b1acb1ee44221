/* When requests are due. */
#include "posix.h"

#include <math.h>
#include <stdlib.h>

#include "load.h"

/* xoshiro256** (Blackman and Vigna), seeded by splitmix64. */
static uint64_t
next_random(uint64_t *s)
{
    uint64_t x = s[1] * 5;
    uint64_t result = ((x << 7) | (x >> 57)) * 9, t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return result;
}

static void
seed_random(uint64_t *s, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        s[i] = z ^ (z >> 31);
    }
}

/* Equal gaps are computed from the count, so that no rounding adds up;
 * exponential ones make a Poisson process. */
static uint64_t
arrival_after(wl_load *load, uint64_t previous_ns)
{
    const wl_config *config = &load->config;
    load->arrivals++;
    if (!config->poisson) {
        return load->start_ns
            + (uint64_t)((double)load->arrivals * 1e9 / config->rate);
    }
    double u = (double)((next_random(load->random) >> 11) + 1) * 0x1.0p-53;
    return previous_ns + (uint64_t)(-log(u) * 1e9 / config->rate);
}

int
wl__schedule_init(wl_load *load)
{
    seed_random(load->random, load->config.seed);
    load->next_arrival_ns = load->start_ns;
    if (load->config.rate > 0) {
        load->next_arrival_ns = arrival_after(load, load->start_ns);
    }
    return 0;
}

static int
push(wl_load *load, uint64_t due_ns)
{
    if (load->queue_size == load->queue_cap) {
        uint64_t cap = load->queue_cap == 0 ? 4096 : 2 * load->queue_cap;
        uint64_t *queue = malloc(cap * sizeof(*queue));
        if (queue == NULL) {
            return -1;
        }
        for (uint64_t i = 0; i < load->queue_size; i++) {
            queue[i] = load->queue[(load->queue_first + i) % load->queue_cap];
        }
        free(load->queue);
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

void
wl__schedule_advance(wl_load *load)
{
    while (load->config.rate > 0 && may_schedule(load)
           && load->next_arrival_ns <= load->now_ns
           && load->next_arrival_ns < load->end_ns) {
        load->scheduled++;
        if (push(load, load->next_arrival_ns) < 0) {
            wl__record_failed(load, WL__UNSENT, 1);
        }
        load->next_arrival_ns = arrival_after(load, load->next_arrival_ns);
    }
}

int
wl__schedule_take(wl_load *load, uint64_t *intended_ns)
{
    if (load->config.rate > 0) {
        if (load->queue_size == 0) {
            return 0;
        }
        *intended_ns = load->queue[load->queue_first];
        load->queue_first = (load->queue_first + 1) % load->queue_cap;
        load->queue_size--;
        return 1;
    }
    if (!may_schedule(load) || load->now_ns >= load->end_ns) {
        return 0;
    }
    load->scheduled++;
    *intended_ns = load->now_ns;
    return 1;
}
