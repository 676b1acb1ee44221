/* The head of an answer, as a hostile or careless application gives it.
 *
 * First byte: how many fields there are said to be; up to the first LF: the
 * status; the rest: the fields. Held: what is accepted is one head, with the
 * lines that were given and no other. */
#include "fuzz.h"
#include "http/response_head.h"

#include "base/alloc.h"
#include "http/scan.h"

/* One head in wire form, without its empty line. */
static void
check_text(const char *text, size_t size, uint32_t count)
{
    uint32_t lines = 0;
    const char *end = text + size;
    MUST(size >= 15 && memcmp(text, "HTTP/1.1 ", 9) == 0 && text[12] == ' ');
    for (const char *lf; text < end; text = lf + 1, lines++) {
        lf = memchr(text, '\n', (size_t)(end - text));
        MUST(lf != NULL && lf > text && lf[-1] == '\r');
        size_t length = (size_t)(lf - text) - 1;
        MUST(wb__scan(text, length, WB__VALUE) == length);
        if (lines == 0) {
            continue;
        }
        size_t name = wb__scan(text, length, WB__TOKEN);
        MUST(name > 0 && name + 1 < length);
        MUST(text[name] == ':' && text[name + 1] == ' ');
        MUST(!wb__equal_nocase(text, name, "content-length"));
        MUST(!wb__equal_nocase(text, name, "connection"));
        MUST(!wb__equal_nocase(text, name, "transfer-encoding"));
    }
    MUST(lines <= count + 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wb__responder *responder = calloc(1, sizeof(*responder));
    wb__head *head, *again;
    MUST(responder != NULL);
    if (size > 0) {
        const uint8_t *lf = memchr(data + 1, '\n', size - 1);
        size_t status_size = lf == NULL ? size - 1 : (size_t)(lf - data) - 1;
        size_t lines_size = lf == NULL ? 0 : size - status_size - 2;
        char *status = copy_of(data + 1, status_size);
        char *lines = copy_of(lf == NULL ? data : lf + 1, lines_size);
        const wb_head given
            = { status, lines, status_size, lines_size, data[0] };
        if (wb__head_find(responder, &given, &head) == 0) {
            check_text(head->key + head->key_size, head->text_size, data[0]);
            MUST(head->status >= 200 && head->status <= 999);
            MUST(head->content_length >= -1);
            MUST(wb__head_find(responder, &given, &again) == 0
                 && again == head);
        }
        free(status);
        free(lines);
    }
    wb__responder_close(responder);
    free(responder);
    MUST(wb__alloc_held() == 0);
    return 0;
}
