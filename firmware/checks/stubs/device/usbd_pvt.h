// SPDX-License-Identifier: Apache-2.0
/* TinyUSB */
#pragma once
#include <stdbool.h>

typedef void (*osal_task_func_t)(void *argument);
void usbd_defer_func(osal_task_func_t function, void *argument, bool in_isr);
