#include "base/text.h"

int
wb__decimal(const char *data, size_t size, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    if (size == 0) {
        return -1;
    }
    for (size_t i = 0; i < size; i++) {
        if (data[i] < '0' || data[i] > '9') {
            return -1;
        }
        value = value * 10 + (uint64_t)(data[i] - '0');
        if (value > max) {
            return -1;
        }
    }
    *out = value;
    return 0;
}

char *
wb__put_decimal(char *out, uint64_t value)
{
    char digits[20];
    int count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    while (count > 0) {
        *out++ = digits[--count];
    }
    return out;
}

const char *
wb__month(int month)
{
    static const char names[] = "Jan\0Feb\0Mar\0Apr\0May\0Jun\0"
                                "Jul\0Aug\0Sep\0Oct\0Nov\0Dec";
    return names + 4 * (month % 12);
}
