// SPDX-License-Identifier: Apache-2.0
#include "dhcp_nak.h"

#include "dhcp_watch.h"

#define ETHERNET_BYTES 14u
#define UDP_BYTES 8u
#define OPTIONS_AT 240u /* of a DHCP message: RFC 2131, figure 1, and the cookie */
#define OPTION_PAD 0u
#define OPTION_SERVER_ID 54u
#define OPTION_END 255u
#define ADDED_BYTES 6u

static uint32_t be16(const uint8_t *bytes)
{
    return ((uint32_t)bytes[0] << 8) | bytes[1];
}

static uint32_t sum16(uint32_t sum, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        sum += i % 2 == 0 ? (uint32_t)bytes[i] << 8 : bytes[i];
    }
    return sum;
}

/* RFC 768: over addresses, protocol, length and the datagram; a sum of 0 is sent as all ones. */
static void put_udp_checksum(const uint8_t *ip, uint8_t *udp, size_t length)
{
    udp[6] = udp[7] = 0;
    uint32_t sum = sum16(sum16(17u + (uint32_t)length, ip + 12, 8), udp, length);
    while (sum >> 16 != 0) {
        sum = (sum & 0xFFFFu) + (sum >> 16);
    }
    uint32_t checksum = sum == 0xFFFFu ? sum : ~sum & 0xFFFFu;
    udp[6] = (uint8_t)(checksum >> 8);
    udp[7] = (uint8_t)checksum;
}

/* Where the end mark is, or `length` where option 54 is there already or no end mark is. */
static size_t end_mark(const uint8_t *options, size_t length)
{
    size_t at = 0;
    while (at < length && options[at] != OPTION_END && options[at] != OPTION_SERVER_ID) {
        at += options[at] == OPTION_PAD || at + 1 == length ? 1u : 2u + options[at + 1];
    }
    return at < length && options[at] == OPTION_END ? at : length;
}

bool fw_dhcp_nak_name(uint8_t *frame, size_t length, const uint8_t server[4])
{
    fw_dhcp_seen seen = fw_dhcp_watch(frame, length);
    if (seen.type != FW_DHCP_NAK || seen.from_client) {
        return false;
    }
    uint8_t *ip = frame + ETHERNET_BYTES; /* its lengths were checked on the way to the message type */
    uint8_t *udp = ip + (size_t)(ip[0] & 15u) * 4u;
    uint8_t *options = udp + UDP_BYTES + OPTIONS_AT;
    size_t room = be16(udp + 4) - UDP_BYTES - OPTIONS_AT;
    size_t at = end_mark(options, room);
    if (at == room || room - at <= ADDED_BYTES) {
        return false;
    }
    const uint8_t added[ADDED_BYTES + 1] = {OPTION_SERVER_ID, 4, server[0], server[1], server[2], server[3], OPTION_END};
    for (size_t i = 0; i < sizeof added; i++) {
        options[at + i] = added[i];
    }
    if (be16(udp + 6) != 0) {
        put_udp_checksum(ip, udp, be16(udp + 4));
    }
    return true;
}
