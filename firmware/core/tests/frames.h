// SPDX-License-Identifier: Apache-2.0
/* Frames as hosts and servers send them, on the heap in their exact length, so that a read past the end is caught. */
#ifndef FW_FRAMES_H
#define FW_FRAMES_H

#include <stdint.h>

#include "check.h"

#define DHCP_FIXED (14u + 20u + 8u + 240u)

typedef struct {
    uint8_t *bytes;
    size_t length;
} test_frame;

static inline void put16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* DHCP with these options; `from_client` decides ports and op. */
static inline test_frame dhcp_frame(int from_client, const uint8_t *options, size_t count)
{
    test_frame frame = {calloc(1, DHCP_FIXED + count), DHCP_FIXED + count};
    CHECK(frame.bytes != NULL);
    uint8_t *ip = frame.bytes + 14;
    put16(frame.bytes + 12, 0x0800);
    ip[0] = 0x45;
    put16(ip + 2, frame.length - 14);
    ip[8] = 64;
    ip[9] = 17;
    put16(ip + 20, from_client ? 68 : 67);
    put16(ip + 22, from_client ? 67 : 68);
    put16(ip + 24, frame.length - 34);
    ip[28] = from_client ? 1 : 2;
    memcpy(ip + 28 + 16, (const uint8_t[]){192, 168, 7, 2}, 4);
    memcpy(ip + 28 + 236, (const uint8_t[]){99, 130, 83, 99}, 4);
    if (count > 0) {
        memcpy(ip + 28 + 240, options, count);
    }
    return frame;
}

static inline test_frame dhcp_typed(int from_client, uint8_t type)
{
    return dhcp_frame(from_client, (const uint8_t[]){0, 61, 2, 1, 9, 53, 1, type, 255}, 9);
}

#define TEST_MAC "\x02\x02\x11\x22\x33\x02"
#define OTHER_MAC "\x02\x00\x00\x00\x00\x99"

/* ARP of `mac` from address `sender` about `target`; op 1 asks, 2 answers. */
static inline test_frame arp_frame(uint8_t op, const char *mac, const uint8_t sender[4], const uint8_t target[4])
{
    static const uint8_t HEAD[] = {0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0};
    test_frame frame = {calloc(1, 42), 42};
    CHECK(frame.bytes != NULL);
    memset(frame.bytes, 0xFF, 6);
    memcpy(frame.bytes + 6, mac, 6);
    memcpy(frame.bytes + 12, HEAD, sizeof HEAD);
    frame.bytes[21] = op;
    memcpy(frame.bytes + 22, mac, 6);
    memcpy(frame.bytes + 28, sender, 4);
    memcpy(frame.bytes + 38, target, 4);
    return frame;
}

static inline test_frame ethernet_frame(uint16_t ethertype, size_t length)
{
    test_frame frame = {calloc(1, length), length};
    CHECK(frame.bytes != NULL);
    put16(frame.bytes + 12, ethertype);
    return frame;
}

#endif
