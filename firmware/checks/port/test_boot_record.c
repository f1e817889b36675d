// SPDX-License-Identifier: Apache-2.0
/* What is said of a boot: why it came, and the how many-th it is. */
#include "../../core/tests/check.h"

#include "../../components/board/boot_record.c"

static int reason;
static bool nvs_works;
static uint32_t in_nvs;

esp_reset_reason_t esp_reset_reason(void)
{
    return (esp_reset_reason_t)reason;
}

esp_err_t nvs_open(const char *name, nvs_open_mode_t mode, nvs_handle_t *handle)
{
    CHECK_TEXT(name, "hil");
    CHECK(mode == NVS_READWRITE);
    *handle = 1;
    return nvs_works ? ESP_OK : ESP_FAIL;
}

esp_err_t nvs_get_u32(nvs_handle_t handle, const char *key, uint32_t *value)
{
    (void)handle;
    CHECK_TEXT(key, "boots");
    *value = in_nvs;
    return in_nvs > 0 ? ESP_OK : ESP_ERR_NVS_NOT_FOUND;
}

esp_err_t nvs_set_u32(nvs_handle_t handle, const char *key, uint32_t value)
{
    (void)handle, (void)key;
    in_nvs = value;
    return ESP_OK;
}

esp_err_t nvs_commit(nvs_handle_t handle)
{
    (void)handle;
    return ESP_OK;
}

void nvs_close(nvs_handle_t handle)
{
    (void)handle;
}

static const char *told(int value)
{
    reason = value;
    return board_reset_reason();
}

static void a_reset_is_named_as_esp_idf_numbers_it(void)
{
    CHECK_TEXT(told(1), "POWERON");
    CHECK_TEXT(told(3), "SW");
    CHECK_TEXT(told(9), "BROWNOUT");
    CHECK_TEXT(told(10), "SDIO");
}

static void a_reset_by_the_serial_jtag_controller_has_its_name(void)
{
    CHECK_TEXT(told(11), "USB");
    CHECK_TEXT(told(12), "JTAG");
    CHECK_TEXT(told(15), "CPU_LOCKUP");
}

static void a_reason_of_a_later_esp_idf_is_unknown(void)
{
    CHECK_TEXT(told(16), "UNKNOWN");
    CHECK_TEXT(told(-1), "UNKNOWN");
}

static void boots_are_counted_in_nvs(void)
{
    nvs_works = true;
    in_nvs = 0;
    kept.magic = 0;
    CHECK(board_count_boot() == 0);
    kept.magic = 0; /* power is lost */
    CHECK(board_count_boot() == 1);
    CHECK(in_nvs == 2);
}

static void rtc_memory_counts_on_where_nvs_does_not_work(void)
{
    nvs_works = false;
    kept.magic = MAGIC;
    kept.boots = 7;
    CHECK(board_count_boot() == 7);
    CHECK(board_count_boot() == 8);
}

int main(void)
{
    RUN(a_reset_is_named_as_esp_idf_numbers_it);
    RUN(a_reset_by_the_serial_jtag_controller_has_its_name);
    RUN(a_reason_of_a_later_esp_idf_is_unknown);
    RUN(boots_are_counted_in_nvs);
    RUN(rtc_memory_counts_on_where_nvs_does_not_work);
    return 0;
}
