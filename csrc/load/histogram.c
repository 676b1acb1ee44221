#include "posix.h"

#include "histogram.h"

#include <string.h>

void
wl__histogram_clear(wl__histogram *histogram)
{
    memset(histogram, 0, sizeof(*histogram));
}

/* Values below 2048 have a place each; above, each power of two has 1024. */
static uint32_t
place_of(uint64_t value)
{
    uint32_t bucket = 63 - (uint32_t)__builtin_clzll(value | 2047) - 10;
    uint32_t place
        = (bucket << 10) + (uint32_t)(value >> bucket);
    return place < WL__PLACES ? place : WL__PLACES - 1;
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
    histogram->count++;
    histogram->sum += (double)value;
    if (value > histogram->max) {
        histogram->max = value;
    }
    histogram->places[place_of(value)]++;
}

void
wl__histogram_add(wl__histogram *histogram, const wl__histogram *other)
{
    histogram->count += other->count;
    histogram->sum += other->sum;
    if (other->max > histogram->max) {
        histogram->max = other->max;
    }
    for (int i = 0; i < WL__PLACES; i++) {
        histogram->places[i] += other->places[i];
    }
}

uint64_t
wl__histogram_quantile(const wl__histogram *histogram, double q)
{
    uint64_t rank = (uint64_t)(q * (double)histogram->count + 0.5), seen = 0;
    rank = rank == 0 ? 1 : rank;
    for (uint32_t i = 0; i < WL__PLACES && histogram->count > 0; i++) {
        seen += histogram->places[i];
        if (seen >= rank) {
            uint64_t value = highest_in(i);
            return value < histogram->max ? value : histogram->max;
        }
    }
    return 0;
}
