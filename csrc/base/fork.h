/* Knowing that the process has been forked, without asking the kernel. */
#ifndef WB_FORK_H
#define WB_FORK_H

/* Which process this is, counted down the line of descent: a child has
 * another number than its parent. What remembers the number it was made under
 * knows by one comparison whether it is still in its own process. */
extern unsigned wb__process_number;
/* Children this process has had. They hold copies of its descriptors. */
extern unsigned wb__children;

/* Begins to watch; more than once is fine. 0 or WB_NOMEM. */
int wb__fork_watch(void);

#endif
