/* The table of header blocks seen before. Browsers, proxies and load
 * generators send the same bytes again and again; what was made of them once
 * (checks, CGI form, a binding's environ) is found again by comparing them in
 * full. Bounded; belongs to the server, so idle connections hold none of it
 * and short-lived ones profit too. */
#ifndef WB_MEMO_H
#define WB_MEMO_H

#include "http/block.h"

enum { WB__BLOCKS_ONCE = 1024 };

typedef struct wb__memo {
    wb__block *slots[WB_SLOTS]; /* a reference each, or NULL */
    uint64_t next_id;
    uint64_t hits, misses;
    uint8_t victim[WB_SLOTS];   /* by set: which way goes next */
    uint32_t once[WB__BLOCKS_ONCE]; /* hashes of blocks that came once */
} wb__memo;

/* The block at slot `hint` if `data` starts with its bytes. It ends with the
 * empty line and holds no other, so a match is also the end of the head. A
 * new reference, or NULL. */
wb__block *wb__memo_guess(wb__memo *memo, uint32_t hint, uint8_t minor_version,
                          const char *data, size_t size);
/* hash: of the lines (wb__lines). */
wb__block *wb__memo_find(wb__memo *memo, uint32_t hash, uint8_t minor_version,
                         const char *data, uint32_t size);
/* Gives the block an id and a slot, if it has come before (the table then
 * holds a reference of its own). */
void wb__memo_add(wb__memo *memo, wb__block *block);
void wb__memo_close(wb__memo *memo);

#endif
