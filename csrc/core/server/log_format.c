#include "base/posix.h"

#include "server/log_format.h"

#include <string.h>

#include "base/alloc.h"
#include "http/scan.h"
#include "wsgibench.h"

#define COMMON "%(h)s %(l)s %(u)s %(t)s \"%(r)s\" %(s)s %(B)s"

/* Parts of the environ that are made of what the core knows. */
static const struct {
    const char *name;
    enum wb__log_op op;
} known_variables[] = {
    { "REMOTE_ADDR", WB__LOG_ADDRESS },
    { "REQUEST_METHOD", WB__LOG_METHOD },
    { "PATH_INFO", WB__LOG_PATH },
    { "QUERY_STRING", WB__LOG_QUERY },
    { "SERVER_PROTOCOL", WB__LOG_PROTOCOL },
};

static int
begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static enum wb__log_op
letter_op(char letter)
{
    switch (letter) {
    case 'h':
        return WB__LOG_ADDRESS;
    case 'l':
        return WB__LOG_DASH;
    case 'u':
        return WB__LOG_USER;
    case 't':
        return WB__LOG_TIME;
    case 'r':
        return WB__LOG_REQUEST_LINE;
    case 'm':
        return WB__LOG_METHOD;
    case 'U':
        return WB__LOG_PATH;
    case 'q':
        return WB__LOG_QUERY;
    case 'H':
        return WB__LOG_PROTOCOL;
    case 's':
        return WB__LOG_STATUS;
    case 'B':
        return WB__LOG_LENGTH;
    case 'b':
        return WB__LOG_LENGTH_OR_DASH;
    case 'T':
        return WB__LOG_SECONDS;
    case 'M':
        return WB__LOG_MILLISECONDS;
    case 'D':
        return WB__LOG_MICROSECONDS;
    case 'L':
        return WB__LOG_DECIMAL_SECONDS;
    case 'p':
        return WB__LOG_PROCESS;
    default:
        return WB__LOG_LITERAL;
    }
}

static void
add(wb__log_format *format, enum wb__log_op op, const char *text, size_t size)
{
    format->steps[format->count++] = (wb__log_step) { op, text, size };
    format->wants_times
        |= (op >= WB__LOG_SECONDS && op <= WB__LOG_DECIMAL_SECONDS)
        || op == WB__LOG_JSON;
    format->wants_head |= op == WB__LOG_ANSWER_FIELD;
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
        add(format, WB__LOG_FIELD, name, size);
    } else if (begins(name, "SSL_")) {
        add(format, WB__LOG_VARIABLE, name, size);
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
        add(format, WB__LOG_FIELD, *texts, length);
        *texts += length;
        return 0;
    }
    case 'o':
        add(format, WB__LOG_ANSWER_FIELD, text, size);
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
        add(format, WB__LOG_FIELD, referer, sizeof(referer) - 1);
    } else if (*text == 'a') {
        add(format, WB__LOG_FIELD, agent, sizeof(agent) - 1);
    } else if (letter_op(*text) != WB__LOG_LITERAL) {
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
            add(format, WB__LOG_LITERAL, text, plain);
        } else if (text[0] == '%' && text[1] == '%') {
            add(format, WB__LOG_LITERAL, text, 1);
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
    wb__log_format *format
        = wb__calloc(sizeof(*format) + size * sizeof(wb__log_step));
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
        add(format, WB__LOG_JSON, NULL, 0);
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
