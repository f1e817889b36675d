// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "esp_event.h"
#include "esp_log.h"
#include "esp_netif.h"
#include "esp_timer.h"
#include "esp_wifi.h"
#include "ip_net.h"
#include "nvs.h"

#define FIRST_PAUSE_MS 1000u
#define LONGEST_PAUSE_MS 30000u
#define US_PER_MS 1000u

static const char TAG[] = "wifi";

static struct {
    esp_timer_handle_t again;
    uint32_t pause_ms;
} station;

static void join(void *unused)
{
    (void)unused;
    (void)esp_wifi_connect();
}

static void join_later(void)
{
    (void)esp_timer_start_once(station.again, (uint64_t)station.pause_ms * US_PER_MS);
    station.pause_ms = station.pause_ms * 2 < LONGEST_PAUSE_MS ? station.pause_ms * 2 : LONGEST_PAUSE_MS;
}

static void on_wifi(void *unused, esp_event_base_t base, int32_t id, void *data)
{
    (void)unused;
    (void)base;
    if (id == WIFI_EVENT_STA_START) {
        join(NULL);
    } else if (id == WIFI_EVENT_STA_DISCONNECTED) {
        const wifi_event_sta_disconnected_t *lost = data;
        ESP_LOGW(TAG, "not joined, reason %d; again in %u ms", (int)lost->reason, (unsigned)station.pause_ms);
        join_later();
    }
}

static void on_address(void *unused, esp_event_base_t base, int32_t id, void *data)
{
    const ip_event_got_ip_t *got = data;
    (void)unused;
    (void)base;
    (void)id;
    station.pause_ms = FIRST_PAUSE_MS;
    ESP_LOGI(TAG, "address " IPSTR, IP2STR(&got->ip_info.ip));
}

/* The names come from NVS alone: a build that is passed on gives nothing away. */
static bool read_credentials(wifi_sta_config_t *config)
{
    nvs_handle_t nvs;
    size_t ssid = sizeof config->ssid;
    size_t password = sizeof config->password;
    if (nvs_open("wifi", NVS_READONLY, &nvs) != ESP_OK) {
        return false;
    }
    bool known = nvs_get_str(nvs, "ssid", (char *)config->ssid, &ssid) == ESP_OK && ssid > 1;
    if (known && nvs_get_str(nvs, "password", (char *)config->password, &password) != ESP_OK) {
        memset(config->password, 0, sizeof config->password); /* an open network */
    }
    nvs_close(nvs);
    return known;
}

static esp_err_t listen_to_events(void)
{
    const esp_timer_create_args_t again = {.callback = join, .name = "wifi_again"};
    esp_err_t failed = esp_timer_create(&again, &station.again);
    if (failed == ESP_OK) {
        failed = esp_event_handler_register(WIFI_EVENT, ESP_EVENT_ANY_ID, on_wifi, NULL);
    }
    return failed == ESP_OK ? esp_event_handler_register(IP_EVENT, IP_EVENT_STA_GOT_IP, on_address, NULL) : failed;
}

esp_err_t wifi_station_start(void)
{
    const wifi_init_config_t radio = WIFI_INIT_CONFIG_DEFAULT();
    wifi_config_t config = {0};
    if (!read_credentials(&config.sta)) {
        ESP_LOGI(TAG, "no network in NVS, the radio stays off");
        return ESP_OK;
    }
    station.pause_ms = FIRST_PAUSE_MS;
    if (esp_netif_create_default_wifi_sta() == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_err_t failed = esp_wifi_init(&radio);
    if (failed == ESP_OK) {
        failed = esp_wifi_set_storage(WIFI_STORAGE_RAM);
    }
    if (failed == ESP_OK) {
        failed = esp_wifi_set_mode(WIFI_MODE_STA);
    }
    if (failed == ESP_OK) {
        failed = esp_wifi_set_config(WIFI_IF_STA, &config);
    }
    if (failed == ESP_OK) {
        failed = listen_to_events();
    }
    return failed == ESP_OK ? esp_wifi_start() : failed;
}
