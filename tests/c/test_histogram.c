/* Quantiles keep three digits from a microsecond to an hour. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "histogram.h"

static wl__histogram histogram, other;

static void
near(uint64_t found, uint64_t wanted)
{
    double ratio = (double)found / (double)wanted;
    CHECK(ratio > 0.999 && ratio < 1.001);
}

int
main(void)
{
    const uint64_t units[] = { 1000, 1000000, 1000000000, 3000000000 };
    for (size_t u = 0; u < sizeof(units) / sizeof(units[0]); u++) {
        memset(&histogram, 0, sizeof(histogram));
        CHECK(wl__histogram_quantile(&histogram, 0.5) == 0);
        for (uint64_t i = 1; i <= 1000; i++) {
            wl__histogram_record(i % 2 ? &histogram : &other, i * units[u]);
        }
        wl__histogram_move(&histogram, &other);
        CHECK(other.count == 0 && other.max == 0);
        CHECK(histogram.count == 1000);
        CHECK(histogram.max == 1000 * units[u]);
        near(wl__histogram_quantile(&histogram, 0.5), 500 * units[u]);
        near(wl__histogram_quantile(&histogram, 0.99), 990 * units[u]);
        near(wl__histogram_quantile(&histogram, 1.0), 1000 * units[u]);
        near((uint64_t)(histogram.sum / 1000), 500500 * units[u] / 1000);
    }
    wl__histogram_record(&histogram, UINT64_MAX); /* clamped, not lost */
    CHECK(histogram.count == 1001);
    wl__packed packed;
    CHECK(wl__histogram_pack(&histogram, &packed) == 0);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < packed.size; i++) {
        sum += packed.pairs[2 * i + 1];
    }
    CHECK(sum == packed.count && sum == 1001);
    free(packed.pairs);
    return 0;
}
