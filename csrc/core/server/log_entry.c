#include "base/posix.h"

#include "server/log_entry.h"

#include <string.h>

#include "http/fields.h"

wb__log_text
wb__log_field(const wb__log_entry *entry, const char *name, size_t size)
{
    wb__log_text value;
    value.data = wb__fields_find(entry->fields, name, size, &value.size);
    return value;
}

wb__log_text
wb__log_variable(const wb__log_entry *entry, const char *name, size_t size)
{
    const char *at = entry->variables.data;
    const char *end = at == NULL ? NULL : at + entry->variables.size;
    while (at != end) {
        size_t length = strlen(at);
        const char *value = at + length + 1;
        if (length == size && memcmp(at, name, size) == 0) {
            return (wb__log_text) { value, strlen(value) };
        }
        at = value + strlen(value) + 1;
    }
    return (wb__log_text) { NULL, 0 };
}

wb__log_text
wb__log_address(const wb__log_entry *entry)
{
    static const char name[] = "REMOTE_ADDR";
    wb__log_text told = wb__log_variable(entry, name, sizeof(name) - 1);
    if (told.data == NULL && entry->peer[0] != '\0') {
        told = (wb__log_text) { entry->peer, strlen(entry->peer) };
    }
    return told;
}

/* The value in the answer's head: lines of name ": " value CRLF. */
wb__log_text
wb__log_answer_field(const wb__log_entry *entry, const char *name, size_t size)
{
    const char *at = entry->answer_head.data;
    const char *end = at == NULL ? NULL : at + entry->answer_head.size;
    while (at != NULL && at < end) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        size_t line = lf == NULL ? (size_t)(end - at) : (size_t)(lf - at);
        if (line > size + 2 && at[size] == ':'
            && strncasecmp(at, name, size) == 0) {
            return (wb__log_text) { at + size + 2, line - size - 3 };
        }
        at = lf == NULL ? NULL : lf + 1;
    }
    return (wb__log_text) { NULL, 0 };
}

static int
base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
                                 "stuvwxyz0123456789+/";
    const char *found = c == '\0' ? NULL : strchr(digits, c);
    return found == NULL ? -1 : (int)(found - digits);
}

wb__log_text
wb__log_user(const wb__log_entry *entry, char *room, size_t size)
{
    static const char name[] = "HTTP_AUTHORIZATION";
    wb__log_text value = wb__log_field(entry, name, sizeof(name) - 1);
    if (value.data == NULL || value.size < 6
        || strncasecmp(value.data, "basic ", 6) != 0) {
        return (wb__log_text) { NULL, 0 };
    }
    size_t used = 0;
    unsigned bits = 0, count = 0;
    for (size_t i = 6; i < value.size && used < size; i++) {
        int digit = base64_digit(value.data[i]);
        if (digit < 0) {
            break;
        }
        bits = (bits << 6 | (unsigned)digit) & 0xffff;
        count += 6;
        if (count >= 8) {
            count -= 8;
            room[used] = (char)(bits >> count & 255);
            if (room[used] == ':') {
                break;
            }
            used++;
        }
    }
    return (wb__log_text) { used == 0 ? NULL : room, used };
}
