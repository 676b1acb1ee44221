#include "base/posix.h"

#include "net/forwarded.h"

#include <string.h>

#include "base/text.h"
#include "http/fields.h"
#include "http/request_line.h"
#include "http/scan.h"

enum { MAX_HOPS = 32 };

typedef struct text {
    const char *data;
    size_t size;
} text;

/* The last MAX_HOPS members of a list, in its order. */
typedef struct hops {
    text items[MAX_HOPS];
    size_t count;
} hops;

static const struct {
    const char *name, *cgi_name;
    int bit;
} known[] = {
    { "x-forwarded-for", "HTTP_X_FORWARDED_FOR", WB__X_FORWARDED_FOR },
    { "x-forwarded-proto", "HTTP_X_FORWARDED_PROTO", WB__X_FORWARDED_PROTO },
    { "x-forwarded-host", "HTTP_X_FORWARDED_HOST", WB__X_FORWARDED_HOST },
    { "forwarded", "HTTP_FORWARDED", WB__FORWARDED },
};

int
wb__forwarded_fields(const char *list)
{
    int result = 0;
    while (*list != '\0') {
        size_t size = strcspn(list, ", "), i = 0;
        const size_t count = sizeof(known) / sizeof(known[0]);
        while (size > 0 && i < count
               && !wb__equal_nocase(list, size, known[i].name)) {
            i++;
        }
        if (i == count) {
            return WB_INVALID;
        }
        result |= size > 0 ? known[i].bit : 0;
        list += size + (list[size] != '\0');
    }
    return result;
}

/* ---- lists -------------------------------------------------------------- */

static text
find(const wb_fields *fields, int which, int bit)
{
    const char *name = "";
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        name = known[i].bit == bit ? known[i].cgi_name : name;
    }
    text value = { NULL, 0 };
    if ((which & bit) != 0) {
        value.data = wb__fields_find(fields, name, strlen(name), &value.size);
    }
    return value;
}

/* To the next separator outside of a quoted-string. */
static size_t
member_size(text list, char separator)
{
    int quoted = 0;
    size_t i = 0;
    for (; i < list.size && (quoted || list.data[i] != separator); i++) {
        if (list.data[i] == '"') {
            quoted = !quoted;
        } else if (quoted && list.data[i] == '\\') {
            i++;
        }
    }
    return i < list.size ? i : list.size;
}

/* The next member, trimmed; the list goes on behind it. */
static text
next(text *list, char separator)
{
    size_t size = member_size(*list, separator);
    text member = { list->data, size };
    size += size < list->size;
    list->data += size;
    list->size -= size;
    wb__trim(&member.data, &member.size);
    return member;
}

static void
split(text list, hops *out)
{
    out->count = 0;
    while (list.size > 0) {
        text member = next(&list, ',');
        if (member.size == 0) {
            continue; /* as RFC 9110 5.6.1 has it */
        }
        if (out->count == MAX_HOPS) {
            memmove(out->items, out->items + 1,
                    sizeof(out->items) - sizeof(out->items[0]));
            out->count--;
        }
        out->items[out->count++] = member;
    }
}

/* ---- one member --------------------------------------------------------- */

/* A quoted value without its quotes. One with a quoted pair holds neither an
 * address nor a host. */
static text
unquoted(text value)
{
    if (value.size >= 2 && value.data[0] == '"'
        && value.data[value.size - 1] == '"') {
        value.data++;
        value.size -= 2;
    }
    return value;
}

/* 192.0.2.1, 192.0.2.1:80, 2001:db8::1, [2001:db8::1], [2001:db8::1]:80. What
 * is "unknown" or hidden (RFC 7239 6.3) is no address. */
static int
read_node(text node, struct in6_addr *address, uint16_t *port)
{
    uint64_t number = 0;
    const char *behind = NULL;
    if (node.size > 0 && node.data[0] == '[') {
        const char *end = memchr(node.data, ']', node.size);
        if (end == NULL) {
            return -1;
        }
        behind = end + 1;
    } else {
        const char *colon = memchr(node.data, ':', node.size);
        if (colon != NULL
            && memchr(colon + 1, ':',
                      node.size - (size_t)(colon + 1 - node.data))
                == NULL) {
            behind = colon;
        }
    }
    const char *all = node.data + node.size;
    size_t size = behind == NULL ? node.size : (size_t)(behind - node.data);
    if (behind != NULL && behind < all
        && (*behind != ':'
            || wb__decimal(behind + 1, (size_t)(all - behind - 1), 65535,
                           &number)
                < 0)) {
        return -1;
    }
    *port = (uint16_t)number;
    int brackets = node.size > 0 && node.data[0] == '[';
    return wb__address_read(node.data + brackets, size - 2 * (size_t)brackets,
                            address);
}

static const char *
read_scheme(text value)
{
    if (wb__equal_nocase(value.data, value.size, "https")
        || wb__equal_nocase(value.data, value.size, "wss")) {
        return "https";
    }
    return wb__equal_nocase(value.data, value.size, "http")
            || wb__equal_nocase(value.data, value.size, "ws")
        ? "http"
        : NULL;
}

static void
read_host(text value, wb__forwarded *out)
{
    if (value.size > 0 && wb__host_valid(value.data, (uint32_t)value.size)) {
        out->host = value.data;
        out->host_size = value.size;
    }
}

/* A parameter of a member of Forwarded. */
static text
parameter(text member, const char *name)
{
    while (member.size > 0) {
        text pair = next(&member, ';');
        const char *equals = memchr(pair.data, '=', pair.size);
        if (equals != NULL
            && wb__equal_nocase(pair.data, (size_t)(equals - pair.data),
                                name)) {
            size_t size = (size_t)(pair.data + pair.size - equals - 1);
            return unquoted((text) { equals + 1, size });
        }
    }
    return (text) { "", 0 };
}

/* ---- the client --------------------------------------------------------- */

/* Takes members from the end; how many it was. */
static size_t
walk(const hops *from, int is_forwarded, const wb__networks *trusted,
     wb__forwarded *out)
{
    size_t walked = 0;
    while (walked < from->count) {
        struct in6_addr address;
        uint16_t port;
        text item = from->items[from->count - 1 - walked];
        text node = is_forwarded ? parameter(item, "for") : item;
        if (read_node(node, &address, &port) < 0) {
            break;
        }
        walked++;
        wb__address_write(&address, out->address);
        out->port = port;
        if (!wb__networks_hold(trusted, out->address)) {
            break;
        }
    }
    return walked;
}

/* The member of a list that belongs to the hop where the walk ended; a list
 * that was set anew on the way is shorter. */
static text
at_hop(const hops *from, size_t walked)
{
    if (from->count == 0) {
        return (text) { "", 0 };
    }
    size_t back = walked == 0 ? 1 : walked;
    return from->items[back > from->count ? 0 : from->count - back];
}

void
wb__forwarded_read(const wb_fields *fields, const wb__networks *trusted,
                   int which, wb__forwarded *out)
{
    hops list;
    text client = find(fields, which, WB__X_FORWARDED_FOR);
    text proto = find(fields, which, WB__X_FORWARDED_PROTO);
    text host = find(fields, which, WB__X_FORWARDED_HOST);
    *out = (wb__forwarded) { .port = 0 };
    if (client.data != NULL || proto.data != NULL || host.data != NULL) {
        split(client, &list);
        size_t walked = walk(&list, 0, trusted, out);
        split(proto, &list);
        out->scheme = read_scheme(at_hop(&list, walked));
        split(host, &list);
        read_host(at_hop(&list, walked), out);
        return;
    }
    split(find(fields, which, WB__FORWARDED), &list);
    text member = at_hop(&list, walk(&list, 1, trusted, out));
    out->scheme = read_scheme(parameter(member, "proto"));
    read_host(parameter(member, "host"), out);
}
