// SPDX-License-Identifier: Apache-2.0
/* lwIP's two interfaces: the USB link in its role, and Wi-Fi as a second way to the HTTP server. */
#ifndef IP_NET_H
#define IP_NET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "fw_core.h"

/* The interface exists, with this MAC address, and is down. */
esp_err_t usb_netif_create(fw_role role, const uint8_t mac[6]);
/* The interface is up, with the address of the command if there is one. The core is told, in the server role by the next. */
esp_err_t usb_netif_start(const fw_command *command);
esp_err_t usb_netif_start_dhcp_server(const fw_command *command);
esp_err_t usb_netif_start_dhcp_client(void);
esp_err_t usb_netif_stop_dhcp_client(void);
esp_err_t usb_netif_set_address(const fw_command *command);
esp_err_t usb_netif_clear_address(void);
/* A frame that the core lets through; it is copied. What is not ESP_OK, lwIP did not take. */
esp_err_t usb_netif_receive(const uint8_t *frame, size_t length);

/* Joins the network that NVS names, and joins again whenever it was lost; does nothing where NVS names none. */
esp_err_t wifi_station_start(void);

#endif
