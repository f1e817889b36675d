// SPDX-License-Identifier: Apache-2.0
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void fw_text_init(fw_text *text, char *data, size_t capacity)
{
    text->data = data;
    text->capacity = capacity;
    text->length = 0;
    text->overflow = capacity == 0;
    if (capacity > 0) {
        data[0] = '\0';
    }
}

static size_t room(const fw_text *text)
{
    return text->capacity == 0 ? 0 : text->capacity - 1 - text->length;
}

void fw_text_add(fw_text *text, const char *format, ...)
{
    va_list arguments;
    size_t free_bytes = room(text);
    if (text->capacity == 0) {
        return;
    }
    va_start(arguments, format);
    int wanted = vsnprintf(text->data + text->length, free_bytes + 1, format, arguments);
    va_end(arguments);
    if (wanted < 0) {
        text->overflow = true;
    } else if ((size_t)wanted > free_bytes) {
        text->length += free_bytes;
        text->overflow = true;
    } else {
        text->length += (size_t)wanted;
    }
}

void fw_text_bytes(fw_text *text, const char *bytes, size_t length)
{
    size_t taken = length;
    if (taken > room(text)) {
        taken = room(text);
        text->overflow = true;
    }
    if (taken > 0) {
        memcpy(text->data + text->length, bytes, taken);
        text->length += taken;
        text->data[text->length] = '\0';
    }
}

void fw_text_printable(fw_text *text, const char *string, size_t length)
{
    for (size_t i = 0; i < length && string[i] != '\0'; i++) {
        char shown = string[i] >= ' ' && string[i] <= '~' ? string[i] : '?';
        fw_text_bytes(text, &shown, 1);
    }
}

void fw_text_json(fw_text *text, const char *string)
{
    fw_text_bytes(text, "\"", 1);
    for (; *string != '\0'; string++) {
        if (*string == '"' || *string == '\\') {
            fw_text_bytes(text, "\\", 1);
        }
        fw_text_printable(text, string, 1);
    }
    fw_text_bytes(text, "\"", 1);
}

size_t fw_text_length(const char *string, size_t limit)
{
    size_t length = 0;
    while (length < limit && string[length] != '\0') {
        length++;
    }
    return length;
}
