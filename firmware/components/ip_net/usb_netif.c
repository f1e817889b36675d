// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>

#include "core_runner.h"
#include "dhcpserver/dhcpserver.h"
#include "esp_event.h"
#include "esp_netif.h"
#include "ip_net.h"
#include "port_mistakes.h"
#include "sdkconfig.h"

#define PRIORITY 50 /* below Wi-Fi's 100: the way out, if there is one, is there */

static struct {
    esp_netif_t *netif;
    fw_role role;
} usb;

/* The DHCP client has an address. esp-netif says the same of one that the core has set; the core knows of that. */
static void on_address(void *unused, esp_event_base_t base, int32_t id, void *data)
{
    const ip_event_got_ip_t *got = data;
    (void)unused;
    (void)base;
    if (usb.role != FW_ROLE_DHCP_CLIENT) {
        return;
    }
    uint32_t now = 0;
    fw_core *core = core_enter(&now);
    if (id == IP_EVENT_ETH_GOT_IP) {
        uint8_t address[4];
        memcpy(address, &got->ip_info.ip.addr, sizeof address);
        fw_address_assigned(core, address, now);
    } else {
        fw_address_lost(core, now);
    }
    core_leave();
}

/* In lwIP's task. Never waits: the core takes the frame or refuses it. */
static esp_err_t transmit(void *handle, void *frame, size_t length)
{
    uint32_t now = 0;
    (void)handle;
    fw_core *core = core_enter(&now);
    fw_send_result result = fw_send_frame(core, frame, length, now);
    core_leave();
    return result == FW_SEND_ACCEPTED ? ESP_OK : ESP_FAIL;
}

static void release(void *handle, void *buffer)
{
    (void)handle;
    free(buffer);
}

/* No flag starts the client: the core does, when the link is up. */
static esp_netif_flags_t flags_of(fw_role role)
{
    switch (role) {
    case FW_ROLE_DHCP_SERVER:
        return ESP_NETIF_DHCP_SERVER | ESP_NETIF_FLAG_AUTOUP;
    case FW_ROLE_DHCP_CLIENT:
        return ESP_NETIF_DHCP_CLIENT | ESP_NETIF_FLAG_AUTOUP;
    case FW_ROLE_STATIC:
        break;
    }
    return ESP_NETIF_FLAG_AUTOUP;
}

esp_err_t usb_netif_create(fw_role role, const uint8_t mac[6])
{
    static const esp_netif_ip_info_t NO_ADDRESS;
    static char handle; /* esp-netif wants one that is not NULL */
    const esp_netif_inherent_config_t base = {
        .flags = flags_of(role),
        .ip_info = &NO_ADDRESS,
        .get_ip_event = IP_EVENT_ETH_GOT_IP,
        .lost_ip_event = IP_EVENT_ETH_LOST_IP,
        .if_key = "usb",
        .if_desc = "usb",
        .route_prio = PRIORITY,
    };
    const esp_netif_driver_ifconfig_t driver = {
        .handle = &handle,
        .transmit = transmit,
        .driver_free_rx_buffer = release,
    };
    const esp_netif_config_t config = {.base = &base, .driver = &driver, .stack = ESP_NETIF_NETSTACK_DEFAULT_ETH};
    uint8_t own[6];
    usb.role = role;
    usb.netif = esp_netif_new(&config);
    if (usb.netif == NULL) {
        return ESP_ERR_NO_MEM;
    }
    memcpy(own, mac, sizeof own);
    esp_err_t failed = esp_netif_set_mac(usb.netif, own);
    if (failed == ESP_OK) {
        failed = esp_event_handler_register(IP_EVENT, IP_EVENT_ETH_GOT_IP, on_address, NULL);
    }
    return failed == ESP_OK ? esp_event_handler_register(IP_EVENT, IP_EVENT_ETH_LOST_IP, on_address, NULL) : failed;
}

static uint32_t as_ip(const uint8_t octets[4])
{
    return ESP_IP4TOADDR(octets[0], octets[1], octets[2], octets[3]);
}

static uint32_t as_mask(uint32_t prefix)
{
    return prefix == 0 ? 0 : esp_netif_htonl(UINT32_MAX << (32u - prefix));
}

static esp_err_t set_address(const fw_command *command)
{
    const esp_netif_ip_info_t info = {
        .ip.addr = as_ip(command->address),
        .netmask.addr = as_mask(command->prefix),
        .gw.addr = as_ip(command->router),
    };
    return esp_netif_set_ip_info(usb.netif, &info);
}

static void tell_started(void)
{
    uint32_t now = 0;
    fw_core *core = core_enter(&now);
    fw_netif_started(core, now);
    core_leave();
}

/* esp-netif starts its DHCP server with the interface; it refuses an address while the server is not known as stopped. */
esp_err_t usb_netif_start(const fw_command *command)
{
    esp_err_t failed = ESP_OK;
    if (usb.role == FW_ROLE_DHCP_SERVER) {
        (void)esp_netif_dhcps_stop(usb.netif);
    }
    if (as_ip(command->address) != 0) {
        failed = set_address(command);
    }
    if (failed == ESP_OK) {
        esp_netif_action_start(usb.netif, NULL, 0, NULL);
    }
    if (failed == ESP_OK && usb.role != FW_ROLE_DHCP_SERVER) {
        tell_started();
    }
    return failed;
}

esp_err_t usb_netif_set_address(const fw_command *command)
{
    return set_address(command);
}

esp_err_t usb_netif_clear_address(void)
{
    static const esp_netif_ip_info_t NO_ADDRESS;
    return esp_netif_set_ip_info(usb.netif, &NO_ADDRESS);
}

esp_err_t usb_netif_start_dhcp_client(void)
{
    return esp_netif_dhcpc_start(usb.netif);
}

esp_err_t usb_netif_stop_dhcp_client(void)
{
    return esp_netif_dhcpc_stop(usb.netif);
}

static esp_err_t set_option(esp_netif_dhcp_option_id_t option, void *value, size_t length)
{
    return esp_netif_dhcps_option(usb.netif, ESP_NETIF_OP_SET, option, value, (uint32_t)length);
}

static esp_err_t set_options(const fw_command *command)
{
    dhcps_lease_t pool = {
        .enable = true,
        .start_ip.addr = as_ip(command->first),
        .end_ip.addr = as_ip(command->last),
    };
    uint32_t lease = command->lease_s / CONFIG_LWIP_DHCPS_LEASE_UNIT;
    uint8_t router = as_ip(command->router) != 0 ? OFFER_ROUTER : 0;
    uint8_t dns = as_ip(command->dns) != 0 ? OFFER_DNS : 0;
    esp_netif_dns_info_t server = {.ip.type = ESP_IPADDR_TYPE_V4, .ip.u_addr.ip4.addr = as_ip(command->dns)};
    esp_err_t failed = set_option(ESP_NETIF_REQUESTED_IP_ADDRESS, &pool, sizeof pool);
    if (failed == ESP_OK) {
        failed = set_option(ESP_NETIF_IP_ADDRESS_LEASE_TIME, &lease, sizeof lease);
    }
    if (failed == ESP_OK) {
        failed = set_option(ESP_NETIF_ROUTER_SOLICITATION_ADDRESS, &router, sizeof router);
    }
    if (failed == ESP_OK) {
        failed = set_option(ESP_NETIF_DOMAIN_NAME_SERVER, &dns, sizeof dns);
    }
    return failed == ESP_OK && dns != 0 ? esp_netif_set_dns_info(usb.netif, ESP_NETIF_DNS_MAIN, &server) : failed;
}

/* The link is down until the core knows of this: nobody is served before the options stand. */
esp_err_t usb_netif_start_dhcp_server(const fw_command *command)
{
    (void)esp_netif_dhcps_stop(usb.netif);
    esp_err_t failed = set_address(command);
    if (failed == ESP_OK) {
        failed = set_options(command);
    }
    if (failed == ESP_OK && !port_makes.dhcp_server_missing) {
        failed = esp_netif_dhcps_start(usb.netif);
    }
    if (failed == ESP_OK) {
        tell_started();
    }
    return failed;
}

esp_err_t usb_netif_receive(const uint8_t *frame, size_t length)
{
    void *copy = malloc(length);
    if (copy == NULL) {
        return ESP_ERR_NO_MEM;
    }
    memcpy(copy, frame, length);
    return esp_netif_receive(usb.netif, copy, length, NULL); /* frees the copy through release(), where it fails too */
}
