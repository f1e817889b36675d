// SPDX-License-Identifier: Apache-2.0
/* esp_common */
#pragma once
#include <stdint.h>

typedef int esp_err_t;
#define ESP_OK 0
#define ESP_FAIL -1
#define ESP_ERR_NO_MEM 0x101
#define ESP_ERR_INVALID_ARG 0x102
#define ESP_ERR_INVALID_STATE 0x103
#define ESP_ERR_TIMEOUT 0x107

const char *esp_err_to_name(esp_err_t code);
void _esp_error_check_failed(esp_err_t code, const char *file, int line, const char *function, const char *expression)
    __attribute__((noreturn));
#define ESP_ERROR_CHECK(code)                                                                                          \
    do {                                                                                                               \
        esp_err_t failed_ = (code);                                                                                    \
        if (failed_ != ESP_OK) {                                                                                       \
            _esp_error_check_failed(failed_, __FILE__, __LINE__, __func__, #code);                                     \
        }                                                                                                              \
    } while (0)
#define ESP_ERROR_CHECK_WITHOUT_ABORT(code) ({ esp_err_t failed_ = (code); failed_; })
