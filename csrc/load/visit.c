/* Redirects (RFC 9110 15.4) and cookies of one connection. Enters: heads of
 * answers and a request as it was asked for; leaves: that request with another
 * target, method or Cookie. */
#include "base/posix.h"

#include "visit.h"

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
    wl__span rest = { data, size }, line;
    visit->status = status;
    visit->location = 0;
    wl__span_line(&rest, &line);
    while (rest.size > 0 && wl__span_line(&rest, &line)) {
        wl__span name = wl__span_cut(&line, ':');
        line = wl__span_trim(line);
        if (visit->keeps && wl__span_is(name, "set-cookie")) {
            wl__jar_set(&visit->jar, line);
        } else if (is_redirect(status) && wl__span_is(name, "location")
                   && line.size < WL__TARGET && wl__span_is_clean(line, 33)) {
            memcpy(visit->location_text, line.text, line.size);
            visit->location = (uint16_t)line.size;
        }
    }
}

/* ---- redirects ---------------------------------------------------------- */

static wl__span
field(wl__span head, const char *wanted)
{
    wl__span line;
    while (wl__span_line(&head, &line)) {
        wl__span value = line, name = wl__span_cut(&value, ':');
        if (wl__span_is(name, wanted)) {
            return wl__span_trim(value);
        }
    }
    return (wl__span) { "", 0 };
}

static wl__span
without_port(wl__span host, int tls)
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
is_ours(wl__span *reference, wl__span host, int tls)
{
    const char *scheme = tls ? "https:" : "http:";
    size_t size = strlen(scheme), path = 0;
    wl__span all = *reference;
    *reference = wl__span_cut(&all, '#');
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
    wl__span theirs = without_port((wl__span) { reference->text, path }, tls);
    host = without_port(host, tls);
    reference->text += path;
    reference->size -= path;
    if (reference->size == 0) {
        *reference = (wl__span) { "/", 1 };
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
resolve(wl__visit *visit, wl__span base, wl__span reference)
{
    char made[2 * WL__TARGET];
    wl__span query = base;
    wl__span path = wl__span_cut(&query, '?');
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
    wl__span all = { made, kept + reference.size };
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
    wl__span rest = { request, size }, line;
    wl__span reference = { visit->location_text, visit->location };
    if (visit->hops >= visit->most || visit->location == 0
        || !wl__span_line(&rest, &line)) {
        return 0;
    }
    visit->location_text[visit->location] = '\0';
    visit->location = 0;
    wl__span method = wl__span_cut(&line, ' ');
    wl__span base = wl__span_cut(&line, ' ');
    if (visit->target > 0) {
        base = (wl__span) { visit->target_text, visit->target };
    }
    if (!is_ours(&reference, field(rest, "host"), tls)
        || !resolve(visit, base, reference)) {
        return 0;
    }
    visit->is_get |= (visit->status == 303 && !wl__span_is(method, "HEAD"))
        || (visit->status <= 302 && wl__span_is(method, "POST"));
    visit->hops++;
    return 1;
}

/* ---- the request as it is sent ------------------------------------------ */

static int
is_of_body(wl__span name)
{
    return (name.size > 8 && strncasecmp(name.text, "content-", 8) == 0)
        || wl__span_is(name, "transfer-encoding")
        || wl__span_is(name, "expect");
}

size_t
wl__visit_render(const wl__visit *visit, const char *request, size_t size,
                 char *out)
{
    static const wl__span end = { "\r\n", 2 };
    char *start = out;
    wl__span rest = { request, size }, line;
    wl__span_line(&rest, &line);
    wl__span method = wl__span_cut(&line, ' ');
    wl__span target = wl__span_cut(&line, ' ');
    if (visit->target > 0) {
        target = (wl__span) { visit->target_text, visit->target };
    }
    out = wl__span_put(out, visit->is_get ? (wl__span) { "GET", 3 } : method);
    out = wl__span_put(out, (wl__span) { " ", 1 });
    out = wl__span_put(out, target);
    out = wl__span_put(out, (wl__span) { " ", 1 });
    out = wl__span_put(wl__span_put(out, line), end);
    int told = 0;
    while (rest.size > 0 && wl__span_line(&rest, &line)) {
        wl__span value = line, name = wl__span_cut(&value, ':');
        if (visit->is_get && is_of_body(name)) {
            continue;
        }
        out = wl__span_put(out, line);
        if (!told && wl__span_is(name, "cookie")) {
            told = 1;
            out = wl__jar_put(&visit->jar, out, target, "; ");
        }
        out = wl__span_put(out, end);
    }
    if (!told) {
        char *before = out;
        out = wl__jar_put(&visit->jar, out, target, "Cookie: ");
        out = out == before ? out : wl__span_put(out, end);
    }
    out = wl__span_put(out, end);
    out = visit->is_get ? out : wl__span_put(out, rest);
    return (size_t)(out - start);
}

void
wl__visit_free(wl__visit *visit)
{
    wl__jar_free(&visit->jar);
}
