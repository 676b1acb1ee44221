/* Redirects (RFC 9110 15.4) and cookies (RFC 6265) of one connection. Enters:
 * heads of answers and a request as it was asked for; leaves: that request
 * with another target, method or Cookie. */
#include "base/posix.h"

#include "visit.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/alloc.h"
#include "base/text.h"

typedef struct span {
    const char *text;
    size_t size;
} span;

static int
is_name(span s, const char *name)
{
    return s.size == strlen(name) && strncasecmp(s.text, name, s.size) == 0;
}

static span
trim(span s)
{
    while (s.size > 0 && (*s.text == ' ' || *s.text == '\t')) {
        s.text++;
        s.size--;
    }
    while (s.size > 0
           && (s.text[s.size - 1] == ' ' || s.text[s.size - 1] == '\t')) {
        s.size--;
    }
    return s;
}

/* What stands before `c`, or all; the rest behind it stays in *from. */
static span
cut(span *from, char c)
{
    const char *at
        = from->size == 0 ? NULL : memchr(from->text, c, from->size);
    span head = { from->text, at ? (size_t)(at - from->text) : from->size };
    size_t used = head.size + (at != NULL);
    from->text += used;
    from->size -= used;
    return head;
}

/* The next line without its end; 0: the empty one. */
static int
next_line(span *from, span *line)
{
    *line = cut(from, '\n');
    if (line->size > 0 && line->text[line->size - 1] == '\r') {
        line->size--;
    }
    return line->size > 0;
}

/* Nothing below `least` and no DEL: no line end, no NUL. */
static int
is_clean(span s, unsigned char least)
{
    for (size_t i = 0; i < s.size; i++) {
        unsigned char c = (unsigned char)s.text[i];
        if (c < least || c == 127) {
            return 0;
        }
    }
    return 1;
}

/* ---- cookies ------------------------------------------------------------ */

static void
forget(wl__visit *visit, uint32_t at)
{
    wb__free(visit->cookies[at].text);
    visit->cookie_count--;
    memmove(&visit->cookies[at], &visit->cookies[at + 1],
            (visit->cookie_count - at) * sizeof(wl__cookie));
}

/* Of the Gregorian calendar, from 1 March 0000 on; then since 1970. */
static int64_t
days(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    month += month <= 2 ? 9 : -3;
    return 365 * year + year / 4 - year / 100 + year / 400
        + (153 * month + 2) / 5 + day - 1 - 719468;
}

/* Of four digits, or of two (RFC 6265 5.1.1). -1: none. */
static int
read_year(const char *text, uint64_t *year)
{
    if (wb__decimal(text, 4, 9999, year) == 0) {
        return 0;
    }
    if (wb__decimal(text, 2, 99, year) < 0) {
        return -1;
    }
    *year += *year < 70 ? 2000 : 1900;
    return 0;
}

/* "Wed, 21 Oct 2015 07:28:00 GMT", or with "-" for blanks: the day counts, to
 * the end of it. -1: no date. */
static int64_t
read_date(span s)
{
    static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    uint64_t day, year;
    cut(&s, ',');
    s = trim(s);
    if (s.size < 11 || wb__decimal(s.text, 2, 31, &day) < 0
        || read_year(s.text + 7, &year) < 0) {
        return -1;
    }
    for (int i = 0; i < 12; i++) {
        if (strncasecmp(s.text + 3, months + (ptrdiff_t)3 * i, 3) == 0) {
            return (days((int64_t)year, i + 1, (int64_t)day) + 1) * 86400;
        }
    }
    return -1;
}

/* Max-Age counts before Expires (RFC 6265 5.3). 0: for ever, -1: over. */
static int64_t
read_lifetime(span attributes, span *path)
{
    int64_t expires = 0, now = (int64_t)time(NULL);
    int aged = 0;
    while (attributes.size > 0) {
        span value = cut(&attributes, ';');
        span name = trim(cut(&value, '='));
        value = trim(value);
        uint64_t age;
        if (is_name(name, "path") && value.size > 0 && value.text[0] == '/') {
            *path = value;
        } else if (is_name(name, "max-age") && value.size > 0) {
            aged = 1;
            expires = wb__decimal(value.text, value.size, UINT32_MAX, &age) < 0
                ? (value.text[0] == '-' ? -1 : 0)
                : age == 0 ? -1
                           : now + (int64_t)age;
        } else if (is_name(name, "expires") && !aged) {
            int64_t date = read_date(value);
            expires = date < 0 ? expires : date < now ? -1 : date;
        }
    }
    return expires;
}

static int
is_same(const wl__cookie *cookie, span name, span path)
{
    return cookie->name == name.size && cookie->path == path.size
        && memcmp(cookie->text, name.text, name.size) == 0
        && memcmp(cookie->text + cookie->size, path.text, path.size) == 0;
}

static void
set_cookie(wl__visit *visit, span line)
{
    span rest = line, pair = trim(cut(&rest, ';')), value = pair;
    span name = trim(cut(&value, '=')), path = { "/", 1 };
    int64_t expires = read_lifetime(rest, &path);
    size_t size = pair.size + path.size;
    if (name.size == 0 || name.size == pair.size || size > WL__COOKIE
        || !is_clean(pair, 32) || !is_clean(path, 32)) {
        return;
    }
    char *text = expires < 0 ? NULL : wb__alloc(size);
    for (uint32_t i = 0; i < visit->cookie_count; i++) {
        if (is_same(&visit->cookies[i], name, path)) {
            forget(visit, i);
            break;
        }
    }
    if (text == NULL) {
        return;
    }
    if (visit->cookie_count == WL__COOKIES) {
        forget(visit, 0);
    }
    memcpy(text, pair.text, pair.size);
    memcpy(text + pair.size, path.text, path.size);
    visit->cookies[visit->cookie_count++]
        = (wl__cookie) { .text = text,
                         .name = (uint16_t)name.size,
                         .size = (uint16_t)pair.size,
                         .path = (uint16_t)path.size,
                         .expires = expires };
}

/* RFC 6265 5.1.4 */
static int
is_for(const wl__cookie *cookie, span target, int64_t now)
{
    const char *path = cookie->text + cookie->size;
    size_t size = cookie->path;
    target = cut(&target, '?');
    return (cookie->expires == 0 || cookie->expires > now)
        && target.size >= size && memcmp(target.text, path, size) == 0
        && (target.size == size || path[size - 1] == '/'
            || target.text[size] == '/');
}

/* ---- what an answer says ------------------------------------------------ */

static int
is_redirect(uint16_t status)
{
    return status == 301 || status == 302 || status == 303 || status == 307
        || status == 308;
}

void
wl__visit_start(wl__visit *visit)
{
    visit->hops = visit->is_get = 0;
    visit->target = visit->location = visit->status = 0;
}

void
wl__visit_head(wl__visit *visit, const char *data, size_t size,
               uint16_t status)
{
    span rest = { data, size }, line;
    visit->status = status;
    visit->location = 0;
    next_line(&rest, &line);
    while (rest.size > 0 && next_line(&rest, &line)) {
        span name = cut(&line, ':');
        line = trim(line);
        if (visit->keeps && is_name(name, "set-cookie")) {
            set_cookie(visit, line);
        } else if (is_redirect(status) && is_name(name, "location")
                   && line.size < WL__TARGET && is_clean(line, 33)) {
            memcpy(visit->location_text, line.text, line.size);
            visit->location = (uint16_t)line.size;
        }
    }
}

/* ---- redirects ---------------------------------------------------------- */

static span
field(span head, const char *wanted)
{
    span line;
    while (next_line(&head, &line)) {
        span value = line, name = cut(&value, ':');
        if (is_name(name, wanted)) {
            return trim(value);
        }
    }
    return (span) { "", 0 };
}

static span
without_port(span host, int tls)
{
    const char *port = tls ? ":443" : ":80";
    size_t size = strlen(port);
    if (host.size > size
        && memcmp(host.text + host.size - size, port, size) == 0) {
        host.size -= size;
    }
    return host;
}

/* Leaves path and query of a reference to the same origin; 0: to another. */
static int
is_ours(span *reference, span host, int tls)
{
    const char *scheme = tls ? "https:" : "http:";
    size_t size = strlen(scheme), path = 0;
    span all = *reference;
    *reference = cut(&all, '#');
    size_t word = strcspn(reference->text, ":/?#");
    if (word < reference->size && reference->text[word] == ':') {
        if (word + 1 != size || strncasecmp(reference->text, scheme, size) != 0
            || reference->size < size + 2
            || memcmp(reference->text + size, "//", 2) != 0) {
            return 0;
        }
        reference->text += size;
        reference->size -= size;
    }
    if (reference->size < 2 || memcmp(reference->text, "//", 2) != 0) {
        return 1;
    }
    reference->text += 2;
    reference->size -= 2;
    while (path < reference->size && reference->text[path] != '/'
           && reference->text[path] != '?') {
        path++;
    }
    span theirs = without_port((span) { reference->text, path }, tls);
    host = without_port(host, tls);
    reference->text += path;
    reference->size -= path;
    if (reference->size == 0) {
        *reference = (span) { "/", 1 };
    }
    return reference->text[0] == '/' && theirs.size == host.size
        && strncasecmp(theirs.text, host.text, host.size) == 0;
}

/* RFC 3986 5.2.4, in place; the path starts with a slash. */
static size_t
without_dots(char *path, size_t size)
{
    size_t to = 0;
    for (size_t at = 0; at < size;) {
        size_t end = at + 1;
        while (end < size && path[end] != '/') {
            end++;
        }
        size_t word = end - at - 1;
        int one = word == 1 && path[at + 1] == '.';
        int two = word == 2 && memcmp(path + at + 1, "..", 2) == 0;
        while (two && to > 0 && path[--to] != '/') {
        }
        if (!one && !two) {
            memmove(path + to, path + at, end - at);
            to += end - at;
        } else if (end == size) {
            path[to++] = '/';
        }
        at = end;
    }
    return to;
}

/* RFC 3986 5.2.2, of a reference without authority. 0: it is too long. */
static int
resolve(wl__visit *visit, span base, span reference)
{
    char made[2 * WL__TARGET];
    span query = base;
    span path = cut(&query, '?');
    size_t kept = 0;
    if (base.size > WL__TARGET) {
        return 0;
    }
    if (reference.size == 0) {
        kept = base.size;
    } else if (reference.text[0] == '?') {
        kept = path.size;
    } else if (reference.text[0] != '/') {
        for (kept = path.size; kept > 0 && path.text[kept - 1] != '/';) {
            kept--;
        }
    }
    memcpy(made, base.text, kept);
    memcpy(made + kept, reference.text, reference.size);
    span all = { made, kept + reference.size };
    if (all.size == 0 || made[0] != '/' || all.size > WL__TARGET) {
        return 0;
    }
    const char *mark = memchr(made, '?', all.size);
    size_t whole = mark ? (size_t)(mark - made) : all.size;
    size_t size = without_dots(made, whole);
    memcpy(visit->target_text, made, size);
    memcpy(visit->target_text + size, made + whole, all.size - whole);
    visit->target = (uint16_t)(size + all.size - whole);
    return 1;
}

int
wl__visit_follow(wl__visit *visit, const char *request, size_t size, int tls)
{
    span rest = { request, size }, line;
    span reference = { visit->location_text, visit->location };
    if (visit->hops >= visit->most || visit->location == 0
        || !next_line(&rest, &line)) {
        return 0;
    }
    visit->location_text[visit->location] = '\0';
    visit->location = 0;
    span method = cut(&line, ' ');
    span base = cut(&line, ' ');
    if (visit->target > 0) {
        base = (span) { visit->target_text, visit->target };
    }
    if (!is_ours(&reference, field(rest, "host"), tls)
        || !resolve(visit, base, reference)) {
        return 0;
    }
    visit->is_get |= (visit->status == 303 && !is_name(method, "HEAD"))
        || (visit->status <= 302 && is_name(method, "POST"));
    visit->hops++;
    return 1;
}

/* ---- the request as it is sent ------------------------------------------ */

static char *
put(char *out, span s)
{
    if (s.size > 0) {
        memcpy(out, s.text, s.size);
    }
    return out + s.size;
}

static char *
put_cookies(char *out, const wl__visit *visit, span target, const char *before)
{
    int64_t now = (int64_t)time(NULL);
    for (uint32_t i = 0; i < visit->cookie_count; i++) {
        const wl__cookie *cookie = &visit->cookies[i];
        if (is_for(cookie, target, now)) {
            out = put(out, (span) { before, strlen(before) });
            out = put(out, (span) { cookie->text, cookie->size });
            before = "; ";
        }
    }
    return out;
}

static int
is_of_body(span name)
{
    return (name.size > 8 && strncasecmp(name.text, "content-", 8) == 0)
        || is_name(name, "transfer-encoding") || is_name(name, "expect");
}

size_t
wl__visit_render(const wl__visit *visit, const char *request, size_t size,
                 char *out)
{
    static const span end = { "\r\n", 2 };
    char *start = out;
    span rest = { request, size }, line;
    next_line(&rest, &line);
    span method = cut(&line, ' ');
    span target = cut(&line, ' ');
    if (visit->target > 0) {
        target = (span) { visit->target_text, visit->target };
    }
    out = put(out, visit->is_get ? (span) { "GET", 3 } : method);
    out = put(out, (span) { " ", 1 });
    out = put(out, target);
    out = put(out, (span) { " ", 1 });
    out = put(put(out, line), end);
    int told = 0;
    while (rest.size > 0 && next_line(&rest, &line)) {
        span value = line, name = cut(&value, ':');
        if (visit->is_get && is_of_body(name)) {
            continue;
        }
        out = put(out, line);
        if (!told && is_name(name, "cookie")) {
            told = 1;
            out = put_cookies(out, visit, target, "; ");
        }
        out = put(out, end);
    }
    if (!told) {
        char *before = out;
        out = put_cookies(out, visit, target, "Cookie: ");
        out = out == before ? out : put(out, end);
    }
    out = put(out, end);
    out = visit->is_get ? out : put(out, rest);
    return (size_t)(out - start);
}

void
wl__visit_free(wl__visit *visit)
{
    while (visit->cookie_count > 0) {
        forget(visit, visit->cookie_count - 1);
    }
}
