/* Included first: under -std=c11 the C library hides what POSIX and Linux add
 * (accept4, O_TMPFILE, CLOCK_MONOTONIC_COARSE). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
