#include "base/posix.h"

#include "message.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "random.h"

enum { DIGITS = 20, HEX_DIGITS = 16, ADDRESS = 15, MAX_WIDTH = 65536 };

/* ---- pools -------------------------------------------------------------- */

static int
pool_is_right(const wl_pool *pool)
{
    uint32_t before = 0;
    for (uint32_t i = 0; i < pool->count; i++) {
        if (pool->ends[i] < before
            || (pool->alias != NULL && pool->alias[i] >= pool->count)) {
            return 0;
        }
        before = pool->ends[i];
    }
    return pool->count > 0 && (pool->keep == NULL) == (pool->alias == NULL);
}

static void *
copy(char **room, const void *data, size_t size)
{
    char *at = *room;
    if (size > 0) {
        memcpy(at, data, size);
    }
    *room += size;
    return at;
}

int
wl__pool_copy(wl__pool *out, const wl_pool *pool)
{
    if (!pool_is_right(pool)) {
        return -EINVAL;
    }
    size_t numbers = pool->count * sizeof(uint32_t);
    size_t size = pool->ends[pool->count - 1];
    char *room = wb__alloc(3 * numbers + size);
    *out = (wl__pool) { .is = *pool, .memory = room };
    if (room == NULL) {
        return -ENOMEM;
    }
    out->is.ends = copy(&room, pool->ends, numbers);
    if (pool->keep != NULL) {
        out->is.keep = copy(&room, pool->keep, numbers);
        out->is.alias = copy(&room, pool->alias, numbers);
    }
    out->is.text = copy(&room, pool->text, size);
    for (uint32_t i = 0; i < pool->count; i++) {
        uint32_t one = pool->ends[i] - (i == 0 ? 0 : pool->ends[i - 1]);
        out->longest = one > out->longest ? one : out->longest;
    }
    return 0;
}

void
wl__pool_free(wl__pool *pool)
{
    wb__free(pool->memory);
}

static uint32_t
pick(const wl_pool *pool, uint64_t random)
{
    uint32_t at = (uint32_t)wl__below(random, pool->count);
    return pool->keep == NULL || (uint32_t)random < pool->keep[at]
        ? at
        : pool->alias[at];
}

static size_t
pool_size(const wl_pool *pool, uint32_t at)
{
    return pool->ends[at] - (at == 0 ? 0 : pool->ends[at - 1]);
}

/* ---- a piece ------------------------------------------------------------ */

static uint32_t
digits_of(uint64_t number, uint32_t base)
{
    uint32_t count = 1;
    while (number >= base) {
        number /= base;
        count++;
    }
    return count;
}

static uint32_t
at_least(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* In exactly `width` digits. */
static char *
put_number(char *out, uint64_t number, uint32_t base, uint32_t width)
{
    for (uint32_t i = width; i > 0; i--) {
        out[i - 1] = "0123456789abcdef"[number % base];
        number /= base;
    }
    return out + width;
}

static char *
put_hex(char *out, uint64_t seed, const wl__turn *turn, uint32_t width)
{
    uint64_t random = wl__draw(turn->seed, turn->number, seed);
    while (width > 0) {
        uint32_t here = width < HEX_DIGITS ? width : HEX_DIGITS;
        uint64_t rest = random;
        for (uint32_t i = 0; i < here; i++, rest >>= 4) {
            *out++ = "0123456789abcdef"[rest & 15];
        }
        width -= here;
        random = wl__mix(random + 1);
    }
    return out;
}

/* An odd factor permutes the numbers below 2^24. */
static char *
put_address(char *out, const wl__turn *turn)
{
    uint64_t host = turn->number * 0x9e3779b1u + turn->seed;
    out = memcpy(out, "10", 2);
    out += 2;
    for (int shift = 16; shift >= 0; shift -= 8) {
        uint64_t byte = host >> shift & 255;
        *out++ = '.';
        out = put_number(out, byte, 10, digits_of(byte, 10));
    }
    return out;
}

static uint64_t
number_of(const wl_piece *piece, const wl__turn *turn)
{
    uint64_t range = piece->last - piece->first + 1; /* 0: all 2^64 */
    uint64_t at = piece->kind == WL_COUNT
        ? turn->number
        : wl__draw(turn->seed, turn->number, piece->draw);
    if (piece->kind == WL_NUMBER && range - 1 < UINT32_MAX) {
        return piece->first + wl__below(at, range);
    }
    return piece->first + (range == 0 ? at : at % range);
}

static uint32_t
text_of(const wl_piece *piece, const wl__turn *turn)
{
    const wl_pool *pool = &turn->pools[piece->first].is;
    if (piece->kind == WL_VISITOR) {
        return (uint32_t)(turn->connection % pool->count);
    }
    return pick(pool, wl__draw(turn->seed, turn->number, piece->draw));
}

static size_t
size_of(const wl_piece *piece, const wl__turn *turn)
{
    char room[ADDRESS];
    switch (piece->kind) {
    case WL_COUNT:
    case WL_NUMBER:
        return at_least(digits_of(number_of(piece, turn), 10), piece->width);
    case WL_HEX:
        return piece->width;
    case WL_ADDRESS:
        return (size_t)(put_address(room, turn) - room);
    case WL_PICK:
    case WL_VISITOR:
        return pool_size(&turn->pools[piece->first].is, text_of(piece, turn));
    default:
        return piece->size;
    }
}

static char *
put_pool(char *out, const wl_piece *piece, const wl__turn *turn)
{
    const wl_pool *pool = &turn->pools[piece->first].is;
    uint32_t at = text_of(piece, turn);
    size_t size = pool_size(pool, at);
    memcpy(out, pool->text + pool->ends[at] - size, size);
    return out + size;
}

static char *
put_size(char *out, const wl__request *request, const wl_piece *piece,
         const wl__turn *turn)
{
    uint32_t base = piece->width == 16 ? 16 : 10;
    uint64_t size = 0;
    for (uint64_t i = piece->first; i <= piece->last; i++) {
        size += size_of(&request->pieces[i], turn);
    }
    return put_number(out, size, base, digits_of(size, base));
}

size_t
wl__request_render(const wl__request *request, const wl__turn *turn, char *out)
{
    char *start = out;
    for (uint32_t i = 0; i < request->piece_count; i++) {
        const wl_piece *piece = &request->pieces[i];
        uint64_t number;
        switch (piece->kind) {
        case WL_TEXT:
            memcpy(out, piece->text, piece->size);
            out += piece->size;
            break;
        case WL_COUNT:
        case WL_NUMBER:
            number = number_of(piece, turn);
            out = put_number(out, number, 10,
                             at_least(digits_of(number, 10), piece->width));
            break;
        case WL_HEX:
            out = put_hex(out, piece->draw, turn, piece->width);
            break;
        case WL_ADDRESS:
            out = put_address(out, turn);
            break;
        case WL_SIZE:
            out = put_size(out, request, piece, turn);
            break;
        default:
            out = put_pool(out, piece, turn);
        }
    }
    return (size_t)(out - start);
}

/* ---- a request ---------------------------------------------------------- */

static size_t
longest_piece(const wl_piece *piece, const wl__pool *pools)
{
    switch (piece->kind) {
    case WL_TEXT:
        return piece->size;
    case WL_HEX:
        return piece->width;
    case WL_ADDRESS:
        return ADDRESS;
    case WL_PICK:
    case WL_VISITOR:
        return pools[piece->first].longest;
    default:
        return at_least(DIGITS, piece->width);
    }
}

/* WL_SIZE counts only what stands behind it, so it counts no WL_SIZE that
 * counts itself. */
static int
piece_is_right(const wl_request *request, uint32_t at, uint32_t pool_count)
{
    const wl_piece *piece = &request->pieces[at];
    switch (piece->kind) {
    case WL_TEXT:
    case WL_ADDRESS:
        return 1;
    case WL_COUNT:
    case WL_NUMBER:
        return piece->first <= piece->last && piece->width <= MAX_WIDTH;
    case WL_HEX:
        return piece->width <= MAX_WIDTH;
    case WL_PICK:
    case WL_VISITOR:
        return piece->first < pool_count;
    case WL_SIZE:
        for (uint64_t i = piece->first;
             i <= piece->last && i < request->piece_count; i++) {
            if (request->pieces[i].kind == WL_SIZE) {
                return 0;
            }
        }
        return piece->first <= piece->last
            && piece->last < request->piece_count;
    default:
        return 0;
    }
}

static int
request_is_right(const wl_request *request, uint32_t pool_count)
{
    for (uint32_t i = 0; i < request->piece_count; i++) {
        if (!piece_is_right(request, i, pool_count)) {
            return 0;
        }
    }
    for (uint32_t i = 0; i < request->status_count; i++) {
        if (request->statuses[i] >= WL__STATUSES) {
            return 0;
        }
    }
    return request->piece_count > 0 && request->route <= UINT16_MAX
        && request->check_body <= 2;
}

static int
copy_pieces(wl__request *out, const wl_request *request)
{
    size_t size = request->piece_count * sizeof(wl_piece);
    for (uint32_t i = 0; i < request->piece_count; i++) {
        const wl_piece *piece = &request->pieces[i];
        size += piece->kind == WL_TEXT ? piece->size : 0;
    }
    char *room = wb__alloc(size);
    if (room == NULL) {
        return -ENOMEM;
    }
    out->pieces = copy(&room, request->pieces,
                       request->piece_count * sizeof(wl_piece));
    out->piece_count = request->piece_count;
    for (uint32_t i = 0; i < request->piece_count; i++) {
        wl_piece *piece = &out->pieces[i];
        if (piece->kind == WL_TEXT) {
            piece->text = copy(&room, piece->text, piece->size);
        }
    }
    return 0;
}

static void
expect(wl__request *out, uint32_t status)
{
    out->statuses[status / 64] |= (uint64_t)1 << (status % 64);
}

static int
copy_expected(wl__request *out, const wl_request *request)
{
    for (uint32_t i = 0; i < request->status_count; i++) {
        expect(out, request->statuses[i]);
    }
    for (uint32_t i = 200; request->status_count == 0 && i < 300; i++) {
        expect(out, i);
    }
    out->body = (wl__body) { .check = request->check_body != 0,
                             .size = request->body_size,
                             .is_head = request->is_head };
    if (request->check_body != 1) {
        return 0;
    }
    char *room = out->expected = wb__alloc(request->body_size + 1);
    if (room == NULL) {
        return -ENOMEM;
    }
    out->body.text = copy(&room, request->body, request->body_size);
    return 0;
}

int
wl__request_copy(wl__request *out, const wl_request *request,
                 const wl__pool *pools, uint32_t pool_count)
{
    *out
        = (wl__request) { .route = request->route, .closes = request->closes };
    if (!request_is_right(request, pool_count)) {
        return -EINVAL;
    }
    int error = copy_pieces(out, request);
    if (error == 0) {
        error = copy_expected(out, request);
    }
    if (error < 0) {
        wl__request_free(out);
        return error;
    }
    for (uint32_t i = 0; i < out->piece_count; i++) {
        out->longest += longest_piece(&out->pieces[i], pools);
    }
    out->is_fixed = out->piece_count == 1 && out->pieces[0].kind == WL_TEXT;
    return 0;
}

void
wl__request_free(wl__request *request)
{
    wb__free(request->pieces);
    wb__free(request->expected);
    *request = (wl__request) { 0 };
}
