/* The null server: one response for every request. */
#include "base/posix.h"

#include "server/respond.h"
#include "server/server.h"

int
wb_server_canned(wb_server *server, const char *response, size_t size,
                 int timeout_ms)
{
    uint64_t until = wb__now_ms() + (uint64_t)timeout_ms;
    for (uint64_t now = wb__now_ms(); now < until; now = wb__now_ms()) {
        int ready = wb_server_poll(server, (int)(until - now));
        if (ready < 0) {
            return ready;
        }
        wb_request *request;
        while ((request = wb_server_take(server)) != NULL) {
            wb__respond_raw(request, response, size);
        }
    }
    return 0;
}
