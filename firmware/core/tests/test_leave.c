// SPDX-License-Identifier: Apache-2.0
#include "bench.h"

static const char WAY[] = "100 disconnect\n200 phy jtag\n200 flag set\n200 restart\n";

static bench *mounted(const fw_config *config)
{
    bench *b = bench_booted(config, 5000);
    fw_mounted(b->core, b->now);
    bench_until(b, 600);
    b->start = b->now;
    bench_forget(b);
    return b;
}

static const char *post(bench *b, const char *path)
{
    static char body[256];
    fw_response response = {.body = body, .capacity = sizeof body};
    fw_http_request(b->core, "POST", path, b->now, &response);
    CHECK(response.status == 200);
    return body;
}

static void write_serial(bench *b, const char *text)
{
    fw_serial_received(b->core, (const uint8_t *)text, strlen(text), b->now);
}

static bench *listening(void)
{
    bench *b = mounted(NULL);
    fw_line_state(b->core, true, true, b->now);
    return b;
}

static int refused(bench *b, int wanted)
{
    char text[64];
    snprintf(text, sizeof text, "\"serial_refused\": %d\n", wanted);
    return strstr(bench_get(b, "/version"), text) != NULL;
}

static void boot_loader_is_entered_step_by_step_after_the_answer(void)
{
    bench *b = mounted(NULL);
    CHECK_TEXT(post(b, "/bootloader"), "{\"status\":\"bootloader\"}");
    bench_until(b, 60000);
    CHECK_TEXT(b->said, WAY);
    bench_free(b);
}

static void serial_command_is_answered_and_obeyed(void)
{
    bench *b = listening();
    write_serial(b, "bootl");
    write_serial(b, "oader\r\n");
    bench_until(b, 60000);
    CHECK(strncmp(b->said, "0 answer bootloader\n", 20) == 0);
    CHECK_TEXT(b->said + 20, WAY);
    CHECK(refused(b, 0));
    bench_free(b);
}

static void reset_over_serial_restarts(void)
{
    bench *b = listening();
    write_serial(b, "\r\n\nreset\n");
    bench_until(b, 1000);
    CHECK_TEXT(b->said, "0 answer reset\n100 restart\n");
    bench_free(b);
}

static void answer_without_a_reader_is_left_out(void)
{
    bench *b = mounted(NULL);
    write_serial(b, "reset\n");
    bench_until(b, 1000);
    CHECK_TEXT(b->said, "100 restart\n");
    bench_free(b);
}

static void noise_is_counted_and_answered_by_nothing(void)
{
    static const char *const NOISE[] = {
        "bootloader now\n",        "Bootloader\n",   " bootloader\n", "\033[A\n",
        "W (1) net: bootloader\n", "ok bootloader\n", "\x80\xff\n",   "a line that is much longer than any command is\n",
    };
    bench *b = listening();
    for (size_t i = 0; i < sizeof NOISE / sizeof NOISE[0]; i++) {
        write_serial(b, NOISE[i]);
    }
    fw_serial_received(b->core, (const uint8_t *)"boot\0loader\n", 12, b->now);
    bench_until(b, 1000);
    CHECK_TEXT(b->said, "");
    CHECK(refused(b, 9));
    for (int i = 0; i < 100000; i++) {
        write_serial(b, "x"); /* one line without an end */
    }
    CHECK(refused(b, 10));
    write_serial(b, "\nreset\n");
    bench_until(b, 1100);
    CHECK_TEXT(b->said, "1000 answer reset\n1100 restart\n");
    bench_free(b);
}

static void line_that_was_begun_before_the_port_was_closed_is_forgotten(void)
{
    bench *b = listening();
    write_serial(b, "bootloa");
    fw_line_state(b->core, false, false, b->now);
    fw_line_state(b->core, true, true, b->now);
    write_serial(b, "reset\n");
    bench_until(b, 1000);
    CHECK_TEXT(b->said, "0 answer reset\n100 restart\n");
    bench_free(b);
}

static void second_request_changes_neither_way_nor_time(void)
{
    bench *b = mounted(NULL);
    post(b, "/reset");
    bench_until(b, 50);
    CHECK_TEXT(post(b, "/bootloader"), "{\"status\":\"resetting\"}");
    CHECK_TEXT(post(b, "/reset"), "{\"status\":\"resetting\"}");
    bench_until(b, 1000);
    CHECK_TEXT(b->said, "100 restart\n");
    bench_free(b);
}

static void delay_begins_when_the_answer_is_out_and_once_only(void)
{
    bench *b = mounted(NULL);
    post(b, "/reset");
    bench_until(b, 70);
    fw_http_sent(b->core, b->now);
    bench_until(b, 120);
    fw_http_sent(b->core, b->now);
    (void)bench_get(b, "/version");
    post(b, "/bootloader");
    fw_http_sent(b->core, b->now);
    bench_until(b, 1000);
    CHECK_TEXT(b->said, "170 restart\n");
    bench_free(b);
}

static void answer_that_is_out_late_moves_no_later_step(void)
{
    bench *b = mounted(NULL);
    post(b, "/bootloader");
    bench_until(b, 150);
    fw_http_sent(b->core, b->now);
    bench_until(b, 1000);
    CHECK_TEXT(b->said, WAY);
    bench_free(b);
}

static void second_request_before_the_answer_to_the_first_changes_nothing(void)
{
    bench *b = mounted(NULL);
    post(b, "/reset");
    bench_until(b, 50);
    post(b, "/reset");
    fw_http_sent(b->core, b->now);
    bench_until(b, 1000);
    CHECK_TEXT(b->said, "150 restart\n");
    bench_free(b);
}

static void answers_move_no_delay_that_began_on_the_serial_port(void)
{
    bench *b = mounted(NULL);
    post(b, "/led/on");
    fw_http_sent(b->core, b->now);
    write_serial(b, "reset\n");
    bench_until(b, 50);
    post(b, "/reset");
    fw_http_sent(b->core, b->now);
    bench_until(b, 1000);
    CHECK_TEXT(b->said, "0 led\n100 restart\n");
    bench_free(b);
}

/* No frame was heard, so recovery is due 2 s after the link came up: in the middle of the way out. */
static void recovery_does_not_bring_the_board_back_on_its_way_out(void)
{
    bench *b = mounted(NULL);
    bench_until(b, 1850);
    CHECK_TEXT(b->said, "");
    post(b, "/bootloader");
    bench_until(b, 60000);
    CHECK_TEXT(b->said, "1900 down no_rx_after_mount\n1900 disconnect\n1950 disconnect\n2050 phy jtag\n2050 flag set\n"
                        "2050 restart\n");
    bench_free(b);
}

/* The reconnection of a recovery falls due after the board has left, and before the chip restarts. */
static void recovery_under_way_ends_with_the_way_out(void)
{
    bench *b = mounted(NULL);
    bench_until(b, 2150);
    post(b, "/bootloader");
    bench_until(b, 60000);
    CHECK_TEXT(b->said, "1900 down no_rx_after_mount\n1900 disconnect\n2250 disconnect\n2350 phy jtag\n2350 flag set\n"
                        "2350 restart\n");
    bench_free(b);
}

static void each_boot_clears_the_flag(void)
{
    bench *b = bench_new(NULL, 5000);
    fw_boot(b->core, "SW", b->now);
    bench_until(b, 300);
    CHECK_TEXT(b->said, "300 flag cleared\n");
    bench_free(b);
}

static void wrong_endings_are_those_that_were_asked_for(void)
{
    static const char *const ENDS[] = {
        "100 disconnect\n200 flag set\n200 restart\n",
        "100 disconnect\n200 phy jtag\n200 restart\n",
    };
    for (int i = 0; i < 2; i++) {
        fw_config config;
        fw_default_config(&config);
        config.loader_phy_on_otg = i == 0;
        config.loader_without_flag = i == 1;
        bench *b = mounted(&config);
        post(b, "/bootloader");
        bench_until(b, 1000);
        CHECK_TEXT(b->said, ENDS[i]);
        bench_free(b);
    }
    fw_config config;
    fw_default_config(&config);
    config.loader_flag_left = 1;
    bench *b = bench_new(&config, 0);
    fw_boot(b->core, "SW", b->now);
    bench_until(b, 300);
    CHECK_TEXT(b->said, "300 flag set\n");
    bench_free(b);
}

static void a_request_for_the_loader_is_ignored_where_that_was_asked_for(void)
{
    fw_config config;
    fw_default_config(&config);
    config.loader_request_ignored = 1;
    config.silence_ignored = 1; /* this host is */
    bench *b = mounted(&config);
    CHECK_TEXT(post(b, "/bootloader"), "{\"status\":\"bootloader\"}");
    bench_until(b, 1000);
    CHECK_TEXT(b->said, "");
    CHECK(strstr(bench_get(b, "/logs_all"), "Entering bootloader...") != NULL);
    write_serial(b, "reset\n");
    bench_until(b, 1050);
    fw_http_sent(b->core, b->now); /* the answer to what was ignored */
    bench_until(b, 2000);
    CHECK_TEXT(b->said, "1100 restart\n");
    bench_free(b);
}

int main(void)
{
    RUN(boot_loader_is_entered_step_by_step_after_the_answer);
    RUN(serial_command_is_answered_and_obeyed);
    RUN(reset_over_serial_restarts);
    RUN(answer_without_a_reader_is_left_out);
    RUN(noise_is_counted_and_answered_by_nothing);
    RUN(line_that_was_begun_before_the_port_was_closed_is_forgotten);
    RUN(second_request_changes_neither_way_nor_time);
    RUN(delay_begins_when_the_answer_is_out_and_once_only);
    RUN(answer_that_is_out_late_moves_no_later_step);
    RUN(second_request_before_the_answer_to_the_first_changes_nothing);
    RUN(answers_move_no_delay_that_began_on_the_serial_port);
    RUN(recovery_does_not_bring_the_board_back_on_its_way_out);
    RUN(recovery_under_way_ends_with_the_way_out);
    RUN(each_boot_clears_the_flag);
    RUN(a_request_for_the_loader_is_ignored_where_that_was_asked_for);
    RUN(wrong_endings_are_those_that_were_asked_for);
    return 0;
}
