// SPDX-License-Identifier: Apache-2.0
/* The USB device: what TinyUSB tells goes to the core, the core's orders to TinyUSB, but in the builds that make mistakes. */
#include "../../core/tests/check.h"

#include "../../components/usb_link/usb_link.c"

static char told[256], asked[256];
static bool installed, entered;
static tinyusb_event_cb_t tell_event;
static esp_err_t delivered;

static void note(char *text, const char *word)
{
    strncat(text, word, 255 - strlen(text));
}

fw_core *core_enter(uint32_t *at)
{
    CHECK(!entered);
    entered = true;
    *at = 1234;
    return NULL;
}

void core_leave(void)
{
    entered = false;
}

void fw_mounted(fw_core *core, uint32_t now)
{
    (void)core, (void)now;
    note(told, "mounted ");
}

void fw_unmounted(fw_core *core, uint32_t now)
{
    (void)core, (void)now;
    note(told, "unmounted ");
}

void fw_suspended(fw_core *core, bool remote_wakeup, uint32_t now)
{
    (void)core, (void)now;
    note(told, remote_wakeup ? "suspended " : "suspended for good ");
}

void fw_resumed(fw_core *core, uint32_t now)
{
    (void)core, (void)now;
    note(told, "resumed ");
}

bool fw_frame_received(fw_core *core, const uint8_t *frame, size_t length, uint32_t now)
{
    (void)core, (void)now;
    return length == 60 && frame != NULL;
}

void fw_frame_refused(fw_core *core, const char *why, uint32_t now)
{
    (void)core, (void)now;
    CHECK(entered);
    note(told, why);
}

const char *esp_err_to_name(esp_err_t code)
{
    return code == ESP_ERR_NO_MEM ? "ESP_ERR_NO_MEM " : "ESP_OK ";
}

void vTaskDelay(TickType_t ticks)
{
    CHECK(!entered); /* nobody else could give the core an input */
    CHECK(ticks == pdMS_TO_TICKS(BLOCKED_MS));
    note(told, "blocked ");
}

void esp_log_level_set(const char *tag, esp_log_level_t level)
{
    (void)tag, (void)level;
}

void usb_link_describe(const usb_link_names *names, tinyusb_desc_config_t *descriptors)
{
    (void)names, (void)descriptors;
}

esp_err_t ncm_sender_start(void)
{
    return ESP_OK;
}

esp_err_t cdc_console_start(void)
{
    note(asked, "cdc ");
    return ESP_OK;
}

esp_err_t tinyusb_driver_install(const tinyusb_config_t *config)
{
    tell_event = config->event_cb;
    installed = true;
    note(asked, "install ");
    return ESP_OK;
}

esp_err_t tinyusb_net_init(const tinyusb_net_config_t *config)
{
    CHECK(config->on_recv_callback != NULL);
    note(asked, "net ");
    return ESP_OK;
}

bool tud_inited(void)
{
    return installed;
}

bool tud_connect(void)
{
    note(asked, "connect ");
    return true;
}

bool tud_disconnect(void)
{
    note(asked, "disconnect ");
    return true;
}

bool tud_remote_wakeup(void)
{
    note(asked, "wake ");
    return true;
}

void tud_network_link_state(uint8_t rhport, bool up)
{
    CHECK(rhport == 0);
    note(asked, up ? "up " : "down ");
}

void usbd_defer_func(osal_task_func_t function, void *argument, bool in_isr)
{
    CHECK(!in_isr);
    function(argument);
}

static esp_err_t deliver(const uint8_t *frame, size_t length)
{
    CHECK(!entered && frame != NULL && length == 60);
    note(told, "frame ");
    return delivered;
}

static void begin(void)
{
    static const usb_link_names NAMES;
    told[0] = asked[0] = '\0';
    installed = false;
    CHECK(usb_link_start(&NAMES, deliver) == ESP_OK);
}

static void order_all(void)
{
    asked[0] = '\0';
    usb_link_set_state(false);
    usb_link_set_state(true);
    usb_link_wake_host();
    usb_link_disconnect();
    usb_link_connect();
}

static void happen(tinyusb_event_id_t id)
{
    tinyusb_event_t event = {.id = id, .suspended.remote_wakeup = true};
    tell_event(&event, NULL);
}

static void the_device_is_started_and_does_what_the_core_orders(void)
{
    begin();
    CHECK_TEXT(asked, "install net cdc ");
    order_all();
    CHECK_TEXT(asked, "down up wake disconnect connect ");
}

static void what_happens_on_the_bus_is_told(void)
{
    uint8_t frame[60] = {0};
    begin();
    happen(TINYUSB_EVENT_ATTACHED);
    happen(TINYUSB_EVENT_SUSPENDED);
    happen(TINYUSB_EVENT_RESUMED);
    CHECK(on_frame(frame, sizeof frame, NULL) == ESP_OK && on_frame(frame, sizeof frame - 1, NULL) == ESP_OK);
    happen(TINYUSB_EVENT_DETACHED);
    CHECK_TEXT(told, "mounted suspended resumed frame unmounted ");
}

static void a_frame_that_is_not_taken_is_told(void)
{
    uint8_t frame[60] = {0};
    begin();
    delivered = ESP_ERR_NO_MEM;
    CHECK(on_frame(frame, sizeof frame, NULL) == ESP_OK && on_frame(frame, sizeof frame - 1, NULL) == ESP_OK);
    CHECK_TEXT(told, "frame ESP_ERR_NO_MEM ");
    delivered = ESP_OK;
}

static void the_build_without_usb_asks_tinyusb_for_nothing(void)
{
    port_makes.usb_missing = true;
    begin();
    CHECK_TEXT(asked, "");
    usb_link_set_state(true);
    usb_link_disconnect();
    usb_link_connect();
    CHECK_TEXT(asked, "");
    port_makes.usb_missing = false;
}

static void the_build_that_never_says_up_says_down(void)
{
    port_makes.link_up_untold = true;
    begin();
    order_all();
    CHECK_TEXT(asked, "down wake disconnect connect ");
    port_makes.link_up_untold = false;
}

static void the_build_that_needs_ready_wakes_nobody(void)
{
    port_makes.sends_need_ready = true;
    begin();
    order_all();
    CHECK_TEXT(asked, "down up disconnect connect ");
    port_makes.sends_need_ready = false;
}

static void the_build_that_blocks_does_so_in_the_mount_alone(void)
{
    port_makes.mount_blocks = true;
    begin();
    happen(TINYUSB_EVENT_ATTACHED);
    happen(TINYUSB_EVENT_RESUMED);
    CHECK_TEXT(told, "mounted blocked resumed ");
    port_makes.mount_blocks = false;
}

int main(void)
{
    RUN(the_device_is_started_and_does_what_the_core_orders);
    RUN(what_happens_on_the_bus_is_told);
    RUN(a_frame_that_is_not_taken_is_told);
    RUN(the_build_without_usb_asks_tinyusb_for_nothing);
    RUN(the_build_that_never_says_up_says_down);
    RUN(the_build_that_needs_ready_wakes_nobody);
    RUN(the_build_that_blocks_does_so_in_the_mount_alone);
    return 0;
}
