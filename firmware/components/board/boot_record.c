// SPDX-License-Identifier: Apache-2.0
#include "board.h"
#include "esp_attr.h"
#include "esp_system.h"
#include "nvs.h"

#define NAMESPACE "hil"
#define KEY "boots"
#define MAGIC 0x68696c31u

/* Survives every reset but the loss of power. */
static RTC_NOINIT_ATTR struct {
    uint32_t magic;
    uint32_t boots;
} kept;

const char *board_reset_reason(void)
{
    switch (esp_reset_reason()) {
    case ESP_RST_POWERON:
        return "POWERON";
    case ESP_RST_EXT:
        return "EXT";
    case ESP_RST_SW:
        return "SW";
    case ESP_RST_PANIC:
        return "PANIC";
    case ESP_RST_INT_WDT:
        return "INT_WDT";
    case ESP_RST_TASK_WDT:
        return "TASK_WDT";
    case ESP_RST_WDT:
        return "WDT";
    case ESP_RST_DEEPSLEEP:
        return "DEEPSLEEP";
    case ESP_RST_BROWNOUT:
        return "BROWNOUT";
    case ESP_RST_SDIO:
        return "SDIO";
    default: /* later versions of ESP-IDF know more */
        return "UNKNOWN";
    }
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
