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

static span ipv4_of(span frame, uint8_t *flaw)
{
    if (frame.length < ETHERNET_BYTES || be16(frame.bytes + 12) != 0x0800u) {
        return NOTHING;
    }
    *flaw = FW_FLAW_IP;
    if (frame.length < ETHERNET_BYTES + IPV4_BYTES) {
        return NOTHING;
    }
    span packet = {frame.bytes + ETHERNET_BYTES, frame.length - ETHERNET_BYTES};
    size_t header = (size_t)(packet.bytes[0] & 15u) * 4u;
    size_t total = be16(packet.bytes + 2);
    if (packet.bytes[0] >> 4 != 4u || header < IPV4_BYTES || total < header || total > packet.length) {
        return NOTHING;
    }
    *flaw = FW_FLAW_NONE;
    packet.length = total; /* what follows is Ethernet padding */
    return packet;
}

/* UDP payload of a packet that is no fragment. */
static span udp_of(span packet, uint32_t *source, uint32_t *destination, uint8_t *flaw)
{
    if (packet.length == 0 || packet.bytes[9] != 17u || (be16(packet.bytes + 6) & 0x3FFFu) != 0) {
        return NOTHING;
    }
    *flaw = FW_FLAW_UDP;
    size_t header = (size_t)(packet.bytes[0] & 15u) * 4u;
    span datagram = {packet.bytes + header, packet.length - header};
    if (datagram.length < UDP_BYTES) {
        return NOTHING;
    }
    size_t stated = be16(datagram.bytes + 4);
    if (stated < UDP_BYTES || stated > datagram.length) {
        return NOTHING;
    }
    *flaw = FW_FLAW_NONE;
    *source = be16(datagram.bytes);
    *destination = be16(datagram.bytes + 2);
    return (span){datagram.bytes + UDP_BYTES, stated - UDP_BYTES};
}

static uint8_t type_of(const uint8_t *option)
{
    return option[1] == 1 && option[2] <= FW_DHCP_INFORM ? option[2] : (uint8_t)FW_DHCP_NONE;
}

/* The first message type counts, whatever comes behind it. False where an option leads past the end. */
static bool read_options(span options, uint8_t *type)
{
    size_t at = 0;
    bool typed = false;
    while (at < options.length && options.bytes[at] != OPTION_END) {
        if (options.bytes[at] == OPTION_PAD) {
            at++;
            continue;
        }
        if (options.length - at < 2 || options.length - at - 2 < options.bytes[at + 1]) {
            return false;
        }
        if (options.bytes[at] == OPTION_TYPE && !typed) {
            typed = true;
            *type = type_of(options.bytes + at);
        }
        at += 2u + options.bytes[at + 1];
    }
    return true;
}

static void read_message(span message, bool from_client, fw_dhcp_seen *seen)
{
    static const uint8_t COOKIE[COOKIE_BYTES] = {99, 130, 83, 99};
    const size_t fixed = BOOTP_BYTES + COOKIE_BYTES;
    if (message.length < fixed) {
        seen->flaw = FW_FLAW_DHCP;
        return;
    }
    if (memcmp(message.bytes + BOOTP_BYTES, COOKIE, COOKIE_BYTES) != 0 || message.bytes[0] != (from_client ? 1u : 2u)) {
        return;
    }
    seen->from_client = from_client;
    memcpy(seen->yiaddr, message.bytes + 16, sizeof seen->yiaddr);
    if (!read_options((span){message.bytes + fixed, message.length - fixed}, &seen->type)) {
        seen->flaw = FW_FLAW_DHCP;
    }
}

fw_dhcp_seen fw_dhcp_watch(const uint8_t *frame, size_t length)
{
    fw_dhcp_seen seen = {FW_DHCP_NONE, false, FW_FLAW_NONE, {0}};
    uint32_t source = 0;
    uint32_t destination = 0;
    span packet = ipv4_of((span){frame, length}, &seen.flaw);
    span message = udp_of(packet, &source, &destination, &seen.flaw);
    bool request = source == 68 && destination == 67;
    bool reply = source == 67 && destination == 68;
    if (request || reply) {
        read_message(message, request, &seen);
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
    uint8_t flaw = FW_FLAW_NONE;
    span packet = ipv4_of((span){frame, length}, &flaw);
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
