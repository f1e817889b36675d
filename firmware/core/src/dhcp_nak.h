// SPDX-License-Identifier: Apache-2.0
/* A DHCPNAK must name the server that it is from (RFC 2131, table 3), or careful clients take it for nobody's.
   ESP-IDF's server leaves the name out (espressif/esp-idf issue 19120). */
#ifndef FW_DHCP_NAK_H
#define FW_DHCP_NAK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Puts option 54 into the padding of a DHCPNAK that has none; true where it did. Leaves every other frame alone. */
bool fw_dhcp_nak_name(uint8_t *frame, size_t length, const uint8_t server[4]);

#endif
