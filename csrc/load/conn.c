/* One connection, from dialling to its end, over and over.
 *
 *   CLOSED      waits for work, or to be dialled at retry_ns
 *     -> CONNECTING   dial()
 *   CONNECTING  connect(2) is under way
 *     -> SHAKING      connected(), with TLS
 *     -> OPEN         connected(), without
 *   SHAKING     the TLS handshake is under way
 *     -> OPEN         shake_hands()
 *   OPEN        requests go out, answers come in
 *     -> DEAF         transmit(): the peer takes nothing more
 *   DEAF        what the peer sent before it closed is still read
 *   all         -> CLOSED   wl__conn_close()
 *
 * Nothing here calls itself again: a connection that ends is dialled by
 * settle(), which ends whatever woke it. What is to be done later stands in
 * retry_ns, send_at_ns, read_at_ns or think_ns (0: nothing), and settle()
 * sets the timer for the first of them. */
#include "base/posix.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "load.h"
#include "random.h"

enum {
    RETRY_NS = 10000000, /* after a refused connect */
    FULL_NS = 1000000,   /* after a full backlog (unix sockets) */
    READS = 4,           /* of a connection before others have a turn */
    STEPS = 4,           /* of settle(), likewise */
    SEGMENT = 1000,      /* bytes that are one segment on every network */
    RESENT_NS = 5000000  /* no timer of TCP's goes off sooner */
};

static int
is_open(const wl__conn *conn)
{
    return conn->state == WL__OPEN || conn->state == WL__DEAF;
}

/* ---- the end of a connection -------------------------------------------- */

/* Is each connection one request of one segment? */
static int
is_short(const wl_load *load)
{
    return load->config.close && load->longest <= SEGMENT
        && load->visits == NULL && load->tls == NULL;
}

/* Nothing but time makes the kernel send one segment again: asking how many
 * it was costs a system call. */
static int
may_have_resent(const wl_load *load, const wl__conn *conn)
{
    return !is_short(load) || load->now_ns - conn->connect_ns > RESENT_NS;
}

/* When the peer has answered and closed, nothing is left to be sent but our
 * FIN, which on loopback arrives at once: the socket may go on to the next
 * connection. */
static int
may_reuse(const wl_load *load, const wl__conn *conn)
{
    return conn->ended && load->is_near && is_short(load) && !load->slow
        && !load->ending;
}

void
wl__conn_close(wl_load *load, wl__conn *conn)
{
    if (is_open(conn)) {
        load->opened_now--;
    }
    wb__tls_free(conn->tls);
    conn->tls = NULL;
    if (conn->fd >= 0) {
        if (may_have_resent(load, conn)) {
            load->resent += wl__socket_resent(conn);
        }
        if (!may_reuse(load, conn) || !wl__socket_reuse(conn)) {
            wl__socket_close(conn);
        }
    }
    conn->state = WL__CLOSED;
    conn->ended = 0;
    conn->said_close = 0;
    conn->taken_here = conn->unsent = 0;
    conn->send_offset = 0;
    conn->connect_ns = conn->first_ns = 0;
    conn->send_at_ns = conn->read_at_ns = 0;
    wl__response_reset(&conn->response);
}

/* A connection that is free, for the next request of the open loop. */
static void
wait_for_work(wl_load *load, wl__conn *conn)
{
    if (!conn->is_idle) {
        uint32_t at = (load->idle_first + load->idle_size++)
            % load->config.connections;
        load->idle[at] = conn;
        conn->is_idle = 1;
    }
}

/* When it is closed: what next? */
static void
dial_later(wl_load *load, wl__conn *conn, uint64_t at_ns)
{
    if (load->on_demand && conn->under_way == 0) {
        wait_for_work(load, conn);
    } else {
        conn->retry_ns = at_ns;
    }
}

static void
hang_up(wl_load *load, wl__conn *conn)
{
    wl__conn_close(load, conn);
    dial_later(load, conn, load->now_ns);
}

/* RFC 9112 9.6: a server that said close has read none of the requests behind
 * that answer, so they are sent again, on another connection. */
static void
carry_over(wl_load *load, wl__conn *conn)
{
    uint32_t count = conn->under_way;
    load->sent_again += count - conn->unsent;
    hang_up(load, conn);
    conn->unsent = conn->taken_here = count;
    for (uint32_t i = 0; i < count; i++) {
        wl__sent *sent = wl__batch_unsent(load, conn, i);
        sent->sent_ns = 0;
        conn->said_close |= load->requests[sent->request].closes;
    }
}

static void
sample_what_came(wl_load *load, const wl__conn *conn, enum wl__class class)
{
    if (conn->under_way > 0
        && (class == WL__TIMEOUT || class == WL__EARLY_EOF
            || class == WL__RESET)) {
        wl__record_sample(load, conn, class, conn->response.kept,
                          conn->response.kept_size);
    }
}

void
wl__conn_fail(wl_load *load, wl__conn *conn, enum wl__class class)
{
    sample_what_came(load, conn, class);
    load->under_way -= conn->under_way;
    for (; conn->under_way > 0; conn->under_way--) {
        const wl__sent *sent = &conn->sent[conn->first];
        wl__record_failed(load, class, sent);
        conn->first = (conn->first + 1) % load->config.pipeline;
    }
    hang_up(load, conn);
}

/* ---- taking requests on ------------------------------------------------- */

static int
has_room(const wl_load *load, const wl__conn *conn)
{
    const wl_config *config = &load->config;
    uint32_t limit = config->close ? 1 : config->per_connection;
    return conn->under_way < config->pipeline && conn->state != WL__DEAF
        && conn->think_ns == 0 && !conn->said_close
        && conn->number < load->users
        && (limit == 0 || conn->taken_here < limit);
}

/* Takes requests that may start now; 0: there are none. */
static int
take_on(wl_load *load, wl__conn *conn)
{
    uint64_t intended;
    while (has_room(load, conn) && wl__schedule_take(load, &intended)) {
        uint32_t at = conn->first + conn->under_way;
        at = at < load->config.pipeline ? at : at - load->config.pipeline;
        conn->sent[at] = (wl__sent) { .intended_ns = intended };
        wl__schedule_next(load, &conn->sent[at]);
        if (conn->response.visit != NULL) {
            wl__visit_start(conn->response.visit);
        }
        conn->said_close = load->requests[conn->sent[at].request].closes;
        conn->under_way++;
        conn->unsent++;
        conn->taken_here++;
        load->under_way++;
    }
    return conn->under_way > 0;
}

/* ---- sending ------------------------------------------------------------ */

/* Sends what the kernel takes. A server may answer and close before it has
 * read everything: after a failed send, what came is read, and that decides.
 */
static void
transmit(wl_load *load, wl__conn *conn)
{
    wl__batch batch;
    while (conn->unsent > 0 && load->now_ns >= conn->send_at_ns) {
        wl__batch_gather(load, conn, &batch);
        ssize_t n = wl__socket_send(conn, &batch);
        if (n < 0 && errno == EAGAIN) {
            conn->send_at_ns = 0; /* the kernel will say when */
            return;
        }
        if (n < 0) {
            conn->state = WL__DEAF;
            conn->unsent = 0;
            conn->send_at_ns = 0;
            conn->read_at_ns = load->now_ns;
            return;
        }
        int all = wl__batch_account(load, conn, &batch, (size_t)n);
        if (load->config.send_size > 0) {
            conn->send_at_ns = conn->unsent > 0
                ? load->now_ns + load->config.send_gap_ns
                : 0;
        } else if (!all && conn->tls == NULL) {
            return; /* the kernel is full, and will say when it is not */
        }
    }
}

/* Takes on and sends as much as the loop model allows. */
static void
pump(wl_load *load, wl__conn *conn)
{
    take_on(load, conn);
    if (conn->unsent > 0) {
        transmit(load, conn);
    }
    if (load->open_loop && conn->state == WL__OPEN && has_room(load, conn)) {
        wait_for_work(load, conn);
    }
}

/* Before the connection is known to be there: 1 if it was, and its only
 * request is on its way; else nothing happened. */
static int
send_first(wl_load *load, wl__conn *conn)
{
    wl__batch batch;
    if (conn->unsent != 1 || load->tls != NULL || load->slow) {
        return 0;
    }
    load->now_ns = wl__now_ns();
    wl__sent *sent = wl__batch_unsent(load, conn, 0);
    uint64_t before = sent->sent_ns; /* a redirect was followed */
    wl__batch_gather(load, conn, &batch);
    ssize_t n = wl__socket_send(conn, &batch);
    if (n > 0) {
        wl__batch_account(load, conn, &batch, (size_t)n);
    } else {
        sent->sent_ns = before;
    }
    return conn->unsent == 0;
}

/* ---- dialling ----------------------------------------------------------- */

/* No descriptor or no port left: not the server's doing. The run ends. */
static int
is_ours(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS
        || error == ENOMEM || error == EADDRNOTAVAIL || error == EACCES
        || error == EPERM;
}

/* The same dial goes on with another socket. */
static void
undo_dial(wl__conn *conn)
{
    wl__socket_close(conn);
    conn->state = WL__CLOSED;
}

/* In the open loop a connection may be dialled without a request; then one
 * that waits ends with it, or a dead server would look like an idle one. */
static void
give_up_dialling(wl_load *load, wl__conn *conn, enum wl__class class)
{
    if (conn->under_way == 0) {
        take_on(load, conn);
    }
    conn->failed_addresses = 0;
    wl__conn_fail(load, conn, class);
    if (conn->retry_ns != 0) {
        conn->retry_ns = load->now_ns + RETRY_NS;
    }
}

/* The next address, and only after the last of them the request's failure. */
static void
dial_failed(wl_load *load, wl__conn *conn, int error)
{
    int last = ++conn->failed_addresses >= load->address_count;
    conn->address = (uint8_t)((conn->address + 1u) % load->address_count);
    if (!last) {
        undo_dial(conn);
        conn->retry_ns = load->now_ns;
    } else if (is_ours(error)) {
        load->error = -error;
        wl__conn_fail(load, conn, WL__UNSENT);
    } else {
        give_up_dialling(load, conn, WL__REFUSED);
    }
}

static void
opened(wl_load *load, wl__conn *conn)
{
    conn->state = WL__OPEN;
    conn->failed_addresses = 0;
    load->established++;
    load->opened_now++;
    if (load->opened_now > load->opened_most) {
        load->opened_most = load->opened_now;
    }
    wl__histogram_record(&load->connect, load->now_ns - conn->connect_ns);
    pump(load, conn);
}

static void
shake_hands(wl_load *load, wl__conn *conn)
{
    char reason[WL__SAMPLE_ROOM];
    int done = wb__tls_handshake(conn->tls);
    if (done > 0) {
        load->now_ns = wl__now_ns();
        opened(load, conn);
    } else if (done < 0) {
        wb__tls_reason(conn->tls, reason, sizeof(reason));
        wl__record_sample(load, conn, WL__REFUSED, reason, strlen(reason));
        give_up_dialling(load, conn, WL__REFUSED);
    }
}

static void
connected(wl_load *load, wl__conn *conn)
{
    if (load->tls == NULL) {
        opened(load, conn);
        return;
    }
    conn->state = WL__SHAKING;
    conn->tls = wb__tls_new(load->tls, conn->fd);
    if (conn->tls == NULL) {
        dial_failed(load, conn, ENOMEM);
        return;
    }
    shake_hands(load, conn);
}

/* The closed loop dials with its first requests in hand, so that connecting
 * is part of their response time; with none left it does not dial. */
static void
dial(wl_load *load, wl__conn *conn)
{
    conn->retry_ns = 0;
    if (!load->open_loop && conn->under_way == 0 && !take_on(load, conn)) {
        return;
    }
    if (conn->connect_ns == 0) {
        conn->connect_ns = load->now_ns;
        load->connects++;
    }
    conn->state = WL__CONNECTING;
    int failed = wl__socket_connect(load, conn);
    if (failed < 0 && errno == EAGAIN) {
        undo_dial(conn);
        conn->retry_ns = load->now_ns + FULL_NS;
        return;
    }
    if (failed < 0 && errno != EINPROGRESS) {
        dial_failed(load, conn, errno);
        return;
    }
    /* To a near server the connection is there already. */
    int said = failed < 0 && load->config.close && send_first(load, conn);
    if (wl__socket_watch(load, conn, said ? 0 : EPOLLOUT) < 0) {
        dial_failed(load, conn, errno);
    } else if (said) {
        opened(load, conn);
    } else if (failed == 0) {
        connected(load, conn);
    }
}

static void
go_on_connecting(wl_load *load, wl__conn *conn, uint32_t events)
{
    load->now_ns = wl__now_ns();
    if (conn->state == WL__SHAKING) {
        shake_hands(load, conn);
    } else if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        dial_failed(load, conn, wl__socket_error(conn));
    } else if ((events & EPOLLOUT) != 0) {
        connected(load, conn);
    }
}

/* ---- receiving ---------------------------------------------------------- */

static void
start_thinking(wl_load *load, wl__conn *conn)
{
    const wl_config *config = &load->config;
    if (config->think_most_ns > 0) {
        double share
            = (double)(wl__next_random(load->random) >> 11) * 0x1.0p-53;
        uint64_t range = config->think_most_ns - config->think_ns;
        conn->think_ns = load->now_ns + config->think_ns
            + (uint64_t)(share * (double)range);
    }
}

/* One answer is complete; `data` is what was read with its end. */
static void
answered(wl_load *load, wl__conn *conn, const char *data, size_t size)
{
    const wl__sent *sent = &conn->sent[conn->first];
    const wl__request *request = &load->requests[sent->request];
    enum wl__class class
        = !wl__request_expects(request, conn->response.head.status)
        ? WL__BAD_STATUS
        : conn->response.wrong_body ? WL__BAD_BODY
                                    : WL__OK;
    load->statuses[conn->response.head.status]++;
    if (class == WL__OK) {
        wl__record_ok(load, conn, sent);
    } else {
        wl__record_sample(load, conn, class, data, size);
        wl__record_failed(load, class, sent);
    }
    conn->first
        = conn->first + 1 == load->config.pipeline ? 0 : conn->first + 1;
    conn->under_way--;
    load->under_way--;
    conn->first_ns = 0;
    start_thinking(load, conn);
}

/* Where a redirect led, once more: this connection takes nothing more. */
static void
go_elsewhere(wl_load *load, wl__conn *conn)
{
    hang_up(load, conn);
    conn->unsent = conn->taken_here = 1;
    conn->said_close = load->requests[conn->sent[conn->first].request].closes;
}

/* The answer is a redirect that is followed: the request stays under way, and
 * its latency counts from its first send. 0: it is none, -1: on another
 * connection. */
static int
follow(wl_load *load, wl__conn *conn)
{
    wl__visit *visit = conn->response.visit;
    if (visit == NULL || visit->most == 0) {
        return 0;
    }
    struct iovec asked = wl__batch_asked(load, conn, &conn->sent[conn->first],
                                         load->rendered);
    if (!wl__visit_follow(visit, asked.iov_base, asked.iov_len,
                          load->tls != NULL)) {
        return 0;
    }
    load->redirects++;
    conn->first_ns = 0;
    if (conn->response.head.close || load->config.close || conn->said_close
        || conn->unsent > 0 || conn->state != WL__OPEN) {
        go_elsewhere(load, conn);
        return -1;
    }
    conn->unsent = 1;
    return 1;
}

/* Was a redirect followed, and nothing sent since? */
static int
is_between(const wl__conn *conn)
{
    const wl__visit *visit = conn->response.visit;
    return visit != NULL && visit->hops > 0 && conn->unsent > 0
        && conn->send_offset == 0 && conn->first_ns == 0;
}

/* After the last response this connection may carry. */
static void
last_one(wl_load *load, wl__conn *conn)
{
    load->closes_seen += conn->response.head.close;
    if (conn->under_way == 0) {
        hang_up(load, conn);
    } else if (conn->response.head.close) {
        carry_over(load, conn);
    } else {
        wl__conn_fail(load, conn, WL__EARLY_EOF);
    }
}

static int
is_last(const wl_load *load, const wl__conn *conn)
{
    const wl_config *config = &load->config;
    /* An answer before the request was sent whole: nothing more can be sent
     * on this connection without finishing what nobody reads. */
    int early = conn->unsent > conn->under_way;
    int limit = config->per_connection > 0
        && conn->taken_here >= config->per_connection;
    return conn->response.head.close || config->close || early
        || (conn->under_way == 0 && (limit || conn->said_close));
}

static void
broken(wl_load *load, wl__conn *conn, const char *data, size_t size)
{
    wl__record_sample(load, conn, WL__PARSE_ERROR, data, size);
    wl__conn_fail(load, conn, WL__PARSE_ERROR);
}

/* Bytes nobody asked for belong to no request, but are a fault. */
static void
stray(wl_load *load, wl__conn *conn, const char *data, size_t size)
{
    load->stray++;
    wl__record_sample(load, conn, WL__PARSE_ERROR, data, size);
    hang_up(load, conn);
}

/* 0: go on reading, -1: the connection is gone. */
static int
understand(wl_load *load, wl__conn *conn, const char *data, size_t size)
{
    while (size > 0) {
        size_t used;
        if (conn->under_way == 0) {
            stray(load, conn, data, size);
            return -1;
        }
        if (conn->first_ns == 0) {
            conn->first_ns = load->now_ns;
        }
        uint32_t request = conn->sent[conn->first].request;
        enum wl__verdict verdict = wl__response_read(
            &conn->response, &load->known[request % WL__KNOWN],
            &load->requests[request].body, data, size, &used);
        if (verdict == WL__BROKEN) {
            broken(load, conn, data, size);
            return -1;
        }
        if (verdict == WL__MORE) {
            return 0;
        }
        uint8_t closes = conn->response.head.close;
        int hop = follow(load, conn);
        if (hop > 0 && used < size) {
            broken(load, conn, data + used, size - used);
            return -1;
        }
        if (hop != 0) {
            load->closes_seen += hop < 0 ? closes : 0;
            return hop < 0 ? -1 : 0;
        }
        answered(load, conn, data, size);
        if (is_last(load, conn)) {
            last_one(load, conn);
            return -1;
        }
        data += used;
        size -= used;
    }
    return 0;
}

static void
at_eof(wl_load *load, wl__conn *conn)
{
    load->closes_seen++;
    if (is_between(conn)) {
        go_elsewhere(load, conn);
        return;
    }
    if (conn->under_way > 0) {
        uint32_t request = conn->sent[conn->first].request;
        int cut = conn->tls != NULL && wb__tls_was_cut(conn->tls);
        if (!cut /* RFC 9112 9.8 */
            && wl__response_eof(&conn->response, &load->requests[request].body)
                == WL__DONE) {
            if (follow(load, conn) != 0) {
                return;
            }
            answered(load, conn, "", 0);
        } else {
            wl__conn_fail(load, conn, WL__EARLY_EOF);
            return;
        }
    }
    if (conn->under_way > 0) {
        carry_over(load, conn);
    } else {
        hang_up(load, conn);
    }
}

/* One read. 1: there may be more, 0: not now, -1: the connection is gone. */
static int
receive_some(wl_load *load, wl__conn *conn, uint32_t events)
{
    size_t room = sizeof(load->read_buffer);
    uint32_t most = load->config.read_size;
    room = most > 0 && most < room ? most : room;
    ssize_t n = wl__socket_receive(conn, load->read_buffer, room);
    if (n < 0 && errno == EAGAIN) {
        return 0;
    }
    load->now_ns = wl__now_ns();
    if (n < 0) {
        if (conn->under_way > 0) {
            wl__conn_fail(load, conn, WL__RESET);
        } else {
            hang_up(load, conn);
        }
        return -1;
    }
    if (n == 0) {
        conn->ended = 1;
        at_eof(load, conn);
        return -1;
    }
    load->bytes_in += (uint64_t)n;
    conn->ended = (events & EPOLLRDHUP) != 0;
    if (understand(load, conn, load->read_buffer, (size_t)n) < 0) {
        return -1;
    }
    if (most > 0) {
        conn->read_at_ns = load->now_ns + load->config.read_gap_ns;
        return 0;
    }
    /* Edge-triggered: a short read says that the socket is empty; an end
     * that follows wakes us again. Not so for what TLS has buffered. */
    return (size_t)n == room || (events & EPOLLRDHUP) != 0
        || conn->tls != NULL;
}

/* A peer that sends faster than we read must not keep others, or the clock,
 * waiting: the rest is read in the next turn. */
static void
receive(wl_load *load, wl__conn *conn, uint32_t events)
{
    int more = 1;
    conn->read_at_ns = 0;
    for (int i = 0; i < READS && more > 0; i++) {
        more = receive_some(load, conn, events);
    }
    if (more > 0) {
        conn->read_at_ns = load->now_ns + 1;
    }
    if (more == 0 && conn->state == WL__OPEN) {
        pump(load, conn);
    }
}

/* ---- what wakes it ------------------------------------------------------ */

static uint64_t
sooner(uint64_t a, uint64_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* Ends whatever woke it: dials what was closed, reads what is left of a deaf
 * one, and sets the timer for what is to be done later. */
static void
settle(wl_load *load, wl__conn *conn)
{
    if ((conn->retry_ns | conn->send_at_ns | conn->read_at_ns | conn->think_ns)
            == 0
        && conn->timer == 0) {
        return;
    }
    int work = load->ending == 0 || conn->under_way > 0;
    for (int i = 0; i < STEPS; i++) {
        if (conn->state == WL__CLOSED && conn->retry_ns != 0 && work
            && conn->think_ns == 0 && conn->retry_ns <= load->now_ns) {
            dial(load, conn);
        } else if (conn->state == WL__DEAF && conn->read_at_ns != 0
                   && conn->read_at_ns <= load->now_ns) {
            receive(load, conn, EPOLLRDHUP);
        } else {
            break;
        }
    }
    uint64_t due = sooner(conn->send_at_ns, conn->read_at_ns);
    due = sooner(due, work ? conn->think_ns : 0);
    if (conn->state == WL__CLOSED && conn->think_ns == 0) {
        due = sooner(due, work ? conn->retry_ns : 0);
    }
    wl__timer_set(load, conn, due);
}

void
wl__conn_start(wl_load *load, wl__conn *conn)
{
    uint64_t number
        = (uint64_t)conn->number * load->config.parts + load->config.part;
    conn->address = (uint8_t)(number % load->address_count);
    dial_later(load, conn, load->now_ns);
    settle(load, conn);
}

void
wl__conn_event(wl_load *load, wl__conn *conn, uint32_t events)
{
    if (conn->state == WL__CONNECTING || conn->state == WL__SHAKING) {
        go_on_connecting(load, conn, events);
    }
    if (conn->state == WL__OPEN && (events & EPOLLOUT) != 0
        && conn->unsent > 0) {
        load->now_ns = wl__now_ns();
        transmit(load, conn);
    }
    if (is_open(conn)
        && (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0
        && load->now_ns >= conn->read_at_ns) {
        receive(load, conn, events);
    }
    settle(load, conn);
}

void
wl__conn_timer(wl_load *load, wl__conn *conn)
{
    if (conn->think_ns != 0 && conn->think_ns <= load->now_ns) {
        conn->think_ns = 0;
        if (conn->state == WL__OPEN) {
            pump(load, conn);
        }
    }
    if (conn->state == WL__OPEN && conn->send_at_ns != 0
        && conn->send_at_ns <= load->now_ns) {
        transmit(load, conn);
    }
    if (is_open(conn) && conn->read_at_ns != 0
        && conn->read_at_ns <= load->now_ns) {
        receive(load, conn, EPOLLIN);
    }
    settle(load, conn);
}

void
wl__conn_wake(wl_load *load, wl__conn *conn)
{
    if (conn->state == WL__OPEN) {
        pump(load, conn);
    } else if (conn->state == WL__CLOSED && conn->under_way == 0) {
        dial_later(load, conn, load->now_ns);
    }
    settle(load, conn);
}

void
wl__conn_check(wl_load *load, wl__conn *conn)
{
    uint64_t limit = load->config.timeout_ns;
    if (is_open(conn) && conn->number >= load->users && conn->under_way == 0) {
        wl__conn_close(load, conn);
    }
    if (is_open(conn)) {
        uint64_t sent = conn->sent[conn->first].sent_ns;
        if (conn->under_way > 0 && sent > 0 && load->now_ns - sent > limit) {
            wl__conn_fail(load, conn, WL__TIMEOUT);
        }
    } else if (conn->connect_ns > 0
               && load->now_ns - conn->connect_ns > limit) {
        conn->address = (uint8_t)((conn->address + 1u) % load->address_count);
        give_up_dialling(load, conn, WL__CONNECT_TIMEOUT);
    }
    settle(load, conn);
}

/* ---- open loop ---------------------------------------------------------- */

static wl__conn *
next_idle(wl_load *load)
{
    while (load->idle_size > 0) {
        wl__conn *conn = load->idle[load->idle_first];
        load->idle_first = (load->idle_first + 1) % load->config.connections;
        load->idle_size--;
        conn->is_idle = 0;
        if (conn->state == WL__OPEN
            || (load->on_demand && conn->state == WL__CLOSED
                && conn->retry_ns == 0)) {
            return conn;
        }
    }
    return NULL;
}

/* Longest idle first, so that all connections are used. */
void
wl__conn_feed(wl_load *load)
{
    while (load->queue_size > 0) {
        wl__conn *conn = next_idle(load);
        if (conn == NULL) {
            break;
        }
        load->now_ns = wl__now_ns();
        if (conn->state == WL__OPEN) {
            pump(load, conn);
        } else if (take_on(load, conn)) {
            conn->retry_ns = load->now_ns;
        }
        settle(load, conn);
    }
    wl__schedule_starved(load);
}
