// SPDX-License-Identifier: Apache-2.0
#include "commands.h"

#include <string.h>

#include "console.h"
#include "esp_log.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"
#include "ip_net.h"
#include "usb_link.h"
#include "web.h"

#define LAST_LINES_MS 300u /* the core has said that it restarts, and why */

static const char TAG[] = "main";
static usb_link_names names;

void commands_init(const board_identity *identity)
{
    names = (usb_link_names){
        .serial = identity->serial, .product = "hil reference firmware", .manufacturer = "hil developers"};
    memcpy(names.host_mac, identity->host_mac, sizeof names.host_mac);
}

/* A board without one of its parts goes on: the others still say what happened. */
static void check(esp_err_t failed, const char *what)
{
    if (failed != ESP_OK) {
        ESP_LOGE(TAG, "%s: %s", what, esp_err_to_name(failed));
    }
}

static void write_console(const fw_command *command)
{
    console_write(command->bytes, command->length);
    web_log_grew();
}

static void restart(uint32_t delay_ms)
{
    vTaskDelay(pdMS_TO_TICKS(delay_ms));
    console_drain(LAST_LINES_MS);
    board_restart();
}

/* No default: a command of the core that is not translated here does not compile. */
void commands_perform(const fw_command *command)
{
    switch ((fw_command_kind)command->kind) {
    case FW_START_USB:
        check(usb_link_start(&names, usb_netif_receive), "USB");
        break;
    case FW_START_NETIF:
        check(usb_netif_start(command), "network interface");
        break;
    case FW_START_DHCP_SERVER:
        check(usb_netif_start_dhcp_server(command), "DHCP server");
        break;
    case FW_SET_ADDRESS:
        check(usb_netif_set_address(command), "address");
        break;
    case FW_CLEAR_ADDRESS:
        check(usb_netif_clear_address(), "address");
        break;
    case FW_START_DHCP_CLIENT:
        check(usb_netif_start_dhcp_client(), "DHCP client");
        break;
    case FW_STOP_DHCP_CLIENT:
        check(usb_netif_stop_dhcp_client(), "DHCP client");
        break;
    case FW_START_HTTP:
        check(web_server_start(), "HTTP server");
        break;
    case FW_USB_DISCONNECT:
        usb_link_disconnect();
        break;
    case FW_USB_CONNECT:
        usb_link_connect();
        break;
    case FW_LINK_STATE:
        usb_link_set_state(command->on != 0);
        break;
    case FW_TRANSMIT_FRAME:
        usb_link_transmit(command->bytes, command->length);
        break;
    case FW_REMOTE_WAKEUP:
        usb_link_wake_host();
        break;
    case FW_CONSOLE_WRITE:
        write_console(command);
        break;
    case FW_CDC_WRITE:
        usb_link_write_log(command->bytes, command->length);
        break;
    case FW_RESTART:
        restart(command->delay_ms);
        break;
    case FW_LED:
        board_led_set(command->on != 0);
        break;
    case FW_PHY_TO_SERIAL_JTAG:
        board_give_phy_to_serial_jtag();
        break;
    case FW_FORCE_DOWNLOAD:
        board_force_download(command->on != 0);
        break;
    case FW_COMMAND_KINDS:
        break;
    }
}
