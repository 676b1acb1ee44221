/* The load generator's reader of answers, whole and in pieces.
 *
 * First byte: how the pieces are cut. The rest: answers, one behind the
 * other. Held: the same answers are seen, with the same bodies, however they
 * come, and whether a head is read or recognised. */
#include "response.h"
#include "fuzz.h"

enum { MOST = 64 };

typedef struct seen {
    uint32_t count;
    struct {
        uint16_t status;
        uint8_t wrong_body, close;
        uint64_t passed;
        enum wl__verdict verdict;
    } answers[MOST];
} seen;

static const wl__body expected = { "hello", 5, 1, 0 };

static void
note(seen *out, const wl__response *response, enum wl__verdict verdict)
{
    if (out->count < MOST) {
        out->answers[out->count].verdict = verdict;
        if (verdict == WL__DONE) {
            out->answers[out->count].status = response->head.status;
            out->answers[out->count].wrong_body = response->wrong_body;
            out->answers[out->count].close = response->head.close;
            out->answers[out->count].passed = response->passed;
        }
        out->count++;
    }
}

static void
read_answers(const char *data, size_t size, cuts cut, seen *out)
{
    wl__response response = { 0 };
    wl__known *known = calloc(1, sizeof(*known));
    enum wl__verdict verdict = WL__MORE;
    MUST(known != NULL);
    for (size_t at = 0; at < size && verdict != WL__BROKEN;) {
        size_t piece = next_piece(&cut, size - at), done = 0;
        char *copy = copy_of(data + at, piece);
        while (done < piece && verdict != WL__BROKEN) {
            size_t used = 0;
            verdict = wl__response_read(&response, known, &expected,
                                        copy + done, piece - done, &used);
            MUST(used <= piece - done);
            MUST(used > 0 || verdict != WL__MORE);
            done += used;
            if (verdict != WL__MORE) {
                note(out, &response, verdict);
            } else {
                MUST(done == piece);
            }
        }
        free(copy);
        at += piece;
    }
    if (verdict != WL__BROKEN) {
        note(out, &response, wl__response_eof(&response, &expected));
    }
    wl__response_reset(&response);
    free(known);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    seen whole = { 0 }, pieces = { 0 };
    if (size < 2 || size > 16384) {
        return 0;
    }
    const char *text = (const char *)data + 1;
    read_answers(text, size - 1, (cuts) { 0 }, &whole);
    read_answers(text, size - 1, (cuts) { .seed = data[0] }, &pieces);
    MUST(whole.count == pieces.count);
    MUST(memcmp(&whole, &pieces, sizeof(whole)) == 0);
    return 0;
}
