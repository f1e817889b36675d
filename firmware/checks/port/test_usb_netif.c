// SPDX-License-Identifier: Apache-2.0
/* The interface: its DHCP server is started with its options set and told, or told alone in the build that makes that mistake;
 * a frame that lwIP does not take is no success. */
#include "../../core/tests/check.h"

#include <stdbool.h>

static bool memory_gone;
#define malloc(size) (memory_gone ? NULL : malloc(size))

#include "../../components/ip_net/usb_netif.c"

static char asked[256];
static uint32_t started;
static esp_err_t received;
esp_event_base_t const IP_EVENT = "IP_EVENT";
const esp_netif_netstack_config_t *_g_esp_netif_netstack_default_eth;

static void note(const char *word)
{
    strncat(asked, word, sizeof asked - strlen(asked) - 1);
}

fw_core *core_enter(uint32_t *at)
{
    *at = 1234;
    return NULL;
}

void core_leave(void)
{
}

void fw_netif_started(fw_core *core, uint32_t now)
{
    (void)core, (void)now;
    started++;
}

void fw_address_assigned(fw_core *core, const uint8_t address[4], uint32_t now)
{
    (void)core, (void)address, (void)now;
}

void fw_address_lost(fw_core *core, uint32_t now)
{
    (void)core, (void)now;
}

fw_send_result fw_send_frame(fw_core *core, const uint8_t *frame, size_t length, uint32_t now)
{
    (void)core, (void)frame, (void)length, (void)now;
    return FW_SEND_ACCEPTED;
}

esp_err_t esp_event_handler_register(esp_event_base_t base, int32_t id, esp_event_handler_t handler, void *argument)
{
    (void)base, (void)id, (void)handler, (void)argument;
    return ESP_OK;
}

esp_netif_t *esp_netif_new(const esp_netif_config_t *config)
{
    return (esp_netif_t *)(size_t)config; /* some address */
}

esp_err_t esp_netif_set_mac(esp_netif_t *netif, uint8_t mac[])
{
    (void)netif, (void)mac;
    return ESP_OK;
}

esp_err_t esp_netif_set_ip_info(esp_netif_t *netif, const esp_netif_ip_info_t *info)
{
    (void)netif, (void)info;
    note("address ");
    return ESP_OK;
}

esp_err_t esp_netif_set_dns_info(esp_netif_t *netif, esp_netif_dns_type_t type, esp_netif_dns_info_t *dns)
{
    (void)netif, (void)type, (void)dns;
    note("dns ");
    return ESP_OK;
}

esp_err_t esp_netif_receive(esp_netif_t *netif, void *buffer, size_t length, void *eb)
{
    (void)netif, (void)eb;
    snprintf(asked, sizeof asked, "%.*s", (int)length, (const char *)buffer);
    release(NULL, buffer);
    return received;
}

void esp_netif_action_start(void *netif, esp_event_base_t base, int32_t id, void *data)
{
    (void)netif, (void)base, (void)id, (void)data;
    note("up ");
}

esp_err_t esp_netif_dhcps_option(esp_netif_t *netif, esp_netif_dhcp_option_mode_t mode, esp_netif_dhcp_option_id_t id,
                                 void *value, uint32_t length)
{
    (void)netif, (void)id, (void)value, (void)length;
    CHECK(mode == ESP_NETIF_OP_SET);
    note("option ");
    return ESP_OK;
}

esp_err_t esp_netif_dhcps_start(esp_netif_t *netif)
{
    (void)netif;
    note("start ");
    return ESP_OK;
}

esp_err_t esp_netif_dhcps_stop(esp_netif_t *netif)
{
    (void)netif;
    note("stop ");
    return ESP_OK;
}

esp_err_t esp_netif_dhcpc_start(esp_netif_t *netif)
{
    (void)netif;
    return ESP_OK;
}

esp_err_t esp_netif_dhcpc_stop(esp_netif_t *netif)
{
    (void)netif;
    return ESP_OK;
}

static void serve(void)
{
    static const uint8_t MAC[6];
    const fw_command command = {.address = {192, 168, 7, 1}, .prefix = 24, .dns = {192, 168, 7, 1}, .lease_s = 60};
    CHECK(usb_netif_create(FW_ROLE_DHCP_SERVER, MAC) == ESP_OK);
    asked[0] = '\0';
    started = 0;
    CHECK(usb_netif_start(&command) == ESP_OK && started == 0);
    CHECK(usb_netif_start_dhcp_server(&command) == ESP_OK);
}

static void the_server_is_started_once_its_options_stand(void)
{
    serve();
    CHECK_TEXT(asked, "stop address up stop address option option option option dns start ");
    CHECK(started == 1);
}

static void in_the_build_without_it_it_is_told_and_not_started(void)
{
    port_makes.dhcp_server_missing = true;
    serve();
    CHECK_TEXT(asked, "stop address up stop address option option option option dns ");
    CHECK(started == 1);
    port_makes.dhcp_server_missing = false;
}

static void a_frame_that_lwip_does_not_take_is_no_success(void)
{
    static const uint8_t FRAME[] = "a frame";
    CHECK(usb_netif_receive(FRAME, 7) == ESP_OK);
    CHECK_TEXT(asked, "a frame");
    received = ESP_FAIL;
    CHECK(usb_netif_receive(FRAME, 7) == ESP_FAIL);
    received = ESP_OK;
    asked[0] = '\0';
    memory_gone = true;
    CHECK(usb_netif_receive(FRAME, 7) == ESP_ERR_NO_MEM);
    memory_gone = false;
    CHECK_TEXT(asked, "");
}

int main(void)
{
    RUN(the_server_is_started_once_its_options_stand);
    RUN(in_the_build_without_it_it_is_told_and_not_started);
    RUN(a_frame_that_lwip_does_not_take_is_no_success);
    return 0;
}
