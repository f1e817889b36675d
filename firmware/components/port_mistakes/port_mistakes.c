// SPDX-License-Identifier: Apache-2.0
/* The mistakes of the port as a table: what goes wrong in the firmware that makes it, and where it was seen. */
#include "port_mistakes.h"

#include <stddef.h>
#include <string.h>

#define BRIDGE "mcu-apple-bridge 0d5a385, "
#define AQ "ESP32S3_firmware 77a36dc, usb_netif_aq.c"
#define MISTAKE(field, what, source) {#field, what, source, offsetof(port_mistakes, field)}

static const struct {
    const char *name;
    const char *what;
    const char *source;
    size_t offset;
} MISTAKES[] = {
    MISTAKE(boot_panics, "each boot ends in a panic", "ESP-IDF's panic handler, CONFIG_ESP_SYSTEM_PANIC_PRINT_REBOOT"),
    MISTAKE(usb_missing, "TinyUSB is never started", "ESP-IDF components/usb/usb_phy.c: pins left with USB-Serial/JTAG"),
    MISTAKE(mount_blocks, "the mount callback blocks TinyUSB's task for 4.6 s", AQ ", tud_mount_cb"),
    MISTAKE(first_frame_disconnects, "the board leaves the bus with the first frame that it sends, and comes back",
            "arduino-esp32 issue 10000; tinyusb issue 3098"),
    MISTAKE(link_up_untold, "TinyUSB is never told that the link is up", "TinyUSB before cf055c237; esp-idf issue 18079"),
    MISTAKE(dhcp_server_missing, "the DHCP server is said to be started, and is not",
            "ESP-IDF esp_netif_lwip.c, esp_netif_dhcps_start"),
    MISTAKE(sends_need_ready, "frames are refused while the bus sleeps, and the host is not woken",
            "esp_tinyusb before 2.1.1, esp-usb 674d05b"),
    MISTAKE(identity_constant, "serial number and addresses are constants", BRIDGE "main/network_setup.c"),
    MISTAKE(serial_silent, "no log line goes to the serial port", BRIDGE "sdkconfig.defaults"),
    MISTAKE(log_cut, "a log line is written as far as the FIFO takes it, and the rest dropped",
            BRIDGE "main; esp_tinyusb, tinyusb_cdcacm_write_queue"),
    MISTAKE(log_stream_blocks, "the log stream is served in the one task that serves everything",
            BRIDGE "main/http_server.c"),
    MISTAKE(status_empty, "/status is answered 200 with an empty body", BRIDGE "main/event_log.c"),
};

#define MISTAKE_COUNT (sizeof MISTAKES / sizeof MISTAKES[0])

port_mistakes port_makes;

const char *port_mistake_name(uint32_t number)
{
    return number < MISTAKE_COUNT ? MISTAKES[number].name : NULL;
}

const char *port_mistake_what(uint32_t number)
{
    return number < MISTAKE_COUNT ? MISTAKES[number].what : NULL;
}

const char *port_mistake_source(uint32_t number)
{
    return number < MISTAKE_COUNT ? MISTAKES[number].source : NULL;
}

bool port_make_mistake(const char *name)
{
    static const bool MADE = true;
    for (size_t i = 0; i < MISTAKE_COUNT; i++) {
        if (strcmp(MISTAKES[i].name, name) == 0) {
            memcpy((uint8_t *)&port_makes + MISTAKES[i].offset, &MADE, sizeof MADE);
            return true;
        }
    }
    return false;
}
