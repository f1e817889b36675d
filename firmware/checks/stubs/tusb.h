// SPDX-License-Identifier: Apache-2.0
/* TinyUSB: tusb_option.h, common/tusb_types.h, class/cdc/cdc.h and cdc_device.h, class/net/net_device.h, device/usbd.h */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#ifndef TUSB_VERSION_NUMBER
#define TUSB_VERSION_NUMBER 1900
#endif
#define CFG_TUD_ENDPOINT0_SIZE 64
#define TU_BIT(n) (1UL << (n))
#define U16_TO_U8S_LE(value) ((uint8_t)((value) & 0xff)), ((uint8_t)(((value) >> 8) & 0xff))

enum {
    TUSB_DESC_DEVICE = 1,
    TUSB_DESC_CONFIGURATION,
    TUSB_DESC_STRING,
    TUSB_DESC_INTERFACE,
    TUSB_DESC_ENDPOINT,
    TUSB_DESC_INTERFACE_ASSOCIATION = 11,
    TUSB_DESC_CS_INTERFACE = 0x24,
};
enum { TUSB_DESC_CONFIG_ATT_REMOTE_WAKEUP = 1 << 5 };
enum { TUSB_CLASS_CDC = 2, TUSB_CLASS_CDC_DATA = 10, TUSB_CLASS_MISC = 0xef };
enum { MISC_SUBCLASS_COMMON = 2, MISC_PROTOCOL_IAD = 1 };
enum { CDC_FUNC_DESC_NCM = 0x1a };
enum { TUSB_XFER_BULK = 2, TUSB_XFER_INTERRUPT };

typedef struct __attribute__((packed)) {
    uint8_t bLength;
    uint8_t bDescriptorType;
    uint16_t bcdUSB;
    uint8_t bDeviceClass;
    uint8_t bDeviceSubClass;
    uint8_t bDeviceProtocol;
    uint8_t bMaxPacketSize0;
    uint16_t idVendor;
    uint16_t idProduct;
    uint16_t bcdDevice;
    uint8_t iManufacturer;
    uint8_t iProduct;
    uint8_t iSerialNumber;
    uint8_t bNumConfigurations;
} tusb_desc_device_t;
typedef struct tusb_desc_device_qualifier tusb_desc_device_qualifier_t;

/* The bytes are those of the USB 2.0, IAD, CDC 1.2 and NCM 1.0 specifications. */
#define TUD_CONFIG_DESC_LEN 9
#define TUD_CONFIG_DESCRIPTOR(number, interfaces, string, length, attributes, milliamperes)                            \
    9, TUSB_DESC_CONFIGURATION, U16_TO_U8S_LE(length), interfaces, number, string,                                     \
        (uint8_t)(TU_BIT(7) | (attributes)), (milliamperes) / 2
#define TUD_CDC_DESC_LEN 66
#define TUD_CDC_DESCRIPTOR(itf, string, notify, notify_bytes, out, in, bytes)                                          \
    8, TUSB_DESC_INTERFACE_ASSOCIATION, itf, 2, TUSB_CLASS_CDC, 2, 0, 0,                                               \
        9, TUSB_DESC_INTERFACE, itf, 0, 1, TUSB_CLASS_CDC, 2, 0, string,                                               \
        5, TUSB_DESC_CS_INTERFACE, 0, U16_TO_U8S_LE(0x0120), 5, TUSB_DESC_CS_INTERFACE, 1, 0, (uint8_t)((itf) + 1),    \
        4, TUSB_DESC_CS_INTERFACE, 2, 6, 5, TUSB_DESC_CS_INTERFACE, 6, itf, (uint8_t)((itf) + 1),                      \
        7, TUSB_DESC_ENDPOINT, notify, TUSB_XFER_INTERRUPT, U16_TO_U8S_LE(notify_bytes), 1,                            \
        9, TUSB_DESC_INTERFACE, (uint8_t)((itf) + 1), 0, 2, TUSB_CLASS_CDC_DATA, 0, 0, 0,                              \
        7, TUSB_DESC_ENDPOINT, out, TUSB_XFER_BULK, U16_TO_U8S_LE(bytes), 0,                                           \
        7, TUSB_DESC_ENDPOINT, in, TUSB_XFER_BULK, U16_TO_U8S_LE(bytes), 0
#define TUD_CDC_NCM_DESC_LEN 85
#define NCM_DESCRIPTOR(itf, string, mac, notify, notify_bytes, out, in, bytes, segment, interval, capabilities)        \
    8, TUSB_DESC_INTERFACE_ASSOCIATION, itf, 2, TUSB_CLASS_CDC, 0x0d, 0, 0,                                            \
        9, TUSB_DESC_INTERFACE, itf, 0, 1, TUSB_CLASS_CDC, 0x0d, 0, string,                                            \
        5, TUSB_DESC_CS_INTERFACE, 0, U16_TO_U8S_LE(0x0110),                                                           \
        5, TUSB_DESC_CS_INTERFACE, 6, itf, (uint8_t)((itf) + 1),                                                       \
        13, TUSB_DESC_CS_INTERFACE, 15, mac, 0, 0, 0, 0, U16_TO_U8S_LE(segment), U16_TO_U8S_LE(0), 0,                  \
        6, TUSB_DESC_CS_INTERFACE, CDC_FUNC_DESC_NCM, U16_TO_U8S_LE(0x0100), capabilities,                             \
        7, TUSB_DESC_ENDPOINT, notify, TUSB_XFER_INTERRUPT, U16_TO_U8S_LE(notify_bytes), interval,                     \
        9, TUSB_DESC_INTERFACE, (uint8_t)((itf) + 1), 0, 0, TUSB_CLASS_CDC_DATA, 0, 1, 0,                              \
        9, TUSB_DESC_INTERFACE, (uint8_t)((itf) + 1), 1, 2, TUSB_CLASS_CDC_DATA, 0, 1, 0,                              \
        7, TUSB_DESC_ENDPOINT, in, TUSB_XFER_BULK, U16_TO_U8S_LE(bytes), 0,                                            \
        7, TUSB_DESC_ENDPOINT, out, TUSB_XFER_BULK, U16_TO_U8S_LE(bytes), 0
#if TUSB_VERSION_NUMBER >= 2100
#define TUD_CDC_NCM_DESCRIPTOR(itf, string, mac, notify, notify_bytes, out, in, bytes, segment, interval, caps)        \
    NCM_DESCRIPTOR(itf, string, mac, notify, notify_bytes, out, in, bytes, segment, interval, caps)
#else
#define TUD_CDC_NCM_DESCRIPTOR(itf, string, mac, notify, notify_bytes, out, in, bytes, segment)                        \
    NCM_DESCRIPTOR(itf, string, mac, notify, notify_bytes, out, in, bytes, segment, 50, 0)
#endif

typedef struct cdc_line_coding cdc_line_coding_t;

bool tud_inited(void);
bool tud_mounted(void);
bool tud_ready(void);
bool tud_connect(void);
bool tud_disconnect(void);
bool tud_remote_wakeup(void);
void tud_network_link_state(uint8_t rhport, bool up);
uint32_t tud_cdc_n_write_available(uint8_t itf);
