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
    switch (random_below(20)) {
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
    case 14:
        fw_http_sent(b->core, b->now);
        break;
    case 15:
        fw_frame_refused(b->core, "ESP_ERR_NO_MEM\n\x80 and a reason of more than sixty-three bytes, all in all", b->now);
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

static bool counted(bench *b, const char *what, unsigned times)
{
    char text[64];
    snprintf(text, sizeof text, "\"%s\": %u,\n", what, times);
    return strstr(bench_get(b, "/version"), text) != NULL;
}

/* On a link that is up, before any frame came. */
static bench *connected(void)
{
    bench *b = bench_booted(NULL, 5000);
    fw_mounted(b->core, b->now);
    bench_until(b, 600);
    CHECK(fw_link_up(b->core));
    bench_forget(b);
    return b;
}

static void frame_of_no_frames_length_is_refused_and_counted(void)
{
    static const size_t LENGTHS[] = {0, 1, FW_MIN_FRAME - 1, FW_MAX_FRAME + 1, 65535};
    const unsigned count = sizeof LENGTHS / sizeof LENGTHS[0];
    bench *b = connected();
    for (unsigned i = 0; i < count; i++) {
        uint8_t *bytes = calloc(1, LENGTHS[i] + (LENGTHS[i] == 0));
        CHECK(bytes != NULL);
        CHECK(!fw_frame_received(b->core, bytes, LENGTHS[i], b->now));
        CHECK(fw_send_frame(b->core, bytes, LENGTHS[i], b->now) == FW_SEND_BAD_LENGTH);
        free(bytes);
    }
    bench_until(b, 700);
    CHECK_TEXT(b->said, ""); /* none of them left */
    CHECK(counted(b, "rx_dropped", count) && counted(b, "tx_dropped", count));
    CHECK(strstr(bench_get(b, "/status"), "\"FIRST_RX\": false") != NULL);
    bench_free(b);
}

static void frames_that_the_stack_does_not_take_are_counted_and_told_once_a_second(void)
{
    bench *b = connected();
    fw_frame_refused(b->core, "ESP_ERR_NO_MEM", b->now);
    fw_frame_refused(b->core, "ESP_ERR_NO_MEM", b->now + 999);
    CHECK(counted(b, "rx_dropped", 2));
    const char *told = strstr(bench_get(b, "/logs_all"), "net: RX: ESP_ERR_NO_MEM, dropping\n");
    CHECK(told != NULL && strstr(told + 1, "net: RX") == NULL);
    fw_frame_refused(b->core, "later\n", b->now + 1000);
    CHECK(counted(b, "rx_dropped", 3));
    CHECK(strstr(bench_get(b, "/logs_all"), "net: RX: later") != NULL);
    bench_free(b);
}

static void shortest_and_longest_frame_are_taken(void)
{
    bench *b = connected();
    for (int i = 0; i < 2; i++) {
        test_frame frame = ethernet_frame(0x88B5, i == 0 ? FW_MIN_FRAME : FW_MAX_FRAME);
        CHECK(fw_frame_received(b->core, frame.bytes, frame.length, b->now));
        CHECK(fw_send_frame(b->core, frame.bytes, frame.length, b->now) == FW_SEND_ACCEPTED);
        free(frame.bytes);
    }
    CHECK(counted(b, "rx_dropped", 0) && counted(b, "tx_dropped", 0));
    bench_free(b);
}

/* lwIP takes a UDP datagram whose length goes beyond the packet. */
static void frame_that_lies_about_its_lengths_is_refused_and_counted(void)
{
    static const struct {
        size_t at;
        size_t value;
    } LIES[] = {{16, 65535}, {16, 0}, {16, 19}, {38, 65535}, {38, 7}, {38, 0}, {14, 0x4400}, {14, 0x6500}};
    const unsigned count = sizeof LIES / sizeof LIES[0];
    bench *b = connected();
    for (size_t i = 0; i < count; i++) {
        test_frame frame = dhcp_typed(1, 1);
        put16(frame.bytes + LIES[i].at, LIES[i].value); /* IP's total length, UDP's length, IP's version and header */
        CHECK(!fw_frame_received(b->core, frame.bytes, frame.length, b->now));
        free(frame.bytes);
    }
    test_frame cut = ethernet_frame(0x0800, 33);
    CHECK(!fw_frame_received(b->core, cut.bytes, cut.length, b->now));
    free(cut.bytes);
    CHECK(counted(b, "rx_malformed", count + 1) && counted(b, "rx_dropped", count + 1));
    CHECK(strstr(bench_get(b, "/logs_all"), "net: RX: IPv4 header is wrong, dropping\n") != NULL);
    CHECK(strstr(bench_get(b, "/events"), "ms] DHCP_DISCOVER") == NULL);
    CHECK(strstr(bench_get(b, "/status"), "\"FIRST_RX\": true") != NULL); /* the host did speak */
    test_frame honest = dhcp_typed(1, 1);
    CHECK(fw_frame_received(b->core, honest.bytes, honest.length, b->now));
    free(honest.bytes);
    CHECK(strstr(bench_get(b, "/events"), "ms] DHCP_DISCOVER_RX") != NULL);
    CHECK(counted(b, "rx_malformed", count + 1));
    bench_free(b);
}

static void what_is_right_though_unusual_is_handed_over(void)
{
    bench *b = connected();
    test_frame fragment = dhcp_typed(1, 1);
    put16(fragment.bytes + 20, 0x2000); /* the first of several: UDP's length is that of the whole */
    put16(fragment.bytes + 38, 9000);
    test_frame later = dhcp_typed(1, 1);
    put16(later.bytes + 20, 0x0100);
    put16(later.bytes + 38, 0);
    test_frame shorter = dhcp_typed(1, 1);
    put16(shorter.bytes + 38, 8 + 240); /* bytes behind a datagram */
    test_frame other = dhcp_typed(1, 1);
    other.bytes[23] = 6;
    put16(other.bytes + 38, 0);
    test_frame arp = ethernet_frame(0x0806, 20);
    test_frame six = ethernet_frame(0x86DD, 20);
    const test_frame all[] = {fragment, later, shorter, other, arp, six};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        CHECK(fw_frame_received(b->core, all[i].bytes, all[i].length, b->now));
        free(all[i].bytes);
    }
    CHECK(counted(b, "rx_malformed", 0) && counted(b, "rx_dropped", 0));
    bench_free(b);
}

static void receive_options(bench *b, const uint8_t *options, size_t count)
{
    test_frame frame = dhcp_frame(1, options, count);
    CHECK(fw_frame_received(b->core, frame.bytes, frame.length, b->now));
    free(frame.bytes);
}

/* The DHCP server's own parser has to stop where they do. */
static void option_that_runs_past_the_end_is_counted_and_claims_nothing(void)
{
    static const uint8_t OPTIONS[][4] = {{53, 1}, {53, 2, 1}, {61, 255, 53, 1}, {53}, {0, 0, 0, 53}};
    static const size_t COUNTS[] = {2, 3, 4, 1, 4};
    const unsigned count = sizeof COUNTS / sizeof COUNTS[0];
    bench *b = connected();
    for (size_t i = 0; i < count; i++) {
        receive_options(b, OPTIONS[i], COUNTS[i]);
    }
    CHECK(strstr(bench_get(b, "/events"), "ms] DHCP_DISCOVER") == NULL);
    CHECK(counted(b, "rx_malformed", count) && counted(b, "rx_dropped", 0));
    receive_options(b, (const uint8_t[]){53, 1, 1, 61, 9, 1}, 6); /* behind the type too */
    CHECK(strstr(bench_get(b, "/events"), "ms] DHCP_DISCOVER_RX") != NULL);
    CHECK(counted(b, "rx_malformed", count + 1));
    receive_options(b, (const uint8_t[]){53, 1, 1, 255, 61, 9}, 6); /* behind the end mark is nothing */
    receive_options(b, (const uint8_t[]){53, 1, 1}, 3);             /* without an end mark, and in bounds */
    CHECK(counted(b, "rx_malformed", count + 1));
    bench_free(b);
}

static void message_too_short_for_dhcp_is_counted(void)
{
    bench *b = connected();
    test_frame frame = dhcp_typed(1, 1);
    put16(frame.bytes + 38, 8 + 239);
    CHECK(fw_frame_received(b->core, frame.bytes, frame.length, b->now));
    put16(frame.bytes + 36, 69); /* to another port: no DHCP */
    CHECK(fw_frame_received(b->core, frame.bytes, frame.length, b->now));
    free(frame.bytes);
    CHECK(counted(b, "rx_malformed", 1) && counted(b, "rx_dropped", 0));
    bench_free(b);
}

static uint32_t ask(bench *b, const char *method, const char *path)
{
    static char body[FW_RESPONSE_BYTES];
    fw_response response = {.body = body, .capacity = sizeof body};
    fw_http_request(b->core, method, path, b->now, &response);
    CHECK(response.stream == 0 && response.length < sizeof body);
    return response.status;
}

static void request_that_is_none_is_refused_and_counted(void)
{
    char longest[5000];
    memset(longest, 'a', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    bench *b = connected();
    CHECK(ask(b, "GET", "") == 404); /* cut off before its path */
    CHECK(ask(b, "", "/status") == 405);
    CHECK(ask(b, "GE", "/status") == 405);
    CHECK(ask(b, "GET", "/stat") == 404);
    CHECK(ask(b, "GET", longest) == 414);
    CHECK(ask(b, longest, "/status") == 405);
    CHECK(ask(b, "POST", "/status") == 405);
    CHECK(ask(b, "GET", "/reset") == 405);
    CHECK(ask(b, "get", "/status") == 405);
    CHECK(ask(b, "GET", "/nowhere") == 404);
    CHECK(ask(b, "GET", "/status/../reset") == 404);
    CHECK(ask(b, "GET", "/events?since=-1") == 400);
    CHECK(counted(b, "http_refused", 12));
    fw_http_refused(b->core, 431, b->now); /* what the server itself has refused */
    CHECK(counted(b, "http_refused", 13));
    CHECK(strstr(bench_get(b, "/logs_all"), "http: Refused a request: 431\n") != NULL);
    bench_until(b, 3000);
    CHECK(strstr(b->said, "restart") == NULL);
    bench_free(b);
}

static void requests_behind_each_other_are_told_apart(void)
{
    bench *b = connected();
    for (int i = 0; i < 3; i++) { /* as a server takes them from one connection, one after the other */
        CHECK(ask(b, "GET", "/status") == 200);
        CHECK(ask(b, "BREW", "/status") == 405);
        CHECK(ask(b, "POST", "/led/on") == 200);
    }
    CHECK(counted(b, "http_refused", 3));
    bench_free(b);
}

int main(void)
{
    RUN(frame_of_no_frames_length_is_refused_and_counted);
    RUN(frames_that_the_stack_does_not_take_are_counted_and_told_once_a_second);
    RUN(shortest_and_longest_frame_are_taken);
    RUN(frame_that_lies_about_its_lengths_is_refused_and_counted);
    RUN(what_is_right_though_unusual_is_handed_over);
    RUN(option_that_runs_past_the_end_is_counted_and_claims_nothing);
    RUN(message_too_short_for_dhcp_is_counted);
    RUN(request_that_is_none_is_refused_and_counted);
    RUN(requests_behind_each_other_are_told_apart);
    RUN(nothing_breaks_in_any_role);
    RUN(nothing_breaks_whatever_mistake_is_made);
    return 0;
}
