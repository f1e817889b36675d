// SPDX-License-Identifier: Apache-2.0
#include "dhcp_watch.h"

#include <string.h>

#define ETHERNET_BYTES 14u
#define IPV4_BYTES 20u
#define UDP_BYTES 8u
#define BOOTP_BYTES 236u /* RFC 2131, figure 1, up to the options */
#define COOKIE_BYTES 4u
#define OPTION_PAD 0u
#define OPTION_TYPE 53u
#define OPTION_END 255u

/* A run of bytes; every step inward is checked against what encloses it. */
typedef struct {
    const uint8_t *bytes;
    size_t length;
} span;

static const span NOTHING = {NULL, 0};

static uint32_t be16(const uint8_t *bytes)
{
    return ((uint32_t)bytes[0] << 8) | bytes[1];
}

static span ipv4_of(span frame)
{
    if (frame.length < ETHERNET_BYTES + IPV4_BYTES || be16(frame.bytes + 12) != 0x0800u) {
        return NOTHING;
    }
    span packet = {frame.bytes + ETHERNET_BYTES, frame.length - ETHERNET_BYTES};
    size_t header = (size_t)(packet.bytes[0] & 15u) * 4u;
    size_t total = be16(packet.bytes + 2);
    if (packet.bytes[0] >> 4 != 4u || header < IPV4_BYTES || total < header || total > packet.length) {
        return NOTHING;
    }
    packet.length = total; /* what follows is Ethernet padding */
    return packet;
}

/* UDP payload of a packet that is no fragment. */
static span udp_of(span packet, uint32_t *source, uint32_t *destination)
{
    if (packet.length == 0 || packet.bytes[9] != 17u || (be16(packet.bytes + 6) & 0x3FFFu) != 0) {
        return NOTHING;
    }
    size_t header = (size_t)(packet.bytes[0] & 15u) * 4u;
    span datagram = {packet.bytes + header, packet.length - header};
    if (datagram.length < UDP_BYTES) {
        return NOTHING;
    }
    size_t stated = be16(datagram.bytes + 4);
    if (stated < UDP_BYTES || stated > datagram.length) {
        return NOTHING;
    }
    *source = be16(datagram.bytes);
    *destination = be16(datagram.bytes + 2);
    return (span){datagram.bytes + UDP_BYTES, stated - UDP_BYTES};
}

static uint8_t message_type(span options)
{
    size_t at = 0;
    while (at < options.length && options.bytes[at] != OPTION_END) {
        if (options.bytes[at] == OPTION_PAD) {
            at++;
            continue;
        }
        if (options.length - at < 2 || options.length - at - 2 < options.bytes[at + 1]) {
            return FW_DHCP_NONE;
        }
        if (options.bytes[at] == OPTION_TYPE) {
            return options.bytes[at + 1] == 1 && options.bytes[at + 2] <= FW_DHCP_INFORM ? options.bytes[at + 2]
                                                                                         : (uint8_t)FW_DHCP_NONE;
        }
        at += 2u + options.bytes[at + 1];
    }
    return FW_DHCP_NONE;
}

fw_dhcp_seen fw_dhcp_watch(const uint8_t *frame, size_t length)
{
    static const uint8_t COOKIE[COOKIE_BYTES] = {99, 130, 83, 99};
    fw_dhcp_seen seen = {FW_DHCP_NONE, false, {0}};
    uint32_t source = 0;
    uint32_t destination = 0;
    span message = udp_of(ipv4_of((span){frame, length}), &source, &destination);
    if (message.length < BOOTP_BYTES + COOKIE_BYTES ||
        memcmp(message.bytes + BOOTP_BYTES, COOKIE, COOKIE_BYTES) != 0) {
        return seen;
    }
    bool request = source == 68 && destination == 67 && message.bytes[0] == 1;
    bool reply = source == 67 && destination == 68 && message.bytes[0] == 2;
    if (request || reply) {
        size_t fixed = BOOTP_BYTES + COOKIE_BYTES;
        seen.from_client = request;
        seen.type = message_type((span){message.bytes + fixed, message.length - fixed});
        memcpy(seen.yiaddr, message.bytes + 16, sizeof seen.yiaddr);
    }
    return seen;
}

static const char *dhcp_kind(uint8_t type)
{
    static const char *const KINDS[] = {
        "UDP",         "DHCP_DISCOVER", "DHCP_OFFER", "DHCP_REQUEST", "DHCP_DECLINE",
        "DHCP_ACK",    "DHCP_NAK",      "DHCP_RELEASE", "DHCP_INFORM",
    };
    return type < sizeof KINDS / sizeof KINDS[0] ? KINDS[type] : KINDS[0];
}

const char *fw_frame_kind(const uint8_t *frame, size_t length)
{
    if (length < ETHERNET_BYTES) {
        return "RUNT";
    }
    switch (be16(frame + 12)) {
    case 0x0806u:
        return "ARP";
    case 0x86DDu:
        return "IPV6";
    case 0x0800u:
        break;
    default:
        return "ETHERNET";
    }
    span packet = ipv4_of((span){frame, length});
    if (packet.length == 0) {
        return "IPV4";
    }
    switch (packet.bytes[9]) {
    case 1:
        return "ICMP";
    case 6:
        return "TCP";
    case 17:
        return dhcp_kind(fw_dhcp_watch(frame, length).type);
    default:
        return "IPV4";
    }
}
