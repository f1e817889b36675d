// SPDX-License-Identifier: Apache-2.0
#include "check.h"
#include "sse.h"

static fw_log_ring ring;
static fw_log_cursor cursor;

static void begin(void)
{
    fw_log_ring_init(&ring);
    memset(&cursor, 0, sizeof cursor);
}

static void add(const char *text)
{
    fw_log_ring_add(&ring, text, strlen(text));
}

static const char *next(uint32_t now)
{
    static char data[FW_SSE_CHUNK_BYTES];
    fw_text out;
    fw_text_init(&out, data, sizeof data);
    fw_sse_next(&ring, &cursor, 5000, now, &out);
    CHECK(!out.overflow);
    return data;
}

static void stream_greets_then_replays_from_the_oldest_line(void)
{
    begin();
    add("one");
    add("two");
    CHECK_TEXT(next(0), ": ESP32 log stream connected\n\n");
    CHECK_TEXT(next(0), "data: one\n\n");
    CHECK_TEXT(next(0), "data: two\n\n");
    CHECK_TEXT(next(0), "");
}

static void inner_line_ends_become_data_lines(void)
{
    begin();
    next(0);
    add("a\nb\r\nc\rd\n");
    CHECK_TEXT(next(0), "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n");
}

static void silence_of_five_seconds_gives_a_comment(void)
{
    begin();
    next(UINT32_MAX - 1000);
    CHECK_TEXT(next(UINT32_MAX - 1000 + 4999), "");
    CHECK_TEXT(next(UINT32_MAX - 1000 + 5000), ": keepalive\n\n");
    CHECK_TEXT(next(UINT32_MAX - 1000 + 5001), "");
}

static void reader_that_fell_behind_is_told_how_many_lines_are_lost(void)
{
    begin();
    next(0);
    for (uint32_t i = 0; i < FW_RING_LINES + 7; i++) {
        add(i == 7 ? "first kept" : "x");
    }
    CHECK_TEXT(next(0), ": 7 lines lost\n\n");
    CHECK_TEXT(next(0), "data: first kept\n\n");
}

static void cursor_of_an_earlier_boot_starts_over(void)
{
    begin();
    cursor.greeted = 1;
    cursor.next = 500;
    add("one");
    CHECK_TEXT(next(0), "data: one\n\n");
}

static void worst_line_fits_a_chunk(void)
{
    char line[FW_RING_LINE_BYTES + 50];
    begin();
    next(0);
    memset(line, '\n', sizeof line);
    fw_log_ring_add(&ring, line, sizeof line);
    CHECK(strlen(next(0)) == 256 * strlen("data: \n") + 1);
}

static void dump_of_a_full_ring_fits_a_response(void)
{
    static char data[FW_RESPONSE_BYTES];
    char line[FW_RING_LINE_BYTES];
    fw_text out;
    begin();
    memset(line, 'x', sizeof line);
    for (uint32_t i = 0; i < 3 * FW_RING_LINES; i++) {
        fw_log_ring_add(&ring, line, sizeof line);
    }
    fw_text_init(&out, data, sizeof data);
    fw_log_ring_dump(&ring, &out);
    CHECK(!out.overflow && out.length == FW_RING_LINES * (FW_RING_LINE_BYTES + 1));
}

int main(void)
{
    RUN(stream_greets_then_replays_from_the_oldest_line);
    RUN(inner_line_ends_become_data_lines);
    RUN(silence_of_five_seconds_gives_a_comment);
    RUN(reader_that_fell_behind_is_told_how_many_lines_are_lost);
    RUN(cursor_of_an_earlier_boot_starts_over);
    RUN(worst_line_fits_a_chunk);
    RUN(dump_of_a_full_ring_fits_a_response);
    return 0;
}
