// SPDX-License-Identifier: Apache-2.0
/* The composite device CDC-ACM + CDC-NCM on TinyUSB: bus events and frames go to the core, its commands come here. */
#ifndef USB_LINK_H
#define USB_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

#define USB_LINK_MAC_BYTES 6

typedef struct {
    const char *serial;
    const char *product;
    const char *manufacturer;
    uint8_t host_mac[USB_LINK_MAC_BYTES]; /* iMACAddress */
} usb_link_names;

/* A frame that the core lets through; it is the callee's own only until it returns. What is not ESP_OK, the core is told of. */
typedef esp_err_t (*usb_link_deliver)(const uint8_t *frame, size_t length);

/* The device is on the bus when this returns. `names` has to stay. */
esp_err_t usb_link_start(const usb_link_names *names, usb_link_deliver deliver);
void usb_link_disconnect(void);
void usb_link_connect(void);
void usb_link_set_state(bool up);
void usb_link_wake_host(void);

/* Never waits: the frame is copied, sent by a task of its own, and told to the core as sent or failed. */
void usb_link_transmit(const uint8_t *frame, size_t length);
/* Never waits: a line that finds no room is dropped whole, and the next that finds some says how many were. */
void usb_link_write_log(const uint8_t *line, size_t length);

#endif
