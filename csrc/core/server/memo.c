#include "server/memo.h"

#include <string.h>

enum {
    WAYS = 4,
    SETS = WB_SLOTS / WAYS,
    MAX_SHARED = 8192 /* bytes; 256 of them bound the table to a few MiB */
};

/* Multiply and rotate over words. Only the spread matters: a find compares
 * every byte, and a set holds four, so an attacker who makes blocks collide
 * gains a slow path for his own requests. */
uint32_t
wb__memo_hash(const char *data, uint32_t size)
{
    const uint64_t k = 0x9e3779b97f4a7c15u;
    uint64_t a = size * k, b = ~a, word[2];
    while (size >= 16) {
        memcpy(word, data, 16);
        a = (a ^ word[0]) * k;
        b = (b ^ word[1]) * k;
        a ^= a >> 32;
        b ^= b >> 29;
        data += 16;
        size -= 16;
    }
    word[0] = word[1] = 0;
    memcpy(word, data, size);
    a = (a ^ word[0] ^ (b << 7)) * k;
    a = (a ^ word[1] ^ (a >> 32) ^ b) * k;
    return (uint32_t)(a >> 32);
}

static wb__block *
found(wb__memo *memo, wb__block *block)
{
    memo->hits++;
    block->refs++;
    if (block->fields.seen < UINT32_MAX) {
        block->fields.seen++;
    }
    return block;
}

wb__block *
wb__memo_guess(wb__memo *memo, uint32_t hint, const char *data, size_t size)
{
    wb__block *block = memo->slots[hint % WB_SLOTS];
    if (block == NULL || block->raw_size > size
        || memcmp(block->raw, data, block->raw_size) != 0) {
        return NULL;
    }
    return found(memo, block);
}

wb__block *
wb__memo_find(wb__memo *memo, const char *data, uint32_t size, uint32_t hash)
{
    uint32_t first = hash % SETS * WAYS;
    for (uint32_t i = first; i < first + WAYS; i++) {
        wb__block *block = memo->slots[i];
        if (block != NULL && block->hash == hash && block->raw_size == size
            && memcmp(block->raw, data, size) == 0) {
            return found(memo, block);
        }
    }
    memo->misses++;
    return NULL;
}

void
wb__memo_add(wb__memo *memo, wb__block *block, uint32_t hash)
{
    block->hash = hash;
    block->fields.id = ++memo->next_id;
    if (block->raw_size > MAX_SHARED || (block->flags & WB__REWRITTEN) != 0) {
        return;
    }
    uint32_t set = hash % SETS;
    uint32_t slot = set * WAYS;
    uint32_t end = slot + WAYS;
    while (slot < end && memo->slots[slot] != NULL) {
        slot++;
    }
    if (slot == end) {
        slot = set * WAYS + memo->victim[set]++ % WAYS;
        /* A block that keeps coming gets another round. */
        if (memo->slots[slot]->fields.seen > 64) {
            memo->slots[slot]->fields.seen = 2;
            slot = set * WAYS + memo->victim[set]++ % WAYS;
        }
        wb__block_unref(memo->slots[slot]);
    }
    block->refs++;
    block->fields.slot = slot;
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
