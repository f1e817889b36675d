// SPDX-License-Identifier: Apache-2.0
/* What happened since boot, first come first kept; the flags know even what the list had no room for. */
#ifndef FW_EVENT_LOG_H
#define FW_EVENT_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "fw_core.h"
#include "text.h"

#define FW_DETAIL_BYTES 64u /* final NUL included */

typedef enum {
    FW_EVENT_USB_MOUNTED,
    FW_EVENT_USB_UNMOUNTED,
    FW_EVENT_USB_SUSPENDED,
    FW_EVENT_USB_RESUMED,
    FW_EVENT_NCM_LINK_UP,
    FW_EVENT_NETIF_READY,
    FW_EVENT_FIRST_RX,
    FW_EVENT_FIRST_TX,
    FW_EVENT_DHCP_DISCOVER_RX,
    FW_EVENT_DHCP_OFFER_TX,
    FW_EVENT_DHCP_REQUEST_RX,
    FW_EVENT_DHCP_ACK_TX,
    FW_EVENT_DHCP_ASSIGNED,
    FW_EVENT_FLAGS, /* those above are flags of /status, in its order; those below are not */
    FW_EVENT_NCM_LINK_DOWN = FW_EVENT_FLAGS,
    FW_EVENT_DHCP_NAK_TX,
    FW_EVENT_TX_FAILED,
    FW_EVENT_USB_RECOVER,
    FW_EVENT_BOOT,
    FW_EVENT_DHCP_SERVER_STARTED,
    FW_EVENT_DHCP_CLIENT_STARTED,
    FW_EVENT_DHCP_DISCOVER_TX,
    FW_EVENT_DHCP_OFFER_RX,
    FW_EVENT_DHCP_REQUEST_TX,
    FW_EVENT_DHCP_ACK_RX,
    FW_EVENT_DHCP_NAK_RX,
    FW_EVENT_DHCP_DECLINE_TX,
    FW_EVENT_ADDRESS_SET,
    FW_EVENT_ADDRESS_CLEARED,
    FW_EVENT_ACD_PROBING,
    FW_EVENT_ACD_CONFLICT,
    FW_EVENT_ACD_DEFENDED,
    FW_EVENT_ACD_RATE_LIMITED,
    FW_EVENT_NAMES,
} fw_event_name;

typedef struct {
    uint32_t ms;
    uint8_t name;
    char detail[FW_DETAIL_BYTES];
} fw_event;

typedef struct {
    fw_event entries[FW_MAX_EVENTS];
    uint32_t capacity;
    uint32_t count;
    uint32_t discarded;
    bool flags[FW_EVENT_FLAGS];
} fw_event_log;

void fw_event_log_init(fw_event_log *log, uint32_t capacity);
/* `detail` may be "". */
void fw_event_log_record(fw_event_log *log, fw_event_name name, const char *detail, uint32_t ms);
/* The bodies of /events and /status. The first event since boot has number 1; those numbered above `since` are told.
 * Both forms say how many events had no room, unless that is hidden. */
void fw_event_log_text(const fw_event_log *log, uint32_t since, bool discards_hidden, fw_text *out);
/* Members of a JSON object, without its braces. */
void fw_event_log_members(const fw_event_log *log, uint32_t since, bool discards_hidden, fw_text *out);
void fw_event_log_json(const fw_event_log *log, fw_text *out);

#endif
