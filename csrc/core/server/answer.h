/* An answer on its way out: its head and framing, and how it ends. What
 * respond.c and respond_parts.c have in common. */
#ifndef WB_ANSWER_H
#define WB_ANSWER_H

#include "server/request.h"

enum { WB__SMALL = 16384 }; /* copied next to its head; larger is gathered */

/* The server's buffer for what goes out next, empty. */
wb__buf *wb__answer_buffer(wb__request *request);
/* Into that buffer; and what the log may have to tell of it. */
int wb__answer_head(wb__request *request, wb__head *head, int64_t length);
/* Head (if it is not out yet) and framing for `size` bytes of body, of which
 * *allowed may be sent. */
int wb__answer_frame(wb__request *request, wb__buf *out, uint64_t size,
                     uint64_t *allowed);
/* What the caller is told after its bytes went out. */
int wb__answer_told(const wb__request *request, int sent);
/* Out of memory in mid-answer: all that is left is to be gone. WB_GONE. */
int wb__answer_give_up(wb__request *request);
/* The answer is out (or never will be): the request is the server's again. */
void wb__answer_done(wb__request *request, int complete);
/* Done if `result` is 0, or else cut off. */
void wb__answer_end(wb__request *request, int result);
/* Cut off so that no client takes the answer for complete: closing resets the
 * connection of an answer that has begun. */
void wb__answer_cut(wb__request *request);

#endif
