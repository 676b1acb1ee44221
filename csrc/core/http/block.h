/* A header block: the field lines of one request head, checked and put into
 * CGI form.
 *
 * In: the bytes from the end of the request line to the end of the empty
 * line. Out: one allocation, counted by references, holding the public
 * wb_fields, the framing facts and a copy of the bytes (to recognise the same
 * block when it comes again, see memo.h).
 */
#ifndef WB_BLOCK_H
#define WB_BLOCK_H

#include "http/parse.h"
#include "wsgibench.h"

enum wb__block_flag {
    WB__HAS_HOST = 1,
    WB__HAS_TE = 2,      /* a Transfer-Encoding field */
    WB__TE_UNKNOWN = 4,  /* chunked last, but a coding before it: 501 */
    WB__CLOSE = 8,       /* Connection: close */
    WB__KEEP_ALIVE = 16, /* Connection: keep-alive */
    WB__CONTINUE = 32,   /* Expect: 100-continue */
    WB__EXPECT = 64,     /* an expectation we do not know */
    WB__REWRITTEN = 128  /* blanks replaced for the parser: do not share */
};

typedef struct wb__block {
    wb_fields fields;  /* public part; strings and spans follow the struct */
    uint32_t refs;
    uint32_t hash;
    uint32_t raw_size;
    uint32_t flags;
    wb__framing framing;
    const char *raw;   /* inside this allocation */
    int32_t referer, user_agent; /* field numbers for the log, or -1 */
} wb__block;

/* Where the block that starts at data ends: its size, 0 if it is not whole
 * yet, -1 if a line ends in a bare LF or holds a bare CR. *scanned (0 at
 * first) remembers what was looked at already. */
int64_t wb__block_end(const char *data, size_t size, size_t *scanned);
/* `data` is written to (WB__REWRITTEN). 0, or the status to refuse it with,
 * or WB_NOMEM. */
int wb__block_new(char *data, uint32_t size, uint32_t max_fields,
                  wb__block **out);
void wb__block_unref(wb__block *block);

#endif
