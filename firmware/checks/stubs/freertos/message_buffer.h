// SPDX-License-Identifier: Apache-2.0
/* freertos */
#pragma once
#include "freertos/FreeRTOS.h"

typedef struct StreamBufferDef_t *MessageBufferHandle_t;

MessageBufferHandle_t xMessageBufferCreate(size_t bytes);
size_t xMessageBufferSend(MessageBufferHandle_t buffer, const void *message, size_t length, TickType_t ticks);
size_t xMessageBufferReceive(MessageBufferHandle_t buffer, void *message, size_t capacity, TickType_t ticks);
