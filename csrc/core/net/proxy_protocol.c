#include "base/posix.h"

#include "net/proxy_protocol.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/text.h"

enum {
    V1_MAX = 107, /* with CRLF */
    V2_HEAD = 16,
    V2_TCP4 = 12,
    V2_TCP6 = 36,
    V2_UNIX = 216
};

static const char signature[] = "\r\n\r\n\0\r\nQUIT\n"; /* 12 bytes */

/* ---- version 1: PROXY TCP4 192.0.2.1 192.0.2.2 1234 80 CRLF ------------- */

/* The next word; it ends at one SP or the end. */
static const char *
word(const char **at, const char *end, size_t *size)
{
    const char *start = *at;
    const char *space = memchr(start, ' ', (size_t)(end - start));
    *size = (size_t)((space == NULL ? end : space) - start);
    *at = space == NULL ? end : space + 1;
    return start;
}

static int
read_address(const char *data, size_t size, int family, char *out)
{
    struct in6_addr bytes;
    if (size == 0 || size >= INET6_ADDRSTRLEN) {
        return -1;
    }
    memcpy(out, data, size);
    out[size] = '\0';
    if (inet_pton(family, out, &bytes) != 1) {
        return -1;
    }
    inet_ntop(family, &bytes, out, INET6_ADDRSTRLEN);
    return 0;
}

static int
read_v1(const char *at, const char *end, wb__proxy_header *out)
{
    char server[INET6_ADDRSTRLEN];
    uint64_t ports[2];
    size_t size;
    const char *kind = word(&at, end, &size);
    if (size == 7 && memcmp(kind, "UNKNOWN", 7) == 0) {
        out->is_own = 1; /* whatever follows */
        return 1;
    }
    if (size != 4
        || (memcmp(kind, "TCP4", 4) != 0 && memcmp(kind, "TCP6", 4) != 0)) {
        return -1;
    }
    int family = kind[3] == '4' ? AF_INET : AF_INET6;
    const char *client = word(&at, end, &size);
    if (read_address(client, size, family, out->address) < 0) {
        return -1;
    }
    const char *own = word(&at, end, &size);
    if (read_address(own, size, family, server) < 0) {
        return -1;
    }
    for (int i = 0; i < 2; i++) {
        const char *port = word(&at, end, &size);
        if (wb__decimal(port, size, 65535, &ports[i]) < 0) {
            return -1;
        }
    }
    out->port = (uint16_t)ports[0];
    return at == end && end[-1] != ' ' ? 1 : -1;
}

static int
parse_v1(const char *data, size_t size, wb__proxy_header *out)
{
    static const char begin[] = "PROXY ";
    size_t prefix = size < sizeof(begin) - 1 ? size : sizeof(begin) - 1;
    if (memcmp(data, begin, prefix) != 0) {
        return -1;
    }
    const char *lf = memchr(data, '\n', size < V1_MAX ? size : (size_t)V1_MAX);
    if (lf == NULL) {
        return size < V1_MAX ? 0 : -1;
    }
    if (lf[-1] != '\r') {
        return -1;
    }
    out->size = (size_t)(lf - data) + 1;
    return read_v1(data + sizeof(begin) - 1, lf - 1, out);
}

/* ---- version 2: binary -------------------------------------------------- */

static uint16_t
number16(const char *data)
{
    const unsigned char *bytes = (const unsigned char *)data;
    return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

/* The block of addresses; what follows it are TLVs, of no use here. */
static int
read_addresses(unsigned family, const char *data, size_t size,
               wb__proxy_header *out)
{
    switch (family) {
    case 0x00: /* unspecified */
        out->is_own = 1;
        return 1;
    case 0x11:
        if (size < V2_TCP4) {
            return -1;
        }
        inet_ntop(AF_INET, data, out->address, sizeof(out->address));
        out->port = number16(data + 8);
        return 1;
    case 0x21:
        if (size < V2_TCP6) {
            return -1;
        }
        inet_ntop(AF_INET6, data, out->address, sizeof(out->address));
        out->port = number16(data + 32);
        return 1;
    case 0x31:
        return size < V2_UNIX ? -1 : 1;
    default: /* datagrams do not come over a stream */
        return -1;
    }
}

static int
parse_v2(const char *data, size_t size, wb__proxy_header *out)
{
    size_t known = sizeof(signature) - 1;
    if (memcmp(data, signature, size < known ? size : known) != 0) {
        return -1;
    }
    if (size < V2_HEAD) {
        return 0;
    }
    unsigned command = (unsigned char)data[12];
    out->size = V2_HEAD + (size_t)number16(data + 14);
    if ((command != 0x20 && command != 0x21) || out->size > WB__PROXY_MAX) {
        return -1;
    }
    if (size < out->size) {
        return 0;
    }
    if (command == 0x20) { /* LOCAL: a health check */
        out->is_own = 1;
        return 1;
    }
    return read_addresses((unsigned char)data[13], data + V2_HEAD,
                          out->size - V2_HEAD, out);
}

int
wb__proxy_parse(const char *data, size_t size, wb__proxy_header *out)
{
    *out = (wb__proxy_header) { .size = 0 };
    if (size == 0) {
        return 0;
    }
    return data[0] == 'P' ? parse_v1(data, size, out)
                          : parse_v2(data, size, out);
}
