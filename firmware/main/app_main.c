// SPDX-License-Identifier: Apache-2.0
/* What has to be there before the core boots; from then on the core says what is to be done. */
#include <stdlib.h>

#include "board.h"
#include "commands.h"
#include "console.h"
#include "core_runner.h"
#include "esp_err.h"
#include "esp_event.h"
#include "esp_netif.h"
#include "esp_system.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "ip_net.h"
#include "mistakes.h"
#include "nvs_flash.h"
#include "port_mistakes.h"
#include "sdkconfig.h"
#include "settings.h"

#define PANIC_AFTER_MS 900u /* in the build whose boots end in a panic */

/* NVS that an older ESP-IDF has written, or that is full, is made anew. */
static void start_nvs(void)
{
    esp_err_t failed = nvs_flash_init();
    if (failed == ESP_ERR_NVS_NO_FREE_PAGES || failed == ESP_ERR_NVS_NEW_VERSION_FOUND) {
        ESP_ERROR_CHECK(nvs_flash_erase());
        failed = nvs_flash_init();
    }
    ESP_ERROR_CHECK(failed);
}

/* What its boot log says of this board. */
static void tell_core(const board_identity *identity)
{
    fw_core *core = core_enter(NULL);
    fw_set_mac(core, identity->device_mac);
    fw_set_free_heap(core, esp_get_free_heap_size());
    core_leave();
}

static void panic_later(void)
{
    vTaskDelay(pdMS_TO_TICKS(PANIC_AFTER_MS));
    abort();
}

void app_main(void)
{
    static board_identity identity;
    fw_config config;
    start_nvs();
    board_led_init();
    ESP_ERROR_CHECK(board_read_identity(&identity));
    settings_read(&config, board_count_boot());
    ESP_ERROR_CHECK(esp_netif_init());
    ESP_ERROR_CHECK(esp_event_loop_create_default());
    ESP_ERROR_CHECK(usb_netif_create((fw_role)config.role, identity.device_mac));
    commands_init(&identity);
    ESP_ERROR_CHECK(console_start());
    ESP_ERROR_CHECK(core_runner_init(&config));
    tell_core(&identity);
    log_capture_start();
    ESP_ERROR_CHECK(core_runner_start(board_reset_reason(), commands_perform));
    mistakes_tell();
#ifdef CONFIG_HIL_WIFI
    ESP_ERROR_CHECK_WITHOUT_ABORT(wifi_station_start());
#endif
    if (port_makes.boot_panics) {
        panic_later();
    }
}
