#include "base/posix.h"

#include "response.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "visit.h"

enum state {
    START, /* the head is still to come, or in pieces in `kept` */
    LENGTH,
    UNTIL_CLOSE,
    CHUNK_SIZE,   /* its first digit */
    CHUNK_DIGITS, /* the others, or what ends them */
    CHUNK_EXTENSION,
    CHUNK_LF,
    CHUNK_DATA,
    CHUNK_END,
    CHUNK_END_LF,
    TRAILER,
    TRAILER_LINE,
    LAST_LF
};

void
wl__response_reset(wl__response *response)
{
    wb__free(response->kept);
    *response = (wl__response) { .visit = response->visit };
}

/* ---- the head ----------------------------------------------------------- */

static void
enter_body(wl__response *response, const wl__body *body)
{
    wl__head *head = &response->head;
    /* RFC 9112 6.3: whatever 204, 304 and the answer to HEAD announce. */
    head->bodiless |= body->is_head;
    head->chunked = head->chunked && !head->bodiless;
    response->passed = 0;
    response->extra = 0;
    response->wrong_body = 0;
    response->left = head->length < 0 ? 0 : (uint64_t)head->length;
    response->state = head->chunked ? CHUNK_SIZE
        : head->bodiless            ? LENGTH
        : head->length >= 0         ? LENGTH
                                    : UNTIL_CLOSE;
    if (head->bodiless) {
        response->left = 0;
    }
    /* RFC 9112 6.3: without a length the body ends with the connection. */
    head->close |= response->state == UNTIL_CLOSE;
}

/* Tells other protocols by their first bytes, before a line has ended. */
static int
may_be_http(const wl__response *response, const char *data, size_t size)
{
    static const char start[] = "HTTP/1.";
    size_t at = response->kept_size, most = sizeof(start) - 1;
    if (at >= most) {
        return 1;
    }
    size_t here = size < most - at ? size : most - at;
    return memcmp(data, start + at, here) == 0;
}

static enum wl__verdict
keep_head(wl__response *response, const char *data, size_t size)
{
    if (response->kept_size + size > WL__HEAD_ROOM
        || !may_be_http(response, data, size)) {
        return WL__BROKEN;
    }
    char *kept = wb__realloc(response->kept, response->kept_size + size);
    if (kept == NULL) {
        return WL__BROKEN;
    }
    memcpy(kept + response->kept_size, data, size);
    response->kept = kept;
    response->kept_size += (uint32_t)size;
    return WL__MORE;
}

static void
tell_visit(wl__response *response, const char *data, size_t size)
{
    if (response->visit != NULL) {
        wl__visit_head(response->visit, data, size, response->head.status);
    }
}

/* A whole head: its own memory, or pieces that were kept. */
static int
understand_head(wl__response *response, wl__known *known, const wl__body *body,
                const char *data, size_t size)
{
    if (wl__head_read(&response->head, known, data, size) < 0) {
        return -1;
    }
    uint16_t status = response->head.status;
    if (status < 100 || status == 101) {
        return -1;
    }
    if (status >= 200) { /* interim ones (RFC 9110 15.2) go before it */
        tell_visit(response, data, size);
        enter_body(response, body);
    }
    return 0;
}

static enum wl__verdict
take_pieces(wl__response *response, wl__known *known, const wl__body *body,
            const char *data, size_t size, size_t *used)
{
    /* The empty line is looked for across what was kept. What comes with the
     * head may be a body of any size: only a head's worth is kept. */
    size_t before = response->kept_size;
    size_t room = WL__HEAD_ROOM - before;
    if (keep_head(response, data, size < room ? size : room) == WL__BROKEN) {
        return WL__BROKEN;
    }
    const char *end = wl__head_end(response->kept, response->kept_size,
                                   before < 3 ? 0 : before - 3);
    if (end == NULL) {
        return size < room ? WL__MORE : WL__BROKEN;
    }
    size_t head = (size_t)(end - response->kept);
    *used = head - before;
    int wrong = understand_head(response, known, body, response->kept, head);
    wb__free(response->kept);
    response->kept = NULL;
    response->kept_size = 0;
    return wrong < 0 ? WL__BROKEN : WL__MORE;
}

static enum wl__verdict
take_head(wl__response *response, wl__known *known, const wl__body *body,
          const char *data, size_t size, size_t *used)
{
    *used = size;
    if (response->kept != NULL) {
        return take_pieces(response, known, body, data, size, used);
    }
    if (wl__head_is_known(known, data, size)) {
        response->head = known->head;
        *used = known->head.size;
        tell_visit(response, data, *used);
        enter_body(response, body);
        return WL__MORE;
    }
    const char *end = wl__head_end(data, size, 0);
    if (end == NULL) {
        return keep_head(response, data, size);
    }
    *used = (size_t)(end - data);
    return understand_head(response, known, body, data, *used) < 0 ? WL__BROKEN
                                                                   : WL__MORE;
}

/* ---- the body ----------------------------------------------------------- */

static void
check(wl__response *response, const wl__body *body, const char *data,
      size_t size)
{
    if (body->check
        && (response->passed + size > body->size
            || (body->text != NULL
                && memcmp(body->text + response->passed, data, size) != 0))) {
        response->wrong_body = 1;
    }
    response->passed += size;
}

static enum wl__verdict
finished(wl__response *response, const wl__body *body)
{
    response->wrong_body
        |= body->check && !body->is_head && response->passed != body->size;
    response->state = START;
    return WL__DONE;
}

static int
hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0'
        : c >= 'a' && c <= 'f'  ? c - 'a' + 10
        : c >= 'A' && c <= 'F'  ? c - 'A' + 10
                                : -1;
}

/* What means nothing to us has an end: 0 beyond it. */
static int
count_extra(wl__response *response)
{
    return response->extra++ < WL__EXTRA;
}

static int
chunk_byte(wl__response *response, char c)
{
    switch (response->state) {
    case CHUNK_SIZE:
        response->state = CHUNK_DIGITS;
        response->extra = 0;
        response->left = hex(c) < 0 ? 0 : (uint64_t)hex(c);
        return hex(c) < 0 ? -1 : 0;
    case CHUNK_DIGITS:
        if (hex(c) >= 0 && response->left < (uint64_t)1 << 56) {
            response->left = response->left * 16 + (uint64_t)hex(c);
            return count_extra(response) ? 0 : -1;
        }
        response->state = c == '\r' ? CHUNK_LF : CHUNK_EXTENSION;
        return c != '\0' && strchr("\r; \t", c) != NULL ? 0 : -1;
    case CHUNK_EXTENSION:
        response->state = c == '\r' ? CHUNK_LF : CHUNK_EXTENSION;
        return count_extra(response) ? 0 : -1;
    case CHUNK_LF:
        response->state = response->left == 0 ? TRAILER : CHUNK_DATA;
        return c == '\n' ? 0 : -1;
    case CHUNK_END:
        response->state = CHUNK_END_LF;
        return c == '\r' ? 0 : -1;
    case CHUNK_END_LF:
        response->state = CHUNK_SIZE;
        return c == '\n' ? 0 : -1;
    case TRAILER:
        response->state = c == '\r' ? LAST_LF : TRAILER_LINE;
        return count_extra(response) ? 0 : -1;
    case TRAILER_LINE:
        response->state = c == '\n' ? TRAILER : TRAILER_LINE;
        return count_extra(response) ? 0 : -1;
    default:
        return -1;
    }
}

static enum wl__verdict
take_chunked(wl__response *response, const wl__body *body, const char *data,
             size_t size, size_t *used)
{
    *used = size; /* of a broken response everything */
    for (size_t i = 0; i < size;) {
        if (response->state == CHUNK_DATA) {
            size_t here = size - i;
            here = here < response->left ? here : (size_t)response->left;
            check(response, body, data + i, here);
            response->left -= here;
            response->state = response->left == 0 ? CHUNK_END : CHUNK_DATA;
            i += here;
        } else if (response->state == LAST_LF
                   || (response->state == TRAILER && data[i] == '\n')) {
            *used = i + 1;
            return data[i] == '\n' ? finished(response, body) : WL__BROKEN;
        } else if (chunk_byte(response, data[i++]) < 0) {
            return WL__BROKEN;
        }
    }
    return WL__MORE;
}

enum wl__verdict
wl__response_read(wl__response *response, wl__known *known,
                  const wl__body *body, const char *data, size_t size,
                  size_t *used)
{
    size_t at = 0, step = 0;
    enum wl__verdict verdict = WL__MORE;
    while (response->state == START && at < size && verdict == WL__MORE) {
        verdict
            = take_head(response, known, body, data + at, size - at, &step);
        at += step;
    }
    if (verdict == WL__MORE && response->state == LENGTH) {
        size_t here = size - at;
        here = here < response->left ? here : (size_t)response->left;
        check(response, body, data + at, here);
        response->left -= here;
        at += here;
        verdict = response->left == 0 ? finished(response, body) : WL__MORE;
    } else if (verdict == WL__MORE && response->state == UNTIL_CLOSE) {
        check(response, body, data + at, size - at);
        at = size;
    } else if (verdict == WL__MORE && response->state != START) {
        verdict = take_chunked(response, body, data + at, size - at, &step);
        at += step;
    }
    *used = at;
    return verdict;
}

enum wl__verdict
wl__response_eof(wl__response *response, const wl__body *body)
{
    return response->state == UNTIL_CLOSE ? finished(response, body)
                                          : WL__BROKEN;
}
