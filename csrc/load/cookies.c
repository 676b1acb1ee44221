/* Cookies of one visitor (RFC 6265). Enters: values of Set-Cookie; leaves: the
 * pairs of a Cookie. */
#include "base/posix.h"

#include "cookies.h"

#include <time.h>

#include "base/alloc.h"
#include "base/text.h"

static void
forget(wl__jar *jar, uint32_t at)
{
    wb__free(jar->cookies[at].text);
    jar->count--;
    memmove(&jar->cookies[at], &jar->cookies[at + 1],
            (jar->count - at) * sizeof(wl__cookie));
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
read_date(wl__span s)
{
    static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    uint64_t day, year;
    wl__span_cut(&s, ',');
    s = wl__span_trim(s);
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
read_lifetime(wl__span attributes, wl__span *path)
{
    int64_t expires = 0, now = (int64_t)time(NULL);
    int aged = 0;
    while (attributes.size > 0) {
        wl__span value = wl__span_cut(&attributes, ';');
        wl__span name = wl__span_trim(wl__span_cut(&value, '='));
        value = wl__span_trim(value);
        uint64_t age;
        if (wl__span_is(name, "path") && value.size > 0
            && value.text[0] == '/') {
            *path = value;
        } else if (wl__span_is(name, "max-age") && value.size > 0) {
            aged = 1;
            expires = wb__decimal(value.text, value.size, UINT32_MAX, &age) < 0
                ? (value.text[0] == '-' ? -1 : 0)
                : age == 0 ? -1
                           : now + (int64_t)age;
        } else if (wl__span_is(name, "expires") && !aged) {
            int64_t date = read_date(value);
            expires = date < 0 ? expires : date < now ? -1 : date;
        }
    }
    return expires;
}

static int
is_same(const wl__cookie *cookie, wl__span name, wl__span path)
{
    return cookie->name == name.size && cookie->path == path.size
        && memcmp(cookie->text, name.text, name.size) == 0
        && memcmp(cookie->text + cookie->size, path.text, path.size) == 0;
}

void
wl__jar_set(wl__jar *jar, wl__span line)
{
    wl__span rest = line, pair = wl__span_trim(wl__span_cut(&rest, ';')),
             value = pair;
    wl__span name = wl__span_trim(wl__span_cut(&value, '=')),
             path = { "/", 1 };
    int64_t expires = read_lifetime(rest, &path);
    size_t size = pair.size + path.size;
    if (name.size == 0 || name.size == pair.size || size > WL__COOKIE
        || !wl__span_is_clean(pair, 32) || !wl__span_is_clean(path, 32)) {
        return;
    }
    char *text = expires < 0 ? NULL : wb__alloc(size);
    for (uint32_t i = 0; i < jar->count; i++) {
        if (is_same(&jar->cookies[i], name, path)) {
            forget(jar, i);
            break;
        }
    }
    if (text == NULL) {
        return;
    }
    if (jar->count == WL__COOKIES) {
        forget(jar, 0);
    }
    memcpy(text, pair.text, pair.size);
    memcpy(text + pair.size, path.text, path.size);
    jar->cookies[jar->count++] = (wl__cookie) { .text = text,
                                                .name = (uint16_t)name.size,
                                                .size = (uint16_t)pair.size,
                                                .path = (uint16_t)path.size,
                                                .expires = expires };
}

/* RFC 6265 5.1.4 */
static int
is_for(const wl__cookie *cookie, wl__span target, int64_t now)
{
    const char *path = cookie->text + cookie->size;
    size_t size = cookie->path;
    target = wl__span_cut(&target, '?');
    return (cookie->expires == 0 || cookie->expires > now)
        && target.size >= size && memcmp(target.text, path, size) == 0
        && (target.size == size || path[size - 1] == '/'
            || target.text[size] == '/');
}

char *
wl__jar_put(const wl__jar *jar, char *out, wl__span target, const char *before)
{
    int64_t now = (int64_t)time(NULL);
    for (uint32_t i = 0; i < jar->count; i++) {
        const wl__cookie *cookie = &jar->cookies[i];
        if (is_for(cookie, target, now)) {
            out = wl__span_put(out, (wl__span) { before, strlen(before) });
            out = wl__span_put(out, (wl__span) { cookie->text, cookie->size });
            before = "; ";
        }
    }
    return out;
}

void
wl__jar_free(wl__jar *jar)
{
    while (jar->count > 0) {
        forget(jar, jar->count - 1);
    }
}
