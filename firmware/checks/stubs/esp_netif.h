// SPDX-License-Identifier: Apache-2.0
/* esp_netif */
#pragma once
#include <stddef.h>

#include "esp_event.h"
#include "esp_netif_ip_addr.h"

typedef struct esp_netif_obj esp_netif_t;
typedef struct {
    esp_ip4_addr_t ip;
    esp_ip4_addr_t netmask;
    esp_ip4_addr_t gw;
} esp_netif_ip_info_t;
typedef enum {
    ESP_NETIF_DHCP_CLIENT = 1 << 0,
    ESP_NETIF_DHCP_SERVER = 1 << 1,
    ESP_NETIF_FLAG_AUTOUP = 1 << 2,
    ESP_NETIF_FLAG_GARP = 1 << 3,
    ESP_NETIF_FLAG_EVENT_IP_MODIFIED = 1 << 4,
} esp_netif_flags_t;
typedef enum { IP_EVENT_STA_GOT_IP, IP_EVENT_STA_LOST_IP, IP_EVENT_ETH_GOT_IP = 4, IP_EVENT_ETH_LOST_IP } ip_event_t;
extern esp_event_base_t const IP_EVENT;
typedef struct {
    esp_netif_t *esp_netif;
    esp_netif_ip_info_t ip_info;
    bool ip_changed;
} ip_event_got_ip_t;
typedef struct bridgeif_config bridgeif_config_t;
typedef struct {
    esp_netif_flags_t flags;
    uint8_t mac[6];
    const esp_netif_ip_info_t *ip_info;
    uint32_t get_ip_event;
    uint32_t lost_ip_event;
    const char *if_key;
    const char *if_desc;
    int route_prio;
    bridgeif_config_t *bridge_info;
} esp_netif_inherent_config_t;
typedef struct {
    void *handle;
    esp_err_t (*transmit)(void *handle, void *buffer, size_t length);
    esp_err_t (*transmit_wrap)(void *handle, void *buffer, size_t length, void *netstack_buffer);
    void (*driver_free_rx_buffer)(void *handle, void *buffer);
} esp_netif_driver_ifconfig_t;
typedef struct esp_netif_netstack_config esp_netif_netstack_config_t;
extern const esp_netif_netstack_config_t *_g_esp_netif_netstack_default_eth;
#define ESP_NETIF_NETSTACK_DEFAULT_ETH _g_esp_netif_netstack_default_eth
typedef struct {
    const esp_netif_inherent_config_t *base;
    const esp_netif_driver_ifconfig_t *driver;
    const esp_netif_netstack_config_t *stack;
} esp_netif_config_t;
typedef enum { ESP_NETIF_OP_START, ESP_NETIF_OP_SET, ESP_NETIF_OP_GET } esp_netif_dhcp_option_mode_t;
typedef enum {
    ESP_NETIF_DOMAIN_NAME_SERVER = 6,
    ESP_NETIF_ROUTER_SOLICITATION_ADDRESS = 32,
    ESP_NETIF_REQUESTED_IP_ADDRESS = 50,
    ESP_NETIF_IP_ADDRESS_LEASE_TIME = 51,
} esp_netif_dhcp_option_id_t;
typedef enum { ESP_NETIF_DNS_MAIN } esp_netif_dns_type_t;
typedef struct {
    esp_ip_addr_t ip;
} esp_netif_dns_info_t;

esp_err_t esp_netif_init(void);
esp_netif_t *esp_netif_new(const esp_netif_config_t *config);
esp_err_t esp_netif_set_mac(esp_netif_t *netif, uint8_t mac[]);
esp_err_t esp_netif_set_ip_info(esp_netif_t *netif, const esp_netif_ip_info_t *info);
esp_err_t esp_netif_set_dns_info(esp_netif_t *netif, esp_netif_dns_type_t type, esp_netif_dns_info_t *dns);
esp_err_t esp_netif_receive(esp_netif_t *netif, void *buffer, size_t length, void *eb);
void esp_netif_action_start(void *netif, esp_event_base_t base, int32_t id, void *data);
esp_err_t esp_netif_dhcps_option(esp_netif_t *netif, esp_netif_dhcp_option_mode_t mode, esp_netif_dhcp_option_id_t id,
                                 void *value, uint32_t length);
esp_err_t esp_netif_dhcps_start(esp_netif_t *netif);
esp_err_t esp_netif_dhcpc_start(esp_netif_t *netif);
esp_err_t esp_netif_dhcpc_stop(esp_netif_t *netif);
esp_err_t esp_netif_dhcps_stop(esp_netif_t *netif);
esp_err_t esp_netif_str_to_ip4(const char *text, esp_ip4_addr_t *address);
