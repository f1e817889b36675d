// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stdarg.h>
#include <stddef.h>
typedef struct libc_file FILE;
extern FILE *const stdout;
int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int vprintf(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));
int snprintf(char *text, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *text, size_t size, const char *format, va_list arguments) __attribute__((format(printf, 3, 0)));
/* %u, and what stands for itself. */
int sscanf(const char *text, const char *format, ...) __attribute__((format(scanf, 2, 3)));
size_t fwrite(const void *bytes, size_t size, size_t count, FILE *file);
int fflush(FILE *file);
