// SPDX-License-Identifier: Apache-2.0
/*
 * As much of a C library as the core's tests need, for a Linux program on the Xtensa windowed ABI: Debian has none. Text goes
 * out with write(2), memory comes from a static arena and is given back where it was the last one, so that a test that leaks
 * runs out of it.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SYS_WRITE 13
#define SYS_EXIT_GROUP 118
#define ARENA_BYTES (32u << 20)
#define ALIGNMENT 16u

extern int main(void);
FILE *const stdout = NULL;

static long system_call(long number, long first, long second, long third)
{
    register long a2 __asm__("a2") = number;
    register long a6 __asm__("a6") = first;
    register long a3 __asm__("a3") = second;
    register long a4 __asm__("a4") = third;
    __asm__ volatile("syscall" : "+a"(a2) : "a"(a6), "a"(a3), "a"(a4) : "memory");
    return a2;
}

void exit(int status)
{
    system_call(SYS_EXIT_GROUP, status, 0, 0);
    for (;;) {
    }
}

void _start(void)
{
    exit(main());
}

/* Division in the compiler's name: Debian's libgcc is not for the windowed ABI, the target's instructions are. */
#define DIVISION(name, type, instruction)                                                                              \
    type name(type left, type right);                                                                                  \
    type name(type left, type right)                                                                                   \
    {                                                                                                                  \
        type result;                                                                                                   \
        __asm__(instruction " %0, %1, %2" : "=a"(result) : "a"(left), "a"(right));                                     \
        return result;                                                                                                 \
    }

DIVISION(__divsi3, int, "quos")
DIVISION(__modsi3, int, "rems")
DIVISION(__udivsi3, unsigned, "quou")
DIVISION(__umodsi3, unsigned, "remu")

typedef union {
    struct {
        size_t before; /* the newest block when this one was made */
        size_t size;
        bool freed;
    } is;
    unsigned char aligned[ALIGNMENT];
} block;

static _Alignas(16) unsigned char arena[ARENA_BYTES];
static size_t top, newest;

void *malloc(size_t size)
{
    size_t taken = (size + 2 * ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (size > ARENA_BYTES || taken + sizeof(block) > ARENA_BYTES - top) {
        return NULL;
    }
    block *made = (block *)(void *)(arena + top);
    made->is.before = newest;
    made->is.size = size;
    made->is.freed = false;
    newest = top;
    top += sizeof(block) + taken;
    return made + 1;
}

void *calloc(size_t count, size_t size)
{
    void *memory = malloc(count * size);
    return memory == NULL ? NULL : memset(memory, 0, count * size);
}

void free(void *memory)
{
    if (memory == NULL) {
        return;
    }
    ((block *)memory - 1)->is.freed = true;
    while (top > 0 && ((block *)(void *)(arena + newest))->is.freed) {
        top = newest;
        newest = ((block *)(void *)(arena + newest))->is.before;
    }
}

void *memcpy(void *to, const void *from, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        ((unsigned char *)to)[i] = ((const unsigned char *)from)[i];
    }
    return to;
}

void *memmove(void *to, const void *from, size_t length)
{
    if ((const unsigned char *)to <= (const unsigned char *)from) {
        return memcpy(to, from, length);
    }
    while (length-- > 0) {
        ((unsigned char *)to)[length] = ((const unsigned char *)from)[length];
    }
    return to;
}

void *memset(void *to, int byte, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        ((unsigned char *)to)[i] = (unsigned char)byte;
    }
    return to;
}

int memcmp(const void *left, const void *right, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        int difference = ((const unsigned char *)left)[i] - ((const unsigned char *)right)[i];
        if (difference != 0) {
            return difference;
        }
    }
    return 0;
}

void *memchr(const void *bytes, int byte, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (((const unsigned char *)bytes)[i] == (unsigned char)byte) {
            return (unsigned char *)(size_t)bytes + i;
        }
    }
    return NULL;
}

size_t strlen(const char *text)
{
    size_t length = 0;
    while (text[length] != '\0') {
        length++;
    }
    return length;
}

int strncmp(const char *left, const char *right, size_t limit)
{
    for (size_t i = 0; i < limit; i++) {
        int difference = (unsigned char)left[i] - (unsigned char)right[i];
        if (difference != 0 || left[i] == '\0') {
            return difference;
        }
    }
    return 0;
}

int strcmp(const char *left, const char *right)
{
    return strncmp(left, right, SIZE_MAX);
}

char *strchr(const char *text, int character)
{
    return memchr(text, character, strlen(text) + 1);
}

char *strncat(char *to, const char *from, size_t limit)
{
    size_t end = strlen(to);
    size_t length = 0;
    while (length < limit && from[length] != '\0') {
        to[end + length] = from[length];
        length++;
    }
    to[end + length] = '\0';
    return to;
}

char *strcat(char *to, const char *from)
{
    return strncat(to, from, SIZE_MAX);
}

static size_t span(const char *text, const char *set, bool in)
{
    size_t length = 0;
    while (text[length] != '\0' && (memchr(set, text[length], strlen(set)) != NULL) == in) {
        length++;
    }
    return length;
}

size_t strspn(const char *text, const char *accepted)
{
    return span(text, accepted, true);
}

size_t strcspn(const char *text, const char *refused)
{
    return span(text, refused, false);
}

char *strstr(const char *text, const char *part)
{
    size_t length = strlen(part);
    for (; *text != '\0' || length == 0; text++) {
        if (strncmp(text, part, length) == 0) {
            return (char *)(size_t)text;
        }
    }
    return NULL;
}

typedef struct {
    char *text;
    size_t size;
    size_t length;
} sink;

static void put(sink *out, char character)
{
    if (out->length + 1 < out->size) {
        out->text[out->length] = character;
    }
    out->length++;
}

typedef struct {
    bool zero;
    bool left;
    size_t width;
    size_t precision;
    bool is_long;
} specification;

static void put_padded(sink *out, const specification *spec, const char *text, size_t length)
{
    size_t pad = length < spec->width ? spec->width - length : 0;
    for (size_t i = 0; i < pad && !spec->left; i++) {
        put(out, spec->zero ? '0' : ' ');
    }
    for (size_t i = 0; i < length; i++) {
        put(out, text[i]);
    }
    for (size_t i = 0; i < pad && spec->left; i++) {
        put(out, ' ');
    }
}

static void put_number(sink *out, const specification *spec, unsigned long value, unsigned long base, bool negative)
{
    char digits[16];
    size_t at = sizeof digits;
    do {
        digits[--at] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value != 0);
    if (negative) {
        digits[--at] = '-';
    }
    put_padded(out, spec, digits + at, sizeof digits - at);
}

static void put_string(sink *out, const specification *spec, const char *text)
{
    size_t length = 0;
    while (length < spec->precision && text[length] != '\0') {
        length++;
    }
    put_padded(out, spec, text, length);
}

static size_t read_number(const char **format)
{
    size_t number = 0;
    for (; **format >= '0' && **format <= '9'; (*format)++) {
        number = number * 10 + (size_t)(**format - '0');
    }
    return number;
}

static specification read_specification(const char **format)
{
    specification spec = {false, false, 0, SIZE_MAX, false};
    for (; **format == '0' || **format == '-'; (*format)++) {
        spec.zero |= **format == '0';
        spec.left |= **format == '-';
    }
    spec.width = read_number(format);
    if (**format == '.') {
        (*format)++;
        spec.precision = read_number(format);
    }
    for (; **format == 'l' || **format == 'z'; (*format)++) {
        spec.is_long = true;
    }
    return spec;
}

int vsnprintf(char *text, size_t size, const char *format, va_list arguments)
{
    sink out = {text, size, 0};
    for (; *format != '\0'; format++) {
        if (*format != '%') {
            put(&out, *format);
            continue;
        }
        format++;
        specification spec = read_specification(&format);
        if (*format == 'd') {
            long value = spec.is_long ? va_arg(arguments, long) : va_arg(arguments, int);
            put_number(&out, &spec, value < 0 ? 0ul - (unsigned long)value : (unsigned long)value, 10, value < 0);
        } else if (*format == 'u' || *format == 'x' || *format == 'X') {
            unsigned long value = spec.is_long ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned);
            put_number(&out, &spec, value, *format == 'u' ? 10 : 16, false);
        } else if (*format == 's') {
            put_string(&out, &spec, va_arg(arguments, const char *));
        } else if (*format == 'c') {
            put(&out, (char)va_arg(arguments, int));
        } else {
            put(&out, *format);
        }
    }
    if (size > 0) {
        text[out.length < size ? out.length : size - 1] = '\0';
    }
    return (int)out.length;
}

int snprintf(char *text, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, size, format, arguments);
    va_end(arguments);
    return length;
}

int vprintf(const char *format, va_list arguments)
{
    static char text[1 << 17];
    int length = vsnprintf(text, sizeof text, format, arguments);
    system_call(SYS_WRITE, 1, (long)(size_t)text, length < (int)sizeof text ? length : (int)sizeof text - 1);
    return length;
}

int printf(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vprintf(format, arguments);
    va_end(arguments);
    return length;
}

int sscanf(const char *text, const char *format, ...)
{
    int read = 0;
    va_list arguments;
    va_start(arguments, format);
    for (; *format != '\0'; format++) {
        if (format[0] == '%' && format[1] == 'u') {
            if (*text < '0' || *text > '9') {
                break;
            }
            *va_arg(arguments, unsigned *) = (unsigned)read_number(&text);
            read++;
            format++;
        } else if (*text++ != *format) {
            break;
        }
    }
    va_end(arguments);
    return read;
}
