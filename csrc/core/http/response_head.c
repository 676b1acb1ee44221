#include "base/posix.h"

#include "http/response_head.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "http/scan.h"

static const uint64_t MAX_LENGTH = (uint64_t)1 << 59;

/* ---- what may be sent --------------------------------------------------- */

/* "200 OK": three digits, 200 to 999 (a final answer), a reason after SP. */
static int
read_status(const char *data, size_t size, int *status)
{
    if (size < 3 || wb__scan(data, 3, WB__DIGIT) != 3 || data[0] < '2'
        || (size > 3 && data[3] != ' ')
        || wb__scan(data, size, WB__VALUE) != size) {
        return WB_INVALID;
    }
    *status = (data[0] - '0') * 100 + (data[1] - '0') * 10 + (data[2] - '0');
    return 0;
}

static int
read_length(wb__head *head, const char *value, size_t size)
{
    uint64_t length;
    if (head->content_length >= 0
        || wb__decimal(value, size, MAX_LENGTH, &length) < 0) {
        return WB_INVALID;
    }
    head->content_length = (int64_t)length;
    return 0;
}

/* The application may say "close"; other hop-by-hop fields are the server's
 * (PEP 3333, "Other HTTP Features"). 1: leave the field out. */
static int
read_connection(wb__head *head, const char *value, size_t size)
{
    if (wb__list_has(value, size, "close")) {
        head->close = 1;
        return 1;
    }
    return wb__equal_nocase(value, size, "keep-alive") ? 1 : WB_INVALID;
}

/* What the core has to do with a field of this name. */
enum kind { PLAIN, HOP_BY_HOP, LENGTH, CONNECTION, DATE, SERVER };

static enum kind
kind_of(const char *name, size_t size)
{
    static const struct {
        char name[24];
        uint8_t size, kind;
    } names[] = {
#define NAME(text, kind) { text, sizeof(text) - 1, kind }
        NAME("te", HOP_BY_HOP),
        NAME("date", DATE),
        NAME("server", SERVER),
        NAME("trailer", HOP_BY_HOP),
        NAME("upgrade", HOP_BY_HOP),
        NAME("connection", CONNECTION),
        NAME("keep-alive", HOP_BY_HOP),
        NAME("content-length", LENGTH),
        NAME("proxy-connection", HOP_BY_HOP),
        NAME("transfer-encoding", HOP_BY_HOP),
        NAME("proxy-authenticate", HOP_BY_HOP),
        NAME("proxy-authorization", HOP_BY_HOP),
#undef NAME
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].size == size
            && wb__equal_nocase(name, size, names[i].name)) {
            return names[i].kind;
        }
    }
    return PLAIN;
}

static int
is_value(const char *value, size_t size)
{
    int high = 0;
    return wb__scan_text(value, size, &high) == size;
}

/* 0: send it, 1: leave it out (the core writes it), WB_INVALID. */
static int
read_field(wb__head *head, const char *name, size_t name_size,
           const char *value, size_t value_size)
{
    if (name_size == 0 || wb__scan(name, name_size, WB__TOKEN) != name_size
        || !is_value(value, value_size)) {
        return WB_INVALID;
    }
    switch (kind_of(name, name_size)) {
    case HOP_BY_HOP:
        return WB_INVALID;
    case LENGTH:
        wb__trim(&value, &value_size);
        return read_length(head, value, value_size) < 0 ? WB_INVALID : 1;
    case CONNECTION:
        return read_connection(head, value, value_size);
    case DATE:
        head->has_date = 1;
        return 0;
    case SERVER:
        head->has_server = 1;
        return 0;
    default:
        return 0;
    }
}

/* ---- the table ---------------------------------------------------------- */

static char *
put(char *out, const char *data, size_t size)
{
    memcpy(out, data, size);
    return out + size;
}

/* name NUL value NUL ..., `count` times and nothing after. A NUL inside a
 * name or value shifts the count and so is noticed. `text` is where `out`
 * began. */
static int
write_fields(wb__head *head, const char *lines, size_t size, const char *text,
             char **out)
{
    const char *start = lines, *end = lines + size;
    for (uint32_t i = 0; i < head->count; i++) {
        const char *name = lines;
        const char *nul = memchr(name, '\0', (size_t)(end - name));
        const char *value = nul == NULL ? NULL : nul + 1;
        const char *last = value == NULL
            ? NULL
            : memchr(value, '\0', (size_t)(end - value));
        if (last == NULL) {
            return WB_INVALID;
        }
        int kind = read_field(head, name, (size_t)(nul - name), value,
                              (size_t)(last - value));
        if (kind < 0) {
            return kind;
        }
        wb__head_field *field = &head->fields[i];
        *field = (wb__head_field) { .start = (uint32_t)(name - start),
                                    .value = (uint32_t)(value - start),
                                    .end = (uint32_t)(last - start) };
        if (kind == 0) {
            *out = put(*out, name, (size_t)(nul - name));
            *out = put(*out, ": ", 2);
            field->text = (uint32_t)(*out - text);
            *out = put(*out, value, (size_t)(last - value));
            *out = put(*out, "\r\n", 2);
        }
        lines = last + 1;
    }
    return lines == end ? 0 : WB_INVALID;
}

static int
make_head(wb__head *head, const wb_head *given)
{
    const char *status = given->status;
    const char *lines = given->lines_size == 0 ? "" : given->lines;
    size_t status_size = given->status_size, lines_size = given->lines_size;
    uint32_t count = given->count;
    size_t key_size = status_size + lines_size;
    if (key_size > UINT32_MAX / 4 || count > lines_size) {
        return WB_INVALID;
    }
    memset(head, 0, sizeof(*head));
    head->content_length = -1;
    head->count = count;
    head->status_size = (uint32_t)status_size;
    head->key_size = (uint32_t)key_size;
    if (read_status(status, status_size, &head->status) < 0) {
        return WB_INVALID;
    }
    /* ": " and CRLF take four bytes where there were two NULs. */
    head->fields = wb__alloc(count * sizeof(wb__head_field) + 2 * key_size
                             + 2 * (size_t)count + 16);
    if (head->fields == NULL) {
        return WB_NOMEM;
    }
    head->key = (char *)(head->fields + count);
    char *text = put(put(head->key, status, status_size), lines, lines_size);
    char *out = put(put(text, "HTTP/1.1 ", 9), status, status_size);
    if (status_size == 3) {
        *out++ = ' '; /* the SP is not optional, RFC 9112 section 4 */
    }
    out = put(out, "\r\n", 2);
    int error = write_fields(head, lines, lines_size, text, &out);
    if (error < 0) {
        wb__free(head->fields);
        head->fields = NULL;
        return error;
    }
    head->text_size = (uint32_t)(out - text);
    return 0;
}

static void
free_head(wb__head *head)
{
    wb__free(head->fields);
    wb__free(head->wire);
    memset(head, 0, sizeof(*head));
}

/* Fields of the head that differ, in their values alone and not in their
 * length - an id, a time - are put into it. 1: it is the one that was given
 * now. */
static int
amend(wb__head *head, const wb_head *given)
{
    char *lines = head->key + head->status_size;
    char *text = head->key + head->key_size;
    for (uint32_t i = 0; i < head->count; i++) {
        const wb__head_field *field = &head->fields[i];
        size_t name = field->value - field->start;
        size_t size = field->end - field->value;
        const char *value = given->lines + field->value;
        if (memcmp(lines + field->start, given->lines + field->start,
                   name + size + 1)
            == 0) {
            continue;
        }
        if (field->text == 0 || value[size] != '\0' || !is_value(value, size)
            || memcmp(lines + field->start, given->lines + field->start, name)
                != 0) {
            return 0;
        }
        memcpy(lines + field->value, value, size);
        memcpy(text + field->text, value, size);
        head->wire_second = 0; /* of no answer */
    }
    return 1;
}

int
wb__head_find(wb__responder *responder, const wb_head *given, wb__head **out)
{
    size_t place = (given->status_size * 31 + given->lines_size) % WB__HEADS;
    wb__head *head = &responder->heads[place];
    if (head->fields == NULL || head->count != given->count
        || head->status_size != given->status_size
        || head->key_size != given->status_size + given->lines_size
        || memcmp(head->key, given->status, given->status_size) != 0
        || (given->lines_size > 0
            && memcmp(head->key + given->status_size, given->lines,
                      given->lines_size)
                != 0
            && !amend(head, given))) {
        wb__head made;
        int error = make_head(&made, given);
        if (error < 0) {
            return error;
        }
        free_head(head);
        *head = made;
    }
    *out = head;
    return 0;
}

/* ---- wire form ---------------------------------------------------------- */

static uint32_t
put_server(wb__responder *responder)
{
    const char *name = responder->server_name;
    if (name == NULL || name[0] == '\0') {
        return 0;
    }
    return (uint32_t)snprintf(responder->common, sizeof(responder->common),
                              "Server: %.64s\r\n", name);
}

static char *
put_digits(char *out, int value, int count)
{
    for (int i = count; i-- > 0; value /= 10) {
        out[i] = (char)('0' + value % 10);
    }
    return out + count;
}

/* IMF-fixdate (RFC 9110 5.6.7); strftime would ask the locale. */
static char *
put_date(char *out, const struct tm *tm)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    out = put(out, days + 3 * (tm->tm_wday % 7), 3);
    out = put_digits(put(out, ", ", 2), tm->tm_mday, 2);
    out = put(put(out, " ", 1), wb__month(tm->tm_mon), 3);
    out = put_digits(put(out, " ", 1), tm->tm_year + 1900, 4);
    out = put_digits(put(out, " ", 1), tm->tm_hour, 2);
    out = put_digits(put(out, ":", 1), tm->tm_min, 2);
    out = put_digits(put(out, ":", 1), tm->tm_sec, 2);
    return put(out, " GMT", 4);
}

/* "Server: ...\r\nDate: ...\r\n", renewed every second. */
static void
renew_common(wb__responder *responder)
{
    struct timespec now;
    struct tm tm;
#ifdef CLOCK_REALTIME_COARSE
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
#else
    clock_gettime(CLOCK_REALTIME, &now);
#endif
    if (now.tv_sec == responder->second) {
        return;
    }
    gmtime_r(&now.tv_sec, &tm);
    if (responder->second == 0) {
        responder->server_size = put_server(responder);
    }
    responder->second = now.tv_sec;
    char *out = responder->common + responder->server_size;
    out = put(out, "Date: ", 6);
    out = put(put_date(out, &tm), "\r\n", 2);
    responder->common_size = (uint32_t)(out - responder->common);
}

/* Server and Date, unless the application gave its own. */
static char *
put_common(const wb__responder *responder, const wb__head *head, char *out)
{
    uint32_t from = head->has_server ? responder->server_size : 0;
    uint32_t to
        = head->has_date ? responder->server_size : responder->common_size;
    return to > from ? put(out, responder->common + from, to - from) : out;
}

int
wb__status_has_no_content(int status)
{
    return status == 204 || status == 205 || status == 304;
}

/* How the answer's end is marked, RFC 9112 6.3 and RFC 9110 8.6, 9.3.2,
 * 15.3.5, 15.3.6, 15.4.5. The Content-Length to announce, or -1. */
static int64_t
decide_framing(wb__answer *answer, const wb__head *head, int64_t length)
{
    int64_t announced
        = head->content_length >= 0 ? head->content_length : length;
    if (head->status == 205) {
        announced = 0; /* unlike 204 it says so */
    } else if (head->status == 204
               || (head->content_length < 0
                   && (head->status == 304
                       || (answer->is_head && length <= 0)))) {
        announced = -1; /* the length of what GET would send is not known */
    }
    answer->status = head->status;
    answer->left = announced;
    if (answer->is_head || head->status == 204 || head->status == 304) {
        answer->end = WB__NONE;
    } else if (announced >= 0) {
        answer->end = WB__LENGTH;
    } else if (answer->minor_version > 0) {
        answer->end = WB__CHUNKED;
    } else {
        answer->end = WB__UNTIL_CLOSE;
        answer->close = 1;
    }
    return announced;
}

static char *
put_head(const wb__responder *responder, const wb__answer *answer,
         const wb__head *head, int64_t announced, char *out)
{
    out = put(out, head->key + head->key_size, head->text_size);
    out = put_common(responder, head, out);
    if (answer->end == WB__CHUNKED) {
        out = put(out, "Transfer-Encoding: chunked\r\n", 28);
    } else if (announced >= 0) {
        out = put(out, "Content-Length: ", 16);
        out = wb__put_decimal(out, (uint64_t)announced);
        out = put(out, "\r\n", 2);
    }
    if (answer->close) {
        out = put(out, "Connection: close\r\n", 19);
    } else if (answer->minor_version == 0) {
        out = put(out, "Connection: keep-alive\r\n", 24);
    }
    return put(out, "\r\n", 2);
}

/* Without memory for it the next head is put together again. */
static void
remember_wire(wb__head *head, time_t second, const char *data, size_t size,
              int64_t announced)
{
    if (head->wire == NULL || head->wire_room < size) {
        wb__free(head->wire);
        head->wire = wb__alloc(size);
        head->wire_room = head->wire == NULL ? 0 : (uint32_t)size;
    }
    head->wire_second = 0; /* of no answer: the clock is past 1970 */
    if (head->wire != NULL) {
        memcpy(head->wire, data, size);
        head->wire_size = (uint32_t)size;
        head->wire_length = announced;
        head->wire_second = second;
    }
}

int
wb__head_write(wb__responder *responder, wb__head *head, wb__answer *answer,
               int64_t length)
{
    wb__buf *scratch = &responder->scratch;
    renew_common(responder);
    int64_t announced = decide_framing(answer, head, length);
    answer->close |= head->close;
    int error = wb__buf_reserve(
        scratch, head->text_size + sizeof(responder->common) + 128);
    if (error < 0) {
        return error;
    }
    char *start = scratch->data + scratch->end;
    int usual = answer->end == WB__LENGTH && !answer->close
        && answer->minor_version > 0;
    if (usual && head->wire_second == responder->second
        && head->wire_length == announced) {
        put(start, head->wire, head->wire_size);
        scratch->end += head->wire_size;
        return 0;
    }
    char *end = put_head(responder, answer, head, announced, start);
    scratch->end += (size_t)(end - start);
    if (usual) {
        remember_wire(head, responder->second, start, (size_t)(end - start),
                      announced);
    }
    return 0;
}

void
wb__responder_close(wb__responder *responder)
{
    for (int i = 0; i < WB__HEADS; i++) {
        free_head(&responder->heads[i]);
    }
    wb__buf_free(&responder->scratch);
}

/* ---- responses of our own ----------------------------------------------- */

static const char *
reason(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 408:
        return "Request Timeout";
    case 413:
        return "Content Too Large";
    case 414:
        return "URI Too Long";
    case 417:
        return "Expectation Failed";
    case 431:
        return "Request Header Fields Too Large";
    case 501:
        return "Not Implemented";
    case 503:
        return "Service Unavailable";
    case 505:
        return "HTTP Version Not Supported";
    default:
        return "Internal Server Error";
    }
}

size_t
wb__head_plain(wb__responder *responder, char out[WB__PLAIN_ROOM], int status,
               int is_head)
{
    char body[64];
    int size = snprintf(body, sizeof(body), "%d %s\n", status, reason(status));
    renew_common(responder);
    size = snprintf(out, WB__PLAIN_ROOM,
                    "HTTP/1.1 %d %s\r\n%.*sContent-Type: text/plain\r\n"
                    "Content-Length: %d\r\nConnection: close\r\n\r\n%s",
                    status, reason(status), (int)responder->common_size,
                    responder->common, size, is_head ? "" : body);
    return (size_t)size;
}
