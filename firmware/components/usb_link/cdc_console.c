// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <stdio.h>

#include "core_runner.h"
#include "freertos/FreeRTOS.h"
#include "parts.h"
#include "port_mistakes.h"
#include "tinyusb_cdc_acm.h"
#include "tusb.h"
#include "usb_link.h"

#define PORT TINYUSB_CDC_ACM_0
#define NOTE_BYTES 64

static bool started;
static uint32_t dropped; /* of the core's task alone */

static void on_line_state(int port, cdcacm_event_t *event)
{
    uint32_t now = 0;
    (void)port;
    fw_core *core = core_enter(&now);
    fw_line_state(core, event->line_state_changed_data.dtr, event->line_state_changed_data.rts, now);
    core_leave();
}

static void on_bytes(int port, cdcacm_event_t *event)
{
    uint8_t bytes[CONFIG_TINYUSB_CDC_RX_BUFSIZE];
    size_t length = 0;
    uint32_t now = 0;
    (void)event;
    while (tinyusb_cdcacm_read((tinyusb_cdcacm_itf_t)port, bytes, sizeof bytes, &length) == ESP_OK && length > 0) {
        fw_core *core = core_enter(&now);
        fw_serial_received(core, bytes, length, now);
        core_leave();
    }
}

esp_err_t cdc_console_start(void)
{
    const tinyusb_config_cdcacm_t config = {
        .cdc_port = PORT,
        .callback_rx = on_bytes,
        .callback_line_state_changed = on_line_state,
    };
    esp_err_t failed = tinyusb_cdcacm_init(&config);
    started = failed == ESP_OK;
    return failed;
}

/* In the form of a log line. */
static void tell_dropped(void)
{
    char note[NOTE_BYTES];
    int length = snprintf(note, sizeof note, "W (%" PRIu32 ") cdc: %" PRIu32 " log lines dropped\n", core_now(), dropped);
    if (length > 0 && (size_t)length < sizeof note) {
        (void)tinyusb_cdcacm_write_queue(PORT, (const uint8_t *)note, (size_t)length);
        dropped = 0;
    }
}

void usb_link_write_log(const uint8_t *line, size_t length)
{
    if (!started || port_makes.serial_silent) {
        return;
    }
    uint32_t needed = (uint32_t)length + (dropped > 0 ? NOTE_BYTES : 0);
    if (tud_cdc_n_write_available(PORT) < needed && !port_makes.log_cut) {
        dropped++;
        return;
    }
    if (dropped > 0) {
        tell_dropped();
    }
    (void)tinyusb_cdcacm_write_queue(PORT, line, length);
    (void)tinyusb_cdcacm_write_flush(PORT, 0);
}
