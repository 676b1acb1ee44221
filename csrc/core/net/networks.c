#include "base/posix.h"

#include "net/networks.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"
#include "wsgibench.h"

typedef struct network {
    struct in6_addr address;
    unsigned bits;
} network;

struct wb__networks {
    uint8_t everybody, unix_sockets;
    size_t count;
    network list[];
};

static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };

int
wb__address_read(const char *data, size_t size, struct in6_addr *out)
{
    char text[INET6_ADDRSTRLEN];
    struct in_addr in;
    if (size >= sizeof(text)) {
        return -1;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    if (inet_pton(AF_INET, text, &in) == 1) {
        memcpy(out, mapped, sizeof(mapped));
        memcpy((char *)out + sizeof(mapped), &in, sizeof(in));
        return 0;
    }
    return inet_pton(AF_INET6, text, out) == 1 ? 0 : -1;
}

void
wb__address_write(const struct in6_addr *address, char *out)
{
    int is_v4 = memcmp(address, mapped, sizeof(mapped)) == 0;
    inet_ntop(is_v4 ? AF_INET : AF_INET6,
              is_v4 ? (const char *)address + sizeof(mapped)
                    : (const char *)address,
              out, INET6_ADDRSTRLEN);
}

/* One entry of the list. */
static int
add(wb__networks *networks, const char *data, size_t size)
{
    if (size == 1 && *data == '*') {
        networks->everybody = 1;
        return 0;
    }
    if (size == 4 && memcmp(data, "unix", 4) == 0) {
        networks->unix_sockets = 1;
        return 0;
    }
    network *last = &networks->list[networks->count];
    const char *slash = memchr(data, '/', size);
    size_t length = slash == NULL ? size : (size_t)(slash - data);
    if (wb__address_read(data, length, &last->address) < 0) {
        return WB_BADADDRESS;
    }
    uint64_t most = memchr(data, ':', length) == NULL ? 32 : 128, bits = most;
    if (slash != NULL
        && wb__decimal(slash + 1, size - length - 1, most, &bits) < 0) {
        return WB_BADADDRESS;
    }
    last->bits = (unsigned)(bits + 128 - most);
    networks->count++;
    return 0;
}

int
wb__networks_new(const char *text, wb__networks **out)
{
    size_t most = 1;
    for (const char *p = text; *p != '\0'; p++) {
        most += *p == ',' || *p == ' ';
    }
    wb__networks *networks
        = wb__calloc(sizeof(*networks) + most * sizeof(network));
    if (networks == NULL) {
        return WB_NOMEM;
    }
    while (*text != '\0') {
        size_t size = strcspn(text, ", ");
        int error = size == 0 ? 0 : add(networks, text, size);
        if (error < 0) {
            wb__free(networks);
            return error;
        }
        text += size + (text[size] != '\0');
    }
    *out = networks;
    return 0;
}

void
wb__networks_free(wb__networks *networks)
{
    wb__free(networks);
}

static int
is_in(const struct in6_addr *address, const network *in)
{
    const unsigned char *a = (const unsigned char *)address;
    const unsigned char *b = (const unsigned char *)&in->address;
    size_t whole = in->bits / 8;
    unsigned rest = in->bits % 8;
    return memcmp(a, b, whole) == 0
        && (rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0);
}

int
wb__networks_hold(const wb__networks *networks, const char *address)
{
    struct in6_addr bytes;
    if (networks == NULL) {
        return 0;
    }
    if (networks->everybody) {
        return 1;
    }
    if (address[0] == '\0') {
        return networks->unix_sockets;
    }
    if (wb__address_read(address, strlen(address), &bytes) < 0) {
        return 0;
    }
    for (size_t i = 0; i < networks->count; i++) {
        if (is_in(&bytes, &networks->list[i])) {
            return 1;
        }
    }
    return 0;
}
