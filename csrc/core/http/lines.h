/* The field lines of a header block: where they are, and what is known of
 * those that came before.
 *
 * Clients repeat most of their lines byte for byte, though seldom the block as
 * a whole: a proxy gives every request an id of its own. So what was found
 * out about a line - that it may be sent, that the framing parser takes it,
 * where its value is - is kept in a bounded table of the server and found
 * again by comparing the line in full. A line gets its place there when it
 * comes for the second time: lines that come once leave the table alone.
 */
#ifndef WB_LINES_H
#define WB_LINES_H

#include "http/parse.h"
#include "wsgibench.h"

enum { WB__LINE_WAYS = 4, WB__LINES_ONCE = 4096, WB__MAX_LINE_KEPT = 1024 };

typedef struct wb__field_line {
    wb_span raw;      /* in the block, without CRLF */
    wb_span value;    /* in the block, without the blanks around it */
    uint32_t hash;
    uint8_t known;   /* what follows is known */
    uint8_t high;    /* (perhaps) a byte above 0x7f */
    uint16_t flags;   /* enum wb__block_flag */
    uint8_t framing;  /* the framing parser must see it in each block */
    uint64_t id;      /* wb_fields.lines, or 0 */
    uint64_t name;    /* wb__name.id, or 0 */
} wb__field_line;

typedef struct wb__known_line {
    wb__field_line line; /* spans from the line's own start */
    uint8_t used;        /* found since its set was last looked through */
    char text[];
} wb__known_line;

typedef struct wb__lines {
    wb__field_line *at; /* of the block at hand */
    uint32_t count, room;
    uint32_t hash;      /* of all of them in order */
    uint8_t control;    /* a line holds a control character */
    uint8_t high;       /* a line is `high` */

    wb__known_line *known[WB_LINES]; /* sets of WB__LINE_WAYS; or NULL */
    uint8_t victim[WB_LINES / WB__LINE_WAYS];
    uint32_t once[WB__LINES_ONCE];   /* hashes of lines that came once */
    uint64_t next_id;
} wb__lines;

/* Where the block that starts at data ends: its size, 0 if it is not whole
 * yet, -1 if a line ends in a bare LF or holds a bare CR, or WB_NOMEM.
 * *scanned (0 at first) remembers what was looked at already. For a whole
 * block, raw and hash of the lines are set (and all of those that stood in the
 * same place in the block before), and the members that are about all of them.
 */
int64_t wb__lines_split(wb__lines *lines, const char *data, size_t size,
                        size_t *scanned);
/* Whether the line came before: then all of it is set. */
int wb__lines_find(wb__lines *lines, const char *data, wb__field_line *line);
/* Keeps the line, if it has come before; without memory it does not. */
void wb__lines_keep(wb__lines *lines, const char *data, wb__field_line *line);
void wb__lines_close(wb__lines *lines);

#endif
