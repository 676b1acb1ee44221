/* A strict reader of HTTP/1.1 responses, fed as bytes come.
 *
 * Servers answer the same request with the same head but for the Date, so a
 * head that repeats the previous one is recognised by comparing and not read
 * again. The body is compared with what was expected as it passes. */
#ifndef WL_RESPONSE_H
#define WL_RESPONSE_H

#include <stddef.h>
#include <stdint.h>

enum { WL__HEAD_ROOM = 262144, WL__KNOWN_ROOM = 1024, WL__EXTRA = 65536 };

/* What a head says about its message. */
typedef struct wl__head {
    uint32_t size;       /* with the empty line */
    uint16_t status;
    uint8_t chunked, coded, close, keeps, bodiless;
    int64_t length;      /* -1: not given */
} wl__head;

/* The last head that was read, to be compared with. */
typedef struct wl__known {
    wl__head head;
    uint32_t date;       /* where the 29 bytes of the Date stand; 0: none */
    char text[WL__KNOWN_ROOM];
} wl__known;

/* What is expected. */
typedef struct wl__body {
    const char *text;    /* NULL: only its length is checked */
    uint64_t size;
    uint8_t check;
    uint8_t is_head;     /* the request's method was HEAD */
} wl__body;

typedef struct wl__response {
    struct wl__visit *visit; /* told of heads; outlives resets; or NULL */
    uint8_t state;       /* 0: between responses */
    uint8_t wrong_body;
    wl__head head;
    uint64_t left;       /* of the body or chunk */
    uint64_t passed;     /* of the body */
    uint32_t extra;      /* bytes of a chunk's size line, of the trailer */
    char *kept;          /* a head in pieces; owned */
    uint32_t kept_size;
} wl__response;

enum wl__verdict {
    WL__MORE,    /* the response goes on */
    WL__DONE,
    WL__BROKEN   /* no HTTP/1.1 response */
};

/* head.c: of a whole head. 0, or -1 if it is no response's. */
int wl__head_read(wl__head *head, wl__known *known, const char *data,
                  size_t size);
/* Behind its empty line; NULL: there is none at or after `from`. */
const char *wl__head_end(const char *data, size_t size, size_t from);
/* Does the data start with the head that came last, but for its Date? */
int wl__head_is_known(const wl__known *known, const char *data, size_t size);

/* Reads on; *used is what belongs to this response. */
enum wl__verdict wl__response_read(wl__response *response, wl__known *known,
                                   const wl__body *body, const char *data,
                                   size_t size, size_t *used);
/* The server closed. Was that the end of the response? */
enum wl__verdict wl__response_eof(wl__response *response,
                                  const wl__body *body);
void wl__response_reset(wl__response *response);

#endif
