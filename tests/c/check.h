/* CHECK(condition): says where it failed and ends the program. RUN(test) says
 * what passed. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition)                                                      \
    do {                                                                      \
        if (!(condition)) {                                                   \
            fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__,  \
                    #condition);                                              \
            exit(1);                                                          \
        }                                                                     \
    } while (0)

#define RUN(call)                                                             \
    do {                                                                      \
        call;                                                                 \
        printf("ok - %s\n", #call);                                           \
        fflush(stdout);                                                       \
    } while (0)

#endif
