#include "http/memo.h"

#include <string.h>

enum {
    WAYS = 4,
    SETS = WB_SLOTS / WAYS,
    MAX_SHARED = 8192 /* bytes; 256 of them bound the table to a few MiB */
};

static int
matches(const wb__block *block, uint8_t minor_version, const char *data)
{
    return block->minor_version == minor_version
        && memcmp(block->raw, data, block->raw_size) == 0;
}

static wb__block *
found(wb__memo *memo, wb__block *block)
{
    memo->hits++;
    block->refs++;
    if (block->used < UINT32_MAX) {
        block->used++;
    }
    return block;
}

wb__block *
wb__memo_guess(wb__memo *memo, uint32_t hint, uint8_t minor_version,
               const char *data, size_t size)
{
    wb__block *block = memo->slots[hint % WB_SLOTS];
    if (block == NULL || block->raw_size > size
        || !matches(block, minor_version, data)) {
        return NULL;
    }
    return found(memo, block);
}

wb__block *
wb__memo_find(wb__memo *memo, uint32_t hash, uint8_t minor_version,
              const char *data, uint32_t size)
{
    uint32_t first = hash % SETS * WAYS;
    for (uint32_t i = first; i < first + WAYS; i++) {
        wb__block *block = memo->slots[i];
        if (block != NULL && block->hash == hash && block->raw_size == size
            && matches(block, minor_version, data)) {
            return found(memo, block);
        }
    }
    memo->misses++;
    return NULL;
}

void
wb__memo_add(wb__memo *memo, wb__block *block)
{
    uint32_t set = block->hash % SETS, slot = set * WAYS;
    uint32_t end = slot + WAYS;
    uint32_t *once = &memo->once[(block->hash >> 8) % WB__BLOCKS_ONCE];
    if (block->raw_size > MAX_SHARED) {
        return;
    }
    if (*once != block->hash) {
        *once = block->hash;
        return;
    }
    while (slot < end && memo->slots[slot] != NULL) {
        slot++;
    }
    if (slot == end) {
        slot = set * WAYS + memo->victim[set]++ % WAYS;
        /* A block that keeps coming gets another round. */
        if (memo->slots[slot]->used > 64) {
            memo->slots[slot]->used = 0;
            slot = set * WAYS + memo->victim[set]++ % WAYS;
        }
        wb__block_unref(memo->slots[slot]);
    }
    block->refs++;
    block->slot = slot;
    block->fields.id = ++memo->next_id;
    memo->slots[slot] = block;
}

void
wb__memo_close(wb__memo *memo)
{
    for (uint32_t i = 0; i < WB_SLOTS; i++) {
        wb__block_unref(memo->slots[i]);
        memo->slots[i] = NULL;
    }
}
