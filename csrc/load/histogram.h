/* A log-linear histogram with the index arithmetic of HdrHistogram (Gil
 * Tene): 2048 sub-buckets keep at least three significant digits. Values are
 * nanoseconds up to about 73 minutes; larger ones are clamped to the last
 * place. */
#ifndef WL_HISTOGRAM_H
#define WL_HISTOGRAM_H

#include <stdint.h>

enum { WL__HALF = 1024, WL__PLACES = 33 * WL__HALF };

typedef struct wl__histogram {
    uint64_t count, min, max;
    double sum;
    uint32_t places[WL__PLACES];
} wl__histogram;

/* The same without its empty places. */
typedef struct wl__packed {
    uint64_t count, max;
    uint32_t size;       /* of pairs */
    uint32_t *pairs;     /* place, count, place, count ...; owned */
} wl__packed;

void wl__histogram_record(wl__histogram *histogram, uint64_t value);
/* Adds `other` and empties it; costs what `other` spans. */
void wl__histogram_move(wl__histogram *histogram, wl__histogram *other);
/* The largest value equivalent to the quantile q's (0 to 1); 0 if empty. */
uint64_t wl__histogram_quantile(const wl__histogram *histogram, double q);
/* 0, or -1 without memory: then `out` is empty. */
int wl__histogram_pack(const wl__histogram *histogram, wl__packed *out);

#endif
