// SPDX-License-Identifier: Apache-2.0
/* esp_tinyusb 2.2 */
#pragma once
#include <stddef.h>

#include "esp_err.h"
#include "tusb.h"

typedef enum { TINYUSB_CDC_ACM_0 } tinyusb_cdcacm_itf_t;
typedef enum { CDC_EVENT_RX } cdcacm_event_type_t;
typedef struct {
    bool dtr;
    bool rts;
} cdcacm_event_line_state_changed_data_t;
typedef struct {
    cdcacm_event_type_t type;
    union {
        cdcacm_event_line_state_changed_data_t line_state_changed_data;
    };
} cdcacm_event_t;
typedef void (*tusb_cdcacm_callback_t)(int itf, cdcacm_event_t *event);
typedef struct {
    tinyusb_cdcacm_itf_t cdc_port;
    tusb_cdcacm_callback_t callback_rx;
    tusb_cdcacm_callback_t callback_rx_wanted_char;
    tusb_cdcacm_callback_t callback_line_state_changed;
    tusb_cdcacm_callback_t callback_line_coding_changed;
} tinyusb_config_cdcacm_t;

esp_err_t tinyusb_cdcacm_init(const tinyusb_config_cdcacm_t *config);
size_t tinyusb_cdcacm_write_queue(tinyusb_cdcacm_itf_t itf, const uint8_t *bytes, size_t length);
esp_err_t tinyusb_cdcacm_write_flush(tinyusb_cdcacm_itf_t itf, uint32_t timeout_ticks);
esp_err_t tinyusb_cdcacm_read(tinyusb_cdcacm_itf_t itf, uint8_t *bytes, size_t capacity, size_t *length);
