// SPDX-License-Identifier: Apache-2.0
/* lwip */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct ip4_addr {
    uint32_t addr;
} ip4_addr_t;
enum { OFFER_START, OFFER_ROUTER = 1, OFFER_DNS = 2 };
typedef struct {
    bool enable;
    ip4_addr_t start_ip;
    ip4_addr_t end_ip;
} dhcps_lease_t;
