// SPDX-License-Identifier: Apache-2.0
#include "command_queue.h"

#include <string.h>

#define ALIGNMENT 8u

static size_t span_of(size_t length)
{
    return (sizeof(fw_queued) + length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

void fw_queue_init(fw_command_queue *queue)
{
    queue->head = 0;
    queue->used = 0;
    queue->taken = false;
}

size_t fw_queue_free(const fw_command_queue *queue)
{
    return FW_QUEUE_BYTES - queue->used;
}

/* A record lies in one piece: what is left at the end of the ring and too short for it is skipped. */
bool fw_queue_push(fw_command_queue *queue, fw_queued record, const uint8_t *bytes)
{
    size_t tail = (queue->head + queue->used) % FW_QUEUE_BYTES;
    size_t span = span_of(record.length);
    size_t skip = FW_QUEUE_BYTES - tail < span ? FW_QUEUE_BYTES - tail : 0;
    size_t reserve = record.length > 0 ? FW_QUEUE_RESERVE : 0;
    if (fw_queue_free(queue) < skip + span + reserve) {
        return false;
    }
    if (skip >= sizeof(fw_queued)) {
        memset(queue->bytes + tail, 0, sizeof(fw_queued));
    }
    if (skip > 0) {
        tail = 0;
    }
    memcpy(queue->bytes + tail, &record, sizeof record);
    if (record.length > 0) {
        memcpy(queue->bytes + tail + sizeof record, bytes, record.length);
    }
    queue->used += skip + span;
    return true;
}

uint8_t *fw_queue_newest(fw_command_queue *queue, uint16_t length)
{
    return queue->bytes + (queue->head + queue->used - span_of(length)) % FW_QUEUE_BYTES + sizeof(fw_queued);
}

static void drop(fw_command_queue *queue, size_t span)
{
    queue->head = (queue->head + span) % FW_QUEUE_BYTES;
    queue->used -= span;
}

static bool at_skip(const fw_command_queue *queue, fw_queued *record)
{
    size_t left = FW_QUEUE_BYTES - queue->head;
    if (left < sizeof *record) {
        return true;
    }
    memcpy(record, queue->bytes + queue->head, sizeof *record);
    return record->kind == 0;
}

bool fw_queue_take(fw_command_queue *queue, fw_queued *record, const uint8_t **bytes)
{
    if (queue->taken) {
        memcpy(record, queue->bytes + queue->head, sizeof *record);
        queue->taken = false;
        drop(queue, span_of(record->length));
    }
    if (queue->used > 0 && at_skip(queue, record)) {
        drop(queue, FW_QUEUE_BYTES - queue->head);
    }
    if (queue->used == 0) {
        return false;
    }
    memcpy(record, queue->bytes + queue->head, sizeof *record);
    *bytes = queue->bytes + queue->head + sizeof *record;
    queue->taken = true;
    return true;
}

void fw_queue_keep(fw_command_queue *queue, uint32_t argument)
{
    fw_queued record;
    memcpy(&record, queue->bytes + queue->head, sizeof record);
    record.argument = argument;
    memcpy(queue->bytes + queue->head, &record, sizeof record);
    queue->taken = false;
}
