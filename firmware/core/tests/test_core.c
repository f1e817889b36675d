// SPDX-License-Identifier: Apache-2.0
#include "bench.h"
#include "frames.h"

static void config_out_of_range_is_refused(void)
{
    fw_config config;
    void *memory = malloc(fw_core_size());
    fw_default_config(&config);
    CHECK(fw_init(memory, fw_core_size() - 1, &config) == NULL);
    CHECK(fw_init(NULL, fw_core_size(), &config) == NULL);
    config.event_capacity = FW_MAX_EVENTS + 1;
    CHECK(fw_init(memory, fw_core_size(), &config) == NULL);
    fw_default_config(&config);
    config.role = FW_ROLE_STATIC + 1;
    CHECK(fw_init(memory, fw_core_size(), &config) == NULL);
    fw_default_config(&config);
    config.acd_probe_count = 0;
    CHECK(fw_init(memory, fw_core_size(), &config) == NULL);
    fw_default_config(&config);
    config.acd_probe_min_ms = config.acd_probe_max_ms + 1;
    CHECK(fw_init(memory, fw_core_size(), &config) == NULL);
    fw_default_config(&config);
    memset(config.elf_sha256, 'a', sizeof config.elf_sha256);
    CHECK(fw_init(memory, fw_core_size(), &config) == NULL);
    fw_default_config(&config);
    memset(config.version, 'x', sizeof config.version);
    CHECK(fw_init(memory, fw_core_size(), &config) == NULL);
    free(memory);
}

static void memory_is_as_the_readme_says(void)
{
    printf("fw_core_size() = %zu\n", fw_core_size());
    CHECK(fw_core_size() < 72u * 1024u);
}

static void full_queue_loses_lines_and_says_how_many(void)
{
    bench *b = bench_booted(NULL, 5000);
    fw_command command;
    char line[FW_LOG_LINE_BYTES];
    bool told = false;
    memset(line, 'x', sizeof line);
    for (int i = 0; i < 100; i++) {
        fw_log_foreign(b->core, line, sizeof line, b->now);
    }
    fw_mounted(b->core, b->now);
    bench_drain(b);
    CHECK(strstr(b->said, "down mounted\n") != NULL);
    fw_log_foreign(b->core, "after", 5, b->now);
    while (fw_next_command(b->core, &command)) {
        told = told || (command.kind == FW_CONSOLE_WRITE && command.length > 20 &&
                        memcmp(command.bytes + command.length - 16, " log lines lost\n", 16) == 0);
    }
    CHECK(told);
    bench_free(b);
}

static void wake_with_a_full_queue_stays_due(void)
{
    bench *b = bench_booted(NULL, 5000);
    char line[FW_LOG_LINE_BYTES];
    uint32_t deadline = 0;
    fw_mounted(b->core, b->now);
    bench_drain(b);
    memset(line, 'x', sizeof line);
    for (int i = 0; i < 20; i++) {
        fw_log_foreign(b->core, line, sizeof line, b->now);
    }
    fw_wake(b->core, b->now + 250);
    CHECK(fw_deadline(b->core, &deadline) && deadline == b->now + 250);
    bench_drain(b);
    b->now += 250;
    fw_wake(b->core, b->now);
    bench_drain(b);
    CHECK(strstr(b->said, "250 down stack_ready_kick_down\n") != NULL);
    bench_free(b);
}

static void body_that_does_not_fit_is_an_error(void)
{
    bench *b = bench_booted(NULL, 5000);
    char body[64];
    fw_response response = {.body = body, .capacity = sizeof body};
    fw_http_request(b->core, "GET", "/events", b->now, &response);
    CHECK(response.status == 500 && response.stream == 0);
    CHECK_TEXT(body, "Server has encountered an unexpected error");
    CHECK_TEXT(response.content_type, "text/html");
    bench_free(b);
}

static void other_config_counts_at_once_unless_it_is_out_of_range(void)
{
    bench *b = bench_booted(NULL, 5000);
    fw_config config;
    fw_default_config(&config);
    config.tick_ms = 10;
    CHECK(fw_configure(b->core, &config));
    config.event_capacity = 0;
    config.tick_ms = 1000;
    CHECK(!fw_configure(b->core, &config));
    fw_mounted(b->core, b->now);
    bench_until(b, 100);
    CHECK(strstr(b->said, "10 down stack_ready_kick_down\n") != NULL);
    bench_free(b);
}

static void mount_from(void *user, uint32_t point, uint32_t now)
{
    bench *b = user;
    if (point == FW_POINT_BEFORE_RECOVER) {
        fw_mounted(b->core, now);
    }
}

static void mount_at_the_point_before_a_recovery_calls_it_off(void)
{
    bench *b = bench_booted(NULL, 5000);
    fw_mounted(b->core, b->now);
    fw_set_points(b->core, mount_from, b);
    bench_until(b, 10000);
    CHECK(strstr(b->said, "2500 down mounted\n") != NULL);
    CHECK(strstr(b->said, "disconnect") == NULL);
    bench_free(b);
}

static void mount_in_kick(void *user, uint32_t point, uint32_t now)
{
    bench *b = user;
    if (point == FW_POINT_LINK_KICK_END) {
        fw_set_points(b->core, NULL, NULL);
        fw_mounted(b->core, now);
    }
}

static void mount_at_the_end_of_a_kick_starts_over(void)
{
    bench *b = bench_booted(NULL, 5000);
    fw_set_points(b->core, mount_in_kick, b);
    fw_mounted(b->core, b->now);
    bench_until(b, 1400);
    CHECK_TEXT(b->said, "0 down mounted\n250 down stack_ready_kick_down\n500 down mounted\n"
                        "750 down stack_ready_kick_down\n1000 up stack_ready_kick_up\n");
    bench_free(b);
}

static void each_point_has_its_name(void)
{
    for (uint32_t point = 0; point < FW_POINTS; point++) {
        CHECK(fw_point_name(point) != NULL);
    }
    CHECK(fw_point_name(FW_POINTS) == NULL);
}

static void send_arp(bench *b)
{
    test_frame frame = ethernet_frame(0x0806, 60);
    CHECK(fw_send_frame(b->core, frame.bytes, frame.length, b->now) == FW_SEND_ACCEPTED);
    free(frame.bytes);
}

/* Linked, asleep since 1000 ms, nothing said since. */
static bench *asleep(bool remote_wakeup)
{
    bench *b = bench_booted(NULL, 5000);
    fw_mounted(b->core, b->now);
    bench_until(b, 1000);
    fw_suspended(b->core, remote_wakeup, b->now);
    bench_drain(b);
    bench_forget(b);
    return b;
}

static void sleeping_board_wakes_its_host_once_in_each_sleep(void)
{
    bench *b = asleep(true);
    send_arp(b);
    send_arp(b);
    bench_drain(b);
    CHECK_TEXT(b->said, "1000 wakeup\n1000 transmit\n1000 transmit\n");
    fw_resumed(b->core, b->now);
    bench_until(b, 2000);
    bench_forget(b);
    send_arp(b);
    fw_suspended(b->core, true, b->now);
    send_arp(b);
    bench_drain(b);
    CHECK_TEXT(b->said, "2000 transmit\n2000 wakeup\n2000 transmit\n");
    bench_free(b);
}

static void host_that_did_not_allow_it_is_not_woken(void)
{
    bench *b = asleep(false);
    send_arp(b);
    bench_drain(b);
    CHECK_TEXT(b->said, "1000 transmit\n");
    bench_free(b);
}

static void mount_ends_a_sleep_without_a_resume(void)
{
    bench *b = asleep(true);
    fw_mounted(b->core, b->now);
    bench_until(b, 2000);
    bench_forget(b);
    send_arp(b);
    bench_drain(b);
    CHECK_TEXT(b->said, "2000 transmit\n");
    bench_free(b);
}

/* The banner comes before anything is in the ring: it is read from the console. */
static bool banner_tells_heap(bench *b, const char *wanted)
{
    fw_command command;
    bool told = false;
    fw_boot(b->core, "POWERON", b->now);
    fw_wake(b->core, b->now + 300);
    while (fw_next_command(b->core, &command)) {
        told = told || (command.kind == FW_CONSOLE_WRITE && command.length > strlen(wanted) &&
                        memcmp(command.bytes + command.length - strlen(wanted), wanted, strlen(wanted)) == 0);
    }
    return told;
}

static void heap_is_told_at_boot_where_the_port_has_said_it(void)
{
    bench *b = bench_new(NULL, 5000);
    CHECK(banner_tells_heap(b, "reset reason POWERON\n"));
    CHECK(!banner_tells_heap(b, " bytes\n"));
    fw_set_free_heap(b->core, 123456);
    CHECK(banner_tells_heap(b, "main: free heap 123456 bytes\n"));
    bench_free(b);
}

static void events_that_survive_a_boot_are_told_after_it(void)
{
    fw_config config;
    fw_default_config(&config);
    config.events_survive_boot = 1;
    bench *b = bench_booted(&config, 5000);
    fw_mounted(b->core, b->now);
    fw_boot(b->core, "POWERON", b->now + 100);
    b->now += 200;
    CHECK(strstr(bench_get(b, "/events"), "[  2000 ms] USB_MOUNTED\n") != NULL);
    CHECK(strstr(bench_get(b, "/status"), "\"USB_MOUNTED\": true") != NULL);
    config.events_survive_boot = 0;
    CHECK(fw_configure(b->core, &config));
    fw_boot(b->core, "POWERON", b->now);
    CHECK(strstr(bench_get(b, "/events"), "USB_MOUNTED\n") == NULL);
    bench_free(b);
}

int main(void)
{
    RUN(config_out_of_range_is_refused);
    RUN(memory_is_as_the_readme_says);
    RUN(full_queue_loses_lines_and_says_how_many);
    RUN(wake_with_a_full_queue_stays_due);
    RUN(body_that_does_not_fit_is_an_error);
    RUN(other_config_counts_at_once_unless_it_is_out_of_range);
    RUN(mount_at_the_point_before_a_recovery_calls_it_off);
    RUN(mount_at_the_end_of_a_kick_starts_over);
    RUN(each_point_has_its_name);
    RUN(sleeping_board_wakes_its_host_once_in_each_sleep);
    RUN(host_that_did_not_allow_it_is_not_woken);
    RUN(mount_ends_a_sleep_without_a_resume);
    RUN(heap_is_told_at_boot_where_the_port_has_said_it);
    RUN(events_that_survive_a_boot_are_told_after_it);
    return 0;
}
