#include "base/posix.h"

#include "server/log_format.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/text.h"
#include "http/fields.h"
#include "http/scan.h"

enum op {
    LITERAL, /* `text` as it stands */
    ADDRESS,
    DASH,
    USER,
    TIME,
    REQUEST_LINE,
    METHOD,
    PATH,
    QUERY,
    PROTOCOL,
    STATUS,
    LENGTH,
    LENGTH_OR_DASH,
    SECONDS,
    MILLISECONDS,
    MICROSECONDS,
    DECIMAL_SECONDS,
    PROCESS,
    FIELD,        /* of the request; `text` is its name in CGI form */
    ANSWER_FIELD, /* `text` is its name */
    VARIABLE,     /* of the environ; `text` is its name */
    JSON
};

typedef struct step {
    enum op op;
    const char *text; /* in the format's own memory */
    size_t size;
} step;

struct wb__log_format {
    char *texts; /* owned */
    size_t count;
    uint8_t wants_times, wants_head;
    step steps[];
};

/* ---- compiling ---------------------------------------------------------- */

#define COMMON "%(h)s %(l)s %(u)s %(t)s \"%(r)s\" %(s)s %(B)s"

/* Parts of the environ that are made of what the core knows. */
static const struct {
    const char *name;
    enum op op;
} known_variables[] = {
    { "REMOTE_ADDR", ADDRESS },      { "REQUEST_METHOD", METHOD },
    { "PATH_INFO", PATH },           { "QUERY_STRING", QUERY },
    { "SERVER_PROTOCOL", PROTOCOL },
};

static int
begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static enum op
letter_op(char letter)
{
    switch (letter) {
    case 'h':
        return ADDRESS;
    case 'l':
        return DASH;
    case 'u':
        return USER;
    case 't':
        return TIME;
    case 'r':
        return REQUEST_LINE;
    case 'm':
        return METHOD;
    case 'U':
        return PATH;
    case 'q':
        return QUERY;
    case 'H':
        return PROTOCOL;
    case 's':
        return STATUS;
    case 'B':
        return LENGTH;
    case 'b':
        return LENGTH_OR_DASH;
    case 'T':
        return SECONDS;
    case 'M':
        return MILLISECONDS;
    case 'D':
        return MICROSECONDS;
    case 'L':
        return DECIMAL_SECONDS;
    case 'p':
        return PROCESS;
    default:
        return LITERAL;
    }
}

static void
add(wb__log_format *format, enum op op, const char *text, size_t size)
{
    format->steps[format->count++] = (step) { op, text, size };
    format->wants_times
        |= (op >= SECONDS && op <= DECIMAL_SECONDS) || op == JSON;
    format->wants_head |= op == ANSWER_FIELD;
}

/* The name of a field as the environ has it. */
static size_t
cgi_name(const char *name, size_t size, char *to)
{
    int bare = wb__equal_nocase(name, size, "content-type")
        || wb__equal_nocase(name, size, "content-length");
    size_t prefix = bare ? 0 : 5;
    memcpy(to, "HTTP_", prefix);
    for (size_t i = 0; i < size; i++) {
        char c = name[i];
        c = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
        to[prefix + i] = c == '-' ? '_' : c;
    }
    return prefix + size;
}

static int
add_variable(wb__log_format *format, const char *name, size_t size)
{
    size_t count = sizeof(known_variables) / sizeof(known_variables[0]);
    for (size_t i = 0; i < count; i++) {
        if (strlen(known_variables[i].name) == size
            && memcmp(known_variables[i].name, name, size) == 0) {
            add(format, known_variables[i].op, NULL, 0);
            return 0;
        }
    }
    if (begins(name, "HTTP_") || begins(name, "CONTENT_TYPE}")
        || begins(name, "CONTENT_LENGTH}")) {
        add(format, FIELD, name, size);
    } else if (begins(name, "SSL_")) {
        add(format, VARIABLE, name, size);
    } else {
        return WB_BADFORMAT; /* only the application knows */
    }
    return 0;
}

/* After "%({": name "}" kind. *end: behind it. */
static int
compile_named(wb__log_format *format, const char *text, char **texts,
              const char **end)
{
    const char *close = strchr(text, '}');
    if (close == NULL || close == text) {
        return WB_BADFORMAT;
    }
    size_t size = (size_t)(close - text);
    *end = close + 2;
    switch (close[1]) {
    case 'i': {
        size_t length = cgi_name(text, size, *texts);
        add(format, FIELD, *texts, length);
        *texts += length;
        return 0;
    }
    case 'o':
        add(format, ANSWER_FIELD, text, size);
        return 0;
    case 'e':
        return add_variable(format, text, size);
    default:
        return WB_BADFORMAT;
    }
}

/* At "%(": an atom. *end: behind it. */
static int
compile_atom(wb__log_format *format, const char *text, char **texts,
             const char **end)
{
    static const char referer[] = "HTTP_REFERER", agent[] = "HTTP_USER_AGENT";
    int error = 0;
    text += 2;
    *end = text + 1;
    if (*text == '{') {
        error = compile_named(format, text + 1, texts, end);
    } else if (*text == 'f') {
        add(format, FIELD, referer, sizeof(referer) - 1);
    } else if (*text == 'a') {
        add(format, FIELD, agent, sizeof(agent) - 1);
    } else if (letter_op(*text) != LITERAL) {
        add(format, letter_op(*text), NULL, 0);
    } else {
        return WB_BADFORMAT;
    }
    if (error < 0 || **end != ')' || ((*end)[1] != 's' && (*end)[1] != 'd')) {
        return WB_BADFORMAT;
    }
    *end += 2;
    return 0;
}

static int
compile(wb__log_format *format, const char *text, char *texts)
{
    while (*text != '\0') {
        size_t plain = strcspn(text, "%\n");
        if (plain > 0) {
            add(format, LITERAL, text, plain);
        } else if (text[0] == '%' && text[1] == '%') {
            add(format, LITERAL, text, 1);
            plain = 2;
        } else if (text[0] == '%' && text[1] == '(') {
            const char *end;
            int error = compile_atom(format, text, &texts, &end);
            if (error < 0) {
                return error;
            }
            plain = (size_t)(end - text);
        } else {
            return WB_BADFORMAT;
        }
        text += plain;
    }
    return 0;
}

int
wb__log_format_new(const char *text, wb__log_format **out)
{
    if (strcmp(text, "common") == 0) {
        text = COMMON;
    } else if (strcmp(text, "combined") == 0) {
        text = COMMON " \"%(f)s\" \"%(a)s\"";
    }
    /* An atom takes four bytes at least, what stands between two one: a step
     * for every byte is more than enough. Names in CGI form take up to five
     * bytes more than in the format, where "%({}i)s" is more than that. */
    size_t size = strlen(text) + 1;
    wb__log_format *format = wb__calloc(sizeof(*format) + size * sizeof(step));
    char *texts = wb__alloc(2 * size);
    if (format == NULL || texts == NULL) {
        wb__free(format);
        wb__free(texts);
        return WB_NOMEM;
    }
    format->texts = texts;
    memcpy(texts, text, size);
    int error = 0;
    if (strcmp(text, "json") == 0) {
        add(format, JSON, NULL, 0);
    } else {
        error = compile(format, texts, texts + size);
    }
    if (error < 0) {
        wb__log_format_free(format);
        return error;
    }
    *out = format;
    return 0;
}

void
wb__log_format_free(wb__log_format *format)
{
    if (format != NULL) {
        wb__free(format->texts);
        wb__free(format);
    }
}

int
wb__log_format_wants_times(const wb__log_format *format)
{
    return format->wants_times;
}

int
wb__log_format_wants_head(const wb__log_format *format)
{
    return format->wants_head;
}

/* ---- writing ------------------------------------------------------------ */

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

static wb__log_text
field(const wb__log_entry *entry, const char *name, size_t size)
{
    wb__log_text value;
    value.data = wb__fields_find(entry->fields, name, size, &value.size);
    return value;
}

static wb__log_text
variable(const wb__log_entry *entry, const char *name, size_t size)
{
    const char *at = entry->variables.data;
    const char *end = at == NULL ? NULL : at + entry->variables.size;
    while (at != end) {
        size_t length = strlen(at);
        const char *value = at + length + 1;
        if (length == size && memcmp(at, name, size) == 0) {
            return (wb__log_text) { value, strlen(value) };
        }
        at = value + strlen(value) + 1;
    }
    return (wb__log_text) { NULL, 0 };
}

/* The client as the application sees it. */
static wb__log_text
address(const wb__log_entry *entry)
{
    static const char name[] = "REMOTE_ADDR";
    wb__log_text told = variable(entry, name, sizeof(name) - 1);
    if (told.data == NULL && entry->peer[0] != '\0') {
        told = (wb__log_text) { entry->peer, strlen(entry->peer) };
    }
    return told;
}

/* The value in the answer's head: lines of name ": " value CRLF. */
static wb__log_text
answer_field(const wb__log_entry *entry, const char *name, size_t size)
{
    const char *at = entry->answer_head.data;
    const char *end = at == NULL ? NULL : at + entry->answer_head.size;
    while (at != NULL && at < end) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        size_t line = lf == NULL ? (size_t)(end - at) : (size_t)(lf - at);
        if (line > size + 2 && at[size] == ':'
            && strncasecmp(at, name, size) == 0) {
            return (wb__log_text) { at + size + 2, line - size - 3 };
        }
        at = lf == NULL ? NULL : lf + 1;
    }
    return (wb__log_text) { NULL, 0 };
}

static int
base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqr"
                                 "stuvwxyz0123456789+/";
    const char *found = c == '\0' ? NULL : strchr(digits, c);
    return found == NULL ? -1 : (int)(found - digits);
}

/* The user of "Basic" credentials (RFC 7617), into `room`. */
static wb__log_text
user(const wb__log_entry *entry, char *room, size_t size)
{
    static const char name[] = "HTTP_AUTHORIZATION";
    wb__log_text value = field(entry, name, sizeof(name) - 1);
    if (value.data == NULL || value.size < 6
        || strncasecmp(value.data, "basic ", 6) != 0) {
        return (wb__log_text) { NULL, 0 };
    }
    size_t used = 0;
    unsigned bits = 0, count = 0;
    for (size_t i = 6; i < value.size && used < size; i++) {
        int digit = base64_digit(value.data[i]);
        if (digit < 0) {
            break;
        }
        bits = (bits << 6 | (unsigned)digit) & 0xffff;
        count += 6;
        if (count >= 8) {
            count -= 8;
            room[used] = (char)(bits >> count & 255);
            if (room[used] == ':') {
                break;
            }
            used++;
        }
    }
    return (wb__log_text) { used == 0 ? NULL : room, used };
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

/* ---- JSON --------------------------------------------------------------- */

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
    put_member(out, ",\"remote_addr\":", address(entry));
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
    put_member(out,
               ",\"referer\":", field(entry, referer, sizeof(referer) - 1));
    put_member(out,
               ",\"user_agent\":", field(entry, agent, sizeof(agent) - 1));
    put_text(out, ",\"pid\":");
    put_number(out, (uint64_t)getpid());
    put_text(out, "}");
}

/* ---- one line ----------------------------------------------------------- */

static void
put_time_step(writer *out, enum op op)
{
    uint64_t us = out->entry->duration_us;
    switch (op) {
    case SECONDS:
        put_number(out, us / 1000000);
        break;
    case MILLISECONDS:
        put_number(out, us / 1000);
        break;
    case MICROSECONDS:
        put_number(out, us);
        break;
    default:
        put_decimal_seconds(out, us);
        break;
    }
}

static void
put_text_step(writer *out, const step *step)
{
    const wb__log_entry *entry = out->entry;
    char room[256];
    switch (step->op) {
    case ADDRESS:
        put_or_dash(out, address(entry));
        break;
    case USER:
        put_or_dash(out, user(entry, room, sizeof(room)));
        break;
    case METHOD:
        put_or_dash(out, entry->method);
        break;
    case PATH:
        put_or_dash(out, entry->path);
        break;
    case QUERY:
        put_escaped(out, entry->query);
        break;
    case FIELD:
        put_or_dash(out, field(entry, step->text, step->size));
        break;
    case ANSWER_FIELD:
        put_or_dash(out, answer_field(entry, step->text, step->size));
        break;
    case VARIABLE:
        put_or_dash(out, variable(entry, step->text, step->size));
        break;
    default:
        put(out, "-", 1);
        break;
    }
}

static void
put_step(writer *out, const step *step)
{
    const wb__log_entry *entry = out->entry;
    switch (step->op) {
    case LITERAL:
        put(out, step->text, step->size);
        break;
    case TIME:
        put(out, "[", 1);
        put_text(out, entry->time);
        put_text(out, " +0000]");
        break;
    case REQUEST_LINE:
        put_request_line(out);
        break;
    case PROTOCOL:
        put_protocol(out);
        break;
    case STATUS:
        put_number(out, (uint64_t)entry->status);
        break;
    case LENGTH_OR_DASH:
        if (entry->sent == 0) {
            put(out, "-", 1);
            break;
        }
        /* fall through */
    case LENGTH:
        put_number(out, entry->sent);
        break;
    case SECONDS:
    case MILLISECONDS:
    case MICROSECONDS:
    case DECIMAL_SECONDS:
        put_time_step(out, step->op);
        break;
    case PROCESS:
        put(out, "<", 1);
        put_number(out, (uint64_t)getpid());
        put(out, ">", 1);
        break;
    case JSON:
        put_json(out);
        break;
    default:
        put_text_step(out, step);
        break;
    }
}

size_t
wb__log_format_line(const wb__log_format *format, const wb__log_entry *entry,
                    char *out, size_t room)
{
    writer to = { out, out + room - 1, entry };
    for (size_t i = 0; i < format->count; i++) {
        put_step(&to, &format->steps[i]);
    }
    *to.at++ = '\n';
    return (size_t)(to.at - out);
}
