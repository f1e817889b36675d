// SPDX-License-Identifier: Apache-2.0
/* The log on the serial port: never waited for, never cut, and honest about what was dropped. */
#include "../../core/tests/check.h"

#include "../../components/usb_link/cdc_console.c"

static char written[4096];
static size_t length_written, room, flushes;
static const char *incoming = "";
static char heard[256];

uint32_t core_now(void)
{
    return 1234;
}

fw_core *core_enter(uint32_t *at)
{
    *at = core_now();
    return NULL;
}

void core_leave(void)
{
}

void fw_line_state(fw_core *core, bool dtr, bool rts, uint32_t now)
{
    (void)core, (void)dtr, (void)rts, (void)now;
}

void fw_serial_received(fw_core *core, const uint8_t *bytes, size_t length, uint32_t now)
{
    (void)core, (void)now;
    strncat(heard, (const char *)bytes, length);
}

esp_err_t tinyusb_cdcacm_init(const tinyusb_config_cdcacm_t *config)
{
    return config->callback_rx == NULL ? ESP_FAIL : ESP_OK;
}

uint32_t tud_cdc_n_write_available(uint8_t itf)
{
    (void)itf;
    return (uint32_t)room;
}

size_t tinyusb_cdcacm_write_queue(tinyusb_cdcacm_itf_t itf, const uint8_t *bytes, size_t length)
{
    (void)itf;
    CHECK(length <= room || port_makes.log_cut);
    length = length < room ? length : room; /* as esp_tinyusb takes it */
    memcpy(written + length_written, bytes, length);
    length_written += length;
    written[length_written] = '\0';
    room -= length;
    return length;
}

esp_err_t tinyusb_cdcacm_write_flush(tinyusb_cdcacm_itf_t itf, uint32_t timeout_ticks)
{
    (void)itf;
    CHECK(timeout_ticks == 0); /* or the core's task would wait for the host */
    flushes++;
    return ESP_FAIL;
}

esp_err_t tinyusb_cdcacm_read(tinyusb_cdcacm_itf_t itf, uint8_t *bytes, size_t capacity, size_t *length)
{
    (void)itf;
    *length = strlen(incoming) < capacity ? strlen(incoming) : capacity;
    memcpy(bytes, incoming, *length);
    incoming += *length;
    return ESP_OK;
}

static void write_line(const char *line)
{
    usb_link_write_log((const uint8_t *)line, strlen(line));
}

static void nothing_is_written_before_the_port_is_there(void)
{
    room = 100;
    write_line("early\n");
    CHECK(length_written == 0 && flushes == 0);
    CHECK(cdc_console_start() == ESP_OK);
}

static void lines_without_room_are_dropped_whole_and_told(void)
{
    room = 10;
    write_line("fits\n");
    write_line("does not\n");
    write_line("nor this\n");
    CHECK_TEXT(written, "fits\n");
    room = 70; /* for the line, not for the note with it */
    write_line("a line too long to stand beside the note\n");
    CHECK_TEXT(written, "fits\n");
    room = 1000;
    write_line("last\n");
    CHECK_TEXT(written, "fits\nW (1234) cdc: 3 log lines dropped\nlast\n");
    write_line("after\n");
    CHECK_TEXT(written, "fits\nW (1234) cdc: 3 log lines dropped\nlast\nafter\n");
}

static void the_build_that_cuts_lines_drops_their_ends_untold(void)
{
    length_written = 0;
    port_makes.log_cut = true;
    room = 8;
    write_line("cut in mid text\n");
    room = 100;
    write_line("next\n");
    CHECK_TEXT(written, "cut in mnext\n");
    port_makes.log_cut = false;
}

static void the_silent_build_writes_nothing(void)
{
    length_written = 0;
    written[0] = '\0';
    port_makes.serial_silent = true;
    room = 100;
    write_line("nobody reads this\n");
    CHECK_TEXT(written, "");
    port_makes.serial_silent = false;
}

static void all_that_came_is_read(void)
{
    cdcacm_event_t event = {0};
    incoming = "bootloader\n";
    on_bytes(0, &event);
    CHECK_TEXT(heard, "bootloader\n");
}

int main(void)
{
    RUN(nothing_is_written_before_the_port_is_there);
    RUN(lines_without_room_are_dropped_whole_and_told);
    RUN(the_build_that_cuts_lines_drops_their_ends_untold);
    RUN(the_silent_build_writes_nothing);
    RUN(all_that_came_is_read);
    return 0;
}
