/* wsgibench: the server's public C interface.
 *
 * The core never calls its caller. The caller pulls: it turns the loop with
 * wb_server_poll(), takes requests that are complete enough to be served with
 * wb_server_take(), and answers them with the wb_request_ functions.
 *
 * Codes: 0 or a positive note (enum wb_note) on success, a negative enum
 * wb_error or a negated errno on failure; wb_strerror() puts either into
 * words. A call that fails changes nothing unless its comment says so.
 *
 * Threads: a server belongs to the thread that polls it. Only
 * wb_server_wake(), wb_server_stop() and wb_server_turns() may be called from
 * any thread. With config.threaded, any number of threads may poll, take and
 * answer, beside one that is in wb_server_run(): of the former one turns the
 * loop at a time, the others sleep; the latter stands by and turns the loop
 * when those are held up elsewhere. Every wb_request_ function may be called
 * by any thread that has taken the request or holds it; who has ended one
 * takes the next, or polls. Without config.threaded the same is
 * true of the wb_request_ functions from the first wb_request_hold() on: the
 * server locks from then on, and a thread in wb_request_wait() turns the loop
 * if no other does.
 *
 * Ownership: wb_server_take() gives one reference to the request, which the
 * first verb that ends it (finish, abort, respond, error) consumes.
 * wb_request_hold() adds references of its own: while one is held the
 * wb_request and what its fields point to stay valid memory, after the end of
 * the request and after wb_server_free(), too. Only the body goes with the
 * end. Every call on a request that has ended changes nothing and returns
 * WB_OVER.
 *
 * Processes: a server belongs to the process that made it. In a child made by
 * fork(2) every call leaves the sockets, the files and the poll set alone, for
 * they are shared with the parent, and returns WB_FORKED (or NULL, or what its
 * comment says). There wb_server_free() frees memory and closes the child's
 * copies of the descriptors.
 *
 * Everything between the two cdef markers is also read by cffi.
 */
#ifndef WSGIBENCH_H
#define WSGIBENCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cdef: begin */

enum wb_error {
    WB_AGAIN = -20001,   /* nothing to read yet: wb_request_wait() */
    WB_GONE = -20002,    /* the client left, or its deadline passed */
    WB_NOMEM = -20003,
    WB_INVALID = -20004, /* an argument no HTTP message may carry */
    WB_STATE = -20005,   /* the calls came in an impossible order */
    WB_STOPPED = -20006, /* the server has nothing left to do */
    WB_BADBODY = -20007, /* the request body broke RFC 9112 framing */
    WB_NOTLS = -20008,   /* OpenSSL was not there when this was built, or is
                            not there now */
    WB_BADCERT = -20009, /* the certificate or key cannot be used */
    WB_BADCA = -20010,   /* nor the file of trusted certificates */
    WB_BADTLS = -20011,  /* nor ciphers, version or host names of TLS */
    WB_OVER = -20012,    /* the request has ended: its answer is out, or
                            never will be */
    WB_FORKED = -20013,  /* the server belongs to the parent process */
    WB_BADFORMAT = -20014, /* log_format: an atom that there is not */
    WB_BADADDRESS = -20015 /* in a list of addresses and networks */
};

enum wb_note {
    WB_FULL = 1,    /* taken, but the client is slow: write no more until the
                       request comes back from wb_server_take() with event
                       WB_RESUME, or wb_request_wait() returns; threaded:
                       only the latter */
    WB_COMPLETE = 2 /* the message needs no further body byte (HEAD, 204,
                       205, 304, Content-Length reached): stop producing */
};

enum wb_event {
    WB_NEW = 0,    /* a request to serve */
    WB_RESUME = 1  /* one that was WB_FULL may go on, or its client has left
                      (the next call says so) */
};

typedef struct wb_server wb_server; /* opaque */

/* Times are milliseconds, sizes bytes; 0 switches a deadline or limit off
 * unless the field says otherwise. Copied by wb_server_new(). */
typedef struct wb_config {
    int listen_fd; /* bound socket, TCP or unix. Made non-blocking;
                      taken over and closed by the server */
    int backlog; /* for listen(2); below 0: it listens already */
    uint8_t threaded; /* see "Threads" above */
    uint8_t stream_body; /* hand over at the end of the head; 0: when
                            the body is complete (never let the
                            application wait for a slow sender) */
    uint8_t measure; /* clocks are read for wb_server_metrics() */
    uint8_t defer_accept; /* TCP_DEFER_ACCEPT on the listener */
    const char *log_format; /* of the access log: "common", "combined",
                               "json", or gunicorn's atoms (%(h)s ...); NULL:
                               no log */
    int log_fd; /* borrowed; written in blocks, never waited for */
    int error_fd; /* borrowed: is told when log lines are lost; below 0: not */
    uint32_t max_line; /* request line: 414 above it */
    uint32_t max_head; /* header block: 431 above it; at most 65536 */
    uint32_t max_fields; /* header fields: 431 above it */
    uint32_t max_field; /* one field line with its CRLF: 431 above it */
    uint64_t max_body; /* 413 above it */
    uint32_t body_memory; /* body bytes kept in memory per request; more
                             goes to an unlinked temporary file */
    uint64_t body_memory_all; /* the same for all requests together */
    uint32_t write_high; /* unsent bytes of one response that make
                            wb_request_write() answer WB_FULL */
    uint32_t max_connections; /* accepting pauses at this number */
    uint32_t accept_batch; /* connections accepted in one turn, so that the
                              others, and other processes that share the
                              listener, get theirs; at least 1. More when
                              a turn answers many requests */
    uint32_t head_timeout; /* from the first byte to the end of the head:
                              408. And from the accept to the end of a TLS
                              handshake or PROXY header */
    uint32_t body_timeout; /* each span of this length must bring
                              body_quantum bytes or the end: 408 */
    uint32_t body_quantum;
    uint32_t idle_timeout; /* before and between requests of one
                              connection */
    uint32_t write_timeout; /* without a byte taken by the client */
    /* Behind proxies. Lists of addresses are like "127.0.0.1, 10.0.0.0/8, ::1,
     * unix, *". */
    const char *forwarded_allow; /* whose X-Forwarded-For, -Proto, -Host and
                                    Forwarded count; NULL: none */
    const char *forwarded_headers; /* which of them; NULL: all */
    uint8_t proxy_protocol; /* 1: a connection begins with a PROXY header, or
                               is closed; 2: one from proxy_allow does, others
                               have none */
    const char *proxy_allow; /* who may send it; NULL: this machine */
    const char *root_path; /* cut off the front of the path, if it is there;
                              NULL: none */
    const char *underscored; /* fields with "_" in their names that are not
                                dropped, like "x_user,x_id", or "*". X_User
                                is HTTP_X/USER then; X-User is HTTP_X_USER.
                                NULL: none. Copied */
    const char *server_name; /* Server field; "" for none. Copied */
    const char *temp_dir; /* for large bodies; NULL: TMPDIR or /tmp */
    const char *tls_cert; /* PEM file of the certificate and its chain:
                             HTTPS; NULL: plain. Its user must ignore
                             SIGPIPE, as Python does */
    const char *tls_key; /* PEM file; NULL: it stands in tls_cert */
    const char *tls_password; /* of the keys; NULL: they have none */
    const char *tls_ca; /* PEM file: who may sign client certificates */
    uint8_t tls_verify; /* client certificates: 0 not asked for, 1 valid if
                           given, 2 required (the handshake fails) */
    const char *tls_ciphers; /* as openssl-ciphers(1); NULL: OpenSSL's */
    const char *tls_min_version; /* "tls1.2" (default), "tls1.3" */
    const char *tls_hosts; /* certificates by the name that a client asks for
                              (SNI), one a line: host TAB cert [TAB key] */
} wb_config;

typedef struct wb_span {
    uint32_t off, len;
} wb_span;

/* The field names of a header block in CGI form: HTTP_USER_AGENT,
 * CONTENT_TYPE, CONTENT_LENGTH ..., in order, each once. Immutable. Blocks
 * with the same fields in the same order share one: `slot` and `id` let a
 * binding keep what it made of it (slot finds the place, id tells whether it
 * is still the same names). */
typedef struct wb_names {
    uint64_t id; /* never reused by this server */
    uint32_t slot; /* below WB_SLOTS, or WB_NO_SLOT: not shared */
    uint32_t count;
    const char *base;
    const wb_span *spans;
} wb_names;

/* One header block. Values are raw bytes (latin-1); those of repeated fields
 * are joined. Immutable. Most lines of a client are those of its last request,
 * byte for byte: `lines` tells which. */
typedef struct wb_fields {
    uint64_t id; /* of blocks that came before: the same for the same bytes
                    and never reused; or 0 */
    const wb_names *names;
    const char *base;
    const wb_span *values; /* one for each name */
    const uint64_t *lines; /* one for each name: the same number for the
                              same field line, never reused, and modulo
                              WB_LINES the line's place in a table; or
                              0: not known */
    uint8_t ascii; /* no byte of it is above 0x7f */
} wb_fields;

#define WB_SLOTS   256
#define WB_NO_SLOT 4294967295
#define WB_LINES   1024

/* Valid from wb_server_take() until it is ended and no longer held. */
typedef struct wb_request {
    const wb_fields *fields;
    const char *base; /* of the spans below */
    wb_span method;
    wb_span target; /* as sent */
    wb_span path; /* percent-decoded bytes; "*" of OPTIONS: "" */
    wb_span query; /* after the "?", as sent */
    wb_span authority; /* of an absolute-form target, which overrides
                          the Host field (RFC 9112, 3.2.2); or empty.
                          fields holds the Host as it was sent */
    uint8_t minor_version; /* HTTP/1.x */
    uint8_t event; /* enum wb_event */
    uint8_t head_sent; /* bytes of the final head reached the wire */
    uint8_t body_complete; /* all of the body is here: reads never wait */
    uint8_t chunked; /* body came or comes in chunks */
    uint8_t tls;
    uint8_t upgrade; /* the client asks for another protocol (RFC 9110 7.8) */
    uint8_t peer_size; /* bytes of `peer` */
    uint16_t peer_port; /* 0 for a unix socket */
    int64_t content_length; /* of the body; -1: chunked and not complete */
    const char *body; /* the body, when complete and in memory;
                         otherwise NULL: wb_request_read(). NULL
                         once the request has ended */
    const char *peer; /* address in text, "" for a unix socket */
    /* What the environ gets beside the fields, as name NUL value NUL ...:
     * SSL_CLIENT_VERIFY ... It goes over what is there already. */
    const char *variables;
    uint32_t variables_size, variable_count;
    void *user; /* the binding's; NULL for a new request */
} wb_request;

/* Status and header fields of a response as the application gives them. All
 * of it is the caller's again when a call returns. */
typedef struct wb_head {
    const char *status; /* "200 OK" */
    const char *lines; /* name NUL value NUL ..., `count` times */
    size_t status_size, lines_size;
    uint32_t count;
} wb_head;

typedef struct wb_stats {
    uint64_t accepted, closed; /* connections */
    uint64_t requests, responses; /* handed over; answered in full */
    uint64_t refused; /* answered 4xx/5xx by the core itself */
    uint64_t timeouts, resets; /* connections ended by a deadline; by the
                                  client in mid-message */
    uint64_t accept_errors; /* EMFILE and its like */
    uint64_t log_lost; /* lines of the access log */
    uint64_t memo_hits, memo_misses;
    uint64_t bytes_in, bytes_out;
    uint64_t body_memory; /* held now */
    uint32_t connections, busy; /* open now; with a request handed over */
} wb_stats;

#define WB_BUCKETS 16

/* With config.measure. Histograms count what took at most bounds_us[i]; the
 * last place what took longer. */
typedef struct wb_metrics {
    uint64_t bounds_us[WB_BUCKETS]; /* microseconds, ascending */
    /* From the last byte of a request (its head, with stream_body) to the
     * time it was taken: what the application's call waited for. */
    uint64_t queue[WB_BUCKETS + 1], queue_us;
    /* From there to the end of its answer, by the first digit of the status;
     * 0: cut off before there was one. Sums in microseconds. */
    uint64_t duration[6][WB_BUCKETS + 1], duration_us[6];
    uint64_t statuses[500]; /* answers by status - 100, the core's own too */
} wb_metrics;

void wb_config_init(wb_config *config); /* the defaults */

/* Server --------------------------------------------------------------- */

/* On failure listen_fd stays the caller's. */
int wb_server_new(const wb_config *config, wb_server **out);
/* One turn of the loop, sleeping at most timeout_ms (-1: until something
 * happens). How many requests are ready, or an error; WB_STOPPED once a stop
 * is complete. threaded: returns when a request is ready, which another thread
 * may take first, or after timeout_ms. */
int wb_server_poll(wb_server *server, int timeout_ms);
wb_request *wb_server_take(wb_server *server); /* NULL: none is ready */
int wb_server_run(wb_server *server); /* threaded: stand by until stopped */
/* The null server: for timeout_ms, polls and answers every request with these
 * bytes (a whole HTTP response). 0, WB_STOPPED, or an error. */
int wb_server_canned(wb_server *server, const char *response, size_t size,
                     int timeout_ms);
void wb_server_wake(wb_server *server);
/* A descriptor that wakes the loop when a byte is written to it: made for
 * Python's signal.set_wakeup_fd(). Owned by the server; below 0: an error. */
int wb_server_wake_fd(wb_server *server);
/* Stop accepting, close idle connections, answer the rest with "Connection:
 * close", and give up on them after grace_ms. A second call shortens it. */
void wb_server_stop(wb_server *server, int grace_ms);
int wb_server_stopped(wb_server *server); /* 1: nothing is left to do */
int wb_server_fileno(wb_server *server); /* readable: poll with 0 */
int wb_server_timeout(wb_server *server); /* ms until it must be polled; -1 */
void wb_server_stats(wb_server *server, wb_stats *out);
void wb_server_metrics(wb_server *server, wb_metrics *out);
/* Turns of the loop and, not threaded, requests handed over. It stands still
 * when the caller is stuck: wake the server, and look again. */
uint64_t wb_server_turns(wb_server *server);
/* Reads the files of certificates and keys again, for connections to come. On
 * an error the old stay in use. */
int wb_server_tls_reload(wb_server *server);
/* Blocks of a body that are no longer needed: the next `owner` that a
 * wb_request_write() or wb_request_respond() has kept, or NULL. Each comes
 * back once, when its bytes have gone out or its connection has ended. Ask
 * after each turn, and until it is NULL after wb_server_close(). Cheap when
 * there is none; any thread. */
void *wb_server_released(wb_server *server);
/* Ends every request and connection, and closes every descriptor. A request
 * that was taken is over (nothing needs to be ended any more); a thread that
 * sleeps in one of its calls wakes. Of the server's calls only stats, turns,
 * stopped, released and free are left. threaded: no thread is in
 * wb_server_poll(). One in wb_server_run() or wb_request_wait() is waited
 * for. */
void wb_server_close(wb_server *server);
/* wb_server_close(), if that was not called; then frees the server, once the
 * last request that is held has been released. Owners that
 * wb_server_released() has not given back are lost. */
void wb_server_free(wb_server *server);

/* Request -------------------------------------------------------------- */

/* One more reference, which must be released: see "Ownership" above. The first
 * must be taken by a thread that may call the server. */
void wb_request_hold(wb_request *request);
/* Any thread, before or after the end, even after wb_server_free(). */
void wb_request_release(wb_request *request);

/* Up to `size` bytes of the body: the number read, 0 at its end, WB_AGAIN if
 * none are here yet, WB_GONE, WB_BADBODY, WB_OVER. With config.stream_body the
 * first read answers "Expect: 100-continue"; without it that is answered
 * before the request is handed over. */
int64_t wb_request_read(wb_request *request, char *out, size_t size);
/* Sleep until a body byte came (for_body) or the response may go on, turning
 * the loop (other requests only queue up) or, threaded, waiting for it. 0, or
 * WB_AGAIN after timeout_ms, or WB_GONE, or WB_OVER as soon as another thread
 * has ended the request. The caller has a reference of its own. */
int wb_request_wait(wb_request *request, int for_body, int timeout_ms);

/* The head of the response. The core adds Date, Server, Connection and the
 * framing. `length` is the number of body bytes when the caller knows it, or
 * -1. Nothing is sent before the first byte of body or the finish. May be
 * repeated until then: the later head replaces the earlier. WB_INVALID:
 * status or a field is not sendable (CR, LF, NUL, not a token, hop-by-hop
 * ...). 0 or WB_COMPLETE. */
int wb_request_head(wb_request *request, const wb_head *head, int64_t length);
/* Of a head that was WB_INVALID: the status, or the name of the first field
 * that cannot be sent (a pointer into the head; *size bytes), or NULL: they
 * cannot be sent together. */
const char *wb_head_refused(const wb_head *head, size_t *size);
/* Body bytes. 0, WB_FULL, WB_COMPLETE (what exceeds the Content-Length is
 * dropped), or WB_GONE.
 * What the kernel does not take at once is copied and `data` is the caller's
 * again on return, if `owner` is NULL or *owner is. Otherwise the core may
 * keep `data` as it is: it then sets *owner to NULL, and `data` must not
 * change until wb_server_released() gives that owner back. */
int wb_request_write(wb_request *request, const char *data, size_t size,
                     void **owner);
/* `size` bytes of the file from `offset`, by sendfile(2) where it can (the
 * process must ignore SIGPIPE, which sendfile(2) raises; Python does). fd is
 * the caller's again on return: what is sent later is read from a duplicate.
 * A file that proves shorter ends the connection with a reset. */
int wb_request_file(wb_request *request, int fd, int64_t offset, int64_t size);

/* These end the request and consume the reference from wb_server_take(),
 * whatever they return; WB_OVER and WB_FORKED: nothing was done. An answer
 * that has begun and is not whole is cut off by a reset of the connection, so
 * that no client takes it for complete. */
int wb_request_finish(wb_request *request);
int wb_request_abort(wb_request *request);
/* head + write + finish in one call, for a body in one piece. WB_STATE (it is
 * shorter than its Content-Length), 0 and WB_GONE end the request; WB_INVALID
 * and WB_NOMEM, and WB_STATE when a head has been sent before, leave it with
 * the caller, who can still answer with wb_request_error(). `owner`: as
 * wb_request_write(). */
int wb_request_respond(wb_request *request, const wb_head *head,
                       const char *body, size_t size, void **owner);
/* The connection becomes the caller's: a descriptor of it, blocking, or an
 * error; bytes that came after the request are in `early`, *size of them
 * (WB_INVALID: there is not enough room, and *size tells how much it takes).
 * WB_STATE: an answer has begun, the body is not here, or it is TLS; WB_AGAIN:
 * answers before this one have not gone out. The request still has to be
 * ended, as if it were answered: until then the connection is counted, and a
 * stop waits for it; after the grace it is shut down. */
int wb_request_detach(wb_request *request, char *early, size_t room,
                      size_t *size);
/* A plain answer of the core's own (500, 503 ...), or abort if the head has
 * been sent. */
int wb_request_error(wb_request *request, int status);

const char *wb_strerror(int code);
/* "wsgibench VERSION, libuv VERSION, http-parser VERSION": as snprintf(). The
 * libuv named is the one that runs. */
int wb_versions(char *out, size_t size);

/* cdef: end */

#ifdef __cplusplus
}
#endif

#endif
