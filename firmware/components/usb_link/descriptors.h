// SPDX-License-Identifier: Apache-2.0
#ifndef USB_LINK_DESCRIPTORS_H
#define USB_LINK_DESCRIPTORS_H

#include "tinyusb.h"
#include "usb_link.h"

/* Fill in what tinyusb_driver_install() is to tell the host; `names` has to stay. */
void usb_link_describe(const usb_link_names *names, tinyusb_desc_config_t *descriptors);

#endif
