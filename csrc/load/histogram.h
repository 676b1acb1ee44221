/* A log-linear histogram with the index arithmetic of HdrHistogram (Gil
 * Tene): 2048 sub-buckets keep at least three significant digits. Values are
 * nanoseconds up to about 78 minutes; larger ones are clamped to the last
 * place. */
#ifndef WL_HISTOGRAM_H
#define WL_HISTOGRAM_H

#include <stdint.h>

enum { WL__HALF = 1024, WL__PLACES = 33 * WL__HALF };

typedef struct wl__histogram {
    uint64_t count, max;
    double sum;
    uint32_t places[WL__PLACES];
} wl__histogram;

void wl__histogram_clear(wl__histogram *histogram);
void wl__histogram_record(wl__histogram *histogram, uint64_t value);
void wl__histogram_add(wl__histogram *histogram, const wl__histogram *other);
/* The largest value equivalent to the quantile q's (0 to 1); 0 if empty. */
uint64_t wl__histogram_quantile(const wl__histogram *histogram, double q);

#endif
