/* What goes out next on a connection: whole requests behind what is left of
 * one. Enters: the ring of requests that were taken on; leaves: iovecs, and
 * after a send the ring's account of it. */
#include "base/posix.h"

#include <string.h>

#include "load.h"

/* Its own bytes, or made in `room`. */
struct iovec
wl__batch_asked(const wl_load *load, const wl__conn *conn,
                const wl__sent *sent, char *room)
{
    const wl__request *request = &load->requests[sent->request];
    if (request->is_fixed) {
        return (struct iovec) {
            .iov_base = (void *)(uintptr_t)request->pieces[0].text,
            .iov_len = request->pieces[0].size,
        };
    }
    const wl__turn turn = {
        .pools = load->pools,
        .seed = load->config.seed,
        .number = sent->number,
        .connection
        = (uint64_t)conn->number * load->config.parts + load->config.part,
    };
    return (struct iovec) {
        .iov_base = room,
        .iov_len = wl__request_render(request, &turn, room),
    };
}

/* Without pipelining, so there is one at a time. */
static struct iovec
bytes_of(const wl_load *load, const wl__conn *conn, const wl__sent *sent,
         char *room)
{
    struct iovec asked = wl__batch_asked(load, conn, sent, room);
    const wl__visit *visit = conn->response.visit;
    if (visit == NULL || (visit->hops == 0 && visit->jar.count == 0)) {
        return asked;
    }
    return (struct iovec) {
        .iov_base = load->visited,
        .iov_len = wl__visit_render(visit, asked.iov_base, asked.iov_len,
                                    load->visited),
    };
}

wl__sent *
wl__batch_unsent(const wl_load *load, const wl__conn *conn, uint32_t offset)
{
    uint32_t at = conn->first + conn->under_way - conn->unsent + offset;
    return &conn->sent[at % load->config.pipeline];
}

void
wl__batch_gather(const wl_load *load, const wl__conn *conn, wl__batch *batch)
{
    uint32_t count = conn->unsent < WL__GATHER ? conn->unsent : WL__GATHER;
    size_t used = 0;
    if (load->config.send_size > 0 || conn->tls != NULL) {
        count = 1;
    }
    batch->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        wl__sent *sent = wl__batch_unsent(load, conn, i);
        const wl__request *request = &load->requests[sent->request];
        size_t most = request->is_fixed ? 0 : request->longest;
        if (used + most > load->rendered_room) {
            break;
        }
        struct iovec piece = bytes_of(load, conn, sent, load->rendered + used);
        used += request->is_fixed ? 0 : piece.iov_len;
        batch->pieces[i] = piece;
        batch->sizes[i] = piece.iov_len;
        batch->count++;
        if (sent->sent_ns == 0) {
            sent->sent_ns = load->now_ns;
        }
    }
    struct iovec *first = &batch->pieces[0];
    first->iov_base = (char *)first->iov_base + conn->send_offset;
    first->iov_len -= conn->send_offset;
    uint32_t most = load->config.send_size;
    if (most > 0 && first->iov_len > most) {
        first->iov_len = most;
    }
}

int
wl__batch_account(wl_load *load, wl__conn *conn, const wl__batch *batch,
                  size_t sent)
{
    load->bytes_out += sent;
    sent += conn->send_offset;
    int done = 0;
    while (done < batch->count && sent >= batch->sizes[done]) {
        sent -= batch->sizes[done++];
        conn->unsent--;
    }
    conn->send_offset = sent;
    return done == batch->count;
}
