// SPDX-License-Identifier: Apache-2.0
/* A test is a static function named as a claim, run by RUN from main(); the first CHECK that fails ends the program. */
#ifndef FW_CHECK_H
#define FW_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            printf("%s:%d: %s: not so: %s\n", __FILE__, __LINE__, __func__, #condition);                               \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

#define CHECK_TEXT(given, wanted)                                                                                      \
    do {                                                                                                               \
        if (strcmp((given), (wanted)) != 0) {                                                                          \
            printf("%s:%d: %s: got\n%s\nwanted\n%s\n", __FILE__, __LINE__, __func__, (given), (wanted));               \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

#define RUN(test)                                                                                                      \
    do {                                                                                                               \
        test();                                                                                                        \
        printf("ok %s\n", #test);                                                                                      \
    } while (0)

#endif
