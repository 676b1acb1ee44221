/* Random numbers: a stream for arrivals, and numbers by name. */
#ifndef WL_RANDOM_H
#define WL_RANDOM_H

#include <stdint.h>

/* The finalizer of splitmix64 (Steele, Lea, Flood; Vigna's constants). */
static inline uint64_t
wl__mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* The random number that belongs to a draw of a request. */
static inline uint64_t
wl__draw(uint64_t seed, uint64_t number, uint64_t draw)
{
    return wl__mix(wl__mix(seed + number * 0x9e3779b97f4a7c15u)
                   + draw * 0xd1342543de82ef95u);
}

/* Of 0 ... range - 1, by multiplication (Lemire); range <= 2^32. */
static inline uint64_t
wl__below(uint64_t random, uint64_t range)
{
    return ((random >> 32) * range) >> 32;
}

/* xoshiro256** (Blackman and Vigna), seeded by splitmix64. */
static inline uint64_t
wl__next_random(uint64_t *s)
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

static inline void
wl__seed_random(uint64_t *s, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        seed += 0x9e3779b97f4a7c15u;
        s[i] = wl__mix(seed);
    }
}

#endif
