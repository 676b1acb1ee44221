#include "http/names.h"

#include <string.h>

#include "base/alloc.h"
#include "http/scan.h"

/* ---- one name, as it was sent ------------------------------------------- */

static int
begins_like(const char *name, uint32_t size, const char *lower)
{
    size_t length = strlen(lower);
    return size >= length && wb__equal_nocase(name, length, lower);
}

static enum wb__meaning
meaning_of(const char *name, uint32_t size)
{
    static const struct {
        const char *name;
        enum wb__meaning meaning;
    } meanings[] = {
        { "host", WB__HOST },
        { "expect", WB__EXPECTATION },
        { "content-type", WB__CONTENT_TYPE },
        { "connection", WB__CONNECTION },
        { "content-length", WB__CONTENT_LENGTH },
        { "transfer-encoding", WB__TRANSFER_ENCODING },
    };
    /* http-parser knows these, too, and is shown whatever begins like the
     * names that make up the framing: it stops comparing too early. */
    static const char *const others[] = { "proxy-connection", "upgrade" };
    static const char *const framing[]
        = { "connection", "content-length", "transfer-encoding" };
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (wb__equal_nocase(name, size, meanings[i].name)) {
            return meanings[i].meaning;
        }
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        if (wb__equal_nocase(name, size, others[i])) {
            return WB__OTHER_FRAMING;
        }
    }
    for (size_t i = 0; i < sizeof(framing) / sizeof(framing[0]); i++) {
        if (begins_like(name, size, framing[i])) {
            return WB__OTHER_FRAMING;
        }
    }
    return WB__PLAIN;
}

/* States that find no place are asked about value by value. */
static uint8_t
takes_text(wb__names *names, const wb__parse *after)
{
    for (uint32_t i = 0; i < names->state_count; i++) {
        if (wb__parse_same(&names->states[i].after, after)) {
            return names->states[i].takes_text;
        }
    }
    if (names->state_count == WB__NAME_STATES) {
        return 0;
    }
    wb__name_state *state = &names->states[names->state_count++];
    state->after = *after;
    state->takes_text = (uint8_t)wb__parse_takes_text(after);
    return state->takes_text;
}

/* A token (RFC 9110 5.1), which the parser takes for one, too. */
static int
make_name(wb__names *names, const char *text, uint32_t size, wb__name *name)
{
    if (size == 0 || wb__scan(text, size, WB__TOKEN) != size) {
        return 400;
    }
    name->id = 0;
    name->size = size;
    name->meaning = meaning_of(text, size);
    name->takes_text = 0;
    if (name->meaning >= WB__OTHER_FRAMING) {
        return 0;
    }
    int status = wb__parse_begin(&name->after, 1);
    if (status == 0) {
        status = wb__parse_feed(&name->after, text, size + 1);
    }
    if (status == 0) {
        name->takes_text = takes_text(names, &name->after);
    }
    return status;
}

/* A name that was never seen takes the place of another, which costs the next
 * who sends that one a little. Names made up to fill the table gain no more.
 */
static void
keep_name(wb__names *names, const char *text, uint32_t hash, wb__name *made)
{
    uint32_t set = hash % (WB__NAMES / WB__NAME_WAYS);
    wb__name **way = &names->known[set * WB__NAME_WAYS
                                   + names->victim[set]++ % WB__NAME_WAYS];
    if (*way == NULL && (*way = wb__alloc(sizeof(**way))) == NULL) {
        return;
    }
    made->id = ++names->next_id;
    made->hash = hash;
    memcpy(made->text, text, made->size);
    **way = *made;
}

int
wb__names_find(wb__names *names, const char *text, uint32_t size,
               wb__name *spare, const wb__name **out)
{
    uint32_t hash = wb__hash(text, size);
    wb__name **way
        = &names->known[hash % (WB__NAMES / WB__NAME_WAYS) * WB__NAME_WAYS];
    for (int i = 0; i < WB__NAME_WAYS; i++) {
        const wb__name *name = way[i];
        if (name != NULL && name->hash == hash && name->size == size
            && memcmp(name->text, text, size) == 0) {
            *out = name;
            return 0;
        }
    }
    int status = make_name(names, text, size, spare);
    if (status == 0 && size <= WB__MAX_NAME_KEPT) {
        keep_name(names, text, hash, spare);
    }
    *out = spare;
    return status;
}

/* ---- CGI form (RFC 3875 4.1.18, PEP 3333) ------------------------------- */

static int
is_listed(const char *list, const char *name, uint32_t size)
{
    for (; list != NULL && *list != '\0'; list += strlen(list) + 1) {
        if (strcmp(list, "*") == 0 || wb__equal_nocase(name, size, list)) {
            return 1;
        }
    }
    return 0;
}

/* Writes the CGI name, or returns 0 for a name with "_" that is not in
 * `listed`: such a field is dropped. X_User would be taken for X-User, so it
 * is HTTP_X/USER, which no other field can be. */
static uint32_t
cgi_name(const char *listed, const char *name, uint32_t size, char *out)
{
    int known = 0;
    uint32_t prefix = 5;
    if (wb__equal_nocase(name, size, "content-type")
        || wb__equal_nocase(name, size, "content-length")) {
        prefix = 0;
    }
    memcpy(out, "HTTP_", prefix);
    for (uint32_t i = 0; i < size; i++) {
        char c = name[i];
        if (c == '_' && !known) {
            known = is_listed(listed, name, size);
            if (!known) {
                return 0;
            }
        }
        if (c >= 'a' && c <= 'z') {
            c = (char)(c - 32);
        }
        out[prefix + i] = c == '-' ? '_' : c == '_' ? '/' : c;
    }
    return prefix + size;
}

/* The number of the field with this CGI name, or -1. */
static int32_t
find_field(const wb_names *names, const char *name, uint32_t size)
{
    for (uint32_t i = 0; i < names->count; i++) {
        const wb_span *span = &names->spans[i];
        if (span->len == size
            && memcmp(names->base + span->off, name, size) == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}

static uint32_t
name_size(const char *data, const wb__field_line *line)
{
    const char *text = data + line->raw.off;
    const char *colon = memchr(text, ':', line->raw.len);
    return (uint32_t)(colon - text); /* it was found before */
}

/* One allocation: the struct, ids, spans, field_of, strings. */
static wb__field_names *
make_names(const char *listed, const char *data, const wb__field_line *lines,
           uint32_t count)
{
    size_t strings = 0;
    for (uint32_t i = 0; i < count; i++) {
        strings += 5 + (size_t)name_size(data, &lines[i]);
    }
    wb__field_names *made = wb__alloc(
        sizeof(*made)
        + count * (sizeof(uint64_t) + sizeof(wb_span) + sizeof(uint32_t))
        + strings);
    if (made == NULL) {
        return NULL;
    }
    memset(made, 0, sizeof(*made));
    uint64_t *ids = (uint64_t *)(made + 1);
    wb_span *spans = (wb_span *)(ids + count);
    uint32_t *field_of = (uint32_t *)(spans + count);
    char *base = (char *)(field_of + count);
    wb_names *names = &made->names;
    *names = (wb_names) { .slot = WB_NO_SLOT, .base = base, .spans = spans };
    made->refs = 1;
    made->lines = count;
    made->ids = ids;
    made->field_of = field_of;
    uint32_t used = 0;
    for (uint32_t i = 0; i < count; i++) {
        ids[i] = lines[i].name;
        uint32_t size = cgi_name(listed, data + lines[i].raw.off,
                                 name_size(data, &lines[i]), base + used);
        int32_t field = size == 0 ? -1 : find_field(names, base + used, size);
        made->joined |= size == 0 || field >= 0;
        if (size > 0 && field < 0) {
            field = (int32_t)names->count;
            spans[names->count++] = (wb_span) { used, size };
            used += size;
        }
        field_of[i] = size == 0 ? WB__NO_FIELD : (uint32_t)field;
    }
    return made;
}

/* ---- the names of a block ----------------------------------------------- */

static int
same_names(const wb__field_names *known, uint32_t hash,
           const wb__field_line *lines, uint32_t count)
{
    if (known->hash != hash || known->lines != count) {
        return 0;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (known->ids[i] != lines[i].name) {
            return 0;
        }
    }
    return 1;
}

/* Names that keep coming get another round. */
static uint32_t
choose_slot(wb__names *names, uint32_t set)
{
    uint32_t slot = 0;
    for (int i = 0; i < 2 * WB__NAME_WAYS; i++) {
        slot = set * WB__NAME_WAYS
            + names->shared_victim[set]++ % WB__NAME_WAYS;
        if (names->shared[slot] == NULL || !names->shared[slot]->used) {
            break;
        }
        names->shared[slot]->used = 0;
    }
    return slot;
}

wb__field_names *
wb__names_of(wb__names *names, const char *data, const wb__field_line *lines,
             uint32_t count)
{
    uint64_t sum = count;
    int known = 1; /* all of them have an id */
    for (uint32_t i = 0; i < count; i++) {
        sum = (sum ^ lines[i].name) * 0x9e3779b97f4a7c15u;
        known &= lines[i].name != 0;
    }
    uint32_t hash = (uint32_t)(sum >> 32);
    uint32_t set = hash % (WB_SLOTS / WB__NAME_WAYS);
    for (uint32_t i = 0; known && i < WB__NAME_WAYS; i++) {
        wb__field_names *shared = names->shared[set * WB__NAME_WAYS + i];
        if (shared != NULL && same_names(shared, hash, lines, count)) {
            shared->used = 1;
            shared->refs++;
            return shared;
        }
    }
    wb__field_names *made = make_names(names->underscored, data, lines, count);
    if (made != NULL && known) {
        uint32_t slot = choose_slot(names, set);
        wb__field_names_unref(names->shared[slot]);
        names->shared[slot] = made;
        made->refs++;
        made->hash = hash;
        made->names.slot = slot;
        made->names.id = ++names->next_shared;
    }
    return made;
}

void
wb__field_names_unref(wb__field_names *names)
{
    if (names != NULL && --names->refs == 0) {
        wb__free(names);
    }
}

void
wb__names_close(wb__names *names)
{
    for (uint32_t i = 0; i < WB__NAMES; i++) {
        wb__free(names->known[i]);
        names->known[i] = NULL;
    }
    for (uint32_t i = 0; i < WB_SLOTS; i++) {
        wb__field_names_unref(names->shared[i]);
        names->shared[i] = NULL;
    }
}
