// SPDX-License-Identifier: Apache-2.0
/* esp_netif */
#pragma once
#include "esp_err.h"

typedef struct {
    uint32_t addr;
} esp_ip4_addr_t;
typedef struct {
    uint32_t addr[4];
    uint8_t zone;
} esp_ip6_addr_t;
typedef struct {
    union {
        esp_ip6_addr_t ip6;
        esp_ip4_addr_t ip4;
    } u_addr;
    uint8_t type;
} esp_ip_addr_t;

#define ESP_IPADDR_TYPE_V4 0U
#define esp_netif_htonl(x)                                                                                             \
    ((((x) & 0xffUL) << 24) | (((x) & 0xff00UL) << 8) | (((x) & 0xff0000UL) >> 8) | (((x) & 0xff000000UL) >> 24))
#define ESP_IP4TOUINT32(a, b, c, d)                                                                                    \
    (((uint32_t)((a) & 0xffU) << 24) | ((uint32_t)((b) & 0xffU) << 16) | ((uint32_t)((c) & 0xffU) << 8) |              \
     (uint32_t)((d) & 0xffU))
#define ESP_IP4TOADDR(a, b, c, d) esp_netif_htonl(ESP_IP4TOUINT32(a, b, c, d))
#define esp_ip4_octet(ip, n) (((const uint8_t *)&(ip)->addr)[n])
#define IPSTR "%d.%d.%d.%d"
#define IP2STR(ip) esp_ip4_octet(ip, 0), esp_ip4_octet(ip, 1), esp_ip4_octet(ip, 2), esp_ip4_octet(ip, 3)
