// SPDX-License-Identifier: Apache-2.0
/* How the interface comes by its address: the difference between the roles. */
#ifndef FW_ADDRESS_H
#define FW_ADDRESS_H

#include "fw_core.h"

void fw_address_boot(fw_core *core);
/* FW_START_NETIF and what follows it in the server role. */
void fw_address_start_netif(fw_core *core);
void fw_address_start_server(fw_core *core);
/* The host was told that the link is up, or down. */
void fw_address_link(fw_core *core, bool up, uint32_t now);
/* While the bus sleeps nothing can be probed. */
void fw_address_suspended(fw_core *core, uint32_t now);
void fw_address_heard(fw_core *core, const uint8_t *frame, size_t length, uint32_t now);
/* Whether the IP stack may send this frame now. */
fw_send_result fw_address_allows(const fw_core *core, const uint8_t *frame, size_t length);
/* What became of a frame. */
void fw_address_sent(fw_core *core, const uint8_t *frame, size_t length, bool ok, uint32_t now);
bool fw_address_due(const fw_core *core, uint32_t now);
void fw_address_run(fw_core *core, uint32_t now);

#endif
