/* The field names that requests carry.
 *
 * A name as it was sent: what it means for the message, and the framing parser
 * as it is after it. The names of a block in order: their CGI form, shared by
 * all blocks that have the same ones. Both in bounded tables of the server,
 * found by comparing in full. */
#ifndef WB_NAMES_H
#define WB_NAMES_H

#include "http/lines.h"

enum { WB__NAMES = 256, WB__NAME_WAYS = 4, WB__MAX_NAME_KEPT = 64 };

/* What the message's framing, or the connection, has to do with a field. */
enum wb__meaning {
    WB__PLAIN,
    WB__HOST,
    WB__EXPECTATION,
    WB__CONTENT_TYPE,
    /* The framing parser, too, sees more than a name in these. */
    WB__OTHER_FRAMING, /* none of ours: Upgrade, Proxy-Connection ... */
    WB__CONNECTION,
    WB__CONTENT_LENGTH,
    WB__TRANSFER_ENCODING
};

typedef struct wb__name {
    uint64_t id; /* never reused; 0: not in the table */
    uint32_t hash, size;
    enum wb__meaning meaning;
    wb__parse after; /* below WB__OTHER_FRAMING: the parser, when it has read
                        the name and its colon as the first of a block */
    uint8_t takes_text; /* wb__parse_takes_text(&after) */
    char text[WB__MAX_NAME_KEPT];
} wb__name;

/* What wb__parse_takes_text() says of the states that names end in. They are
 * few: names that the parser does not know end in one state, names that begin
 * like one that it knows in another for each length of that beginning. */
enum { WB__NAME_STATES = 24 };
typedef struct wb__name_state {
    wb__parse after;
    uint8_t takes_text;
} wb__name_state;

/* The names of one block's lines. */
typedef struct wb__field_names {
    wb_names names; /* public part; strings and spans follow the struct */
    uint32_t refs, hash;
    uint32_t lines;
    uint8_t used;
    uint8_t joined;      /* not one field for each line */
    const uint64_t *ids; /* of the lines' names */
    const uint32_t *field_of; /* by line: the number of its field, or
                                 WB__NO_FIELD: it is dropped */
} wb__field_names;

enum { WB__NO_FIELD = 0x7fffffff };

typedef struct wb__names {
    const char *underscored; /* names with "_" that are kept, in lower case,
                                each ended by a NUL, all by another; "*":
                                any; NULL: none. Borrowed */
    wb__name *known[WB__NAMES]; /* sets of WB__NAME_WAYS; or NULL */
    uint8_t victim[WB__NAMES / WB__NAME_WAYS];
    uint64_t next_id;
    wb__name_state states[WB__NAME_STATES];
    uint32_t state_count;
    wb__field_names *shared[WB_SLOTS]; /* a reference each, or NULL */
    uint8_t shared_victim[WB_SLOTS / WB__NAME_WAYS];
    uint64_t next_shared;
} wb__names;

/* What is known of the name, which is set into *spare if the table does not
 * hold it. 0, or 400: it is no name, or the parser does not take it. */
int wb__names_find(wb__names *names, const char *name, uint32_t size,
                   wb__name *spare, const wb__name **out);
/* The names of these lines: a new reference, or NULL (no memory). */
wb__field_names *wb__names_of(wb__names *names, const char *data,
                              const wb__field_line *lines, uint32_t count);
void wb__field_names_unref(wb__field_names *names);
void wb__names_close(wb__names *names);

#endif
