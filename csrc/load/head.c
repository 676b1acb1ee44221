/* The head of a response: what it says about its message. Enters: a whole
 * head; leaves: a wl__head, and in `known` the text to recognise the next one
 * by. */
#include "base/posix.h"

#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "response.h"

static const uint64_t MAX_LENGTH = (uint64_t)1 << 56;

static int
name_is(const char *line, size_t name, const char *expected)
{
    return strlen(expected) == name && strncasecmp(line, expected, name) == 0;
}

/* RFC 9110 5.6.1: a list, separated by commas and blanks. */
static int
has_token(const char *list, size_t size, const char *token)
{
    const char *end = list + size;
    while (list < end) {
        size_t word = 0;
        while (list + word < end && strchr(", \t", list[word]) == NULL) {
            word++;
        }
        if (name_is(list, word, token)) {
            return 1;
        }
        list += word + 1;
    }
    return 0;
}

/* RFC 9110 5.6.3: OWS stands before and behind a value. */
static int
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int
read_field(wl__head *head, wl__known *known, const char *data,
           const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);
    if (colon == NULL || colon == line || is_blank(line[0])
        || is_blank(colon[-1])) {
        return -1;
    }
    size_t name = (size_t)(colon - line);
    const char *value = colon + 1;
    size_t length = size - name - 1;
    while (length > 0 && is_blank(*value)) {
        value++;
        length--;
    }
    while (length > 0 && is_blank(value[length - 1])) {
        length--;
    }
    if (name_is(line, name, "content-length")) {
        uint64_t number;
        if (head->length >= 0
            || wb__decimal(value, length, MAX_LENGTH, &number) < 0) {
            return -1;
        }
        head->length = (int64_t)number;
        return 0;
    }
    if (name_is(line, name, "transfer-encoding")) {
        head->chunked = 1;
        return name_is(value, length, "chunked") ? 0 : -1;
    }
    if (name_is(line, name, "connection")) {
        head->close = has_token(value, length, "close")
            || (data[7] == '0' && !has_token(value, length, "keep-alive"));
    } else if (name_is(line, name, "date") && length == 29) {
        known->date = (uint32_t)(value - data);
    }
    return 0;
}

/* A whole head, ended by its empty line. */
int
wl__head_read(wl__head *head, wl__known *known, const char *data, size_t size)
{
    uint64_t status;
    *head = (wl__head) { .size = (uint32_t)size, .length = -1 };
    known->date = 0;
    if (size < 16 || memcmp(data, "HTTP/1.", 7) != 0 || data[8] != ' '
        || wb__decimal(data + 9, 3, 999, &status) < 0) {
        return -1;
    }
    head->close = data[7] == '0'; /* unless it says keep-alive */
    head->status = (uint16_t)status;
    const char *line = memchr(data, '\n', size);
    const char *end = data + size - 2;
    for (line++; line < end;) {
        const char *lf = memchr(line, '\n', (size_t)(end - line) + 2);
        if (lf == NULL || lf == line || lf[-1] != '\r'
            || read_field(head, known, data, line, (size_t)(lf - line) - 1)
                < 0) {
            return -1;
        }
        line = lf + 1;
    }
    head->bodiless = status == 204 || status == 304 || status < 200;
    if (head->chunked && head->length >= 0) {
        return -1;
    }
    if (size <= WL__KNOWN_ROOM && status >= 200) {
        memcpy(known->text, data, size);
        known->head = *head;
    } else {
        known->head.size = 0;
    }
    return 0;
}

/* Does the data start with the head that came last, but for its Date? */
int
wl__head_is_known(const wl__known *known, const char *data, size_t size)
{
    uint32_t length = known->head.size, date = known->date;
    if (length == 0 || size < length) {
        return 0;
    }
    if (date == 0) {
        return memcmp(data, known->text, length) == 0;
    }
    return memcmp(data, known->text, date) == 0
        && memchr(data + date, '\r', 29) == NULL /* it is still one line */
        && memchr(data + date, '\n', 29) == NULL
        && memcmp(data + date + 29, known->text + date + 29,
                  length - date - 29)
        == 0;
}
