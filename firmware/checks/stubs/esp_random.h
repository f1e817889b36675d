// SPDX-License-Identifier: Apache-2.0
/* esp_hw_support */
#pragma once
#include <stdint.h>

uint32_t esp_random(void);
