// SPDX-License-Identifier: Apache-2.0
#include "bench.h"
#include "frames.h"

/* Just before the clock of milliseconds wraps: every test here runs through the wrap. */
#define START (UINT32_MAX - 1500u)

static void hear(bench *b)
{
    test_frame frame = ethernet_frame(0x0806, 60);
    CHECK(fw_frame_received(b->core, frame.bytes, frame.length, b->now));
    free(frame.bytes);
}

static void mount(bench *b)
{
    fw_mounted(b->core, b->now);
    bench_drain(b);
}

static size_t recoveries(const bench *b)
{
    size_t count = 0;
    for (const char *at = b->said; (at = strstr(at, " disconnect\n")) != NULL; at++) {
        count++;
    }
    return count;
}

/* A host that configures the board `after` ms after each reconnect, up to `to`. */
static void until_with_host(bench *b, uint32_t after, uint32_t to)
{
    for (;;) {
        char *connect = strstr(b->said, " connect\n");
        if (connect == NULL) {
            uint32_t deadline = 0;
            bench_drain(b);
            if (!fw_deadline(b->core, &deadline) || (int32_t)(deadline - (b->start + to)) > 0) {
                break;
            }
            bench_until(b, deadline - b->start);
        } else {
            connect[1] = 'C';
            bench_until(b, b->now - b->start + after);
            mount(b);
        }
    }
}

static void mount_brings_the_link_up_after_tick_and_kick(void)
{
    bench *b = bench_booted(NULL, START);
    mount(b);
    bench_until(b, 1000);
    CHECK_TEXT(b->said, "0 down mounted\n250 down stack_ready_kick_down\n500 up stack_ready_kick_up\n");
    CHECK(fw_link_up(b->core));
    bench_free(b);
}

static void link_waits_for_the_stack(void)
{
    bench *b = bench_new(NULL, START);
    fw_boot(b->core, "POWERON", b->now);
    bench_until(b, 450);
    bench_forget(b);
    mount(b);
    bench_until(b, 4000);
    CHECK(strstr(b->said, "up ") == NULL);
    fw_netif_started(b->core, b->now);
    bench_forget(b);
    bench_until(b, 4300);
    CHECK_TEXT(b->said, "4000 down stack_ready_kick_down\n4250 up stack_ready_kick_up\n");
    bench_free(b);
}

static void silence_leads_to_recovery(void)
{
    bench *b = bench_booted(NULL, START);
    mount(b);
    bench_until(b, 1000);
    bench_forget(b);
    bench_until(b, 2950);
    mount(b);
    bench_until(b, 4000);
    CHECK_TEXT(b->said, "2500 down no_rx_after_mount\n2500 disconnect\n2900 connect\n2950 down mounted\n"
                        "3300 down post_attach_kick_down\n3550 up kick_complete\n");
    bench_free(b);
}

static void any_frame_within_the_grace_prevents_recovery(void)
{
    bench *b = bench_booted(NULL, START);
    mount(b);
    bench_until(b, 2499);
    hear(b);
    bench_forget(b);
    bench_until(b, 100000);
    CHECK_TEXT(b->said, "");
    bench_free(b);
}

static void frame_during_the_kick_counts(void)
{
    bench *b = bench_booted(NULL, START);
    mount(b);
    bench_until(b, 300);
    hear(b);
    bench_until(b, 100000);
    CHECK(strstr(b->said, "disconnect") == NULL);
    bench_free(b);
}

static void recovery_stops_after_five_though_the_host_comes_back_each_time(void)
{
    bench *b = bench_booted(NULL, START);
    mount(b);
    until_with_host(b, 100, 300000);
    CHECK(recoveries(b) == 5);
    /* attempt starts: grace, then the greater of grace and a backoff of 2.5, 5, 10, 15 s */
    CHECK(strstr(b->said, "\n2500 disconnect\n") != NULL);
    CHECK(strstr(b->said, "\n5550 disconnect\n") != NULL);
    CHECK(strstr(b->said, "\n10550 disconnect\n") != NULL);
    CHECK(strstr(b->said, "\n20550 disconnect\n") != NULL);
    CHECK(strstr(b->said, "\n35550 disconnect\n") != NULL);
    CHECK(strstr(bench_get(b, "/events"), "USB_RECOVER: attempt 5\n") != NULL);
    CHECK(strstr(bench_get(b, "/events"), "USB_RECOVER: gave_up\n") != NULL);
    CHECK(fw_link_up(b->core));
    bench_free(b);
}

/* As after a bus reset during enumeration, or by a driver that sets the configuration anew. */
static void host_that_configures_twice_after_each_reconnect_does_not_undo_the_limit(void)
{
    static const uint32_t SECONDS[] = {200, 1200, 2500};
    for (size_t i = 0; i < sizeof SECONDS / sizeof SECONDS[0]; i++) {
        bench *b = bench_booted(NULL, START);
        mount(b);
        for (int attempt = 0; attempt < 40; attempt++) {
            while (strstr(b->said, " connect\n") == NULL && b->now - b->start < 300000) {
                bench_until(b, b->now - b->start + 10);
            }
            char *connect = strstr(b->said, " connect\n");
            if (connect != NULL) {
                connect[1] = 'C';
                bench_until(b, b->now - b->start + 100);
                mount(b);
                bench_until(b, b->now - b->start + SECONDS[i]);
                mount(b);
            }
        }
        CHECK(recoveries(b) == 5);
        CHECK(strstr(bench_get(b, "/events"), "USB_RECOVER: gave_up\n") != NULL);
        bench_free(b);
    }
}

/* After the last recovery, with no host there until `after` ms past the reconnect. */
static size_t recoveries_after_a_mount(uint32_t after)
{
    bench *b = bench_booted(NULL, START);
    fw_config config;
    fw_default_config(&config);
    config.max_attempts = 1;
    CHECK(fw_configure(b->core, &config));
    mount(b);
    bench_until(b, 2900);
    CHECK(strstr(b->said, "2900 connect\n") != NULL);
    bench_until(b, 2900 + after);
    CHECK(strstr(bench_get(b, "/events"), "USB_RECOVER: gave_up\n") != NULL);
    bench_forget(b);
    mount(b);
    bench_until(b, 100000);
    size_t count = recoveries(b);
    bench_free(b);
    return count;
}

static void mount_long_after_the_reconnect_is_the_hosts_own(void)
{
    CHECK(recoveries_after_a_mount(10000) == 0);
    CHECK(recoveries_after_a_mount(10001) == 1);
}

static void without_a_host_it_stops_after_five_too(void)
{
    bench *b = bench_booted(NULL, START);
    mount(b);
    bench_until(b, 300000);
    uint32_t deadline = 0;
    CHECK(strstr(bench_get(b, "/events"), "USB_RECOVER: gave_up\n") != NULL);
    CHECK(!fw_deadline(b->core, &deadline));
    bench_free(b);
}

static void foreign_mount_clears_the_count(void)
{
    bench *b = bench_booted(NULL, START);
    mount(b);
    until_with_host(b, 100, 300000);
    b->now = b->start + 300000;
    mount(b);
    bench_forget(b);
    bench_until(b, 302500);
    CHECK(strstr(b->said, "302500 disconnect\n") != NULL);
    bench_free(b);
}

static void frame_clears_the_count(void)
{
    bench *b = bench_booted(NULL, START);
    mount(b);
    until_with_host(b, 100, 300000);
    b->now = b->start + 300000;
    hear(b);
    fw_unmounted(b->core, b->now);
    mount(b);
    until_with_host(b, 100, 303000);
    CHECK(strstr(b->said, "302500 disconnect\n") != NULL);
    bench_free(b);
}

static void mount_inside_the_kick_starts_over(void)
{
    bench *b = bench_booted(NULL, START);
    mount(b);
    bench_until(b, 300);
    mount(b);
    bench_until(b, 2700);
    CHECK_TEXT(b->said, "0 down mounted\n250 down stack_ready_kick_down\n300 down mounted\n"
                        "550 down stack_ready_kick_down\n800 up stack_ready_kick_up\n");
    bench_free(b);
}

static void suspend_leaves_the_link_and_pauses_recovery(void)
{
    bench *b = bench_booted(NULL, START);
    mount(b);
    bench_until(b, 1000);
    bench_forget(b);
    fw_suspended(b->core, false, b->now);
    bench_until(b, 600000);
    CHECK_TEXT(b->said, "");
    CHECK(fw_link_up(b->core));
    fw_resumed(b->core, b->now);
    bench_until(b, 601000);
    CHECK_TEXT(b->said, "600000 down resume_kick_down\n600250 up resume_kick_up\n");
    bench_free(b);
}

static void suspend_while_detached_does_not_stop_the_reconnect(void)
{
    bench *b = bench_booted(NULL, START);
    mount(b);
    bench_until(b, 2510);
    fw_suspended(b->core, true, b->now);
    bench_until(b, 2900);
    CHECK(strstr(b->said, "2900 connect\n") != NULL);
    bench_free(b);
}

static void unmount_sets_the_link_down(void)
{
    bench *b = bench_booted(NULL, START);
    mount(b);
    bench_until(b, 1000);
    bench_forget(b);
    fw_unmounted(b->core, b->now);
    bench_until(b, 100000);
    CHECK_TEXT(b->said, "1000 down unmounted\n");
    bench_free(b);
}

static bench *mistaken(uint32_t *mistake, const fw_config *config)
{
    *mistake = 1;
    bench *b = bench_booted(config, START);
    mount(b);
    return b;
}

static void link_that_ignores_the_stack_comes_up_without_it_and_is_never_kicked(void)
{
    fw_config config;
    fw_default_config(&config);
    config.link_ignores_stack = 1;
    bench *b = bench_new(&config, START);
    fw_boot(b->core, "POWERON", b->now);
    bench_until(b, 450);
    bench_forget(b);
    mount(b);
    bench_until(b, 800);
    test_frame frame = ethernet_frame(0x0806, 60);
    CHECK(!fw_frame_received(b->core, frame.bytes, frame.length, b->now)); /* heard, and lost */
    free(frame.bytes);
    bench_until(b, 4000);
    fw_netif_started(b->core, b->now);
    bench_until(b, 6000);
    CHECK(strstr(b->said, "700 up mounted_up\n") != NULL);
    CHECK(strstr(b->said, "kick") == NULL);
    bench_free(b);
}

static void silence_that_is_ignored_leads_to_nothing(void)
{
    fw_config config;
    fw_default_config(&config);
    bench *b = mistaken(&config.silence_ignored, &config);
    bench_until(b, 300000);
    CHECK(strstr(b->said, "disconnect") == NULL);
    CHECK(strstr(bench_get(b, "/events"), "USB_RECOVER") == NULL);
    CHECK(fw_link_up(b->core));
    bench_free(b);
}

static void mount_that_clears_attempts_makes_recovery_endless(void)
{
    fw_config config;
    fw_default_config(&config);
    bench *b = mistaken(&config.mount_clears_attempts, &config);
    until_with_host(b, 100, 60000);
    /* every 3.05 s: detach, attach, kick, grace */
    CHECK(recoveries(b) == 19);
    CHECK(strstr(bench_get(b, "/events"), "attempt 2") == NULL);
    bench_free(b);
}

static void old_clock_makes_a_mount_inside_the_kick_look_like_long_silence(void)
{
    fw_config config;
    fw_default_config(&config);
    bench *b = mistaken(&config.grace_from_old_clock, &config);
    bench_until(b, 300);
    mount(b);
    bench_until(b, 600);
    CHECK_TEXT(b->said, "0 down mounted\n250 down stack_ready_kick_down\n300 down mounted\n"
                        "500 up stack_ready_kick_up\n500 down no_rx_after_mount\n500 disconnect\n");
    bench_free(b);
}

static void old_clock_alone_harms_nobody(void)
{
    fw_config config;
    fw_default_config(&config);
    bench *b = mistaken(&config.grace_from_old_clock, &config);
    bench_until(b, 2499);
    CHECK(strstr(b->said, "disconnect") == NULL);
    bench_until(b, 2500);
    CHECK(strstr(b->said, "2500 disconnect") != NULL);
    bench_free(b);
}

static void resume_that_leaves_down_has_no_second_half(void)
{
    fw_config config;
    fw_default_config(&config);
    bench *b = mistaken(&config.resume_leaves_down, &config);
    bench_until(b, 1000);
    hear(b);
    bench_forget(b);
    fw_suspended(b->core, false, b->now);
    fw_resumed(b->core, b->now);
    bench_until(b, 100000);
    CHECK_TEXT(b->said, "1000 down resume_kick_down\n");
    CHECK(!fw_link_up(b->core));
    bench_free(b);
}

int main(void)
{
    RUN(mount_brings_the_link_up_after_tick_and_kick);
    RUN(link_waits_for_the_stack);
    RUN(silence_leads_to_recovery);
    RUN(any_frame_within_the_grace_prevents_recovery);
    RUN(frame_during_the_kick_counts);
    RUN(recovery_stops_after_five_though_the_host_comes_back_each_time);
    RUN(host_that_configures_twice_after_each_reconnect_does_not_undo_the_limit);
    RUN(mount_long_after_the_reconnect_is_the_hosts_own);
    RUN(without_a_host_it_stops_after_five_too);
    RUN(foreign_mount_clears_the_count);
    RUN(frame_clears_the_count);
    RUN(mount_inside_the_kick_starts_over);
    RUN(suspend_leaves_the_link_and_pauses_recovery);
    RUN(suspend_while_detached_does_not_stop_the_reconnect);
    RUN(unmount_sets_the_link_down);
    RUN(link_that_ignores_the_stack_comes_up_without_it_and_is_never_kicked);
    RUN(silence_that_is_ignored_leads_to_nothing);
    RUN(mount_that_clears_attempts_makes_recovery_endless);
    RUN(old_clock_makes_a_mount_inside_the_kick_look_like_long_silence);
    RUN(old_clock_alone_harms_nobody);
    RUN(resume_that_leaves_down_has_no_second_half);
    return 0;
}
