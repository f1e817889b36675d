// SPDX-License-Identifier: Apache-2.0
/* esp_tinyusb 2.2 */
#pragma once
#include <stddef.h>

#include "esp_err.h"
#include "sdkconfig.h"
#include "tusb.h"

typedef enum { TINYUSB_PORT_FULL_SPEED_0, TINYUSB_PORT_MAX } tinyusb_port_t;
typedef struct {
    bool skip_setup;
    bool self_powered;
    int vbus_monitor_io;
} tinyusb_phy_config_t;
typedef struct {
    size_t size;
    uint8_t priority;
    int xCoreID;
} tinyusb_task_config_t;
typedef struct {
    const tusb_desc_device_t *device;
    const tusb_desc_device_qualifier_t *qualifier;
    const char **string;
    int string_count;
    const uint8_t *full_speed_config;
    const uint8_t *high_speed_config;
} tinyusb_desc_config_t;
typedef enum {
    TINYUSB_EVENT_ATTACHED,
    TINYUSB_EVENT_DETACHED,
#ifdef CONFIG_TINYUSB_SUSPEND_CALLBACK
    TINYUSB_EVENT_SUSPENDED,
#endif
#ifdef CONFIG_TINYUSB_RESUME_CALLBACK
    TINYUSB_EVENT_RESUMED,
#endif
} tinyusb_event_id_t;
typedef struct {
    tinyusb_event_id_t id;
    uint8_t rhport;
    union {
        struct {
            bool remote_wakeup;
        } suspended;
    };
} tinyusb_event_t;
typedef void (*tinyusb_event_cb_t)(tinyusb_event_t *event, void *argument);
typedef struct {
    tinyusb_port_t port;
    tinyusb_phy_config_t phy;
    tinyusb_task_config_t task;
    tinyusb_desc_config_t descriptor;
    tinyusb_event_cb_t event_cb;
    void *event_arg;
} tinyusb_config_t;

esp_err_t tinyusb_driver_install(const tinyusb_config_t *config);
