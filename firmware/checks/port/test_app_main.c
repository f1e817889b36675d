// SPDX-License-Identifier: Apache-2.0
/* The start: what has to be there before the core boots is there, and the core's boot log tells of this board. */
#include "../../core/tests/check.h"

#include "../../main/app_main.c"

static const uint8_t MAC[BOARD_MAC_BYTES] = {0x7e, 0xdf, 0xa1, 0xe0, 0xc4, 0xb8};
static fw_core *core;
static char said[256], log_text[4096];
static esp_err_t nvs = ESP_OK;

static void note(const char *word)
{
    strncat(said, word, sizeof said - strlen(said) - 1);
}

esp_err_t nvs_flash_init(void)
{
    esp_err_t failed = nvs;
    nvs = ESP_OK;
    note(failed == ESP_OK ? "nvs " : "bad-nvs ");
    return failed;
}

esp_err_t nvs_flash_erase(void)
{
    note("erase ");
    return ESP_OK;
}

void _esp_error_check_failed(esp_err_t code, const char *file, int line, const char *function, const char *expression)
{
    printf("%s:%d: %s: %s is %d\n", file, line, function, expression, code);
    exit(1);
}

void board_led_init(void)
{
    note("led ");
}

esp_err_t board_read_identity(board_identity *identity)
{
    memcpy(identity->device_mac, MAC, sizeof MAC);
    return ESP_OK;
}

const char *board_reset_reason(void)
{
    return "POWERON";
}

uint32_t board_count_boot(void)
{
    note("count ");
    return 3;
}

void settings_read(fw_config *config, uint32_t boots_before)
{
    fw_default_config(config);
    config->start_ms = 0;
    config->boot_count = boots_before;
}

esp_err_t esp_netif_init(void)
{
    return ESP_OK;
}

esp_err_t esp_event_loop_create_default(void)
{
    return ESP_OK;
}

esp_err_t usb_netif_create(fw_role role, const uint8_t mac[6])
{
    CHECK(role == FW_ROLE_DHCP_SERVER && memcmp(mac, MAC, sizeof MAC) == 0);
    note("netif ");
    return ESP_OK;
}

void commands_init(const board_identity *identity)
{
    (void)identity;
}

void commands_perform(const fw_command *command)
{
    (void)command;
}

esp_err_t console_start(void)
{
    note("console ");
    return ESP_OK;
}

esp_err_t core_runner_init(const fw_config *config)
{
    core = fw_init(malloc(fw_core_size()), fw_core_size(), config);
    note("core ");
    return core == NULL ? ESP_FAIL : ESP_OK;
}

fw_core *core_enter(uint32_t *now)
{
    CHECK(now == NULL);
    return core;
}

void core_leave(void)
{
}

void log_capture_start(void)
{
    note("capture ");
}

uint32_t esp_get_free_heap_size(void)
{
    return 123456;
}

esp_err_t core_runner_start(const char *reset_reason, core_perform perform)
{
    fw_command command;
    CHECK(perform == commands_perform);
    note("boot ");
    fw_boot(core, reset_reason, 0);
    fw_wake(core, 0);
    while (fw_next_command(core, &command)) {
        if (command.kind == FW_CONSOLE_WRITE) {
            strncat(log_text, (const char *)command.bytes, command.length);
        }
    }
    return ESP_OK;
}

void mistakes_tell(void)
{
    note("mistakes ");
}

esp_err_t wifi_station_start(void)
{
    note("wifi ");
    return ESP_FAIL; /* a board without it goes on */
}

void vTaskDelay(TickType_t ticks)
{
    (void)ticks;
}

static void start(void)
{
    free(core);
    said[0] = log_text[0] = '\0';
    app_main();
}

static void all_is_there_before_the_core_boots(void)
{
    start();
    CHECK_TEXT(said, "nvs led count netif console core capture boot mistakes wifi ");
}

static void the_boot_log_tells_of_this_board(void)
{
    start();
    CHECK(strstr(log_text, "free heap 123456 bytes\n") != NULL);
    CHECK(strstr(log_text, "boot 4, reset reason POWERON\n") != NULL);
}

static void nvs_that_cannot_be_read_is_made_anew(void)
{
    nvs = ESP_ERR_NVS_NO_FREE_PAGES;
    start();
    CHECK(strncmp(said, "bad-nvs erase nvs led ", 22) == 0);
}

int main(void)
{
    RUN(all_is_there_before_the_core_boots);
    RUN(the_boot_log_tells_of_this_board);
    RUN(nvs_that_cannot_be_read_is_made_anew);
    free(core);
    return 0;
}
