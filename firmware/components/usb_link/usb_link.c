// SPDX-License-Identifier: Apache-2.0
#include "usb_link.h"

#include <string.h>

#include "core_runner.h"
#include "descriptors.h"
#include "device/usbd_pvt.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "parts.h"
#include "port_mistakes.h"
#include "tinyusb.h"
#include "tinyusb_default_config.h"
#include "tinyusb_net.h"
#include "tusb.h"

#define STACK_BYTES 6144 /* callbacks enter the core from here */
#define BLOCKED_MS 4600u  /* in the build whose mount callback blocks */

static usb_link_deliver deliver_frame;

/* In TinyUSB's task. ATTACHED is SET_CONFIGURATION, DETACHED its undoing or the end of the session. */
static void on_bus_event(tinyusb_event_t *event, void *unused)
{
    uint32_t now = 0;
    fw_core *core = core_enter(&now);
    (void)unused;
    switch (event->id) {
    case TINYUSB_EVENT_ATTACHED:
        fw_mounted(core, now);
        break;
    case TINYUSB_EVENT_DETACHED:
        fw_unmounted(core, now);
        break;
    case TINYUSB_EVENT_SUSPENDED:
        fw_suspended(core, event->suspended.remote_wakeup, now);
        break;
    case TINYUSB_EVENT_RESUMED:
        fw_resumed(core, now);
        break;
    default:
        break;
    }
    core_leave();
    if (event->id == TINYUSB_EVENT_ATTACHED && port_makes.mount_blocks) {
        vTaskDelay(pdMS_TO_TICKS(BLOCKED_MS));
    }
}

static void tell_refused(esp_err_t failed)
{
    uint32_t now = 0;
    fw_core *core = core_enter(&now);
    fw_frame_refused(core, esp_err_to_name(failed), now);
    core_leave();
}

static esp_err_t on_frame(void *frame, uint16_t length, void *unused)
{
    uint32_t now = 0;
    (void)unused;
    fw_core *core = core_enter(&now);
    bool wanted = fw_frame_received(core, frame, length, now);
    core_leave();
    esp_err_t failed = wanted ? deliver_frame(frame, length) : ESP_OK;
    if (failed != ESP_OK) {
        tell_refused(failed);
    }
    return ESP_OK;
}

/* TinyUSB 0.21 asks at each bus reset whether the link is up, earlier ones by CFG_TUD_NCM_DEFAULT_LINK_UP (CMakeLists.txt); the
 * core raises it when the stack is ready. */
bool tud_network_default_link_state_cb(void);
bool tud_network_default_link_state_cb(void)
{
    return false;
}

esp_err_t usb_link_start(const usb_link_names *names, usb_link_deliver deliver)
{
    static tinyusb_config_t config; /* TinyUSB's task reads it */
    tinyusb_net_config_t net = {.on_recv_callback = on_frame};
    if (port_makes.usb_missing) {
        return ESP_OK;
    }
    config = TINYUSB_DEFAULT_CONFIG(on_bus_event, NULL);
    esp_log_level_set("tusb_desc", ESP_LOG_WARN); /* else a picture of the descriptors, of many lines */
    config.task.size = STACK_BYTES;
    deliver_frame = deliver;
    memcpy(net.mac_addr, names->host_mac, sizeof net.mac_addr);
    usb_link_describe(names, &config.descriptor);
    esp_err_t failed = ncm_sender_start();
    if (failed == ESP_OK) {
        failed = tinyusb_driver_install(&config);
    }
    if (failed == ESP_OK) {
        failed = tinyusb_net_init(&net);
    }
    return failed == ESP_OK ? cdc_console_start() : failed;
}

void usb_link_disconnect(void)
{
    if (tud_inited()) {
        (void)tud_disconnect();
    }
}

void usb_link_connect(void)
{
    if (tud_inited()) {
        (void)tud_connect();
    }
}

/* In TinyUSB's task, which alone may start a transfer on the notification endpoint. */
static void set_state(void *up)
{
    tud_network_link_state(0, up != NULL);
}

void usb_link_set_state(bool up)
{
    static uint8_t yes;
    if (tud_inited() && !(up && port_makes.link_up_untold)) {
        usbd_defer_func(set_state, up ? &yes : NULL, false);
    }
}

void usb_link_wake_host(void)
{
    if (!port_makes.sends_need_ready) {
        (void)tud_remote_wakeup();
    }
}
