// SPDX-License-Identifier: Apache-2.0
/* The query of a request, `key=value` pairs joined by '&'; keys that nobody asks for are passed over. */
#ifndef FW_QUERY_H
#define FW_QUERY_H

#include <stdbool.h>
#include <stdint.h>

/* False where the value is no decimal number below 2^32; without the key `*number` stays as it is. */
bool fw_query_number(const char *query, const char *key, uint32_t *number);
/* `*second`: whether it is the second of two words. False where it is neither; without the key it stays as it is. */
bool fw_query_choice(const char *query, const char *key, const char *one, const char *other, bool *second);

#endif
