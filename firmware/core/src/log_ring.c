// SPDX-License-Identifier: Apache-2.0
#include "log_ring.h"

#include <string.h>

void fw_log_ring_init(fw_log_ring *ring)
{
    ring->total = 0;
    ring->stored = 0;
}

void fw_log_ring_add(fw_log_ring *ring, const char *text, size_t length)
{
    fw_ring_line *line = &ring->lines[ring->total % FW_RING_LINES];
    size_t kept = length < FW_RING_LINE_BYTES ? length : FW_RING_LINE_BYTES;
    memcpy(line->text, text, kept);
    line->length = (uint8_t)kept;
    ring->total++;
    if (ring->stored < FW_RING_LINES) {
        ring->stored++;
    }
}

uint32_t fw_log_ring_oldest(const fw_log_ring *ring)
{
    return ring->total - ring->stored;
}

const fw_ring_line *fw_log_ring_line(const fw_log_ring *ring, uint32_t number)
{
    uint32_t age = ring->total - number;
    if (age == 0 || age > ring->stored) {
        return NULL;
    }
    return &ring->lines[number % FW_RING_LINES];
}

void fw_log_ring_dump(const fw_log_ring *ring, fw_text *out)
{
    if (ring->stored == 0) {
        fw_text_add(out, "(no logs in buffer)\n");
    }
    for (uint32_t i = 0; i < ring->stored; i++) {
        const fw_ring_line *line = fw_log_ring_line(ring, fw_log_ring_oldest(ring) + i);
        fw_text_bytes(out, line->text, line->length);
        fw_text_bytes(out, "\n", 1);
    }
}
