/* What the server serves TLS with. */
#ifndef WB_CERTIFICATES_H
#define WB_CERTIFICATES_H

#include "tls/tls.h"
#include "wsgibench.h"

/* From config's tls_ fields. 0 or an enum wb_error. */
int wb__certificates_open(const wb_config *config, wb__tls_context **out);

#endif
