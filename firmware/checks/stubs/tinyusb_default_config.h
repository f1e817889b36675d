// SPDX-License-Identifier: Apache-2.0
/* esp_tinyusb 2.2 */
#pragma once
#include "tinyusb.h"

#define TINYUSB_DEFAULT_CONFIG(callback, argument)                                                                     \
    (tinyusb_config_t)                                                                                                 \
    {                                                                                                                  \
        .port = TINYUSB_PORT_FULL_SPEED_0, .phy = {.vbus_monitor_io = -1},                                             \
        .task = {.size = 4096, .priority = 5, .xCoreID = 1}, .event_cb = (callback), .event_arg = (argument)           \
    }
