#include "base/posix.h"

#include "server/metrics.h"

#include <netinet/tcp.h>
#include <string.h>
#include <time.h>

#include "server/conn.h"
#include "server/lock.h"

enum { BUSY_US = 1000 }; /* a pause of the loop that is worth asking about */

static const uint64_t bounds_us[WB_BUCKETS] = {
    100,   250,    500,    1000,   2500,    5000,    10000,   25000,
    50000, 100000, 250000, 500000, 1000000, 2500000, 5000000, 10000000,
};

static uint64_t
now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void
count(uint64_t *buckets, uint64_t us)
{
    int i = 0;
    while (i < WB_BUCKETS && us > bounds_us[i]) {
        i++;
    }
    buckets[i]++;
}

void
wb__metrics_init(wb_server *server)
{
    wb__metrics *metrics = &server->metrics;
    memcpy(metrics->counts.bounds_us, bounds_us, sizeof(bounds_us));
    metrics->on = server->config.measure
        || (server->log.format != NULL
            && wb__log_format_wants_times(server->log.format));
    metrics->turned_us = metrics->on ? now_us() : 0;
}

void
wb__metrics_turn_begins(wb_server *server)
{
    if (server->metrics.on) {
        server->metrics.busy_us = now_us() - server->metrics.turned_us;
    }
}

void
wb__metrics_turn_ended(wb_server *server)
{
    if (server->metrics.on) {
        server->metrics.turned_us = now_us();
    }
}

/* While an application ran in the loop's thread the bytes waited in the
 * kernel, which knows since when (in units of its tick, 1 to 10 ms). */
static uint64_t
waited_us(const wb_server *server, int fd)
{
    struct tcp_info info;
    socklen_t size = sizeof(info);
    if (server->metrics.busy_us < BUSY_US
        || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) {
        return 0; /* it is no TCP */
    }
    uint64_t us = (uint64_t)info.tcpi_last_data_recv * 1000;
    return us < server->metrics.busy_us ? us : server->metrics.busy_us;
}

void
wb__metrics_ready(wb_server *server, wb__request *request)
{
    if (server->metrics.on) {
        request->ready_us
            = now_us() - waited_us(server, request->conn->stream.fd);
    }
}

void
wb__metrics_taken(wb_server *server, wb__request *request)
{
    wb__metrics *metrics = &server->metrics;
    if (metrics->on) {
        request->queue_us = now_us() - request->ready_us;
        metrics->counts.queue_us += request->queue_us;
        count(metrics->counts.queue, request->queue_us);
    }
}

static void
count_status(wb_metrics *counts, int status)
{
    if (status >= 100 && status < 600) {
        counts->statuses[status - 100]++;
    }
}

void
wb__metrics_answered(wb_server *server, wb__request *request)
{
    wb__metrics *metrics = &server->metrics;
    if (!metrics->on) {
        return;
    }
    int status = request->answer.status;
    int class = status >= 100 && status < 600 ? status / 100 : 0;
    request->duration_us = now_us() - request->ready_us;
    metrics->counts.duration_us[class] += request->duration_us;
    count(metrics->counts.duration[class], request->duration_us);
    count_status(&metrics->counts, status);
}

void
wb__metrics_refused(wb_server *server, int status)
{
    if (server->metrics.on) {
        count_status(&server->metrics.counts, status);
    }
}

void
wb_server_metrics(wb_server *server, wb_metrics *out)
{
    wb__server_lock(server);
    *out = server->metrics.counts;
    wb__server_unlock(server);
}
