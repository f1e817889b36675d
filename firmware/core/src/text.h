// SPDX-License-Identifier: Apache-2.0
/* Text written into a buffer of fixed size: what does not fit is cut, and `overflow` says so. */
#ifndef FW_TEXT_H
#define FW_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#if defined(__GNUC__)
#define FW_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define FW_PRINTF(text, first)
#endif

typedef struct {
    char *data;
    size_t capacity; /* one byte of it is kept for a final NUL */
    size_t length;
    bool overflow;
} fw_text;

void fw_text_init(fw_text *text, char *data, size_t capacity);
void fw_text_add(fw_text *text, const char *format, ...) FW_PRINTF(2, 3);
void fw_text_bytes(fw_text *text, const char *bytes, size_t length);
/* At most `length` bytes of a string; anything but printable ASCII becomes '?'. */
void fw_text_printable(fw_text *text, const char *string, size_t length);
/* A JSON string, quotes included. */
void fw_text_json(fw_text *text, const char *string);
/* strnlen(), which C11 lacks. */
size_t fw_text_length(const char *string, size_t limit);

#endif
