// SPDX-License-Identifier: Apache-2.0
/* What the core decides reaches the part that does it; a restart lets the log's last lines out. */
#include <setjmp.h>

#include "../../core/tests/check.h"

#include "../../main/commands.c"

static char done[256];
static esp_err_t result;
static jmp_buf restarted;

static esp_err_t note(const char *word)
{
    strncat(done, word, sizeof done - strlen(done) - 1);
    return result;
}

void esp_log_line(const char *tag, const char *format, ...)
{
    (void)tag, (void)format;
    note("error ");
}

const char *esp_err_to_name(esp_err_t code)
{
    (void)code;
    return "";
}

esp_err_t usb_link_start(const usb_link_names *given, usb_link_deliver deliver)
{
    CHECK(deliver == usb_netif_receive && strcmp(given->serial, "7CDFA1E0C4B8") == 0 && given->host_mac[5] == 9);
    return note("usb ");
}

void usb_link_disconnect(void)
{
    note("disconnect ");
}

void usb_link_connect(void)
{
    note("connect ");
}

void usb_link_set_state(bool up)
{
    note(up ? "up " : "down ");
}

void usb_link_wake_host(void)
{
    note("wake ");
}

void usb_link_transmit(const uint8_t *frame, size_t length)
{
    CHECK(frame[0] == 'f' && length == 5);
    note("transmit ");
}

void usb_link_write_log(const uint8_t *line, size_t length)
{
    CHECK(line[0] == 'f' && length == 5);
    note("cdc ");
}

esp_err_t usb_netif_start(const fw_command *command)
{
    (void)command;
    return note("netif ");
}

esp_err_t usb_netif_start_dhcp_server(const fw_command *command)
{
    (void)command;
    return note("server ");
}

esp_err_t usb_netif_set_address(const fw_command *command)
{
    (void)command;
    return note("address ");
}

esp_err_t usb_netif_clear_address(void)
{
    return note("no-address ");
}

esp_err_t usb_netif_start_dhcp_client(void)
{
    return note("client ");
}

esp_err_t usb_netif_stop_dhcp_client(void)
{
    return note("no-client ");
}

esp_err_t usb_netif_receive(const uint8_t *frame, size_t length)
{
    (void)frame, (void)length;
    return ESP_OK;
}

esp_err_t web_server_start(void)
{
    return note("http ");
}

void web_log_grew(void)
{
    note("grew ");
}

void console_write(const uint8_t *line, size_t length)
{
    CHECK(line[0] == 'f' && length == 5);
    note("console ");
}

void console_drain(uint32_t within_ms)
{
    CHECK(within_ms > 0 && within_ms <= 500); /* the host waits for the restart */
    note("drain ");
}

void board_led_set(bool on)
{
    note(on ? "light " : "dark ");
}

void board_give_phy_to_serial_jtag(void)
{
    note("phy ");
}

void board_force_download(bool on)
{
    note(on ? "force " : "clear ");
}

void board_restart(void)
{
    note("restart ");
    longjmp(restarted, 1);
}

void vTaskDelay(TickType_t ticks)
{
    CHECK(ticks == pdMS_TO_TICKS(20));
    note("delay ");
}

static void perform(uint32_t kind, uint32_t on)
{
    const fw_command command = {
        .kind = kind, .on = on, .delay_ms = 20, .bytes = (const uint8_t *)"frame", .length = 5, .text = ""};
    done[0] = '\0';
    if (setjmp(restarted) == 0) {
        commands_perform(&command);
    }
}

static void each_command_reaches_the_part_that_does_it(void)
{
    static const struct {
        uint32_t kind, on;
        const char *done;
    } EACH[] = {
        {FW_START_USB, 0, "usb "},
        {FW_START_NETIF, 0, "netif "},
        {FW_START_DHCP_SERVER, 0, "server "},
        {FW_SET_ADDRESS, 0, "address "},
        {FW_CLEAR_ADDRESS, 0, "no-address "},
        {FW_START_DHCP_CLIENT, 0, "client "},
        {FW_STOP_DHCP_CLIENT, 0, "no-client "},
        {FW_START_HTTP, 0, "http "},
        {FW_USB_DISCONNECT, 0, "disconnect "},
        {FW_USB_CONNECT, 0, "connect "},
        {FW_LINK_STATE, 1, "up "},
        {FW_LINK_STATE, 0, "down "},
        {FW_TRANSMIT_FRAME, 0, "transmit "},
        {FW_REMOTE_WAKEUP, 0, "wake "},
        {FW_CONSOLE_WRITE, 0, "console grew "},
        {FW_CDC_WRITE, 0, "cdc "},
        {FW_LED, 1, "light "},
        {FW_LED, 0, "dark "},
        {FW_PHY_TO_SERIAL_JTAG, 0, "phy "},
        {FW_FORCE_DOWNLOAD, 1, "force "},
        {FW_FORCE_DOWNLOAD, 0, "clear "},
    };
    static const board_identity IDENTITY = {.serial = "7CDFA1E0C4B8", .host_mac = {0, 0, 0, 0, 0, 9}};
    commands_init(&IDENTITY);
    for (size_t i = 0; i < sizeof EACH / sizeof EACH[0]; i++) {
        perform(EACH[i].kind, EACH[i].on);
        CHECK_TEXT(done, EACH[i].done);
    }
}

static void a_restart_lets_the_last_lines_out_first(void)
{
    perform(FW_RESTART, 0);
    CHECK_TEXT(done, "delay drain restart ");
}

static void a_part_that_fails_is_told_and_the_rest_goes_on(void)
{
    result = ESP_FAIL;
    perform(FW_START_HTTP, 0);
    CHECK_TEXT(done, "http error ");
    result = ESP_OK;
}

int main(void)
{
    RUN(each_command_reaches_the_part_that_does_it);
    RUN(a_restart_lets_the_last_lines_out_first);
    RUN(a_part_that_fails_is_told_and_the_rest_goes_on);
    return 0;
}
