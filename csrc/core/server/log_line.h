/* One line of the access log.
 *
 * What a client can choose is escaped, so that no value can end a line, a
 * quoted text or a JSON string: bytes that are no printable ASCII, quotes and
 * backslashes. */
#ifndef WB_LOG_LINE_H
#define WB_LOG_LINE_H

#include "server/log_entry.h"
#include "server/log_format.h"

enum { WB__LOG_LINE = 32768 };

/* A line with its LF, at most `room` bytes (longer ones are cut short; JSON
 * is not, for a room of WB__LOG_LINE). Returns its length. */
size_t wb__log_line(const wb__log_format *format, const wb__log_entry *entry,
                    char *out, size_t room);

#endif
