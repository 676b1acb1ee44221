#include "base/posix.h"

#include "server/log_line.h"

#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum {
    LONGEST = 12, /* what one byte or number-free piece may take */
    NUMBER = 24,
    JSON_VALUE = 1024
};

typedef struct writer {
    char *at;
    const char *end;
    const wb__log_entry *entry;
} writer;

static void
put(writer *out, const char *data, size_t size)
{
    size_t room = (size_t)(out->end - out->at);
    size = size < room ? size : room;
    memcpy(out->at, data, size);
    out->at += size;
}

static void
put_text(writer *out, const char *text)
{
    put(out, text, strlen(text));
}

static void
put_number(writer *out, uint64_t number)
{
    if (out->end - out->at >= NUMBER) {
        out->at = wb__put_decimal(out->at, number);
    }
}

/* As Apache writes it: \" \\ \xHH. */
static void
put_escaped(writer *out, wb__log_text text)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < text.size && out->end - out->at >= LONGEST; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\') {
            *out->at++ = '\\';
            *out->at++ = (char)c;
        } else if (c < 32 || c >= 127) {
            *out->at++ = '\\';
            *out->at++ = 'x';
            *out->at++ = hex[c >> 4];
            *out->at++ = hex[c & 15];
        } else {
            *out->at++ = (char)c;
        }
    }
}

static void
put_or_dash(writer *out, wb__log_text text)
{
    if (text.data == NULL) {
        put(out, "-", 1);
    } else {
        put_escaped(out, text);
    }
}

static void
put_request_line(writer *out)
{
    const wb__log_entry *entry = out->entry;
    put_or_dash(out, entry->line);
    if (entry->minor_version >= 0) {
        put_text(out, entry->minor_version > 0 ? " HTTP/1.1" : " HTTP/1.0");
    }
}

static void
put_protocol(writer *out)
{
    int minor = out->entry->minor_version;
    put_text(out, minor < 0 ? "-" : minor > 0 ? "HTTP/1.1" : "HTTP/1.0");
}

static void
put_decimal_seconds(writer *out, uint64_t us)
{
    char digits[NUMBER];
    put_number(out, us / 1000000);
    /* Six digits behind the point: those of 1dddddd without the 1. */
    char *end = wb__put_decimal(digits, 1000000 + us % 1000000);
    digits[0] = '.';
    put(out, digits, (size_t)(end - digits));
}

/* ---- WB__LOG_JSON
 * --------------------------------------------------------------- */

/* Bytes above ASCII are latin-1 to WSGI, and so they are here. */
static void
put_json_text(writer *out, wb__log_text text)
{
    static const char hex[] = "0123456789abcdef";
    if (text.data == NULL) {
        put_text(out, "null");
        return;
    }
    *out->at++ = '"';
    for (size_t i = 0; i < text.size && i < JSON_VALUE; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (c == '"' || c == '\\') {
            *out->at++ = '\\';
            *out->at++ = (char)c;
        } else if (c < 32 || c >= 127) {
            put(out, "\\u00", 4);
            *out->at++ = hex[c >> 4];
            *out->at++ = hex[c & 15];
        } else {
            *out->at++ = (char)c;
        }
    }
    *out->at++ = '"';
}

static void
put_member(writer *out, const char *name, wb__log_text text)
{
    put_text(out, name);
    put_json_text(out, text);
}

static wb__log_text
as_text(const char *text)
{
    return (wb__log_text) { text, text == NULL ? 0 : strlen(text) };
}

/* Four texts of at most 6 * JSON_VALUE bytes, and short ones, do not fill
 * WB__LOG_LINE. */
static void
put_json(writer *out)
{
    static const char referer[] = "HTTP_REFERER", agent[] = "HTTP_USER_AGENT";
    const wb__log_entry *entry = out->entry;
    const char *protocol = entry->minor_version < 0 ? NULL
        : entry->minor_version > 0                  ? "HTTP/1.1"
                                                    : "HTTP/1.0";
    if (out->end - out->at < WB__LOG_LINE - 1) {
        return;
    }
    put_member(out, "{\"time\":", as_text(entry->iso_time));
    put_member(out, ",\"remote_addr\":", wb__log_address(entry));
    put_member(out, ",\"method\":", entry->method);
    put_member(out, ",\"target\":",
               entry->target.data == NULL ? entry->line : entry->target);
    put_member(out, ",\"protocol\":", as_text(protocol));
    put_text(out, ",\"status\":");
    put_number(out, (uint64_t)entry->status);
    put_text(out, ",\"bytes\":");
    put_number(out, entry->sent);
    put_text(out, ",\"duration_us\":");
    put_number(out, entry->duration_us);
    put_text(out, ",\"queue_us\":");
    put_number(out, entry->queue_us);
    put_member(out, ",\"referer\":",
               wb__log_field(entry, referer, sizeof(referer) - 1));
    put_member(out, ",\"user_agent\":",
               wb__log_field(entry, agent, sizeof(agent) - 1));
    put_text(out, ",\"pid\":");
    put_number(out, (uint64_t)getpid());
    put_text(out, "}");
}

/* ---- one line ----------------------------------------------------------- */

static void
put_time_step(writer *out, enum wb__log_op op)
{
    uint64_t us = out->entry->duration_us;
    switch (op) {
    case WB__LOG_SECONDS:
        put_number(out, us / 1000000);
        break;
    case WB__LOG_MILLISECONDS:
        put_number(out, us / 1000);
        break;
    case WB__LOG_MICROSECONDS:
        put_number(out, us);
        break;
    default:
        put_decimal_seconds(out, us);
        break;
    }
}

static void
put_text_step(writer *out, const wb__log_step *step)
{
    const wb__log_entry *entry = out->entry;
    char room[256];
    switch (step->op) {
    case WB__LOG_ADDRESS:
        put_or_dash(out, wb__log_address(entry));
        break;
    case WB__LOG_USER:
        put_or_dash(out, wb__log_user(entry, room, sizeof(room)));
        break;
    case WB__LOG_METHOD:
        put_or_dash(out, entry->method);
        break;
    case WB__LOG_PATH:
        put_or_dash(out, entry->path);
        break;
    case WB__LOG_QUERY:
        put_escaped(out, entry->query);
        break;
    case WB__LOG_FIELD:
        put_or_dash(out, wb__log_field(entry, step->text, step->size));
        break;
    case WB__LOG_ANSWER_FIELD:
        put_or_dash(out, wb__log_answer_field(entry, step->text, step->size));
        break;
    case WB__LOG_VARIABLE:
        put_or_dash(out, wb__log_variable(entry, step->text, step->size));
        break;
    default:
        put(out, "-", 1);
        break;
    }
}

static void
put_step(writer *out, const wb__log_step *step)
{
    const wb__log_entry *entry = out->entry;
    switch (step->op) {
    case WB__LOG_LITERAL:
        put(out, step->text, step->size);
        break;
    case WB__LOG_TIME:
        put(out, "[", 1);
        put_text(out, entry->time);
        put_text(out, " +0000]");
        break;
    case WB__LOG_REQUEST_LINE:
        put_request_line(out);
        break;
    case WB__LOG_PROTOCOL:
        put_protocol(out);
        break;
    case WB__LOG_STATUS:
        put_number(out, (uint64_t)entry->status);
        break;
    case WB__LOG_LENGTH_OR_DASH:
        if (entry->sent == 0) {
            put(out, "-", 1);
            break;
        }
        /* fall through */
    case WB__LOG_LENGTH:
        put_number(out, entry->sent);
        break;
    case WB__LOG_SECONDS:
    case WB__LOG_MILLISECONDS:
    case WB__LOG_MICROSECONDS:
    case WB__LOG_DECIMAL_SECONDS:
        put_time_step(out, step->op);
        break;
    case WB__LOG_PROCESS:
        put(out, "<", 1);
        put_number(out, (uint64_t)getpid());
        put(out, ">", 1);
        break;
    case WB__LOG_JSON:
        put_json(out);
        break;
    default:
        put_text_step(out, step);
        break;
    }
}

size_t
wb__log_line(const wb__log_format *format, const wb__log_entry *entry,
             char *out, size_t room)
{
    writer to = { out, out + room - 1, entry };
    for (size_t i = 0; i < format->count; i++) {
        put_step(&to, &format->steps[i]);
    }
    *to.at++ = '\n';
    return (size_t)(to.at - out);
}
