/* Which part of a response head cannot be sent: for the message about it. In:
 * a head that was refused. Out: a pointer into it. */
#include "base/posix.h"

#include <string.h>

#include "http/response_head.h"

static int
is_refused(const wb_head *head)
{
    wb__responder responder = { .server_name = NULL };
    wb__head *found;
    int refused = wb__head_find(&responder, head, &found) == WB_INVALID;
    wb__responder_close(&responder);
    return refused;
}

const char *
wb_head_refused(const wb_head *head, size_t *size)
{
    wb_head part
        = { .status = head->status, .status_size = head->status_size };
    const char *name = head->lines, *end = name + head->lines_size;
    *size = head->status_size;
    if (is_refused(&part)) {
        return head->status;
    }
    for (part.count = 1; name < end; name += part.lines_size) {
        const char *nul = memchr(name, '\0', (size_t)(end - name));
        const char *value = nul == NULL ? end : nul + 1;
        const char *last
            = value == end ? NULL : memchr(value, '\0', (size_t)(end - value));
        part.lines = name;
        part.lines_size = (size_t)((last == NULL ? end : last + 1) - name);
        if (is_refused(&part)) {
            *size = (size_t)((nul == NULL ? end : nul) - name);
            return name;
        }
    }
    return NULL;
}
