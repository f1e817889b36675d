// SPDX-License-Identifier: Apache-2.0
#include "board.h"
#include "esp_attr.h"
#include "esp_system.h"
#include "nvs.h"

#define NAMESPACE "hil"
#define KEY "boots"
#define MAGIC 0x68696c31u

/* RTC memory: survives esp_restart() and a panic, not EN or the loss of power. */
static RTC_NOINIT_ATTR struct {
    uint32_t magic;
    uint32_t boots;
} kept;

/* In esp_reset_reason_t from ESP-IDF 5.1.4 on (USB, JTAG) and from 5.2.2 on (the others); before, they are UNKNOWN. */
enum { RST_USB = ESP_RST_SDIO + 1, RST_JTAG, RST_EFUSE, RST_PWR_GLITCH, RST_CPU_LOCKUP, REASONS };

static const char *const REASON[REASONS] = {
    [ESP_RST_UNKNOWN] = "UNKNOWN",
    [ESP_RST_POWERON] = "POWERON",
    [ESP_RST_EXT] = "EXT",
    [ESP_RST_SW] = "SW",
    [ESP_RST_PANIC] = "PANIC",
    [ESP_RST_INT_WDT] = "INT_WDT",
    [ESP_RST_TASK_WDT] = "TASK_WDT",
    [ESP_RST_WDT] = "WDT",
    [ESP_RST_DEEPSLEEP] = "DEEPSLEEP",
    [ESP_RST_BROWNOUT] = "BROWNOUT",
    [ESP_RST_SDIO] = "SDIO",
    [RST_USB] = "USB",
    [RST_JTAG] = "JTAG",
    [RST_EFUSE] = "EFUSE",
    [RST_PWR_GLITCH] = "PWR_GLITCH",
    [RST_CPU_LOCKUP] = "CPU_LOCKUP",
};

const char *board_reset_reason(void)
{
    unsigned reason = (unsigned)esp_reset_reason();
    return REASON[reason < REASONS ? reason : ESP_RST_UNKNOWN];
}

uint32_t board_count_boot(void)
{
    nvs_handle_t nvs;
    uint32_t before = kept.magic == MAGIC ? kept.boots : 0;
    if (nvs_open(NAMESPACE, NVS_READWRITE, &nvs) == ESP_OK) {
        uint32_t stored = 0;
        if (nvs_get_u32(nvs, KEY, &stored) == ESP_OK && stored > before) {
            before = stored;
        }
        if (nvs_set_u32(nvs, KEY, before + 1) == ESP_OK) {
            (void)nvs_commit(nvs);
        }
        nvs_close(nvs);
    }
    kept.magic = MAGIC;
    kept.boots = before + 1;
    return before;
}
