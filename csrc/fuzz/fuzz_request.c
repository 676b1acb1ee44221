/* Heads behind each other, as one connection brings them: without a server, a
 * descriptor, or a body.
 *
 * First byte: how the pieces are cut. The rest: the bytes. Held: what comes
 * in pieces is read as what comes whole, whatever was read before it; a head
 * that was accepted is accepted again, and found in the table. */
#include "base/alloc.h"
#include "fuzz.h"
#include "http/request_head.h"

enum { MOST = 32 };

typedef struct reading {
    uint32_t count;
    int status; /* of the refusal, or 0 */
    struct {
        size_t end;
        uint32_t hash;
    } heads[MOST];
} reading;

static wb__parser *
new_parser(void)
{
    wb__parser *parser = calloc(1, sizeof(*parser));
    MUST(parser != NULL);
    parser->limits = (wb__limits) { 1000, 2000, 0, 20 };
    return parser;
}

static void
free_parser(wb__parser *parser)
{
    wb__parser_close(parser);
    free(parser);
}

static void
check_head(const wb__request_head *head, size_t size)
{
    const wb__line *line = &head->line;
    MUST(head->size > 0 && head->size <= size);
    MUST(line->target.off + (size_t)line->target.len <= head->size);
    MUST(line->path.off + (size_t)line->path.len <= head->size);
    MUST(line->query.off + (size_t)line->query.len <= head->size);
    MUST(head->block->framing.chunked == 0
         || head->block->framing.length == -1);
}

/* As a connection does: it keeps what was not used. */
static void
read_heads(wb__parser *parser, const char *data, size_t size, cuts cut,
           reading *out)
{
    wb__cursor cursor = { 0 };
    size_t start = 0, here = 0;
    while (here < size && out->count < MOST) {
        here += next_piece(&cut, size - here);
        enum wb__verdict verdict = WB__REQUEST;
        while (verdict == WB__REQUEST && start < here && out->count < MOST) {
            wb__request_head head;
            char *copy = copy_of(data + start, here - start);
            verdict = wb__request_head_read(parser, &cursor, copy,
                                            here - start, &head);
            MUST(verdict != WB__END);
            if (verdict == WB__REFUSED) {
                MUST(head.status >= 400 && head.status <= 505);
                out->status = head.status;
            } else {
                MUST(head.skipped <= here - start);
                start += head.skipped;
            }
            if (verdict == WB__REQUEST) {
                check_head(&head, here - start);
                start += head.size;
                out->heads[out->count].end = start;
                out->heads[out->count++].hash = head.block->hash;
                wb__block_unref(head.block);
            }
            free(copy);
        }
        if (verdict == WB__REFUSED) {
            return;
        }
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    if (size < 2) {
        return 0;
    }
    const char *data = (const char *)input + 1;
    wb__parser *fresh = new_parser(), *used = new_parser();
    reading whole = { 0 }, pieces = { 0 }, again = { 0 };
    read_heads(fresh, data, size - 1, (cuts) { 0 }, &whole);
    read_heads(used, data, size - 1, (cuts) { .seed = input[0] }, &pieces);
    read_heads(used, data, size - 1, (cuts) { 0 }, &again);
    MUST(memcmp(&whole, &again, sizeof(whole)) == 0);
    /* Which limit is met first may depend on the pieces. */
    MUST((whole.status != 0) == (pieces.status != 0));
    MUST(whole.count == pieces.count);
    MUST(memcmp(whole.heads, pieces.heads, sizeof(whole.heads)) == 0);
    free_parser(fresh);
    free_parser(used);
    MUST(wb__alloc_held() == 0);
    return 0;
}
