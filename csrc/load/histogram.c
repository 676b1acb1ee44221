#include "base/posix.h"

#include "histogram.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

/* Values below 2048 have a place each; above, each power of two has 1024. */
static uint32_t
place_of(uint64_t value)
{
    uint32_t bucket = 63 - (uint32_t)__builtin_clzll(value | 2047) - 10;
    uint64_t place = ((uint64_t)bucket << 10) + (value >> bucket);
    return place < WL__PLACES ? (uint32_t)place : WL__PLACES - 1;
}

static uint64_t
highest_in(uint32_t place)
{
    uint32_t bucket = place < 2 * WL__HALF ? 0 : (place >> 10) - 1;
    uint64_t sub = place - ((uint64_t)bucket << 10);
    return ((sub + 1) << bucket) - 1;
}

void
wl__histogram_record(wl__histogram *histogram, uint64_t value)
{
    if (value > histogram->max) {
        histogram->max = value;
    }
    if (value < histogram->min || histogram->count == 0) {
        histogram->min = value;
    }
    histogram->count++;
    histogram->sum += (double)value;
    histogram->places[place_of(value)]++;
}

void
wl__histogram_move(wl__histogram *histogram, wl__histogram *other)
{
    if (other->count == 0) {
        return;
    }
    uint32_t first = place_of(other->min), last = place_of(other->max);
    for (uint32_t i = first; i <= last; i++) {
        histogram->places[i] += other->places[i];
        other->places[i] = 0;
    }
    if (other->max > histogram->max) {
        histogram->max = other->max;
    }
    if (other->min < histogram->min || histogram->count == 0) {
        histogram->min = other->min;
    }
    histogram->count += other->count;
    histogram->sum += other->sum;
    other->count = other->min = other->max = 0;
    other->sum = 0;
}

uint64_t
wl__histogram_quantile(const wl__histogram *histogram, double q)
{
    uint64_t rank = (uint64_t)(q * (double)histogram->count + 0.5), seen = 0;
    rank = rank == 0 ? 1 : rank;
    for (uint32_t i = place_of(histogram->min);
         i < WL__PLACES && histogram->count > 0; i++) {
        seen += histogram->places[i];
        if (seen >= rank) {
            uint64_t value = highest_in(i);
            return value < histogram->max ? value : histogram->max;
        }
    }
    return 0;
}

int
wl__histogram_pack(const wl__histogram *histogram, wl__packed *out)
{
    uint32_t first = place_of(histogram->min), size = 0;
    uint32_t last = place_of(histogram->max);
    *out = (wl__packed) { .count = histogram->count, .max = histogram->max };
    for (uint32_t i = first; i <= last; i++) {
        size += histogram->places[i] != 0;
    }
    if (size == 0) {
        return 0;
    }
    out->pairs = wb__alloc(2 * size * sizeof(*out->pairs));
    if (out->pairs == NULL) {
        return -1;
    }
    for (uint32_t i = first; i <= last; i++) {
        if (histogram->places[i] != 0) {
            out->pairs[2 * out->size] = i;
            out->pairs[2 * out->size + 1] = histogram->places[i];
            out->size++;
        }
    }
    return 0;
}
