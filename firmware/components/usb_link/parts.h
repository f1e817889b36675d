// SPDX-License-Identifier: Apache-2.0
/* Started by usb_link_start(): the sender before the driver, the console after it, while the host has yet to enumerate. */
#ifndef USB_LINK_PARTS_H
#define USB_LINK_PARTS_H

#include "esp_err.h"

esp_err_t ncm_sender_start(void);
esp_err_t cdc_console_start(void);

#endif
