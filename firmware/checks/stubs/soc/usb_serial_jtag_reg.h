// SPDX-License-Identifier: Apache-2.0
/* soc/esp32s3 */
#pragma once
#include "soc/soc.h"

#define USB_SERIAL_JTAG_CONF0_REG 0x60038018
#define USB_SERIAL_JTAG_PHY_SEL BIT(0)
#define USB_SERIAL_JTAG_PAD_PULL_OVERRIDE BIT(8)
#define USB_SERIAL_JTAG_DP_PULLUP BIT(9)
#define USB_SERIAL_JTAG_USB_PAD_ENABLE BIT(14)
