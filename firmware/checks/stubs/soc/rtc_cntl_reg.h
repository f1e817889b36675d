// SPDX-License-Identifier: Apache-2.0
/* soc/esp32s3 */
#pragma once
#include "soc/soc.h"

#define RTC_CNTL_USB_CONF_REG 0x60008120
#define RTC_CNTL_SW_HW_USB_PHY_SEL BIT(20)
#define RTC_CNTL_SW_USB_PHY_SEL BIT(19)
#define RTC_CNTL_OPTION1_REG 0x6000812c
#define RTC_CNTL_FORCE_DOWNLOAD_BOOT BIT(0)
