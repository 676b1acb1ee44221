/* The CPython binding: its types and what they share.
 *
 * All state lives in the module (wp_state) or in an object; nothing is static,
 * so that several interpreters can load it. A call (wp_call) is one request
 * being answered: it is the start_response that the application gets, and it
 * holds the application's result while that is being sent.
 */
#ifndef WP_MODULE_H
#define WP_MODULE_H

#include "shims.h"

#include "wsgibench.h"

enum { WP_NAMES = 128, WP_BLOCK = 1024, WP_FREE = 64, WP_CREDIT = 64 };

/* Ready, hashed keys for the names that requests carry. */
typedef struct wp_names {
    PyObject *keys[WP_NAMES]; /* by hash, linear probing; or NULL */
} wp_names;

/* Keys and values that every environ has. */
typedef struct wp_words {
    PyObject *request_method, *path_info, *query_string, *request_uri,
        *server_protocol, *remote_addr, *remote_port, *content_length,
        *http_host, *wsgi_input, *get, *head, *post, *put, *delete, *options,
        *patch, *http10, *http11, *empty, *close, *read, *fileno, *tell,
        *readable, *flush, *raw, *exc_info;
} wp_words;

/* An environ that the application was lent, while it has it: see lend.c. */
typedef struct wp_loan {
    PyObject *environ; /* a reference */
    struct wp_slot *slot; /* whose environ it is; NULL: the call's own */
    struct wp_loan *next;
    uint64_t version; /* of the dict when it was lent */
    int changed;
} wp_loan;

typedef struct wp_loans {
    wp_loan *first;
} wp_loans;

typedef struct wp_lending {
    wp_loans *loans; /* of the interpreter; NULL: nothing can be lent */
    int watcher;
} wp_lending;

typedef struct wp_state {
    PyTypeObject *server_type, *call_type, *writer_type, *input_type,
        *file_wrapper_type, *load_type;
    wp_names names;
    wp_words words;
    PyObject *print_exception;              /* traceback.print_exception */
    PyObject *file_io, *reader, *random; /* io.FileIO, BufferedReader ... */
    wp_lending lending;
} wp_state;

typedef struct wp_slot_field {
    uint64_t line; /* wb_fields.lines of what is in the environ */
    PyObject *key;
} wp_slot_field;

/* What was made of requests with the same names, by their slot in the core's
 * table. */
typedef struct wp_slot {
    uint64_t id;
    PyObject *environ; /* as of the last request that had these names */
    wp_slot_field *fields; /* in it; malloced */
    uint32_t count;
    uint64_t block; /* wb_fields.id of that request */
    char *target; /* of that request; malloced */
    uint32_t target_size;
    uint8_t method_get, http11;
    uint16_t peer_port;
    PyObject *peer_text; /* REMOTE_ADDR in it, the server's; borrowed;
                            NULL: not known */
} wp_slot;

/* The text of a port, kept for its connection's next request. */
enum { WP_PORTS = 256 };
typedef struct wp_port {
    uint16_t number;
    PyObject *text; /* or NULL */
} wp_port;

/* The value of a line that the core knows, by the line's place there. */
typedef struct wp_value {
    uint64_t line; /* wb_fields.lines; 0: none */
    PyObject *text;
} wp_value;

/* The head of the last answer, and what it was made of. */
enum { WP_LAST_ITEMS = 16, WP_LAST_BLOCK = WP_BLOCK };
typedef struct wp_last_head {
    PyObject *status, *items[WP_LAST_ITEMS]; /* tuples; references */
    uint32_t starts[WP_LAST_ITEMS + 1]; /* of the items in the block */
    uint32_t count, status_size, block_size;
    int credit; /* above 0: worth looking at */
    char block[WP_LAST_BLOCK];
} wp_last_head;

typedef struct wp_server {
    PyObject_HEAD wb_server *core; /* NULL: closed */
    PyObject *gate; /* see wp_section_begin(); its calls refer to it, too */
    wp_state *state; /* borrowed: the type keeps the module alive */
    PyObject *app, *errors;
    PyObject *base; /* environ without what a request brings */
    PyObject *no_input; /* wsgi.input of requests without a body */
    PyTypeObject *file_wrapper; /* in `base`; of this server alone where two
                                   share a reference count otherwise */
    wp_slot *slots; /* WB_SLOTS of them */
    char peer[46]; /* the last client's address, its bytes, and its text */
    uint8_t peer_size;
    PyObject *peer_text;
    wp_port ports[WP_PORTS]; /* by the number modulo WP_PORTS */
    wp_value values[WB_LINES];
    wp_last_head last_head;
    int lending; /* above 0: see wp_environ_return() */
    PyObject *log_exception; /* of errors, if it has that; or NULL */
    PyObject *on_upgrade; /* called with an environ and the function that
                             takes the connection over; or NULL */
    PyObject *on_close; /* called once the core is closed; or NULL */
    struct wp_call *calls; /* live, in a list; a reference to each */
    struct wp_call *free_calls;
    int free_count;
    struct wp_call *aside_first, *aside_last; /* see wp_call_go_on() */
    int aside_count;
    int users; /* methods under way that turn the loop or serve */
    unsigned long user; /* the thread that called the last of them */
    int last_served;
    uint8_t threaded;
    _Atomic uint8_t closing; /* as soon as there are no users */
    _Atomic uint8_t stopping; /* stop() or close() was called */
} wp_server;

/* start_response, and the request's state in Python. */
typedef struct wp_call {
    PyObject_HEAD vectorcallfunc vectorcall;
    wp_server *server; /* borrowed, it owns the call; NULL: over */
    PyObject *gate; /* the server's; a reference */
    wp_section *section; /* of the thread that serves it; NULL: none does */
    wb_request *request; /* NULL: over */
    wb_request *held; /* the request, if this call holds it; or NULL */
    struct wp_call *live_prev, *live_next;
    struct wp_call *next; /* of the free ones, or of those put aside */
    PyObject *result; /* what the application returned */
    PyObject *iterator;
    struct wp_input *input; /* or NULL */
    struct wp_writer *writer;
    wp_loan loan; /* here, for greenlets move the C stack */
    char *block; /* status, then name NUL value NUL ... */
    uint32_t block_room, block_size, status_size, count;
    uint8_t started, head_given, wrote, sending_file;
    uint8_t detached; /* what is answered goes nowhere: as if it had begun */
    uint8_t suspended; /* waits for the client or for its turn */
    char block_inline[WP_BLOCK];
} wp_call;

/* The write() callable. */
typedef struct wp_writer {
    PyObject_HEAD vectorcallfunc vectorcall;
    wp_call *call; /* borrowed; NULL once the request is over */
    PyObject *gate; /* the server's; a reference */
} wp_writer;

/* wsgi.input */
typedef struct wp_input {
    PyObject_HEAD wp_call *call; /* borrowed; NULL: there is no body */
    PyObject *gate; /* the server's; a reference */
    const char *data; /* bytes not read yet: the request's own body, or
                         in `owned` */
    size_t size;
    char *owned; /* malloced read-ahead for lines */
    PyThread_type_lock lock; /* of the thread that reads; or NULL */
    unsigned long reader; /* that thread */
    uint8_t finished; /* no more comes */
    uint8_t over; /* the answer is out: reading is an error */
} wp_input;

extern PyType_Spec wp_server_spec, wp_call_spec, wp_writer_spec, wp_input_spec,
    wp_file_wrapper_spec, wp_load_spec;

/* names.c */
int wp_names_init(wp_names *names);
void wp_names_clear(wp_names *names);
/* A new reference to the str for these bytes. */
PyObject *wp_names_get(const wp_names *names, const char *data, size_t size);
int wp_words_init(wp_words *words);
int wp_words_visit(wp_words *words, visitproc visit, void *arg);
void wp_words_clear(wp_words *words);

/* lend.c */
int wp_lending_init(wp_lending *lending); /* -1 with an exception */
void wp_lending_clear(wp_lending *lending);
int wp_lending_possible(const wp_lending *lending);
/* From here on changes of loan->environ are noticed ... */
void wp_lend(wp_lending *lending, wp_loan *loan);
/* ... until here, where it says whether there were any. */
int wp_lent_was_changed(wp_lending *lending, wp_loan *loan);

/* environ.c */
PyObject *wp_environ_base(wp_server *server, PyObject *const *settings);
/* Fills call->loan. 0, or -1 with an exception. */
int wp_environ_make(wp_server *server, const wb_request *request,
                    wp_call *call);
/* The application is done, or its call is put aside: gives up the reference.
 * Nothing happens for the second time. */
void wp_environ_return(wp_server *server, wp_call *call);
void wp_slots_clear(wp_server *server);
void wp_ports_clear(wp_server *server);

/* fields.c */
/* All 0, or -1 with an exception. */
int wp_fields_put(wp_server *server, const wb_fields *fields,
                  PyObject *environ);
int wp_fields_remember(wp_server *server, const wb_fields *fields,
                       wp_slot *slot);
/* Puts those that differ into the slot's environ. */
int wp_fields_refresh(wp_server *server, const wb_fields *fields,
                      wp_slot *slot);
void wp_fields_forget(wp_slot *slot);
void wp_values_clear(wp_server *server);

/* input.c */
/* call: NULL for the empty one that requests without a body share. */
wp_input *wp_input_new(wp_server *server, wp_call *call);
void wp_input_detach(wp_input *input);

/* response_head.c */
/* -1 with an exception. */
int wp_block_fill(wp_call *call, PyObject *status, PyObject *headers);
void wp_block_drop(wp_call *call); /* what it took beyond its own memory */
void wp_last_head_clear(wp_last_head *last);

/* call.c */
wp_call *wp_call_new(wp_server *server, wb_request *request);
/* Before another thread may come into the core: see wb_request_hold(). */
void wp_call_hold(wp_call *call);
void wp_call_suspend(wp_call *call);
/* Around code of the application: other threads may come to the server. */
void wp_call_step_out(wp_call *call);
void wp_call_step_in(wp_call *call);
/* The request has been ended; now the application's side, its close(), and the
 * call. An exception that is set stays set. 0, or -1 with one. */
int wp_call_end(wp_call *call);
/* In a forked child, of a call that is its parent's: over for whoever holds
 * it, but nothing of it is closed or dropped here. */
void wp_call_disown(wp_call *call);
/* The same for a call whose result has no close(). */
void wp_call_release(wp_call *call);

/* start_response.c */
PyObject *wp_start_response(PyObject *self, PyObject *const *args,
                            size_t flags, PyObject *keywords);
wb_head wp_call_head(const wp_call *call); /* borrowed from the call */
/* wb_request_write() of a bytes object, which the core may keep. */
int wp_call_send(wp_call *call, PyObject *block);
/* Hands the head to the core. 0, WB_COMPLETE, or an error (raised too). */
int wp_call_give_head(wp_call *call, int64_t length);
/* Waits until the client has taken what it was sent. 0 or an error; the call
 * may be over then. */
int wp_call_wait(wp_call *call);

/* answer.c */
/* Serves a request that wb_server_take() gave. 0, or -1 with KeyboardInterrupt
 * or SystemExit; any other exception is logged. */
int wp_answer(wp_server *server, wb_request *request);
/* Goes on with an iteration that gave way to others. The same. */
int wp_call_go_on(wp_call *call);

/* file_wrapper.c */
/* The descriptor behind a file_wrapper whose bytes are the file's own, or
 * -1; *offset is where reading stands, *size what is left. */
int wp_file_behind(wp_state *state, PyObject *wrapper, int64_t *offset,
                   int64_t *size);

/* errors.c */
/* What the application raised for a request (NULL: one that is over): 0, it is
 * logged and cleared; -1: it is left set, for it has to leave the server
 * (KeyboardInterrupt, SystemExit). */
int wp_log_exception(wp_server *server, const wb_request *request);
/* As wp_raise_code(), for a head that the core refused: names the part. */
PyObject *wp_raise_head(int code, const wb_head *head);
PyObject *wp_raise_code(int code); /* NULL, with an exception set */

/* figures.c: new dicts */
PyObject *wp_stats(wb_server *server);
PyObject *wp_metrics(wb_server *server);

/* settings.c */
PyObject *wp_defaults(void); /* by name */
/* One keyword into its field; a text is borrowed from `value`. -1: raised. */
int wp_setting_put(wb_config *config, PyObject *name, PyObject *value);

#endif
