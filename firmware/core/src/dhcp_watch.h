// SPDX-License-Identifier: Apache-2.0
/* What a frame is, told from its bytes alone: DHCP by option 53 (RFC 2132, 9.6), never by port only. */
#ifndef FW_DHCP_WATCH_H
#define FW_DHCP_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    FW_DHCP_NONE = 0,
    FW_DHCP_DISCOVER = 1,
    FW_DHCP_OFFER = 2,
    FW_DHCP_REQUEST = 3,
    FW_DHCP_DECLINE = 4,
    FW_DHCP_ACK = 5,
    FW_DHCP_NAK = 6,
    FW_DHCP_RELEASE = 7,
    FW_DHCP_INFORM = 8,
} fw_dhcp_type;

/* What is wrong with its lengths, from the outside inward. */
typedef enum {
    FW_FLAW_NONE = 0,
    FW_FLAW_IP,   /* no IPv4 header, or one that leads past the frame */
    FW_FLAW_UDP,  /* no UDP header, or a datagram that leads past its packet */
    FW_FLAW_DHCP, /* between DHCP's ports: shorter than its fixed part, or an option that leads past the datagram */
} fw_frame_flaw;

typedef struct {
    uint8_t type;     /* fw_dhcp_type; FW_DHCP_NONE where the frame is no DHCP, or broken before its type */
    bool from_client; /* BOOTREQUEST 68 -> 67, else BOOTREPLY 67 -> 68 */
    uint8_t flaw;     /* fw_frame_flaw, of whatever frame */
    uint8_t yiaddr[4];
} fw_dhcp_seen;

fw_dhcp_seen fw_dhcp_watch(const uint8_t *frame, size_t length);
/* "ARP", "DHCP_OFFER", "TCP", "IPV6" …; never NULL. */
const char *fw_frame_kind(const uint8_t *frame, size_t length);

#endif
