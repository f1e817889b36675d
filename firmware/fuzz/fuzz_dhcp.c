// SPDX-License-Identifier: Apache-2.0
/* DHCP whose headers are right and whose options are the input: a byte for the role, one for the direction. */
#include "bed.h"

#define FIXED (14u + 20u + 8u + 240u)

static void put16(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static uint8_t *frame_of(const uint8_t *options, size_t count, bool from_client)
{
    static const uint8_t COOKIE[4] = {99, 130, 83, 99};
    static const uint8_t BROADCAST[6] = {255, 255, 255, 255, 255, 255};
    static const uint8_t OFFERED[4] = {192, 168, 7, 2};
    uint8_t *frame = calloc(1, FIXED + count);
    HOLDS(frame != NULL);
    uint8_t *ip = frame + 14;
    memcpy(frame, BROADCAST, sizeof BROADCAST);
    put16(frame + 12, 0x0800);
    ip[0] = 0x45;
    put16(ip + 2, FIXED + count - 14u);
    ip[8] = 64;
    ip[9] = 17;
    put16(ip + 20, from_client ? 68 : 67);
    put16(ip + 22, from_client ? 67 : 68);
    put16(ip + 24, FIXED + count - 34u);
    ip[28] = from_client ? 1 : 2;
    ip[29] = 1;
    ip[30] = 6;
    memcpy(ip + 44, OFFERED, sizeof OFFERED);
    memcpy(ip + 264, COOKIE, sizeof COOKIE);
    if (count > 0) {
        memcpy(frame + FIXED, options, count);
    }
    return frame;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    uint32_t now = 0;
    fw_core *core = booted(take_byte(&in), &now);
    bool from_client = (take_byte(&in) & 1u) != 0;
    size_t count = in.left < FW_MAX_FRAME - FIXED ? in.left : FW_MAX_FRAME - FIXED;
    uint8_t *frame = frame_of(in.at, count, from_client);
    (void)fw_frame_received(core, frame, FIXED + count, now);
    (void)fw_send_frame(core, frame, FIXED + count, now);
    drain(core);
    fw_frame_sent(core, frame, FIXED + count, true, "", now);
    fw_frame_sent(core, frame, FIXED + count, false, "ESP_ERR_TIMEOUT", now);
    pass_time(core, &now, 100);
    free(frame);
    return 0;
}
