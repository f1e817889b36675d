// SPDX-License-Identifier: Apache-2.0
/* Ethernet frames of any length and content, in both directions, with time passing: a byte for what happens, two for length. */
#include "bed.h"

static void happen(fw_core *core, uint8_t what, const uint8_t *frame, size_t length, uint32_t *now)
{
    switch (what % 8u) {
    case 0:
    case 1:
    case 2:
        HOLDS(!fw_frame_received(core, frame, length, *now) || length >= FW_MIN_FRAME);
        break;
    case 3:
        HOLDS(fw_send_frame(core, frame, length, *now) != FW_SEND_ACCEPTED || length <= FW_MAX_FRAME);
        break;
    case 4:
        fw_frame_sent(core, frame, length, true, "", *now);
        break;
    case 5:
        fw_frame_sent(core, frame, length, false, "ESP_FAIL", *now);
        break;
    case 6:
        fw_unmounted(core, *now);
        fw_mounted(core, *now);
        break;
    default:
        pass_time(core, now, (uint32_t)length * 8u);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    uint32_t now = 0;
    fw_core *core = booted(take_byte(&in), &now);
    while (in.left > 0) {
        size_t length = 0;
        uint8_t what = take_byte(&in);
        size_t wanted = take_byte(&in);
        wanted |= (size_t)take_byte(&in) << 8;
        uint8_t *frame = take_bytes(&in, wanted, &length);
        happen(core, what, frame, length, &now);
        free(frame);
        pass_time(core, &now, what);
    }
    return 0;
}
