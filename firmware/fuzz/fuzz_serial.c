// SPDX-License-Identifier: Apache-2.0
/* What a host writes to the CDC-ACM port, in pieces, and what the log of others brings: a byte for the kind and length. */
#include "bed.h"

static void happen(fw_core *core, uint8_t what, const uint8_t *bytes, size_t length, uint32_t *now)
{
    switch (what >> 6) {
    case 0:
    case 1:
        fw_serial_received(core, bytes, length, *now);
        break;
    case 2:
        fw_log_foreign(core, (const char *)bytes, length, *now);
        break;
    default:
        fw_line_state(core, (what & 1u) != 0, (what & 2u) != 0, *now);
        pass_time(core, now, what);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    uint32_t now = 0;
    fw_core *core = booted(take_byte(&in), &now);
    fw_log_cursor cursor = {0};
    char chunk[FW_SSE_CHUNK_BYTES];
    while (in.left > 0) {
        size_t length = 0;
        uint8_t what = take_byte(&in);
        uint8_t *bytes = take_bytes(&in, what & 0x3fu, &length);
        happen(core, what, bytes, length, &now);
        free(bytes);
        drain(core);
        HOLDS(fw_log_stream_next(core, &cursor, now, chunk, sizeof chunk) < sizeof chunk);
    }
    return 0;
}
