/* Included first: under -std=c11 the C library hides what POSIX and Linux add
 * (memmem, SOCK_NONBLOCK, clock_gettime). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
