#include "base/posix.h"

#include "server/lock.h"

#include "base/alloc.h"

int
wb__lock_init(wb_server *server)
{
    pthread_condattr_t clock;
    if (pthread_mutex_init(&server->lock, NULL) != 0) {
        return WB_NOMEM;
    }
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&server->ready_cond, &clock);
    pthread_cond_init(&server->progress_cond, &clock);
    pthread_cond_init(&server->lead.awake, &clock);
    pthread_condattr_destroy(&clock);
    server->lock_made = 1;
    return 0;
}

/* A child's copy of the lock may be held by a thread that it does not have. */
void
wb__server_lock(wb_server *server)
{
    if (server->shared && !wb__server_forked(server)) {
        pthread_mutex_lock(&server->lock);
    }
}

void
wb__server_unlock(wb_server *server)
{
    if (server->shared && !wb__server_forked(server)) {
        pthread_mutex_unlock(&server->lock);
    }
}

void
wb__server_share(wb_server *server)
{
    if (!server->shared) {
        server->shared = 1;
    }
}

int
wb__server_on_loop(const wb_server *server)
{
    return !server->turning
        || pthread_equal(pthread_self(), server->loop_thread);
}

void
wb__server_progress(wb_server *server)
{
    if (server->shared) {
        pthread_cond_broadcast(&server->progress_cond);
    }
}

void
wb__server_unref(wb_server *server)
{
    wb__server_lock(server);
    int last = --server->references == 0;
    wb__server_unlock(server);
    if (!last) {
        return;
    }
    if (server->lock_made && !wb__server_forked(server)) {
        pthread_cond_destroy(&server->lead.awake);
        pthread_cond_destroy(&server->progress_cond);
        pthread_cond_destroy(&server->ready_cond);
        pthread_mutex_destroy(&server->lock);
    }
    wb__free(server->strings);
    wb__free(server);
}
