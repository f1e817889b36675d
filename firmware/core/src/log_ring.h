// SPDX-License-Identifier: Apache-2.0
/* The last FW_RING_LINES log lines, without their line ends. */
#ifndef FW_LOG_RING_H
#define FW_LOG_RING_H

#include <stdint.h>

#include "fw_core.h"
#include "text.h"

typedef struct {
    uint8_t length;
    char text[FW_RING_LINE_BYTES];
} fw_ring_line;

typedef struct {
    fw_ring_line lines[FW_RING_LINES];
    uint32_t total;  /* lines ever added; number of the next one */
    uint32_t stored; /* of them still here */
} fw_log_ring;

void fw_log_ring_init(fw_log_ring *ring);
/* Cut to FW_RING_LINE_BYTES. */
void fw_log_ring_add(fw_log_ring *ring, const char *text, size_t length);
/* Number of the oldest line still here. */
uint32_t fw_log_ring_oldest(const fw_log_ring *ring);
/* Line `number`, or NULL where it is gone or not yet written. */
const fw_ring_line *fw_log_ring_line(const fw_log_ring *ring, uint32_t number);
/* The body of /logs_all. */
void fw_log_ring_dump(const fw_log_ring *ring, fw_text *out);

#endif
