// SPDX-License-Identifier: Apache-2.0
#include "check.h"
#include "command_queue.h"

static uint32_t state = 1;

static uint32_t random_below(uint32_t limit)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % limit;
}

static void what_goes_in_comes_out_in_order_through_many_wraps(void)
{
    static fw_command_queue queue;
    static uint8_t bytes[1514];
    uint32_t pushed = 0;
    uint32_t taken = 0;
    fw_queue_init(&queue);
    for (int round = 0; round < 20000; round++) {
        size_t length = random_below(3) == 0 ? 0 : random_below(sizeof bytes);
        memset(bytes, (int)(pushed & 0xFF), length);
        fw_queued record = {NULL, pushed, 1, (uint16_t)length};
        pushed += fw_queue_push(&queue, record, bytes) ? 1 : 0;
        while (random_below(2) == 0) {
            const uint8_t *out = NULL;
            if (!fw_queue_take(&queue, &record, &out)) {
                CHECK(taken == pushed);
                break;
            }
            CHECK(record.argument == taken);
            CHECK(record.length == 0 || (out[0] == (taken & 0xFF) && out[record.length - 1] == (taken & 0xFF)));
            taken++;
        }
    }
    CHECK(taken > 5000);
}

static void commands_without_bytes_have_room_when_text_has_none(void)
{
    static fw_command_queue queue;
    static const uint8_t BYTES[500];
    fw_queued text = {NULL, 0, 1, sizeof BYTES};
    fw_queued bare = {NULL, 0, 2, 0};
    fw_queue_init(&queue);
    while (fw_queue_push(&queue, text, BYTES)) {
    }
    CHECK(fw_queue_push(&queue, bare, NULL));
    CHECK(fw_queue_free(&queue) >= FW_QUEUE_RESERVE - 64);
}

int main(void)
{
    RUN(what_goes_in_comes_out_in_order_through_many_wraps);
    RUN(commands_without_bytes_have_room_when_text_has_none);
    return 0;
}
