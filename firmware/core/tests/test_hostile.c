// SPDX-License-Identifier: Apache-2.0
/* Inputs in any order, frames of any content: nothing is read or written out of bounds, every promise of size holds. */
#include "bench.h"
#include "frames.h"

#define ROUNDS 20000

static uint32_t state = 20260101;

static uint32_t random_below(uint32_t limit)
{
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % limit;
}

static test_frame random_arp(void)
{
    static const uint8_t ADDRESSES[][4] = {{192, 168, 7, 1}, {192, 168, 7, 9}, {0, 0, 0, 0}};
    return arp_frame((uint8_t)random_below(4), random_below(3) == 0 ? TEST_MAC : OTHER_MAC,
                     ADDRESSES[random_below(3)], ADDRESSES[random_below(3)]);
}

static test_frame random_frame(void)
{
    if (random_below(8) == 0) {
        return random_arp();
    }
    test_frame frame = random_below(2) == 0 ? dhcp_typed((int)random_below(2), (uint8_t)random_below(10))
                                            : ethernet_frame((uint16_t)(0x0800 + random_below(8)), 14 + random_below(1600));
    for (uint32_t i = random_below(6); i > 0; i--) {
        frame.bytes[random_below((uint32_t)frame.length)] = (uint8_t)random_below(256);
    }
    if (random_below(4) == 0) { /* cut, to its exact length */
        size_t length = random_below((uint32_t)frame.length) + 1;
        uint8_t *cut = malloc(length);
        CHECK(cut != NULL);
        memcpy(cut, frame.bytes, length);
        free(frame.bytes);
        frame = (test_frame){cut, length};
    }
    return frame;
}

static void throw_frame(bench *b)
{
    test_frame frame = random_frame();
    switch (random_below(3)) {
    case 0:
        fw_frame_received(b->core, frame.bytes, frame.length, b->now);
        break;
    case 1:
        fw_send_frame(b->core, frame.bytes, frame.length, b->now);
        break;
    default:
        fw_frame_sent(b->core, frame.bytes, frame.length, random_below(2) == 0, "ESP_FAIL\n\x80", b->now);
        break;
    }
    free(frame.bytes);
}

static void throw_request(bench *b)
{
    static const char *const PATHS[] = {"/",     "/led",  "/led/on", "/led/off", "/reset?x=1", "/logs", "/logs_all",
                                        "/events", "/status", "/version", "",       "?",          "//",    "/\xff\x01",   "/bootloader"};
    static const size_t CAPACITIES[] = {0, 1, 40, 3000, FW_RESPONSE_BYTES};
    size_t capacity = CAPACITIES[random_below(5)];
    char *exact = malloc(capacity + 1); /* a write past the capacity would hit the mark */
    CHECK(exact != NULL);
    exact[capacity] = 'M';
    fw_response response = {.body = exact, .capacity = capacity};
    fw_http_request(b->core, random_below(2) == 0 ? "GET" : "POST", PATHS[random_below(15)], b->now, &response);
    CHECK(exact[capacity] == 'M');
    CHECK(response.length <= capacity && response.content_type != NULL && response.headers != NULL);
    free(exact);
}

static void throw_line(bench *b)
{
    uint8_t line[1200];
    size_t length = random_below(sizeof line);
    for (size_t i = 0; i < length; i++) {
        line[i] = (uint8_t)random_below(256);
    }
    fw_log_foreign(b->core, (const char *)line, length, b->now);
}

static void throw_serial(bench *b)
{
    static const char *const PIECES[] = {"boot", "loader", "bootloader\n", "reset", "\r\n", "x\n", "\xff\x01"};
    const char *piece = PIECES[random_below(7)];
    uint8_t *exact = malloc(strlen(piece));
    CHECK(exact != NULL);
    memcpy(exact, piece, strlen(piece));
    fw_serial_received(b->core, exact, strlen(piece), b->now);
    free(exact);
}

static void throw_input(bench *b)
{
    static const uint8_t ADDRESS[4] = {10, 0, 0, 1};
    switch (random_below(18)) {
    case 0:
        fw_mounted(b->core, b->now);
        break;
    case 1:
        fw_unmounted(b->core, b->now);
        break;
    case 2:
        fw_suspended(b->core, random_below(2) == 0, b->now);
        break;
    case 3:
        fw_resumed(b->core, b->now);
        break;
    case 4:
        fw_line_state(b->core, random_below(2) == 0, false, b->now);
        break;
    case 5:
        fw_netif_started(b->core, b->now);
        break;
    case 6:
        throw_line(b);
        break;
    case 7:
        throw_request(b);
        break;
    case 8:
        if (random_below(200) == 0) {
            fw_boot(b->core, "PANIC and a reason of more than thirty-one bytes", b->now);
        }
        break;
    case 9:
    case 10:
    case 11:
        fw_wake(b->core, b->now);
        break;
    case 12:
        throw_serial(b);
        break;
    case 13:
        if (random_below(2) == 0) {
            fw_address_assigned(b->core, ADDRESS, b->now);
        } else {
            fw_address_lost(b->core, b->now);
        }
        break;
    default:
        throw_frame(b);
        break;
    }
}

/* Also input from within the core's own steps. */
static void interfere(void *user, uint32_t point, uint32_t now)
{
    static int depth = 0;
    CHECK(fw_point_name(point) != NULL);
    if (depth == 0 && random_below(10) == 0) {
        bench *b = user;
        CHECK(now == b->now);
        depth++;
        throw_input(b);
        depth--;
    }
}

static void check_commands(bench *b)
{
    fw_command command;
    size_t bytes = 0;
    bool restart = false;
    while (fw_next_command(b->core, &command)) {
        CHECK(command.kind >= FW_START_USB && command.kind < FW_COMMAND_KINDS);
        CHECK(command.length <= FW_MAX_FRAME);
        CHECK(command.kind != FW_LINK_STATE || command.text != NULL);
        CHECK(command.kind != FW_CONSOLE_WRITE || command.bytes[command.length - 1] == '\n');
        restart = restart || command.kind == FW_RESTART;
        for (size_t i = 0; i < command.length; i++) {
            bytes += command.bytes[i];
        }
    }
    CHECK(bytes < SIZE_MAX);
    if (restart) {
        fw_boot(b->core, "SW", b->now);
    }
}

static void throw_everything(const fw_config *config)
{
    static char chunk[FW_SSE_CHUNK_BYTES];
    bench *b = bench_new(config, UINT32_MAX - 1000000u);
    fw_log_cursor cursor = {0};
    fw_set_mac(b->core, (const uint8_t *)TEST_MAC);
    fw_set_points(b->core, interfere, b);
    fw_boot(b->core, "POWERON", b->now);
    for (int round = 0; round < ROUNDS; round++) {
        b->now += random_below(200);
        throw_input(b);
        if (random_below(5) != 0) { /* else the queue fills up */
            check_commands(b);
        }
        CHECK(fw_log_stream_next(b->core, &cursor, b->now, chunk, sizeof chunk) < sizeof chunk);
    }
    bench_free(b);
}

static void nothing_breaks_in_any_role(void)
{
    for (uint32_t role = FW_ROLE_DHCP_SERVER; role <= FW_ROLE_STATIC; role++) {
        fw_config config;
        fw_default_config(&config);
        config.role = role;
        throw_everything(&config);
    }
}

static void nothing_breaks_whatever_mistake_is_made(void)
{
    for (uint32_t i = 0; fw_mistake_name(i) != NULL; i++) {
        fw_config config;
        fw_default_config(&config);
        config.role = i % 3;
        CHECK(fw_make_mistake(&config, fw_mistake_name(i)));
        throw_everything(&config);
    }
}

int main(void)
{
    RUN(nothing_breaks_in_any_role);
    RUN(nothing_breaks_whatever_mistake_is_made);
    return 0;
}
