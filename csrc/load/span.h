/* A piece of a head, and how it is taken apart. */
#ifndef WL_SPAN_H
#define WL_SPAN_H

#include <stddef.h>
#include <string.h>
#include <strings.h>

typedef struct wl__span {
    const char *text;
    size_t size;
} wl__span;

static inline int
wl__span_is(wl__span s, const char *name)
{
    return s.size == strlen(name) && strncasecmp(s.text, name, s.size) == 0;
}

static inline wl__span
wl__span_trim(wl__span s)
{
    while (s.size > 0 && (*s.text == ' ' || *s.text == '\t')) {
        s.text++;
        s.size--;
    }
    while (s.size > 0
           && (s.text[s.size - 1] == ' ' || s.text[s.size - 1] == '\t')) {
        s.size--;
    }
    return s;
}

/* What stands before `c`, or all; the rest behind it stays in *from. */
static inline wl__span
wl__span_cut(wl__span *from, char c)
{
    const char *at
        = from->size == 0 ? NULL : memchr(from->text, c, from->size);
    wl__span head
        = { from->text, at ? (size_t)(at - from->text) : from->size };
    size_t used = head.size + (at != NULL);
    from->text += used;
    from->size -= used;
    return head;
}

/* The next line without its end; 0: the empty one. */
static inline int
wl__span_line(wl__span *from, wl__span *line)
{
    *line = wl__span_cut(from, '\n');
    if (line->size > 0 && line->text[line->size - 1] == '\r') {
        line->size--;
    }
    return line->size > 0;
}

/* Nothing below `least` and no DEL: no line end, no NUL. */
static inline int
wl__span_is_clean(wl__span s, unsigned char least)
{
    for (size_t i = 0; i < s.size; i++) {
        unsigned char c = (unsigned char)s.text[i];
        if (c < least || c == 127) {
            return 0;
        }
    }
    return 1;
}

/* Behind `out`; returns the end. */
static inline char *
wl__span_put(char *out, wl__span s)
{
    if (s.size > 0) {
        memcpy(out, s.text, s.size);
    }
    return out + s.size;
}

#endif
