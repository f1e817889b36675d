// SPDX-License-Identifier: Apache-2.0
/* As with ESP-IDF's compiler, a 32-bit integer is a long here. */
#pragma once
#include <stdint.h>
#define PRId32 "ld"
#define PRIi32 "li"
#define PRIu32 "lu"
#define PRIx32 "lx"
#define PRIX32 "lX"
