// SPDX-License-Identifier: Apache-2.0
/* Commands on their way out, with the bytes they carry, in one ring of bytes. */
#ifndef FW_COMMAND_QUEUE_H
#define FW_COMMAND_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fw_core.h"

#define FW_QUEUE_BYTES 8192u
#define FW_QUEUE_RESERVE 512u /* kept for commands without bytes, which must not be lost */

/* Where a log line goes; stands in `argument` of FW_CONSOLE_WRITE. */
#define FW_SINK_CONSOLE 1u
#define FW_SINK_CDC 2u

typedef struct {
    const char *text;
    uint32_t argument;
    uint16_t kind; /* fw_command_kind; 0: skip to the start of the ring */
    uint16_t length;
} fw_queued;

typedef struct {
    uint8_t bytes[FW_QUEUE_BYTES];
    size_t head; /* the oldest record */
    size_t used;
    bool taken;  /* the oldest record was handed out and waits to be dropped */
} fw_command_queue;

void fw_queue_init(fw_command_queue *queue);
/* False where there is no room; nothing is queued then. */
bool fw_queue_push(fw_command_queue *queue, fw_queued record, const uint8_t *bytes);
/* The bytes of the record that was pushed last, which has `length` of them. */
uint8_t *fw_queue_newest(fw_command_queue *queue, uint16_t length);
/* The oldest record and its bytes, which stay valid until the next call; false where there is none. */
bool fw_queue_take(fw_command_queue *queue, fw_queued *record, const uint8_t **bytes);
/* Take the same record once more, with another argument. */
void fw_queue_keep(fw_command_queue *queue, uint32_t argument);
size_t fw_queue_free(const fw_command_queue *queue);

#endif
