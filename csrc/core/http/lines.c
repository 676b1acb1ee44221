#include "http/lines.h"

#include <string.h>

#include "base/alloc.h"
#include "http/scan.h"

enum { SETS = WB_LINES / WB__LINE_WAYS, FIRST_ROOM = 32 };

/* ---- finding the lines -------------------------------------------------- */

/* A CR that is the last byte may still become a line's end. */
static int
has_bare_cr(const char *data, size_t size)
{
    const char *cr = data, *end = data + size;
    while ((cr = memchr(cr, '\r', (size_t)(end - cr))) != NULL && ++cr < end) {
        if (*cr != '\n') {
            return 1;
        }
    }
    return 0;
}

/* For a block that comes in pieces: where it ends, without looking again at
 * lines that were whole before. */
static int64_t
find_end(const char *data, size_t size, size_t *scanned)
{
    size_t i = *scanned;
    for (;;) {
        const char *lf = size > i ? memchr(data + i, '\n', size - i) : NULL;
        if (lf == NULL) {
            break;
        }
        size_t at = (size_t)(lf - data);
        if (at == 0 || data[at - 1] != '\r') {
            return -1;
        }
        if (at == 1 || data[at - 2] == '\n') {
            return (int64_t)at + 1;
        }
        i = at + 1;
    }
    if (has_bare_cr(data + *scanned, size - *scanned)) {
        return -1;
    }
    *scanned = i;
    return 0;
}

static int
grow(wb__lines *lines)
{
    uint32_t room = lines->room == 0 ? FIRST_ROOM : 2 * lines->room;
    wb__field_line *at = wb__realloc(lines->at, room * sizeof(*at));
    if (at == NULL) {
        return WB_NOMEM;
    }
    memset(at + lines->room, 0, (room - lines->room) * sizeof(*at));
    lines->at = at;
    lines->room = room;
    return 0;
}

static void
take_known(wb__field_line *line, wb__known_line *known, uint32_t start)
{
    known->used = 1;
    *line = known->line;
    line->raw.off = start;
    line->value.off += start;
}

/* The line that stood in this place in the block before, if it stands here
 * again. 1: it does, and is set; 0: it does not. */
static int
same_as_before(wb__lines *lines, wb__field_line *line, const char *data,
               size_t size, size_t start)
{
    wb__known_line *known = lines->known[line->id % WB_LINES];
    if (line->id == 0 || known == NULL || known->line.id != line->id) {
        return 0;
    }
    size_t length = known->line.raw.len;
    if (size - start < length + 2
        || memcmp(data + start, known->text, length) != 0
        || data[start + length] != '\r' || data[start + length + 1] != '\n') {
        return 0;
    }
    take_known(line, known, (uint32_t)start);
    return 1;
}

/* The line from `start` on. 1: it is set, 0: it is not whole yet, -1. */
static int
find_line(wb__lines *lines, wb__field_line *line, const char *data,
          size_t size, size_t start)
{
    size_t at = start;
    int high = 0;
    while ((at += wb__scan_text(data + at, size - at, &high)) < size) {
        if (data[at] == '\n') {
            return -1;
        }
        if (data[at] == '\r') {
            if (at + 1 == size) {
                return 0;
            }
            line->raw = (wb_span) { (uint32_t)start, (uint32_t)(at - start) };
            line->high = high != 0;
            line->known = 0;
            return data[at + 1] == '\n' ? 1 : -1;
        }
        lines->control = 1;
        at++;
    }
    return 0;
}

int64_t
wb__lines_split(wb__lines *lines, const char *data, size_t size,
                size_t *scanned)
{
    size_t start = 0;
    if (*scanned > 0) {
        int64_t end = find_end(data, size, scanned);
        if (end <= 0) {
            return end;
        }
        size = (size_t)end;
    }
    lines->count = lines->hash = lines->control = lines->high = 0;
    for (;;) {
        if (lines->count == lines->room && grow(lines) < 0) {
            return WB_NOMEM;
        }
        wb__field_line *line = &lines->at[lines->count];
        if (!same_as_before(lines, line, data, size, start)) {
            int found = find_line(lines, line, data, size, start);
            if (found <= 0) {
                *scanned = start;
                return found;
            }
            if (line->raw.len == 0) {
                return (int64_t)start + 2;
            }
            line->hash = wb__hash(data + start, line->raw.len);
        }
        lines->count++;
        lines->high |= line->high;
        lines->hash = (lines->hash ^ line->hash) * 0x9e3779b1u;
        lines->hash ^= lines->hash >> 15;
        start += line->raw.len + 2;
    }
}

/* ---- lines that came before --------------------------------------------- */

static uint32_t
first_way(uint32_t hash)
{
    return hash % SETS * WB__LINE_WAYS;
}

int
wb__lines_find(wb__lines *lines, const char *data, wb__field_line *line)
{
    wb__known_line **way = &lines->known[first_way(line->hash)];
    for (int i = 0; i < WB__LINE_WAYS; i++) {
        wb__known_line *known = way[i];
        if (known != NULL && known->line.hash == line->hash
            && known->line.raw.len == line->raw.len
            && memcmp(known->text, data + line->raw.off, line->raw.len) == 0) {
            take_known(line, known, line->raw.off);
            return 1;
        }
    }
    return 0;
}

/* The way that is free, or goes: one that was not found since it was last
 * asked. */
static uint32_t
choose_way(wb__lines *lines, uint32_t hash)
{
    uint8_t *victim = &lines->victim[hash % SETS];
    uint32_t first = first_way(hash), way = 0;
    for (int i = 0; i < 2 * WB__LINE_WAYS; i++) {
        way = first + (*victim)++ % WB__LINE_WAYS;
        if (lines->known[way] == NULL || !lines->known[way]->used) {
            break;
        }
        lines->known[way]->used = 0;
    }
    return way;
}

void
wb__lines_keep(wb__lines *lines, const char *data, wb__field_line *line)
{
    uint32_t *once = &lines->once[(line->hash >> 8) % WB__LINES_ONCE];
    line->id = 0;
    if (line->raw.len > WB__MAX_LINE_KEPT || line->name == 0) {
        return;
    }
    if (*once != line->hash) {
        *once = line->hash;
        return;
    }
    wb__known_line *known = wb__alloc(sizeof(*known) + line->raw.len);
    if (known == NULL) {
        return;
    }
    uint32_t way = choose_way(lines, line->hash);
    wb__free(lines->known[way]);
    lines->known[way] = known;
    line->id = ++lines->next_id * WB_LINES + way;
    memcpy(known->text, data + line->raw.off, line->raw.len);
    known->line = *line;
    known->line.known = 1;
    known->line.raw.off = 0;
    known->line.value.off -= line->raw.off;
    known->used = 0;
}

void
wb__lines_close(wb__lines *lines)
{
    for (uint32_t i = 0; i < WB_LINES; i++) {
        wb__free(lines->known[i]);
        lines->known[i] = NULL;
    }
    wb__free(lines->at);
    lines->at = NULL;
    lines->count = lines->room = 0;
}
