// SPDX-License-Identifier: Apache-2.0
/* Wi-Fi: the network that NVS names, joined again whenever it was lost, and named in no log. */
#include "../../core/tests/check.h"

#include "../../components/ip_net/wifi_station.c"

#define NOTHING NULL
#define UNREADABLE "?"

static const char *ssid, *password; /* as they stand in NVS */
static char asked[256], logged[512], joined[33], secret[65];
static esp_event_handler_t tell_wifi, tell_address;
static uint32_t pause_ms, closed;
esp_event_base_t const WIFI_EVENT = "WIFI_EVENT";
esp_event_base_t const IP_EVENT = "IP_EVENT";

static void note(const char *word)
{
    strncat(asked, word, sizeof asked - strlen(asked) - 1);
}

void esp_log_level_set(const char *tag, esp_log_level_t level)
{
    CHECK(strcmp(tag, "wifi") == 0 && level == ESP_LOG_ERROR);
    note("quiet ");
}

void esp_log_line(const char *tag, const char *format, ...)
{
    size_t length = strlen(logged);
    va_list arguments;
    CHECK(strcmp(tag, "wifi") != 0); /* the driver's, which is told to be quiet */
    va_start(arguments, format);
    vsnprintf(logged + length, sizeof logged - length, format, arguments);
    va_end(arguments);
}

const char *esp_err_to_name(esp_err_t code)
{
    return code == ESP_FAIL ? "ESP_FAIL" : "another";
}

esp_err_t nvs_open(const char *name, nvs_open_mode_t mode, nvs_handle_t *handle)
{
    CHECK(strcmp(name, "wifi") == 0 && mode == NVS_READONLY);
    *handle = 1;
    return ssid == NULL && password == NULL ? ESP_ERR_NVS_NOT_FOUND : ESP_OK; /* no such namespace */
}

void nvs_close(nvs_handle_t handle)
{
    CHECK(handle == 1);
    closed++;
}

esp_err_t nvs_get_str(nvs_handle_t handle, const char *key, char *value, size_t *length)
{
    const char *stored = strcmp(key, "ssid") == 0 ? ssid : password;
    CHECK(handle == 1);
    if (stored == NULL) {
        return ESP_ERR_NVS_NOT_FOUND;
    }
    if (strcmp(stored, UNREADABLE) == 0 || strlen(stored) + 1 > *length) {
        return ESP_FAIL;
    }
    *length = strlen(stored) + 1;
    memcpy(value, stored, *length);
    return ESP_OK;
}

esp_netif_t *esp_netif_create_default_wifi_sta(void)
{
    note("netif ");
    return (esp_netif_t *)&asked;
}

esp_err_t esp_wifi_init(const wifi_init_config_t *config)
{
    CHECK(config->magic != 0);
    note("init ");
    return ESP_OK;
}

esp_err_t esp_wifi_set_storage(wifi_storage_t storage)
{
    note(storage == WIFI_STORAGE_RAM ? "ram " : "flash ");
    return ESP_OK;
}

esp_err_t esp_wifi_set_mode(wifi_mode_t mode)
{
    note(mode == WIFI_MODE_STA ? "station " : "? ");
    return ESP_OK;
}

esp_err_t esp_wifi_set_config(wifi_interface_t interface, wifi_config_t *config)
{
    CHECK(interface == WIFI_IF_STA);
    snprintf(joined, sizeof joined, "%.*s", (int)sizeof config->sta.ssid, (const char *)config->sta.ssid);
    snprintf(secret, sizeof secret, "%.*s", (int)sizeof config->sta.password, (const char *)config->sta.password);
    return ESP_OK;
}

esp_err_t esp_wifi_start(void)
{
    note("start ");
    tell_wifi(NULL, WIFI_EVENT, WIFI_EVENT_STA_START, NULL);
    return ESP_OK;
}

esp_err_t esp_wifi_connect(void)
{
    note("join ");
    return ESP_OK;
}

esp_err_t esp_event_handler_register(esp_event_base_t base, int32_t id, esp_event_handler_t handler, void *argument)
{
    (void)argument;
    if (base == WIFI_EVENT) {
        CHECK(id == ESP_EVENT_ANY_ID);
        tell_wifi = handler;
    } else {
        CHECK(base == IP_EVENT && id == IP_EVENT_STA_GOT_IP);
        tell_address = handler;
    }
    return ESP_OK;
}

esp_err_t esp_timer_create(const esp_timer_create_args_t *args, esp_timer_handle_t *timer)
{
    CHECK(args->callback == join);
    *timer = (esp_timer_handle_t)&pause_ms;
    return ESP_OK;
}

esp_err_t esp_timer_start_once(esp_timer_handle_t timer, uint64_t timeout_us)
{
    CHECK(timer == (esp_timer_handle_t)&pause_ms);
    pause_ms = (uint32_t)(timeout_us / US_PER_MS);
    return ESP_OK;
}

static void start_with(const char *name, const char *word)
{
    ssid = name;
    password = word;
    asked[0] = logged[0] = joined[0] = secret[0] = '\0';
    closed = pause_ms = 0;
    CHECK(wifi_station_start() == ESP_OK);
}

static void lose(void)
{
    wifi_event_sta_disconnected_t lost = {.ssid = "attic", .ssid_len = 5, .reason = 201};
    logged[0] = '\0';
    tell_wifi(NULL, WIFI_EVENT, WIFI_EVENT_STA_DISCONNECTED, &lost);
}

static void the_network_in_nvs_is_joined_once_the_driver_is_quiet(void)
{
    start_with("attic", "correct horse");
    CHECK_TEXT(asked, "netif quiet init ram station start join ");
    CHECK_TEXT(joined, "attic");
    CHECK_TEXT(secret, "correct horse");
    CHECK_TEXT(logged, "");
    CHECK(closed == 1);
}

static void without_a_name_in_nvs_the_radio_stays_off_and_nothing_failed(void)
{
    static const char *const NAMES[] = {NOTHING, "", UNREADABLE, "a name of more than 32 characters"};
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        start_with(NAMES[i], i == 0 ? NOTHING : "correct horse");
        CHECK_TEXT(asked, "");
        CHECK_TEXT(logged, "NVS names no network, the radio stays off");
        CHECK(closed == (i == 0 ? 0 : 1));
    }
}

static void names_and_passwords_of_full_length_are_taken_whole(void)
{
    static const char NAME[] = "thirty-two characters, no NUL...";
    static const char PASSWORD[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    start_with(NAME, PASSWORD);
    CHECK_TEXT(joined, NAME);
    CHECK_TEXT(secret, PASSWORD);
}

static void no_password_is_an_open_network_and_a_bad_one_is_none(void)
{
    start_with("attic", NOTHING);
    CHECK_TEXT(joined, "attic");
    CHECK_TEXT(secret, "");
    start_with("attic", UNREADABLE);
    CHECK_TEXT(asked, "");
    CHECK(strstr(logged, "the password in NVS cannot be used: ESP_FAIL") != NULL && strstr(logged, "attic") == NULL);
}

static void a_network_that_was_lost_is_joined_again_after_longer_and_longer_pauses(void)
{
    static const uint32_t PAUSES_MS[] = {1000, 2000, 4000, 8000, 16000, 30000, 30000};
    start_with("attic", "correct horse");
    for (size_t i = 0; i < sizeof PAUSES_MS / sizeof PAUSES_MS[0]; i++) {
        lose();
        CHECK(pause_ms == PAUSES_MS[i]);
        CHECK(strstr(logged, "reason 201") != NULL && strstr(logged, "attic") == NULL);
    }
    asked[0] = '\0';
    join(NULL); /* the timer */
    CHECK_TEXT(asked, "join ");
}

static void an_address_makes_the_pauses_short_again(void)
{
    ip_event_got_ip_t got = {.ip_info.ip.addr = ESP_IP4TOADDR(192, 0, 2, 7)};
    start_with("attic", "correct horse");
    lose();
    lose();
    logged[0] = '\0';
    tell_address(NULL, IP_EVENT, IP_EVENT_STA_GOT_IP, &got);
    CHECK_TEXT(logged, "address 192.0.2.7");
    lose();
    CHECK(pause_ms == FIRST_PAUSE_MS);
}

int main(void)
{
    RUN(the_network_in_nvs_is_joined_once_the_driver_is_quiet);
    RUN(without_a_name_in_nvs_the_radio_stays_off_and_nothing_failed);
    RUN(names_and_passwords_of_full_length_are_taken_whole);
    RUN(no_password_is_an_open_network_and_a_bad_one_is_none);
    RUN(a_network_that_was_lost_is_joined_again_after_longer_and_longer_pauses);
    RUN(an_address_makes_the_pauses_short_again);
    return 0;
}
