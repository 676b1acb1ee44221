#include "base/posix.h"
#include "server/body.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

/* Chunk extensions and trailers of one message: RFC 9112 7.1.1 wants a limit,
 * a client with more is up to no good. */
enum { MAX_EXTRA = 16384 };

int
wb__body_new(const wb_config *config, uint64_t *memory_all,
             const wb__framing *framing, const wb__parse *parse,
             wb__body **out)
{
    if (framing->length > 0 && config->max_body > 0
        && (uint64_t)framing->length > config->max_body) {
        return 413;
    }
    wb__body *body = wb__calloc(sizeof(*body));
    if (body == NULL) {
        return 503;
    }
    body->config = config;
    body->memory_all = memory_all;
    body->framing = *framing;
    body->file = -1;
    body->parse = *parse;
    *out = body;
    return 0;
}

/* ---- in ----------------------------------------------------------------- */

const char *
wb__body_folder(const wb_config *config)
{
    const char *dir = config->temp_dir;
    if (dir == NULL) {
        dir = getenv("TMPDIR");
    }
    return dir == NULL || dir[0] == '\0' ? "/tmp" : dir;
}

static int
open_file(wb__body *body)
{
    const char *dir = wb__body_folder(body->config);
#ifdef O_TMPFILE
    body->file = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (body->file >= 0) {
        return 0;
    }
#endif
    char path[4096];
    if (snprintf(path, sizeof(path), "%s/wsgibench-XXXXXX", dir)
        >= (int)sizeof(path)) {
        return -ENAMETOOLONG;
    }
    body->file = mkostemp(path, O_CLOEXEC);
    if (body->file < 0) {
        return -errno;
    }
    unlink(path);
    return 0;
}

static int
write_file(wb__body *body, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t n = pwrite(body->file, data, size, (off_t)body->file_size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? -errno : -ENOSPC;
        }
        body->file_size += (uint64_t)n;
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

static void
release_memory(wb__body *body, size_t size)
{
    *body->memory_all -= size;
    wb__buf_consume(&body->memory, size);
    body->memory_start += size;
}

/* Content lies in order: first what is in memory (from memory_start), then,
 * once the allowance is used up, the file. Memory is moved to the file as a
 * whole, so that there is one place to read from at any time. */
static int
spill(wb__body *body)
{
    int error = open_file(body);
    size_t held = wb__buf_size(&body->memory);
    if (error == 0 && held > 0) {
        error = write_file(body, wb__buf_data(&body->memory), held);
    }
    if (error < 0) {
        return error;
    }
    /* file offset 0 is content byte `memory_start` from here on */
    *body->memory_all -= held;
    wb__buf_free(&body->memory);
    return 0;
}

static int
store(void *context, const char *data, size_t size)
{
    wb__body *body = context;
    const wb_config *config = body->config;
    int error = 0;
    if (body->discarded) {
        body->received += size;
        return 0;
    }
    size_t held = wb__buf_size(&body->memory);
    if (body->file < 0
        && (held + size > config->body_memory
            || *body->memory_all + size > config->body_memory_all)) {
        error = spill(body);
    }
    if (error == 0 && body->file >= 0) {
        error = write_file(body, data, size);
    } else if (error == 0) {
        error = wb__buf_append(&body->memory, data, size);
        if (error == 0) {
            *body->memory_all += size;
        }
    }
    if (error == 0) {
        body->received += size; /* only what can be read again */
    }
    return error;
}

/* Content, and the framing of a chunked body, to the framing parser. */
static int
parse(wb__body *body, const char *data, size_t size, int last)
{
    int status = wb__parse_body(&body->parse, data, size, last, store, body);
    if (status == 0 && last) {
        body->complete = 1;
    }
    body->error = status < 0 ? status : 0;
    return status >= 0 ? status : 500;
}

static int
feed_chunked(wb__body *body, const char *data, size_t size, size_t *used)
{
    wb__chunk *chunk = &body->chunk;
    uint64_t max = body->config->max_body;
    int status = 0;
    *used = 0;
    while (status == 0 && *used < size && !chunk->done) {
        wb__chunk_part part;
        const char *from = data + *used;
        status = wb__chunk_read(chunk, from, size - *used, MAX_EXTRA, &part);
        if (status != 0) {
            return status;
        }
        /* `total` counts announced sizes: refused before the bytes come. */
        if (max > 0 && chunk->total > max) {
            return 413;
        }
        if (part.size > 0) {
            status = parse(body, from, part.size, chunk->done);
        }
        *used += part.size + part.extension;
    }
    return status;
}

int
wb__body_feed(wb__body *body, const char *data, size_t size, size_t *used)
{
    if (body->framing.chunked) {
        return feed_chunked(body, data, size, used);
    }
    uint64_t left = (uint64_t)body->framing.length - body->received;
    *used = size < left ? size : (size_t)left;
    return parse(body, data, *used, *used == left);
}

/* ---- out ---------------------------------------------------------------- */

int64_t
wb__body_read(wb__body *body, char *out, size_t size)
{
    if (body->read == body->received) {
        return body->complete ? 0 : WB_AGAIN;
    }
    if (body->file < 0) {
        size_t held = wb__buf_size(&body->memory);
        size_t taken = held < size ? held : size;
        memcpy(out, wb__buf_data(&body->memory), taken);
        release_memory(body, taken);
        body->read += taken;
        return (int64_t)taken;
    }
    for (;;) {
        ssize_t n = pread(body->file, out, size,
                          (off_t)(body->read - body->memory_start));
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return n < 0 ? -errno : -EIO;
        }
        body->read += (uint64_t)n;
        return n;
    }
}

uint64_t
wb__body_rest(const wb__body *body)
{
    return body->framing.chunked
        ? 0
        : (uint64_t)body->framing.length - body->received;
}

static void
drop_content(wb__body *body)
{
    if (body->file >= 0) {
        close(body->file);
        body->file = -1;
    }
    *body->memory_all -= wb__buf_size(&body->memory);
    wb__buf_free(&body->memory);
}

wb__body *
wb__body_discard(wb__body *body)
{
    drop_content(body);
    body->discarded = 1;
    return body;
}

void
wb__body_free(wb__body *body)
{
    if (body == NULL) {
        return;
    }
    drop_content(body);
    wb__free(body);
}
