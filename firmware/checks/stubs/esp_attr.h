// SPDX-License-Identifier: Apache-2.0
/* esp_common */
#pragma once
#define RTC_NOINIT_ATTR __attribute__((section(".rtc_noinit")))
