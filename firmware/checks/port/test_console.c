// SPDX-License-Identifier: Apache-2.0
/* The log on UART0: the core's task never waits for it, no line is cut, and what was dropped is told. */
#include "../../core/tests/check.h"

static char out[8192];
static size_t out_length;
static size_t put(const void *bytes, size_t length);
#define fwrite(bytes, size, count, stream) put(bytes, (size) * (count))

#include "../../main/console.c"

#define MESSAGES 64

static struct {
    size_t length;
    char bytes[FW_LOG_LINE_BYTES];
} messages[MESSAGES];
static size_t first, count, bytes_waiting, room = WAITING_BYTES;
static uint32_t ticks, per_delay;
static TaskFunction_t task;

static size_t put(const void *bytes, size_t length)
{
    memcpy(out + out_length, bytes, length);
    out_length += length;
    out[out_length] = '\0';
    return length;
}

uint32_t core_now(void)
{
    return 1234;
}

MessageBufferHandle_t xMessageBufferCreate(size_t bytes)
{
    CHECK(bytes == WAITING_BYTES);
    return (MessageBufferHandle_t)messages;
}

size_t xMessageBufferSend(MessageBufferHandle_t buffer, const void *message, size_t length, TickType_t wait)
{
    CHECK(buffer == (MessageBufferHandle_t)messages && wait == 0); /* or frames would wait behind the log */
    if (bytes_waiting + length + 4 > room) {
        return 0; /* whole or not at all, with its length before it */
    }
    messages[(first + count) % MESSAGES].length = length;
    memcpy(messages[(first + count) % MESSAGES].bytes, message, length);
    count++;
    bytes_waiting += length + 4;
    return length;
}

size_t xMessageBufferReceive(MessageBufferHandle_t buffer, void *message, size_t capacity, TickType_t wait)
{
    size_t length = count > 0 ? messages[first].length : 0;
    CHECK(buffer == (MessageBufferHandle_t)messages && wait == portMAX_DELAY);
    if (length == 0 || length > capacity) {
        return 0;
    }
    memcpy(message, messages[first].bytes, length);
    first = (first + 1) % MESSAGES;
    count--;
    bytes_waiting -= length + 4;
    return length;
}

BaseType_t xTaskCreate(TaskFunction_t code, const char *name, uint32_t stack_bytes, void *argument, UBaseType_t priority,
                       TaskHandle_t *handle)
{
    (void)name, (void)stack_bytes, (void)argument, (void)handle;
    CHECK(priority == 0); /* below whoever has a deadline */
    task = code;
    return pdPASS;
}

TickType_t xTaskGetTickCount(void)
{
    return ticks;
}

void vTaskDelay(TickType_t wait)
{
    ticks += wait;
    for (uint32_t i = 0; i < per_delay && count > 0; i++) {
        write_next();
    }
}

static void begin(void)
{
    first = count = bytes_waiting = out_length = 0;
    out[0] = '\0';
    room = WAITING_BYTES;
    dropped = 0;
    atomic_store(&accepted, 0);
    atomic_store(&written, 0);
    CHECK(console_start() == ESP_OK && task == run);
}

static void write_line(const char *line)
{
    console_write((const uint8_t *)line, strlen(line));
}

static void write_all(void)
{
    while (count > 0) {
        write_next();
    }
}

static void lines_are_written_in_order_by_the_task_alone(void)
{
    begin();
    write_line("first\n");
    write_line("second\n");
    CHECK_TEXT(out, "");
    write_all();
    CHECK_TEXT(out, "first\nsecond\n");
}

static void lines_without_room_are_dropped_whole_and_told(void)
{
    begin();
    room = 10;
    write_line("fits\n");
    write_line("does not\n");
    write_line("nor this\n");
    write_all();
    write_line("tiny\n"); /* before the note of those before it? */
    CHECK_TEXT(out, "fits\n");
    CHECK(count == 0);
    room = 60; /* for the note, not for the line with it */
    write_line("a line too long to stand beside the note\n");
    write_all();
    CHECK_TEXT(out, "fits\nW (1234) console: 3 log lines dropped\n");
    write_line("last\n");
    write_all();
    CHECK_TEXT(out, "fits\nW (1234) console: 3 log lines dropped\nW (1234) console: 1 log lines dropped\nlast\n");
}

static void the_longest_line_is_written_whole(void)
{
    char line[FW_LOG_LINE_BYTES + 2];
    begin();
    memset(line, 'x', sizeof line);
    console_write((const uint8_t *)line, FW_LOG_LINE_BYTES);
    write_all();
    CHECK(out_length == FW_LOG_LINE_BYTES);
    console_write((const uint8_t *)line, FW_LOG_LINE_BYTES + 1); /* which the task could never take out */
    CHECK(count == 0 && dropped == 1);
}

static void a_restart_waits_for_the_last_lines_and_not_for_ever(void)
{
    begin();
    per_delay = 1;
    write_line("one\n");
    write_line("two\n");
    uint32_t before = ticks;
    console_drain(300);
    CHECK_TEXT(out, "one\ntwo\n");
    CHECK(ticks - before == pdMS_TO_TICKS(2 * AGAIN_MS));
    per_delay = 0;
    write_line("three\n");
    before = ticks;
    console_drain(300);
    CHECK(ticks - before == pdMS_TO_TICKS(300));
}

int main(void)
{
    RUN(lines_are_written_in_order_by_the_task_alone);
    RUN(lines_without_room_are_dropped_whole_and_told);
    RUN(the_longest_line_is_written_whole);
    RUN(a_restart_waits_for_the_last_lines_and_not_for_ever);
    return 0;
}
