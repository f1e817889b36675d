// SPDX-License-Identifier: Apache-2.0
#include "descriptors.h"

#include <stdio.h>

#include "sdkconfig.h"
#include "tusb.h"

#define VENDOR 0x303A
#define PRODUCT 0x4001 /* esp_tinyusb's number for one CDC; NCM adds no bit */
#define RELEASE 0x0100

enum { ACM_CONTROL, ACM_DATA, NCM_CONTROL, NCM_DATA, INTERFACES };

/* The order that esp_tinyusb gives them where CDC and NCM are enabled: it sets the last one itself. */
enum { STRING_LANGUAGE, STRING_MANUFACTURER, STRING_PRODUCT, STRING_SERIAL, STRING_ACM, STRING_NCM, STRING_MAC, STRINGS };

#define ACM_NOTIFY 0x81
#define ACM_OUT 0x02
#define ACM_IN 0x82
#define NCM_NOTIFY 0x83
#define NCM_OUT 0x04
#define NCM_IN 0x84
#define BULK_BYTES 64
#define NOTIFY_BYTES 64
#define NOTIFY_INTERVAL_MS 50
#define SEGMENT_BYTES 1514

#define LENGTH (TUD_CONFIG_DESC_LEN + TUD_CDC_DESC_LEN + TUD_CDC_NCM_DESC_LEN)
#define MILLIAMPERES 500

/* bmNetworkCapabilities is the last byte of the NCM functional descriptor (USB NCM 1.0, table 5-2). */
#define NCM_FUNCTIONAL_BYTES 6
#define PACKET_FILTER 0x01u
#if defined(CONFIG_HIL_CLAIM_PACKET_FILTER) || TUSB_VERSION_NUMBER >= 2100
#define CLAIMS_PACKET_FILTER 1
#else
#define CLAIMS_PACKET_FILTER 0
#endif

static const tusb_desc_device_t DEVICE = {
    .bLength = sizeof(tusb_desc_device_t),
    .bDescriptorType = TUSB_DESC_DEVICE,
    .bcdUSB = 0x0200,
    .bDeviceClass = TUSB_CLASS_MISC,
    .bDeviceSubClass = MISC_SUBCLASS_COMMON,
    .bDeviceProtocol = MISC_PROTOCOL_IAD,
    .bMaxPacketSize0 = CFG_TUD_ENDPOINT0_SIZE,
    .idVendor = VENDOR,
    .idProduct = PRODUCT,
    .bcdDevice = RELEASE,
    .iManufacturer = STRING_MANUFACTURER,
    .iProduct = STRING_PRODUCT,
    .iSerialNumber = STRING_SERIAL,
    .bNumConfigurations = 1,
};

static uint8_t configuration[LENGTH] = {
    TUD_CONFIG_DESCRIPTOR(1, INTERFACES, 0, LENGTH, TUSB_DESC_CONFIG_ATT_REMOTE_WAKEUP, MILLIAMPERES),
    TUD_CDC_DESCRIPTOR(ACM_CONTROL, STRING_ACM, ACM_NOTIFY, 8, ACM_OUT, ACM_IN, BULK_BYTES),
#if TUSB_VERSION_NUMBER >= 2100
    TUD_CDC_NCM_DESCRIPTOR(NCM_CONTROL, STRING_NCM, STRING_MAC, NCM_NOTIFY, NOTIFY_BYTES, NCM_OUT, NCM_IN, BULK_BYTES,
                           SEGMENT_BYTES, NOTIFY_INTERVAL_MS, PACKET_FILTER),
#else
    TUD_CDC_NCM_DESCRIPTOR(NCM_CONTROL, STRING_NCM, STRING_MAC, NCM_NOTIFY, NOTIFY_BYTES, NCM_OUT, NCM_IN, BULK_BYTES,
                           SEGMENT_BYTES),
#endif
};

static char mac_text[2 * USB_LINK_MAC_BYTES + 1];
static const char LANGUAGE_ENGLISH[] = {0x09, 0x04};
static const char *strings[STRINGS] = {LANGUAGE_ENGLISH, "", "", "", "Log", "Network", mac_text};

/* TinyUSB's macro leaves the capabilities 0 up to 0.20, and the interval 50 ms. */
static void claim_capabilities(void)
{
    for (size_t at = 0; at + NCM_FUNCTIONAL_BYTES <= sizeof configuration; at += configuration[at]) {
        bool functional = configuration[at] == NCM_FUNCTIONAL_BYTES && configuration[at + 1] == TUSB_DESC_CS_INTERFACE &&
                          configuration[at + 2] == CDC_FUNC_DESC_NCM;
        if (functional) {
            uint8_t *capabilities = &configuration[at + NCM_FUNCTIONAL_BYTES - 1];
            *capabilities = (uint8_t)(*capabilities | (CLAIMS_PACKET_FILTER ? PACKET_FILTER : 0u));
        }
        if (configuration[at] == 0) {
            return;
        }
    }
}

void usb_link_describe(const usb_link_names *names, tinyusb_desc_config_t *descriptors)
{
    const uint8_t *mac = names->host_mac;
    snprintf(mac_text, sizeof mac_text, "%02X%02X%02X%02X%02X%02X", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
    strings[STRING_MANUFACTURER] = names->manufacturer;
    strings[STRING_PRODUCT] = names->product;
    strings[STRING_SERIAL] = names->serial;
    claim_capabilities();
    descriptors->device = &DEVICE;
    descriptors->string = strings;
    descriptors->string_count = STRINGS;
    descriptors->full_speed_config = configuration;
}
