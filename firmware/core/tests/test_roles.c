// SPDX-License-Identifier: Apache-2.0
/* The roles: how each comes by its address, and what each claims of DHCP. */
#include "bench.h"
#include "dhcp_watch.h"
#include "frames.h"

static fw_config role_of(fw_role role)
{
    fw_config config;
    fw_default_config(&config);
    config.role = (uint32_t)role;
    config.silence_ignored = 1;
    return config;
}

static bench *linked(const fw_config *config)
{
    bench *b = bench_booted(config, 5000);
    fw_mounted(b->core, b->now);
    bench_until(b, 600);
    return b;
}

static void receive(bench *b, test_frame frame)
{
    fw_frame_received(b->core, frame.bytes, frame.length, b->now);
    free(frame.bytes);
}

static void sent(bench *b, test_frame frame, bool ok)
{
    CHECK(fw_send_frame(b->core, frame.bytes, frame.length, b->now) == FW_SEND_ACCEPTED);
    fw_frame_sent(b->core, frame.bytes, frame.length, ok, "ESP_FAIL", b->now);
    free(frame.bytes);
}

/* The names of the events after `since`, each with a blank. */
static const char *events_after(bench *b, uint32_t since)
{
    static char names[4096];
    char path[64];
    snprintf(path, sizeof path, "/events?since=%" PRIu32, since);
    const char *line = strstr(bench_get(b, path), "\n\n") + 2;
    names[0] = '\0';
    while (*line == '[') {
        const char *name = strstr(line, "] ") + 2;
        strncat(names, name, strcspn(name, ":\n"));
        strcat(names, " ");
        line = strchr(line, '\n') + 1;
    }
    return names;
}

static uint32_t recorded(bench *b)
{
    unsigned count = 0;
    CHECK(sscanf(bench_get(b, "/events"), "=== CRITICAL EVENTS (%u recorded)", &count) == 1);
    return count;
}

static const char *boot_of(fw_role role)
{
    static char said[4096];
    fw_config config = role_of(role);
    bench *b = bench_new(&config, 5000);
    fw_boot(b->core, "POWERON", b->now);
    bench_until(b, 460);
    fw_netif_started(b->core, b->now);
    bench_until(b, 3000);
    memcpy(said, b->said, sizeof said);
    bench_free(b);
    return said;
}

static void only_the_server_starts_a_dhcp_server(void)
{
    CHECK(strstr(boot_of(FW_ROLE_DHCP_SERVER), "435 start netif\n455 start dhcp\n") != NULL);
    CHECK(strstr(boot_of(FW_ROLE_DHCP_CLIENT), "435 start netif\n1080 start http\n") != NULL);
    CHECK(strstr(boot_of(FW_ROLE_STATIC), "435 start netif\n1080 start http\n") != NULL);
}

static void interface_starts_with_an_address_in_the_server_role_alone(void)
{
    for (uint32_t role = 0; role <= FW_ROLE_STATIC; role++) {
        fw_config config = role_of((fw_role)role);
        fw_command command;
        bench *b = bench_new(&config, 5000);
        fw_boot(b->core, "POWERON", b->now);
        do {
            uint32_t deadline = b->now;
            (void)fw_deadline(b->core, &deadline);
            b->now = deadline;
            fw_wake(b->core, b->now);
            while (fw_next_command(b->core, &command) && command.kind != FW_START_NETIF) {
            }
        } while (command.kind != FW_START_NETIF);
        CHECK(command.prefix == (role == FW_ROLE_DHCP_SERVER ? 24u : 0u));
        CHECK((command.address[0] != 0) == (role == FW_ROLE_DHCP_SERVER));
        bench_free(b);
    }
}

static void client_runs_while_the_link_is_up(void)
{
    fw_config config = role_of(FW_ROLE_DHCP_CLIENT);
    bench *b = linked(&config);
    CHECK_TEXT(b->said, "0 down mounted\n250 down stack_ready_kick_down\n500 up stack_ready_kick_up\n500 start client\n");
    bench_forget(b);
    fw_unmounted(b->core, b->now);
    bench_until(b, 1000);
    CHECK_TEXT(b->said, "600 down unmounted\n600 stop client\n");
    bench_free(b);
}

static void hasty_link_waits_for_the_interface_all_the_same(void)
{
    fw_config config = role_of(FW_ROLE_DHCP_CLIENT);
    config.link_ignores_stack = 1;
    bench *b = bench_new(&config, 5000);
    fw_boot(b->core, "POWERON", b->now);
    bench_until(b, 460);
    fw_mounted(b->core, b->now);
    bench_until(b, 7000);
    CHECK(strstr(b->said, "up mounted_up\n") != NULL && strstr(b->said, "start client") == NULL);
    fw_netif_started(b->core, b->now);
    bench_drain(b);
    CHECK(strstr(b->said, "7000 start client\n") != NULL);
    bench_free(b);
}

static void client_claims_what_it_sent_and_heard(void)
{
    fw_config config = role_of(FW_ROLE_DHCP_CLIENT);
    bench *b = linked(&config);
    uint32_t before = recorded(b);
    sent(b, dhcp_typed(1, 1), true);
    receive(b, dhcp_typed(0, 2));
    sent(b, dhcp_typed(1, 3), false);
    sent(b, dhcp_typed(1, 3), true);
    receive(b, dhcp_typed(0, 6));
    receive(b, dhcp_typed(0, 5));
    receive(b, dhcp_typed(1, 1)); /* somebody else's */
    CHECK_TEXT(events_after(b, before), "FIRST_TX DHCP_DISCOVER_TX FIRST_RX DHCP_OFFER_RX TX_FAILED DHCP_REQUEST_TX "
                                        "DHCP_NAK_RX DHCP_ACK_RX ");
    before = recorded(b);
    fw_address_lost(b->core, b->now); /* it has none */
    fw_address_assigned(b->core, (const uint8_t[]){10, 0, 0, 7}, b->now);
    fw_address_lost(b->core, b->now);
    fw_address_lost(b->core, b->now);
    CHECK_TEXT(events_after(b, before), "DHCP_ASSIGNED ADDRESS_CLEARED ");
    CHECK(strstr(bench_get(b, "/events"), "DHCP_ASSIGNED: 10.0.0.7\n") != NULL);
    bench_free(b);
}

static void server_claims_nothing_of_a_client(void)
{
    bench *b = linked(NULL);
    receive(b, dhcp_typed(0, 2));
    uint32_t before = recorded(b);
    receive(b, dhcp_typed(0, 5));
    sent(b, dhcp_typed(1, 1), true);
    CHECK_TEXT(events_after(b, before), "FIRST_TX ");
    bench_free(b);
}

static bench *mistaken(const char *name, fw_role role)
{
    fw_config config = role_of(role);
    CHECK(fw_make_mistake(&config, name));
    return linked(&config);
}

static void claims_by_port_know_two_names(void)
{
    bench *b = mistaken("dhcp_told_by_port", FW_ROLE_DHCP_SERVER);
    uint32_t before = recorded(b);
    receive(b, dhcp_typed(1, 1));
    sent(b, dhcp_typed(0, 2), true);
    receive(b, dhcp_typed(1, 3));
    sent(b, dhcp_typed(0, 5), true);
    receive(b, dhcp_typed(1, 7));
    CHECK_TEXT(events_after(b, before), "FIRST_RX DHCP_DISCOVER_RX FIRST_TX DHCP_OFFER_TX DHCP_DISCOVER_RX "
                                        "DHCP_OFFER_TX DHCP_DISCOVER_RX ");
    bench_free(b);
}

static void claims_before_the_send_hide_its_failure(void)
{
    bench *b = mistaken("sends_claimed_early", FW_ROLE_DHCP_SERVER);
    uint32_t before = recorded(b);
    sent(b, dhcp_typed(0, 2), false);
    CHECK_TEXT(events_after(b, before), "FIRST_TX DHCP_OFFER_TX ");
    bench_free(b);
}

static void fill_queue(bench *b)
{
    char line[FW_LOG_LINE_BYTES];
    memset(line, 'x', sizeof line);
    for (int i = 0; i < 100; i++) {
        fw_log_foreign(b->core, line, sizeof line, b->now);
    }
}

static void send_in_vain(bench *b, test_frame frame)
{
    CHECK(fw_send_frame(b->core, frame.bytes, frame.length, b->now) == FW_SEND_QUEUE_FULL);
    free(frame.bytes);
}

/* One event for a run of them: the event log is to keep room for other things. DHCP is rare, and never left out. */
static void frame_without_room_in_the_queue_is_told(void)
{
    fw_config config = role_of(FW_ROLE_DHCP_SERVER);
    bench *b = linked(&config);
    uint32_t before = recorded(b);
    fill_queue(b);
    for (int i = 0; i < 20; i++) {
        send_in_vain(b, ethernet_frame(0x0806, 1500));
    }
    send_in_vain(b, dhcp_typed(0, FW_DHCP_OFFER));
    send_in_vain(b, ethernet_frame(0x0806, 1500));
    CHECK_TEXT(events_after(b, before), "TX_FAILED TX_FAILED ");
    CHECK(strstr(bench_get(b, "/events"), "TX_FAILED: ARP queue full\n") != NULL);
    CHECK(strstr(bench_get(b, "/events"), "TX_FAILED: DHCP_OFFER queue full\n") != NULL);
    CHECK(strstr(bench_get(b, "/version"), "\"tx_dropped\": 22,\n") != NULL);
    bench_drain(b);
    sent(b, ethernet_frame(0x0806, 60), true);
    before = recorded(b);
    fill_queue(b);
    send_in_vain(b, ethernet_frame(0x0806, 1500));
    CHECK_TEXT(events_after(b, before), "TX_FAILED ");
    bench_free(b);
}

static void dropped_frame_is_claimed_where_the_mistake_is_made(void)
{
    for (int made = 0; made <= 1; made++) {
        fw_config config = role_of(FW_ROLE_DHCP_SERVER);
        config.drops_claimed = (uint32_t)made;
        bench *b = bench_new(&config, 5000);
        fw_boot(b->core, "POWERON", b->now);
        bench_until(b, 3000); /* the interface never starts */
        fw_mounted(b->core, b->now);
        uint32_t before = recorded(b);
        receive(b, dhcp_typed(1, 1));
        CHECK_TEXT(events_after(b, before), made ? "FIRST_RX DHCP_DISCOVER_RX " : "FIRST_RX ");
        bench_free(b);
    }
}

static void frames_that_are_not_sent_may_go_untold(void)
{
    for (int made = 0; made <= 1; made++) {
        fw_config config = role_of(FW_ROLE_DHCP_SERVER);
        config.drops_untold = (uint32_t)made;
        bench *b = bench_booted(&config, 5000);
        test_frame frame = dhcp_typed(0, 2);
        CHECK(fw_send_frame(b->core, frame.bytes, frame.length, b->now) == FW_SEND_NOT_MOUNTED);
        free(frame.bytes);
        CHECK((strstr(bench_get(b, "/version"), "\"tx_dropped\": 1,") == NULL) == (made == 1));
        CHECK((strstr(bench_get(b, "/logs_all"), "TX DROPPED") == NULL) == (made == 1));
        fw_mounted(b->core, b->now);
        bench_until(b, 600);
        fill_queue(b);
        send_in_vain(b, dhcp_typed(0, FW_DHCP_OFFER));
        CHECK((strstr(bench_get(b, "/events"), "TX_FAILED: ") == NULL) == (made == 1));
        bench_free(b);
    }
}

static void first_frames_may_be_told_once(void)
{
    for (int made = 0; made <= 1; made++) {
        fw_config config = role_of(FW_ROLE_DHCP_SERVER);
        config.firsts_latched = (uint32_t)made;
        bench *b = linked(&config);
        receive(b, ethernet_frame(0x0806, 60));
        fw_mounted(b->core, b->now);
        uint32_t before = recorded(b);
        receive(b, ethernet_frame(0x0806, 60));
        CHECK_TEXT(events_after(b, before), made ? "" : "FIRST_RX ");
        fw_unmounted(b->core, b->now);
        fw_mounted(b->core, b->now);
        before = recorded(b);
        receive(b, ethernet_frame(0x0806, 60));
        CHECK_TEXT(events_after(b, before), "FIRST_RX ");
        bench_free(b);
    }
}

static void requests_may_fill_the_log(void)
{
    bench *b = mistaken("requests_told_at_length", FW_ROLE_DHCP_SERVER);
    for (int i = 0; i < 25; i++) {
        (void)bench_get(b, "/status");
    }
    CHECK(strstr(bench_get(b, "/logs_all"), "USB MOUNTED") == NULL);
    bench_free(b);
}

static void link_may_move_while_the_bus_sleeps(void)
{
    bench *b = mistaken("suspend_moves_link", FW_ROLE_DHCP_SERVER);
    bench_forget(b);
    fw_suspended(b->core, false, b->now);
    bench_until(b, 60000);
    CHECK_TEXT(b->said, "600 down suspended\n850 up stack_ready_kick_up\n");
    bench_forget(b);
    fw_resumed(b->core, b->now);
    bench_until(b, 61000);
    CHECK_TEXT(b->said, "60000 down resume_kick_down\n60250 up resume_kick_up\n");
    bench_free(b);
}

static void mute_client_is_claimed_and_not_started(void)
{
    bench *b = mistaken("dhcp_client_mute", FW_ROLE_DHCP_CLIENT);
    CHECK(strstr(b->said, "client") == NULL);
    CHECK(strstr(bench_get(b, "/events"), "DHCP_CLIENT_STARTED\n") != NULL);
    bench_free(b);
}

static void each_mistake_is_told_and_can_be_made_by_name(void)
{
    uint32_t count = 0;
    for (; fw_mistake_name(count) != NULL; count++) {
        fw_config config;
        fw_config plain;
        fw_default_config(&config);
        fw_default_config(&plain);
        CHECK(fw_mistake_what(count) != NULL && fw_mistake_source(count) != NULL);
        CHECK(fw_make_mistake(&config, fw_mistake_name(count)));
        CHECK(memcmp(&config, &plain, sizeof config) != 0);
    }
    CHECK(count == 33 && fw_mistake_what(count) == NULL && fw_mistake_source(count) == NULL);
    fw_config config;
    fw_default_config(&config);
    CHECK(!fw_make_mistake(&config, "acd"));
}

static bool is_named(uint32_t unnamed)
{
    uint8_t options[64] = {53, 1, FW_DHCP_NAK, 255};
    fw_config config = role_of(FW_ROLE_DHCP_SERVER);
    config.nak_unnamed = unnamed;
    bench *b = linked(&config);
    test_frame nak = dhcp_frame(0, options, sizeof options);
    fw_command command = {0};
    CHECK(fw_send_frame(b->core, nak.bytes, nak.length, b->now) == FW_SEND_ACCEPTED);
    while (command.kind != FW_TRANSMIT_FRAME) {
        CHECK(fw_next_command(b->core, &command));
    }
    bool same = memcmp(command.bytes, nak.bytes, nak.length) == 0;
    CHECK(same == (command.bytes[DHCP_FIXED + 3] != 54));
    free(nak.bytes);
    bench_free(b);
    return !same;
}

static void a_nak_names_its_server_unless_the_mistake_was_asked_for(void)
{
    CHECK(is_named(0));
    CHECK(!is_named(1));
}

int main(void)
{
    RUN(a_nak_names_its_server_unless_the_mistake_was_asked_for);
    RUN(only_the_server_starts_a_dhcp_server);
    RUN(interface_starts_with_an_address_in_the_server_role_alone);
    RUN(client_runs_while_the_link_is_up);
    RUN(hasty_link_waits_for_the_interface_all_the_same);
    RUN(client_claims_what_it_sent_and_heard);
    RUN(server_claims_nothing_of_a_client);
    RUN(claims_by_port_know_two_names);
    RUN(claims_before_the_send_hide_its_failure);
    RUN(frame_without_room_in_the_queue_is_told);
    RUN(dropped_frame_is_claimed_where_the_mistake_is_made);
    RUN(frames_that_are_not_sent_may_go_untold);
    RUN(first_frames_may_be_told_once);
    RUN(requests_may_fill_the_log);
    RUN(link_may_move_while_the_bus_sleeps);
    RUN(mute_client_is_claimed_and_not_started);
    RUN(each_mistake_is_told_and_can_be_made_by_name);
    return 0;
}
