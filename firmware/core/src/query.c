// SPDX-License-Identifier: Apache-2.0
#include "query.h"

#include <string.h>

/* The value of the first such key, up to `*length` bytes; NULL where there is none. */
static const char *find(const char *query, const char *key, size_t *length)
{
    size_t wanted = strlen(key);
    while (*query != '\0') {
        size_t pair = strcspn(query, "&");
        if (pair > wanted && memcmp(query, key, wanted) == 0 && query[wanted] == '=') {
            *length = pair - wanted - 1;
            return query + wanted + 1;
        }
        query += pair + (query[pair] == '&' ? 1u : 0u);
    }
    return NULL;
}

bool fw_query_number(const char *query, const char *key, uint32_t *number)
{
    size_t length = 0;
    uint32_t value = 0;
    const char *digits = find(query, key, &length);
    if (digits == NULL) {
        return true;
    }
    for (size_t i = 0; i < length; i++) {
        uint32_t digit = (uint32_t)(uint8_t)digits[i] - '0';
        if (digit > 9 || value > (UINT32_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *number = value;
    return length > 0;
}

static bool is_word(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

bool fw_query_choice(const char *query, const char *key, const char *one, const char *other, bool *second)
{
    size_t length = 0;
    const char *value = find(query, key, &length);
    if (value == NULL) {
        return true;
    }
    *second = is_word(value, length, other);
    return *second || is_word(value, length, one);
}
