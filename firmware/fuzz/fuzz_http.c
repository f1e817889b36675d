// SPDX-License-Identifier: Apache-2.0
/* Requests, one a line: a byte for the room that the answer has, the method, a blank, the path. */
#include "bed.h"

static const size_t ROOMS[] = {FW_RESPONSE_BYTES, 0, 1, 40, 700, 4096};

static void request(fw_core *core, size_t room, const char *method, const char *path, uint32_t now)
{
    char *body = malloc(room > 0 ? room : 1);
    HOLDS(body != NULL);
    fw_response response = {.body = body, .capacity = room};
    fw_http_request(core, method, path, now, &response);
    HOLDS(response.length <= room && response.content_type != NULL && response.headers != NULL);
    HOLDS(response.status >= 200 && response.status < 600);
    free(body);
}

static void read_stream(fw_core *core, fw_log_cursor *cursor, uint32_t now)
{
    char chunk[FW_SSE_CHUNK_BYTES];
    HOLDS(fw_log_stream_next(core, cursor, now, chunk, sizeof chunk) < sizeof chunk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    uint32_t now = 0;
    fw_core *core = booted(take_byte(&in), &now);
    fw_log_cursor cursor = {0};
    while (in.left > 0) {
        size_t room = ROOMS[take_byte(&in) % (sizeof ROOMS / sizeof ROOMS[0])];
        const uint8_t *end = memchr(in.at, '\n', in.left);
        size_t length = 0;
        char *line = (char *)take_bytes(&in, end == NULL ? in.left : (size_t)(end - in.at), &length);
        char *text = malloc(length + 1);
        HOLDS(text != NULL);
        memcpy(text, line, length);
        text[length] = '\0';
        char *path = strchr(text, ' ');
        if (path != NULL) {
            *path++ = '\0';
        }
        request(core, room, text, path == NULL ? "" : path, now);
        read_stream(core, &cursor, now);
        free(line);
        free(text);
        (void)take_byte(&in); /* the line's end */
        pass_time(core, &now, 7);
    }
    return 0;
}
