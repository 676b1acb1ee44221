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

static int
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static int
is_space(char c)
{
    return is_blank(c) || c == '\r' || c == '\n';
}

/* RFC 9110 5.6.3: OWS stands before and behind a value, and a fold in it is
 * some (RFC 9112 5.2). */
static void
trim(const char **value, size_t *length)
{
    while (*length > 0 && is_space(**value)) {
        (*value)++;
        (*length)--;
    }
    while (*length > 0 && is_space((*value)[*length - 1])) {
        (*length)--;
    }
}

/* RFC 9110 5.6.1: a list, separated by commas and blanks. */
static int
has_token(const char *list, size_t size, const char *token)
{
    const char *end = list + size;
    while (list < end) {
        size_t word = 0;
        while (list + word < end && list[word] != ','
               && !is_space(list[word])) {
            word++;
        }
        if (name_is(list, word, token)) {
            return 1;
        }
        list += word + 1;
    }
    return 0;
}

/* RFC 9110 8.6: the same number several times is that number. */
static int
read_length(wl__head *head, const char *value, size_t length)
{
    const char *end = value + length;
    while (value <= end) {
        const char *comma = memchr(value, ',', (size_t)(end - value));
        const char *stop = comma == NULL ? end : comma;
        uint64_t number;
        size_t size = (size_t)(stop - value);
        trim(&value, &size);
        if (wb__decimal(value, size, MAX_LENGTH, &number) < 0
            || (head->length >= 0 && (uint64_t)head->length != number)) {
            return -1;
        }
        head->length = (int64_t)number;
        value = stop + 1;
    }
    return 0;
}

/* RFC 9112 6.1: chunked is the last coding of all fields, and stands once;
 * where it is not the last, the body ends with the connection (6.3). What the
 * other codings make of the body is left as it is. */
static int
read_codings(wl__head *head, const char *value, size_t length)
{
    const char *end = value + length;
    while (value < end) {
        const char *comma = memchr(value, ',', (size_t)(end - value));
        const char *stop = comma == NULL ? end : comma;
        size_t size = (size_t)(stop - value);
        trim(&value, &size);
        if (size > 0) {
            int chunked = name_is(value, size, "chunked");
            if (head->chunked && chunked) {
                return -1;
            }
            head->chunked = (uint8_t)chunked;
            head->coded = 1;
        }
        value = stop + 1;
    }
    return 0;
}

/* 0, or -1 for what is no field. */
static int
read_field(wl__head *head, wl__known *known, const char *data,
           const char *line, size_t size)
{
    const char *colon = memchr(line, ':', size);
    if (colon == NULL || colon == line || is_blank(colon[-1])) {
        return -1;
    }
    size_t name = (size_t)(colon - line);
    const char *value = colon + 1;
    size_t length = size - name - 1;
    trim(&value, &length);
    if (name_is(line, name, "content-length")) {
        return read_length(head, value, length);
    }
    if (name_is(line, name, "transfer-encoding")) {
        return read_codings(head, value, length);
    }
    if (name_is(line, name, "connection")) {
        head->close |= (uint8_t)has_token(value, length, "close");
        head->keeps |= (uint8_t)has_token(value, length, "keep-alive");
    }
    if (name_is(line, name, "date") && length == 29) {
        known->date = (uint32_t)(value - data);
    }
    return 0;
}

/* Without the end of its last line; `end` stands behind the last field. A line
 * that starts with a blank goes on with the field before it (RFC 9112 5.2),
 * and a bare LF ends a line, too (2.2). *next: where the next field begins. */
static size_t
field_size(const char *line, const char *end, const char **next)
{
    const char *lf = memchr(line, '\n', (size_t)(end - line));
    while (lf + 1 < end && is_blank(lf[1])) {
        lf = memchr(lf + 1, '\n', (size_t)(end - lf - 1));
    }
    *next = lf + 1;
    size_t size = (size_t)(lf - line);
    return size - (size > 0 && line[size - 1] == '\r');
}

/* From the first line behind the status to `end`, the empty line. */
static int
read_fields(wl__head *head, wl__known *known, const char *data,
            const char *line, const char *end)
{
    while (line < end) {
        const char *next;
        size_t size = field_size(line, end, &next);
        if (is_blank(*line) || read_field(head, known, data, line, size) < 0) {
            return -1;
        }
        line = next;
    }
    return 0;
}

/* Where the line behind it begins, or NULL. */
const char *
wl__head_end(const char *data, size_t size, size_t from)
{
    const char *at = data + from, *end = data + size;
    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        if (at < end && *at == '\n') {
            return at + 1;
        }
        if (end - at >= 2 && at[0] == '\r' && at[1] == '\n') {
            return at + 2;
        }
    }
    return NULL;
}

/* A whole head, ended by its empty line. */
int
wl__head_read(wl__head *head, wl__known *known, const char *data, size_t size)
{
    uint64_t status;
    *head = (wl__head) { .size = (uint32_t)size, .length = -1 };
    known->date = 0;
    if (size < 14 || memcmp(data, "HTTP/1.", 7) != 0 || data[8] != ' '
        || data[7] < '0' || data[7] > '9'
        || wb__decimal(data + 9, 3, 999, &status) < 0
        || (data[12] != ' ' && data[12] != '\r' && data[12] != '\n')) {
        return -1;
    }
    head->status = (uint16_t)status;
    const char *line = memchr(data, '\n', size);
    const char *end = data + size - (data[size - 2] == '\r' ? 2 : 1);
    if (line == NULL || read_fields(head, known, data, line + 1, end) < 0) {
        return -1;
    }
    head->close |= data[7] == '0' && !head->keeps; /* RFC 9112 9.3 */
    head->bodiless = status == 204 || status == 304 || status < 200;
    if (head->coded && head->length >= 0) {
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
