// SPDX-License-Identifier: Apache-2.0
/* log */
#pragma once
#include <stdarg.h>

typedef enum { ESP_LOG_NONE, ESP_LOG_ERROR, ESP_LOG_WARN } esp_log_level_t;
void esp_log_level_set(const char *tag, esp_log_level_t level);
typedef int (*vprintf_like_t)(const char *format, va_list arguments);
vprintf_like_t esp_log_set_vprintf(vprintf_like_t function);
void esp_log_line(const char *tag, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define ESP_LOGE(tag, ...) esp_log_line(tag, __VA_ARGS__)
#define ESP_LOGW(tag, ...) esp_log_line(tag, __VA_ARGS__)
#define ESP_LOGI(tag, ...) esp_log_line(tag, __VA_ARGS__)
