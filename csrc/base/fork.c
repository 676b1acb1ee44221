#include "base/posix.h"

#include "base/fork.h"

#include <pthread.h>

#include "wsgibench.h"

unsigned wb__process_number;
unsigned wb__children;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int failed;

static void
in_parent(void)
{
    wb__children++;
}

static void
in_child(void)
{
    wb__process_number++;
    wb__children = 0;
}

static void
watch(void)
{
    failed = pthread_atfork(NULL, in_parent, in_child) != 0;
}

int
wb__fork_watch(void)
{
    pthread_once(&once, watch);
    return failed ? WB_NOMEM : 0;
}
