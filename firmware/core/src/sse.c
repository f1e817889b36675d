// SPDX-License-Identifier: Apache-2.0
#include "sse.h"

#include <inttypes.h>

/* A line end inside the text starts a further `data:` line; the reader joins them again with LF. */
static void add_event(fw_text *out, const fw_ring_line *line)
{
    size_t start = 0;
    for (size_t i = 0; i <= line->length; i++) {
        bool end = i == line->length;
        if (!end && line->text[i] != '\n' && line->text[i] != '\r') {
            continue;
        }
        fw_text_add(out, "data: ");
        fw_text_bytes(out, line->text + start, i - start);
        fw_text_bytes(out, "\n", 1);
        if (!end && line->text[i] == '\r' && i + 1 < line->length && line->text[i + 1] == '\n') {
            i++;
        }
        start = i + 1;
    }
    fw_text_bytes(out, "\n", 1);
}

/* Where lines are gone before they were read, the reader is told how many. */
static bool skip_lost(const fw_log_ring *ring, fw_log_cursor *cursor, fw_text *out)
{
    uint32_t behind = ring->total - cursor->next;
    if (behind <= ring->stored) {
        return false;
    }
    cursor->next = fw_log_ring_oldest(ring);
    if (behind > UINT32_MAX / 2) { /* a cursor of an earlier boot */
        return false;
    }
    fw_text_add(out, ": %" PRIu32 " lines lost\n\n", behind - ring->stored);
    return true;
}

size_t fw_sse_next(const fw_log_ring *ring, fw_log_cursor *cursor, uint32_t keepalive_ms, uint32_t now, fw_text *out)
{
    if (cursor->greeted == 0) {
        cursor->greeted = 1;
        cursor->next = fw_log_ring_oldest(ring);
        fw_text_add(out, ": ESP32 log stream connected\n\n");
    } else if (!skip_lost(ring, cursor, out)) {
        const fw_ring_line *line = fw_log_ring_line(ring, cursor->next);
        if (line != NULL) {
            cursor->next++;
            add_event(out, line);
        } else if (now - cursor->spoke_ms >= keepalive_ms) {
            fw_text_add(out, ": keepalive\n\n");
        }
    }
    if (out->length > 0) {
        cursor->spoke_ms = now;
    }
    return out->length;
}
