/* Quantiles keep three digits from a microsecond to an hour. */
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

static void
check_scale(uint64_t unit)
{
    memset(&histogram, 0, sizeof(histogram));
    memset(&other, 0, sizeof(other));
    CHECK(wl__histogram_quantile(&histogram, 0.5) == 0);
    for (uint64_t i = 1; i <= 1000; i++) {
        wl__histogram_record(i % 2 ? &histogram : &other, i * unit);
    }
    wl__histogram_move(&histogram, &other);
    CHECK(histogram.count == 1000 && other.count == 0);
    CHECK(histogram.max == 1000 * unit);
    for (uint64_t i = 1; i <= 1000; i++) {
        near(wl__histogram_quantile(&histogram, (double)i / 1000), i * unit);
    }
    near((uint64_t)(histogram.sum / 1000), 500500 * unit / 1000);
}

/* What stands in a record is what was measured. */
static void
check_packed(void)
{
    wl__packed packed;
    uint64_t count = 0;
    CHECK(wl__histogram_pack(&histogram, &packed) == 0);
    CHECK(packed.count == histogram.count && packed.max == histogram.max);
    for (uint32_t i = 0; i < packed.size; i++) {
        CHECK(histogram.places[packed.pairs[2 * i]]
              == packed.pairs[2 * i + 1]);
        count += packed.pairs[2 * i + 1];
    }
    CHECK(count == histogram.count);
    free(packed.pairs);
}

int
main(void)
{
    RUN(check_scale(1));
    RUN(check_scale(1000));
    RUN(check_scale(1000000));
    RUN(check_scale(3000000000));
    wl__histogram_record(&histogram, UINT64_MAX); /* clamped, not lost */
    CHECK(histogram.count == 1001);
    RUN(check_packed());
    return 0;
}
