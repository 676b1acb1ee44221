/* Memory for the core: the one door to the heap.
 *
 * Built with WB_TESTING, a test can make the n-th request from now fail (as
 * SQLite's tests do) and count what is still held.
 */
#ifndef WB_ALLOC_H
#define WB_ALLOC_H

#include <stddef.h>

void *wb__alloc(size_t size); /* not zeroed; NULL: none left */
void *wb__calloc(size_t size);
void *wb__realloc(void *memory, size_t size);
void wb__free(void *memory); /* NULL is fine */

#ifdef WB_TESTING
void wb__alloc_fail_at(long n); /* 1: the next one; 0: never */
int wb__alloc_failed(void);     /* 1: it has come to that since */
long wb__alloc_held(void);      /* blocks not freed yet */
#endif

#endif
