/* Answers: the calls by which a request is answered and ended. */
#ifndef WB_RESPOND_H
#define WB_RESPOND_H

#include "wsgibench.h"

/* These bytes are the whole answer, head and all. Ends the request. */
void wb__respond_raw(wb_request *request, const char *data, size_t size);

#endif
