#include "http/request_line.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"
#include "http/scan.h"

/* "HTTP/" DIGIT "." DIGIT. Minor versions above 1 are served as 1.1, the
 * highest we know (RFC 9110 2.5). */
static int
parse_version(const char *data, uint32_t size, uint8_t *minor)
{
    if (size != 8 || memcmp(data, "HTTP/", 5) != 0 || data[6] != '.'
        || !wb__is(data[5], WB__DIGIT) || !wb__is(data[7], WB__DIGIT)) {
        return 400;
    }
    if (data[5] != '1') {
        return 505;
    }
    *minor = data[7] == '0' ? 0 : 1;
    return 0;
}

static int
port_valid(const char *data, uint32_t size)
{
    uint64_t port;
    return size == 0 || wb__decimal(data, size, 65535, &port) == 0;
}

/* IP-literal after its "[": where its "]" stands, or 0. */
static uint32_t
ip_literal(const char *data, uint32_t size)
{
    const char *end = memchr(data, ']', size);
    char text[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (end == NULL) {
        return 0;
    }
    uint32_t length = (uint32_t)(end - data);
    if (length > 2 && (data[0] == 'v' || data[0] == 'V')) {
        /* IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ) */
        uint32_t i = 1 + (uint32_t)wb__scan(data + 1, length - 1, WB__HEX);
        if (i == 1 || i + 1 >= length || data[i] != '.') {
            return 0;
        }
        for (i++; i < length; i++) {
            if (!wb__is(data[i], WB__REGNAME) && data[i] != ':') {
                return 0;
            }
        }
        return length;
    }
    if (length == 0 || length >= sizeof(text)) {
        return 0;
    }
    memcpy(text, data, length);
    text[length] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1 ? length : 0;
}

int
wb__host_valid(const char *data, uint32_t size)
{
    uint32_t i = 0;
    if (size > 0 && data[0] == '[') {
        uint32_t length = ip_literal(data + 1, size - 1);
        if (length == 0) {
            return 0;
        }
        i = length + 2;
    } else {
        while (i < size) {
            if (wb__is(data[i], WB__REGNAME)) {
                i++;
            } else if (data[i] == '%' && size - i > 2
                       && wb__is(data[i + 1], WB__HEX)
                       && wb__is(data[i + 2], WB__HEX)) {
                i += 3;
            } else {
                break;
            }
        }
    }
    if (i == size) {
        return 1;
    }
    /* A port without a host names nothing. */
    return i > 0 && data[i] == ':' && port_valid(data + i + 1, size - i - 1);
}

/* Everything from `start` (a "/", a "?" or the end) is path and query. */
static void
split_path(const char *data, uint32_t start, uint32_t end, int marked,
           wb__line *out)
{
    if (!marked) {
        out->path = (wb_span) { start, end - start };
        return;
    }
    const char *query = memchr(data + start, '?', end - start);
    uint32_t path_end = query == NULL ? end : (uint32_t)(query - data);
    out->path = (wb_span) { start, path_end - start };
    if (query != NULL) {
        out->query = (wb_span) { path_end + 1, end - path_end - 1 };
    }
    out->encoded = memchr(data + start, '%', path_end - start) != NULL;
}

/* scheme "://" authority path-abempty [ "?" query ], RFC 9112 3.2.2 */
static int
parse_absolute(const char *data, wb__line *out)
{
    const char *target = data + out->target.off;
    uint32_t size = out->target.len, start;
    if (size > 7 && wb__equal_nocase(target, 7, "http://")) {
        start = 7;
    } else if (size > 8 && wb__equal_nocase(target, 8, "https://")) {
        start = 8;
    } else {
        return 400;
    }
    uint32_t end = start;
    while (end < size && target[end] != '/' && target[end] != '?') {
        end++;
    }
    /* An empty host must be rejected (RFC 9110 4.2.1), userinfo is treated
     * as an error (4.2.4): "@" is no character of a reg-name. */
    if (end == start || !wb__host_valid(target + start, end - start)) {
        return 400;
    }
    out->authority = (wb_span) { out->target.off + start, end - start };
    split_path(data, out->target.off + end, out->target.off + size, 1, out);
    return 0;
}

/* marked: it holds one of WB__MARK. */
static int
parse_target(const char *data, int marked, wb__line *out)
{
    const char *target = data + out->target.off;
    const char *method = data + out->method.off;
    uint32_t size = out->target.len;
    if (marked && memchr(target, '#', size) != NULL) {
        return 400; /* a fragment is never sent (RFC 9110 7.1) */
    }
    if (out->method.len == 7 && memcmp(method, "CONNECT", 7) == 0) {
        /* authority-form: we are no proxy. */
        return wb__host_valid(target, size) ? 501 : 400;
    }
    if (target[0] == '/') {
        split_path(data, out->target.off, out->target.off + size, marked, out);
        return 0;
    }
    if (target[0] == '*' && size == 1) {
        out->path = (wb_span) { out->target.off, 0 };
        return out->method.len == 7 && memcmp(method, "OPTIONS", 7) == 0 ? 0
                                                                         : 400;
    }
    return parse_absolute(data, out);
}

int
wb__line_parse(const char *data, uint32_t size, wb__line *out)
{
    *out = (wb__line) { 0 };
    uint32_t method = (uint32_t)wb__scan(data, size, WB__TOKEN);
    if (method == 0 || method == size || data[method] != ' ') {
        return 400;
    }
    uint32_t start = method + 1, end = start;
    int classes = 0;
    for (; end < size && wb__is(data[end], WB__TARGET); end++) {
        classes |= wb__class[(uint8_t)data[end]];
    }
    if (end == start || end == size || data[end] != ' ') {
        return 400;
    }
    out->method = (wb_span) { 0, method };
    out->target = (wb_span) { start, end - start };
    int status
        = parse_version(data + end + 1, size - end - 1, &out->minor_version);
    return status != 0 ? status : parse_target(data, classes & WB__MARK, out);
}

uint32_t
wb__percent_decode(const char *data, uint32_t size, char *out)
{
    uint32_t written = 0;
    for (uint32_t i = 0; i < size; i++) {
        if (data[i] == '%' && size - i > 2 && wb__is(data[i + 1], WB__HEX)
            && wb__is(data[i + 2], WB__HEX)) {
            out[written++] = (char)(wb__hex_digit(data[i + 1]) * 16
                                    + wb__hex_digit(data[i + 2]));
            i += 2;
        } else {
            out[written++] = data[i];
        }
    }
    return written;
}
