// SPDX-License-Identifier: Apache-2.0
/* esp_tinyusb 2.2 */
#pragma once
#include "esp_err.h"
#include "freertos/FreeRTOS.h"

typedef esp_err_t (*tusb_net_rx_cb_t)(void *buffer, uint16_t length, void *context);
typedef void (*tusb_net_free_tx_cb_t)(void *buffer, void *context);
typedef void (*tusb_net_init_cb_t)(void *context);
typedef struct {
    uint8_t mac_addr[6];
    tusb_net_rx_cb_t on_recv_callback;
    tusb_net_free_tx_cb_t free_tx_buffer;
    tusb_net_init_cb_t on_init_callback;
    void *user_context;
} tinyusb_net_config_t;

esp_err_t tinyusb_net_init(const tinyusb_net_config_t *config);
esp_err_t tinyusb_net_send_sync(void *buffer, uint16_t length, void *free_argument, TickType_t timeout);
