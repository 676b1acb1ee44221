/* The load generator's reader: each answer cut at every byte, and by
 * bytes; what is broken is called so. */
#include <string.h>

#include "check.h"
#include "response.h"

static const wl__body expected = { "hello", 5, 1, 0 };

typedef struct answer {
    const char *text;
    enum wl__verdict verdict;
    uint16_t status;
    uint8_t wrong_body;
} answer;

#define OK      "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK "Transfer-Encoding: chunked\r\n\r\n"

static const answer answers[] = {
    { OK "Content-Length: 5\r\n\r\nhello", WL__DONE, 200, 0 },
    { OK "content-length:5\r\n\r\nhello", WL__DONE, 200, 0 },
    { OK "Content-Length: 5\r\n\r\nhellO", WL__DONE, 200, 1 },
    { OK "Content-Length: 4\r\n\r\nhell", WL__DONE, 200, 1 },
    { OK "Content-Length: 6\r\n\r\nhello!", WL__DONE, 200, 1 },
    { OK "Date: Sat, 21 Nov 2026 05:00:00 GMT\r\nContent-Length: 5\r\n\r\n"
         "hello",
      WL__DONE, 200, 0 },
    { CHUNKED "5\r\nhello\r\n0\r\n\r\n", WL__DONE, 200, 0 },
    { CHUNKED "2;x=\"y\"\r\nhe\r\n003\r\nllo\r\n0\r\nT: v\r\n\r\n", WL__DONE,
      200, 0 },
    { CHUNKED "4\r\nhell\r\n0\r\n\r\n", WL__DONE, 200, 1 },
    { CHUNKED "5\r\nhelloX", WL__BROKEN, 0, 0 },
    { CHUNKED "z\r\n", WL__BROKEN, 0, 0 },
    { CHUNKED "\r\n", WL__BROKEN, 0, 0 },
    { CHUNKED "5\r\nhello\r\n0\r\n\r\r", WL__BROKEN, 0, 0 },
    { "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 5\r\n\r\nhello",
      WL__DONE, 200, 0 },
    { "HTTP/1.1 204 No Content\r\n\r\n", WL__DONE, 204, 1 },
    { "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", WL__DONE, 304,
      1 },
    { "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
      WL__DONE, 204, 1 },
    { OK "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", WL__DONE, 200,
      0 },
    { OK "Content-Length: 5, 5 ,5\r\n\r\nhello", WL__DONE, 200, 0 },
    { OK "Content-Length: 5, 6\r\n\r\n", WL__BROKEN, 0, 0 },
    { OK "Content-Length: 5,\r\n\r\n", WL__BROKEN, 0, 0 },
    { OK "Content-Length:\r\n\r\n", WL__BROKEN, 0, 0 },
    { OK "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", WL__BROKEN, 0, 0 },
    { OK "Transfer-Encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      WL__DONE, 200, 0 },
    { OK "Transfer-Encoding: chunked, gzip\r\n\r\n", WL__MORE, 0, 0 },
    { OK "Transfer-Encoding: chunked, chunked\r\n\r\n", WL__BROKEN, 0, 0 },
    { OK "X: a\r\n b\r\n\tc\r\nContent-Length: 5\r\n\r\nhello", WL__DONE, 200,
      0 },
    { OK " X: a\r\n\r\n", WL__BROKEN, 0, 0 },
    { OK "Content-Length: 5\r\n 5\r\n\r\n", WL__BROKEN, 0, 0 },
    { "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello", WL__DONE, 200, 0 },
    { "HTTP/1.1 200\nA: b\r\nContent-Length: 5\n\r\nhello", WL__DONE, 200, 0 },
    { "HTTP/1.1 2000 OK\r\n\r\n", WL__BROKEN, 0, 0 },
    { OK "Content-Length: -5\r\n\r\n", WL__BROKEN, 0, 0 },
    { OK "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", WL__BROKEN,
      0, 0 },
    { "HTTP/2.0 200 OK\r\n\r\n", WL__BROKEN, 0, 0 },
    { "HTTP/1.1 2x0 OK\r\n\r\n", WL__BROKEN, 0, 0 },
    { OK "no colon\r\n\r\n", WL__BROKEN, 0, 0 },
};

static void
read_it(wl__known *known, const answer *answer, size_t cut, int bytes)
{
    wl__response response = { 0 };
    size_t size = strlen(answer->text), at = 0;
    enum wl__verdict verdict = WL__MORE;
    while (at < size && verdict == WL__MORE) {
        size_t piece = bytes ? 1 : at < cut ? cut : size - at, used = 0;
        verdict = wl__response_read(&response, known, &expected,
                                    answer->text + at, piece, &used);
        at += used;
    }
    if (verdict != answer->verdict) {
        fprintf(stderr, "%s\ncut at %zu: %d\n", answer->text, cut,
                (int)verdict);
    }
    CHECK(verdict == answer->verdict);
    if (verdict == WL__DONE) {
        CHECK(at == size && response.state == 0);
        CHECK(response.head.status == answer->status);
        CHECK(response.wrong_body == answer->wrong_body);
    }
    wl__response_reset(&response);
}

static void
check_answers(void)
{
    static wl__known known; /* of the one before: often another head */
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        for (size_t cut = 0; cut <= strlen(answers[i].text); cut++) {
            read_it(&known, &answers[i], cut, 0);
        }
        read_it(&known, &answers[i], 0, 1);
    }
}

/* Without a length the end of the connection is the end of the body. */
static void
check_until_close(void)
{
    static const char text[] = "HTTP/1.0 200 OK\r\n\r\nhello";
    for (size_t size = 0; size < sizeof(text); size++) {
        wl__response response = { 0 };
        wl__known known = { 0 };
        size_t used = 0;
        CHECK(
            wl__response_read(&response, &known, &expected, text, size, &used)
            == WL__MORE);
        CHECK(used == size);
        enum wl__verdict verdict = wl__response_eof(&response, &expected);
        CHECK(verdict == (size < sizeof(text) - 6 ? WL__BROKEN : WL__DONE));
        CHECK(size < sizeof(text) - 6
              || response.wrong_body == (size != sizeof(text) - 1));
        wl__response_reset(&response);
    }
}

static void
check_long_head(void)
{
    static wl__known known;
    char line[1000];
    wl__response response = { 0 };
    enum wl__verdict verdict = WL__MORE;
    size_t used;
    memset(line, 'a', sizeof(line));
    memcpy(line, OK "A: ", sizeof(OK "A: ") - 1);
    for (int i = 0; i < 300 && verdict == WL__MORE; i++) {
        verdict = wl__response_read(&response, &known, &expected, line,
                                    sizeof(line), &used);
        memset(line, 'a', sizeof(line));
    }
    CHECK(verdict == WL__BROKEN);
    wl__response_reset(&response);
}

int
main(void)
{
    RUN(check_answers());
    RUN(check_until_close());
    RUN(check_long_head());
    return 0;
}
