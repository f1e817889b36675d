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

/* At INFO the driver logs the name of the network, "connected with …", and at WARN the access point's address. */
#define DRIVERS_TAG "wifi"

static const char TAG[] = "station";

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

/* A string of NVS into a field that a name may fill to its last byte, and then has no NUL. */
static esp_err_t read_field(nvs_handle_t nvs, const char *key, uint8_t *field, size_t size)
{
    char text[sizeof((wifi_sta_config_t *)0)->password + 1];
    size_t length = size + 1;
    esp_err_t failed = nvs_get_str(nvs, key, text, &length);
    if (failed == ESP_OK) {
        memcpy(field, text, length - 1);
    }
    return failed;
}

/* The names come from NVS alone: a build that is passed on gives nothing away. */
static bool read_credentials(wifi_sta_config_t *config)
{
    nvs_handle_t nvs;
    if (nvs_open("wifi", NVS_READONLY, &nvs) != ESP_OK) {
        return false;
    }
    bool known = read_field(nvs, "ssid", config->ssid, sizeof config->ssid) == ESP_OK && config->ssid[0] != '\0';
    esp_err_t password = read_field(nvs, "password", config->password, sizeof config->password);
    nvs_close(nvs);
    if (known && password != ESP_OK && password != ESP_ERR_NVS_NOT_FOUND) { /* none is an open network */
        ESP_LOGE(TAG, "the password in NVS cannot be used: %s", esp_err_to_name(password));
        return false;
    }
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
        ESP_LOGI(TAG, "NVS names no network, the radio stays off");
        return ESP_OK;
    }
    station.pause_ms = FIRST_PAUSE_MS;
    if (esp_netif_create_default_wifi_sta() == NULL) {
        return ESP_ERR_NO_MEM;
    }
    esp_log_level_set(DRIVERS_TAG, ESP_LOG_ERROR);
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
