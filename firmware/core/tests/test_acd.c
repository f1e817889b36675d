// SPDX-License-Identifier: Apache-2.0
/* The static role against peers on the wire, rule by rule; times are RFC 5227's. */
#include "bench.h"
#include "frames.h"

#define MAX_NOTES 4096
#define LINK_UP 500 /* ms from the mount: tick and kick */

typedef enum { PROBE, ANNOUNCEMENT, USE, RELEASE, OTHER } note_kind;

typedef struct {
    note_kind kind;
    uint32_t at; /* ms since the mount */
} note;

typedef struct net net;

struct net {
    bench *b;
    note notes[MAX_NOTES];
    size_t count;
    void (*on_frame)(net *n, const uint8_t *frame, size_t length, note_kind kind);
    int told; /* for on_frame's own use */
    const char *refuse; /* what USB answers, or NULL where it takes everything */
};

static const uint8_t OURS[4] = {192, 168, 7, 1};
static const uint8_t PEER[4] = {192, 168, 7, 9};
static const uint8_t NOBODY[4] = {0};

static fw_config static_role(void)
{
    fw_config config;
    fw_default_config(&config);
    config.role = FW_ROLE_STATIC;
    return config;
}

static note_kind kind_of(const fw_command *command)
{
    if (command->kind == FW_SET_ADDRESS || command->kind == FW_CLEAR_ADDRESS) {
        return command->kind == FW_SET_ADDRESS ? USE : RELEASE;
    }
    if (command->kind == FW_TRANSMIT_FRAME && command->bytes[13] == 0x06) {
        return memcmp(command->bytes + 28, NOBODY, 4) == 0 ? PROBE : ANNOUNCEMENT;
    }
    return OTHER;
}

/* Take all commands, and let the peers see each frame. */
static void drain(net *n)
{
    fw_command command;
    while (fw_next_command(n->b->core, &command)) {
        note_kind kind = kind_of(&command);
        if (kind == OTHER) {
            continue;
        }
        CHECK(n->count < MAX_NOTES);
        n->notes[n->count++] = (note){kind, n->b->now - n->b->start};
        if (command.kind == FW_TRANSMIT_FRAME) {
            uint8_t frame[FW_MAX_FRAME];
            size_t length = command.length;
            memcpy(frame, command.bytes, length);
            fw_frame_sent(n->b->core, frame, length, n->refuse == NULL, n->refuse == NULL ? "" : n->refuse, n->b->now);
            if (n->on_frame != NULL && n->refuse == NULL) {
                n->on_frame(n, frame, length, kind);
            }
        }
    }
}

static void until(net *n, uint32_t to)
{
    bench *b = n->b;
    uint32_t deadline = 0;
    drain(n);
    while (fw_deadline(b->core, &deadline) && (int32_t)(deadline - (b->start + to)) <= 0) {
        b->now = (int32_t)(deadline - b->now) > 0 ? deadline : b->now;
        fw_wake(b->core, b->now);
        drain(n);
    }
    b->now = b->start + to;
}

/* Mounted; time 0 is the mount. */
static net *plugged(const fw_config *config, uint32_t now)
{
    net *n = calloc(1, sizeof *n);
    CHECK(n != NULL);
    n->b = bench_booted(config, now);
    fw_set_mac(n->b->core, (const uint8_t *)TEST_MAC);
    fw_mounted(n->b->core, n->b->now);
    return n;
}

static net *plain(void)
{
    fw_config config = static_role();
    return plugged(&config, 5000);
}

static void end(net *n)
{
    bench_free(n->b);
    free(n);
}

static void hear(net *n, uint8_t op, const char *mac, const uint8_t sender[4], const uint8_t target[4])
{
    test_frame frame = arp_frame(op, mac, sender, target);
    fw_frame_received(n->b->core, frame.bytes, frame.length, n->b->now);
    free(frame.bytes);
    drain(n);
}

static size_t count(const net *n, note_kind kind)
{
    size_t found = 0;
    for (size_t i = 0; i < n->count; i++) {
        found += n->notes[i].kind == kind;
    }
    return found;
}

/* When the `number`-th of a kind came; the first is 0. */
static uint32_t at(const net *n, note_kind kind, size_t number)
{
    for (size_t i = 0; i < n->count; i++) {
        if (n->notes[i].kind == kind && number-- == 0) {
            return n->notes[i].at;
        }
    }
    printf("note %zu of kind %d never came\n", number, (int)kind);
    exit(1);
}

static void forget(net *n)
{
    n->count = 0;
}

/* P P P USE A A from note `first` on, at the RFC's distances. */
static void check_whole_attempt(const net *n, size_t first)
{
    static const note_kind WANTED[] = {PROBE, PROBE, PROBE, USE, ANNOUNCEMENT, ANNOUNCEMENT};
    const note *notes = n->notes + first;
    CHECK(n->count >= first + 6);
    for (size_t i = 0; i < 6; i++) {
        CHECK(notes[i].kind == WANTED[i]);
    }
    for (size_t i = 1; i < 3; i++) {
        uint32_t gap = notes[i].at - notes[i - 1].at;
        CHECK(gap >= 1000 && gap <= 2000);
    }
    CHECK(notes[3].at == notes[2].at + 2000);
    CHECK(notes[4].at == notes[3].at);
    CHECK(notes[5].at == notes[4].at + 2000);
}

/* ---- PROBE_BEFORE_USE, PROBE_COUNT_SPACING, ANNOUNCE, NOT_PERIODIC ----------------------------- */

static void address_is_in_use_after_three_probes_and_two_seconds(void)
{
    net *n = plain();
    until(n, 400000);
    check_whole_attempt(n, 0);
    CHECK(n->count == 6);
    CHECK(n->notes[0].at >= LINK_UP && n->notes[0].at <= LINK_UP + 1000);
    CHECK(strstr(bench_get(n->b, "/events"), "ACD_PROBING: 192.168.7.1 attempt 1\n") != NULL);
    CHECK(strstr(bench_get(n->b, "/events"), "ADDRESS_SET: 192.168.7.1\n") != NULL);
    end(n);
}

static void quiet_host_is_left_alone(void)
{
    net *n = plain();
    until(n, 400000);
    CHECK(strstr(bench_get(n->b, "/events"), "USB_RECOVER") == NULL);
    CHECK(fw_link_up(n->b->core) && count(n, RELEASE) == 0);
    end(n);
}

static void time_may_wrap_on_the_way(void)
{
    fw_config config = static_role();
    net *n = plugged(&config, UINT32_MAX - 3500);
    until(n, 20000);
    check_whole_attempt(n, 0);
    end(n);
}

static void limits_of_the_config_hold(void)
{
    fw_config config = static_role();
    config.acd_probe_wait_ms = 0;
    config.acd_probe_count = 1;
    config.acd_announce_wait_ms = 100;
    config.acd_announce_count = 1;
    net *n = plugged(&config, 5000);
    until(n, 20000);
    CHECK(n->count == 3 && at(n, PROBE, 0) == LINK_UP && at(n, USE, 0) == LINK_UP + 100);
    CHECK(at(n, ANNOUNCEMENT, 0) == LINK_UP + 100);
    end(n);
}

/* ---- PROBE_FORMAT ----------------------------------------------------------------------------- */

static void check_format(net *n, const uint8_t *frame, size_t length, note_kind kind)
{
    test_frame wanted = arp_frame(1, TEST_MAC, kind == PROBE ? NOBODY : OURS, OURS);
    CHECK(length == wanted.length && memcmp(frame, wanted.bytes, length) == 0);
    free(wanted.bytes);
    n->told++;
}

static void probes_and_announcements_have_their_format(void)
{
    net *n = plain();
    n->on_frame = check_format;
    until(n, 20000);
    CHECK(n->told == 5);
    end(n);
}

/* ---- RANDOM ----------------------------------------------------------------------------------- */

static uint32_t pauses_of(const fw_config *config)
{
    net *n = plugged(config, 5000);
    until(n, 20000);
    uint32_t pauses = at(n, PROBE, 0) * 4000003u + at(n, PROBE, 1) * 2003u + at(n, PROBE, 2);
    end(n);
    return pauses;
}

static void pauses_differ_from_boot_to_boot_and_board_to_board(void)
{
    uint32_t seen[20];
    for (uint32_t i = 0; i < 20; i++) {
        fw_config config = static_role();
        config.boot_count = i % 10;
        config.seed = i / 10;
        seen[i] = pauses_of(&config);
        CHECK(pauses_of(&config) == seen[i]);
        for (uint32_t j = 0; j < i; j++) {
            CHECK(seen[i] != seen[j]);
        }
    }
}

static void pauses_reach_both_ends(void)
{
    uint32_t seen[2] = {0, 0};
    for (uint32_t seed = 0; seed < 40; seed++) {
        fw_config config = static_role();
        config.seed = seed;
        config.acd_probe_max_ms = config.acd_probe_min_ms + 1;
        net *n = plugged(&config, 5000);
        until(n, 20000);
        uint32_t gap = at(n, PROBE, 1) - at(n, PROBE, 0);
        CHECK(gap == 1000 || gap == 1001);
        seen[gap - 1000]++;
        end(n);
    }
    CHECK(seen[0] > 5 && seen[1] > 5);
}

/* ---- CONFLICT_IN_PROBE, SIM_PROBE, RATE_LIMIT -------------------------------------------------- */

static void answer_probes(net *n, const uint8_t *frame, size_t length, note_kind kind)
{
    (void)frame;
    (void)length;
    if (kind == PROBE && n->told >= 0) {
        n->told = n->told == 1 ? -1 : n->told - (n->told > 0); /* answers left; 0: no end of them */
        hear(n, 2, OTHER_MAC, OURS, NOBODY);
    }
}

static void occupied_address_is_never_used(void)
{
    net *n = plain();
    n->on_frame = answer_probes;
    until(n, 400000);
    CHECK(count(n, USE) == 0 && count(n, ANNOUNCEMENT) == 0 && count(n, PROBE) > 10);
    CHECK(strstr(bench_get(n->b, "/events"), "ACD_CONFLICT: claim of 02:00:00:00:00:99\n") != NULL);
    end(n);
}

static void ten_conflicts_slow_the_attempts_down(void)
{
    net *n = plain();
    n->on_frame = answer_probes;
    until(n, 400000);
    for (size_t i = 1; i < 10; i++) {
        CHECK(at(n, PROBE, i) - at(n, PROBE, i - 1) <= 1000);
    }
    for (size_t i = 10; i < count(n, PROBE); i++) {
        CHECK(at(n, PROBE, i) - at(n, PROBE, i - 1) >= 60000);
    }
    CHECK(strstr(bench_get(n->b, "/events"), "ACD_RATE_LIMITED: 10 conflicts\n") != NULL);
    end(n);
}

static void link_that_comes_and_goes_does_not_undo_the_limit(void)
{
    net *n = plain();
    n->on_frame = answer_probes;
    until(n, 20000);
    CHECK(count(n, PROBE) == 10);
    for (uint32_t i = 0; i < 10; i++) {
        fw_mounted(n->b->core, n->b->now);
        until(n, 20000 + 3000 * i);
    }
    CHECK(count(n, PROBE) == 10);
    until(n, 75000);
    CHECK(count(n, PROBE) == 11);
    end(n);
}

static void link_that_comes_and_goes_after_a_limited_attempt_brings_no_other(void)
{
    net *n = plain();
    n->on_frame = answer_probes;
    n->told = 10;
    until(n, 20000);
    CHECK(count(n, PROBE) == 10);
    uint32_t to = 20000;
    while (count(n, PROBE) < 11) {
        until(n, ++to);
    }
    for (uint32_t i = 0; i < 30; i++) { /* nobody answers any more; the link comes up 500 ms after each mount */
        fw_mounted(n->b->core, n->b->now);
        until(n, to += 1600);
    }
    CHECK(count(n, PROBE) == 11);
    until(n, 200000);
    CHECK(at(n, PROBE, 11) == at(n, PROBE, 10) + 60000);
    check_whole_attempt(n, 11);
    end(n);
}

static void link_that_was_away_for_the_whole_pause_is_probed_soon(void)
{
    net *n = plain();
    n->on_frame = answer_probes;
    n->told = 10;
    until(n, 20000);
    fw_unmounted(n->b->core, n->b->now);
    uint32_t back = at(n, PROBE, 9) + 65000; /* its conflict came with it */
    until(n, back - LINK_UP);
    fw_mounted(n->b->core, n->b->now);
    until(n, back + 30000);
    CHECK(at(n, PROBE, 10) > back && at(n, PROBE, 10) <= back + 1000); /* PROBE_WAIT, and not 0 of this seed */
    check_whole_attempt(n, 10);
    end(n);
}

static void pause_counts_from_the_conflict_where_no_probe_was(void)
{
    fw_config config = static_role();
    net *n = plugged(&config, UINT32_MAX - 2000);
    until(n, LINK_UP);
    for (int i = 0; i < 10; i++) {
        hear(n, 1, OTHER_MAC, OURS, OURS);
    }
    until(n, 5000); /* the time has wrapped */
    fw_mounted(n->b->core, n->b->now);
    until(n, 100000);
    CHECK(at(n, PROBE, 0) == LINK_UP + 60000);
    end(n);
}

static void claims_in_the_pause_do_not_make_it_longer(void)
{
    net *n = plain();
    n->on_frame = answer_probes;
    until(n, 20000);
    CHECK(count(n, PROBE) == 10);
    for (uint32_t ms = 20000; ms < 75000; ms += 500) {
        until(n, ms);
        hear(n, 1, OTHER_MAC, OURS, OURS);
    }
    CHECK(count(n, PROBE) == 11);
    end(n);
}

/* Nine conflicts while probing, then the address held for `held` ms, then lost: the tenth. */
static uint32_t pause_after_a_loss(uint32_t held)
{
    net *n = plain();
    n->on_frame = answer_probes;
    n->told = 9;
    until(n, 25000);
    CHECK(count(n, PROBE) == 12 && count(n, USE) == 1);
    until(n, at(n, USE, 0) + held);
    hear(n, 2, OTHER_MAC, OURS, NOBODY);
    hear(n, 2, OTHER_MAC, OURS, NOBODY);
    uint32_t lost = at(n, RELEASE, 0);
    until(n, 300000);
    uint32_t pause = at(n, PROBE, 12) - lost;
    end(n);
    return pause;
}

static void conflicts_are_forgotten_when_the_address_was_held_for_long(void)
{
    CHECK(pause_after_a_loss(50000) >= 60000);
    CHECK(pause_after_a_loss(70000) <= 1000);
}

/* Nine conflicts while probing, then the address held for `held` ms until the link goes, then the tenth. */
static uint32_t pause_after_a_link(uint32_t held)
{
    net *n = plain();
    n->on_frame = answer_probes;
    n->told = 9;
    until(n, 25000);
    CHECK(count(n, PROBE) == 12 && count(n, USE) == 1);
    until(n, at(n, USE, 0) + held);
    n->told = 1;
    fw_mounted(n->b->core, n->b->now);
    until(n, n->b->now - n->b->start + 200000);
    CHECK(count(n, RELEASE) == 1);
    uint32_t pause = at(n, PROBE, 13) - at(n, PROBE, 12);
    end(n);
    return pause;
}

static void conflicts_are_forgotten_when_the_address_was_held_until_its_link_went(void)
{
    CHECK(pause_after_a_link(59999) >= 60000);
    CHECK(pause_after_a_link(60000) <= 1000);
    CHECK(pause_after_a_link(864000000) <= 1000);
}

static void occupant_that_leaves_is_followed(void)
{
    net *n = plain();
    n->on_frame = answer_probes;
    n->told = 3;
    until(n, 60000);
    CHECK(count(n, PROBE) == 6);
    check_whole_attempt(n, 3);
    end(n);
}

/* One frame at `delay` after probe `number`: the attempt must start over. */
static void check_starts_over(uint8_t op, const uint8_t sender[4], size_t number, uint32_t delay)
{
    net *n = plain();
    uint32_t to = LINK_UP;
    while (count(n, PROBE) <= number) {
        until(n, ++to);
    }
    until(n, at(n, PROBE, number) + delay);
    hear(n, op, OTHER_MAC, sender, OURS);
    until(n, 60000);
    CHECK(count(n, PROBE) == number + 4);
    check_whole_attempt(n, number + 1);
    end(n);
}

static void either_kind_of_conflict_starts_probing_over(void)
{
    for (size_t number = 0; number < 3; number++) {
        check_starts_over(2, OURS, number, 1);
        check_starts_over(1, OURS, number, 500);
        check_starts_over(1, NOBODY, number, 300);
    }
    check_starts_over(1, NOBODY, 2, 1000);
    check_starts_over(2, OURS, 2, 1999);
}

static void conflict_counts_from_the_link_on_and_not_before(void)
{
    net *n = plain();
    until(n, LINK_UP - 1);
    hear(n, 2, OTHER_MAC, OURS, NOBODY);
    CHECK(strstr(bench_get(n->b, "/events"), "ACD_CONFLICT") == NULL);
    until(n, LINK_UP);
    hear(n, 2, OTHER_MAC, OURS, NOBODY);
    CHECK(n->count == 0 && strstr(bench_get(n->b, "/events"), "ACD_CONFLICT") != NULL);
    until(n, 20000);
    check_whole_attempt(n, 0);
    end(n);
}

/* Section 2.1.1: from the beginning of the probing period, which is before the first probe. */
static void rival_before_the_first_probe_is_a_conflict(void)
{
    net *n = plain();
    until(n, LINK_UP);
    hear(n, 1, OTHER_MAC, NOBODY, OURS);
    CHECK(n->count == 0);
    CHECK(strstr(bench_get(n->b, "/events"), "ACD_CONFLICT: probe of 02:00:00:00:00:99\n") != NULL);
    end(n);
}

/* ---- NO_FALSE_CONFLICT, SELF_ECHO, OWN_MAC_REPLY, ANSWER_PROBE ----------------------------------- */

static void reflect(net *n, const uint8_t *frame, size_t length, note_kind kind)
{
    (void)kind;
    n->b->now += 2;
    fw_frame_received(n->b->core, frame, length, n->b->now);
}

static void own_frames_that_come_back_are_no_conflict(void)
{
    net *n = plain();
    n->on_frame = reflect;
    until(n, 60000);
    CHECK(n->count == 6);
    check_whole_attempt(n, 0);
    end(n);
}

static void what_says_nothing_against_the_address_changes_nothing(void)
{
    net *n = plain();
    for (uint32_t ms = 1; ms < 20000; ms += 250) {
        until(n, ms);
        hear(n, 1, OTHER_MAC, PEER, OURS);   /* an ordinary request */
        hear(n, 1, OTHER_MAC, NOBODY, PEER); /* a probe for another address */
        hear(n, 2, OTHER_MAC, PEER, OURS);   /* an answer to us */
        hear(n, 2, TEST_MAC, OURS, NOBODY);  /* our own answer, reflected */
        hear(n, 2, OTHER_MAC, NOBODY, OURS); /* a probe is a request */
        hear(n, 3, OTHER_MAC, OURS, OURS);   /* reverse ARP */
    }
    CHECK(n->count == 6);
    check_whole_attempt(n, 0);
    end(n);
}

static void probe_for_an_address_in_use_does_not_make_the_board_retreat(void)
{
    net *n = plain();
    until(n, 20000);
    forget(n);
    for (uint32_t i = 0; i < 3; i++) {
        hear(n, 1, OTHER_MAC, NOBODY, OURS); /* the IP stack answers it */
        until(n, 21000 + 1000 * i);
    }
    CHECK(n->count == 0);
    end(n);
}

/* ---- DEFEND, RETREAT ---------------------------------------------------------------------------- */

static void first_conflict_in_use_is_answered_by_one_announcement(void)
{
    net *n = plain();
    until(n, 20000);
    forget(n);
    hear(n, 2, OTHER_MAC, OURS, NOBODY);
    until(n, 32000);
    CHECK(n->count == 1 && at(n, ANNOUNCEMENT, 0) == 20000);
    hear(n, 1, OTHER_MAC, OURS, OURS); /* DEFEND_INTERVAL is over */
    until(n, 60000);
    CHECK(n->count == 2 && at(n, ANNOUNCEMENT, 1) == 32000);
    CHECK(strstr(bench_get(n->b, "/events"), "ACD_DEFENDED: claim of 02:00:00:00:00:99\n") != NULL);
    end(n);
}

static void second_conflict_soon_after_costs_the_address(void)
{
    net *n = plain();
    until(n, 20000);
    forget(n);
    hear(n, 2, OTHER_MAC, OURS, NOBODY);
    until(n, 24000);
    hear(n, 2, OTHER_MAC, OURS, NOBODY);
    CHECK(n->count == 2 && at(n, RELEASE, 0) == 24000);
    until(n, 60000);
    check_whole_attempt(n, 2);
    CHECK(strstr(bench_get(n->b, "/events"), "ADDRESS_CLEARED: conflict\n") != NULL);
    end(n);
}

static void defence_counts_for_one_link_only(void)
{
    fw_config config = static_role();
    config.acd_probe_wait_ms = 0;
    config.acd_probe_count = 1;
    config.acd_announce_wait_ms = 100;
    net *n = plugged(&config, 5000);
    until(n, 5000);
    hear(n, 2, OTHER_MAC, OURS, NOBODY);
    fw_mounted(n->b->core, n->b->now);
    until(n, 8000);
    CHECK(count(n, RELEASE) == 1 && count(n, USE) == 2);
    hear(n, 2, OTHER_MAC, OURS, NOBODY);
    CHECK(count(n, RELEASE) == 1);
    end(n);
}

static void conflict_between_two_announcements_is_defended(void)
{
    net *n = plain();
    uint32_t to = LINK_UP;
    while (count(n, ANNOUNCEMENT) == 0) {
        until(n, ++to);
    }
    until(n, to + 1000);
    hear(n, 2, OTHER_MAC, OURS, NOBODY);
    until(n, 60000);
    CHECK(count(n, ANNOUNCEMENT) == 3 && count(n, RELEASE) == 0);
    end(n);
}

/* ---- REPROBE ------------------------------------------------------------------------------------ */

static void link_that_comes_back_is_probed_anew(void)
{
    net *n = plain();
    until(n, 20000);
    forget(n);
    fw_suspended(n->b->core, false, n->b->now);
    until(n, 30000);
    CHECK(n->count == 0);
    fw_resumed(n->b->core, n->b->now);
    until(n, 60000);
    CHECK(at(n, RELEASE, 0) == 30000);
    check_whole_attempt(n, 1);
    CHECK(n->count == 7 && at(n, PROBE, 0) >= 30250);
    CHECK(strstr(bench_get(n->b, "/events"), "ADDRESS_CLEARED: link_down\n") != NULL);
    CHECK(strstr(bench_get(n->b, "/events"), "ACD_PROBING: 192.168.7.1 attempt 2\n") != NULL);
    end(n);
}

static void unmount_in_the_middle_of_probing_ends_it(void)
{
    net *n = plain();
    until(n, 2000);
    CHECK(count(n, PROBE) > 0);
    forget(n);
    fw_unmounted(n->b->core, n->b->now);
    until(n, 60000);
    CHECK(n->count == 0);
    end(n);
}

static void suspend_in_the_middle_of_probing_ends_it(void)
{
    net *n = plain();
    until(n, 2000);
    forget(n);
    fw_suspended(n->b->core, false, n->b->now);
    until(n, 60000);
    CHECK(n->count == 0);
    fw_resumed(n->b->core, n->b->now);
    until(n, 90000);
    check_whole_attempt(n, 0);
    end(n);
}

static void board_on_its_way_out_probes_no_more(void)
{
    fw_config config = static_role();
    config.loader_detach_ms = 10000;
    net *n = plugged(&config, 5000);
    char body[64];
    fw_response response = {.body = body, .capacity = sizeof body};
    until(n, LINK_UP);
    fw_http_request(n->b->core, "POST", "/bootloader", n->b->now, &response);
    until(n, LINK_UP + 100);
    forget(n);
    until(n, 60000);
    CHECK(response.status == 200 && n->count == 0);
    end(n);
}

/* ---- what is not sent does not count -------------------------------------------------------------- */

static void probe_that_usb_did_not_take_is_sent_again(void)
{
    net *n = plain();
    n->refuse = "ESP_FAIL";
    until(n, 30000);
    CHECK(count(n, USE) == 0 && count(n, PROBE) >= 14);
    n->refuse = NULL;
    forget(n);
    until(n, 60000);
    check_whole_attempt(n, 0);
    end(n);
}

static void last_probe_that_usb_did_not_take_is_sent_again(void)
{
    net *n = plain();
    uint32_t to = LINK_UP;
    while (count(n, PROBE) < 2) {
        until(n, ++to);
    }
    n->refuse = "ESP_FAIL";
    while (count(n, PROBE) < 3) {
        until(n, ++to);
    }
    n->refuse = NULL;
    until(n, 20000);
    CHECK(count(n, PROBE) == 4 && count(n, USE) == 1);
    CHECK(at(n, USE, 0) == at(n, PROBE, 3) + 2000);
    end(n);
}

static void announcement_that_usb_did_not_take_is_sent_again(void)
{
    net *n = plain();
    uint32_t to = LINK_UP;
    while (count(n, PROBE) < 3) {
        until(n, ++to);
    }
    n->refuse = "ESP_FAIL";
    until(n, to + 2000);
    CHECK(count(n, USE) == 1 && count(n, ANNOUNCEMENT) == 1);
    n->refuse = NULL;
    until(n, 60000);
    CHECK(count(n, ANNOUNCEMENT) == 3);
    end(n);
}

/* ---- the stack's own frames ------------------------------------------------------------------------ */

static fw_send_result send_arp(net *n, uint8_t op, const uint8_t sender[4], const uint8_t target[4])
{
    test_frame frame = arp_frame(op, TEST_MAC, sender, target);
    fw_send_result result = fw_send_frame(n->b->core, frame.bytes, frame.length, n->b->now);
    free(frame.bytes);
    return result;
}

static fw_send_result send_ip(net *n)
{
    test_frame frame = dhcp_typed(0, 5);
    memcpy(frame.bytes + 26, OURS, 4);
    fw_send_result result = fw_send_frame(n->b->core, frame.bytes, frame.length, n->b->now);
    free(frame.bytes);
    return result;
}

static void stack_does_not_speak_from_an_address_that_is_not_proven(void)
{
    net *n = plain();
    until(n, 2500);
    CHECK(send_arp(n, 2, OURS, PEER) == FW_SEND_UNPROVEN);
    CHECK(send_arp(n, 1, OURS, PEER) == FW_SEND_UNPROVEN);
    CHECK(send_ip(n) == FW_SEND_UNPROVEN);
    CHECK(send_arp(n, 1, OURS, OURS) == FW_SEND_NOT_DUE);
    until(n, 20000);
    CHECK(send_arp(n, 2, OURS, PEER) == FW_SEND_ACCEPTED);
    CHECK(send_ip(n) == FW_SEND_ACCEPTED);
    CHECK(send_arp(n, 1, OURS, OURS) == FW_SEND_NOT_DUE);
    end(n);
}

/* ---- mistakes --------------------------------------------------------------------------------------- */

static net *mistaken(const char *name)
{
    fw_config config = static_role();
    CHECK(fw_make_mistake(&config, name));
    return plugged(&config, 5000);
}

static void mistake_has_the_flaw_that_it_names(void)
{
    net *n = mistaken("acd_address_first");
    until(n, 20000);
    CHECK(at(n, USE, 0) == LINK_UP && count(n, PROBE) == 3 && count(n, ANNOUNCEMENT) == 2);
    end(n);

    n = mistaken("acd_missing");
    until(n, 20000);
    hear(n, 2, OTHER_MAC, OURS, NOBODY);
    CHECK(n->count == 1 && at(n, USE, 0) == LINK_UP);
    end(n);

    n = mistaken("acd_conflicts_ignored");
    n->on_frame = answer_probes;
    until(n, 20000);
    check_whole_attempt(n, 0);
    end(n);

    n = mistaken("acd_rivals_ignored");
    until(n, 2000);
    hear(n, 1, OTHER_MAC, NOBODY, OURS);
    until(n, 20000);
    check_whole_attempt(n, 0);
    end(n);

    n = mistaken("acd_queries_conflict");
    until(n, 2000);
    hear(n, 1, OTHER_MAC, PEER, OURS);
    until(n, 20000);
    CHECK(count(n, PROBE) > 3);
    end(n);

    n = mistaken("acd_echoes_conflict");
    n->on_frame = reflect;
    until(n, 60000);
    CHECK(count(n, USE) == 0 && count(n, PROBE) > 3);
    end(n);

    n = mistaken("acd_limit_missing");
    n->on_frame = answer_probes;
    until(n, 60000);
    CHECK(count(n, PROBE) > 40);
    end(n);

    n = mistaken("acd_jitter_missing");
    fw_config same = static_role();
    same.acd_jitter_missing = 1;
    same.boot_count = 7;
    until(n, 20000);
    CHECK(at(n, PROBE, 0) * 4000003u + at(n, PROBE, 1) * 2003u + at(n, PROBE, 2) == pauses_of(&same));
    end(n);
}

static void mistake_in_use_has_the_flaw_that_it_names(void)
{
    net *n = mistaken("acd_defence_missing");
    until(n, 20000);
    hear(n, 2, OTHER_MAC, OURS, NOBODY);
    CHECK(n->count == 6);
    end(n);

    n = mistaken("acd_defends_always");
    until(n, 20000);
    for (int i = 0; i < 5; i++) {
        hear(n, 2, OTHER_MAC, OURS, NOBODY);
    }
    CHECK(count(n, ANNOUNCEMENT) == 7 && count(n, RELEASE) == 0);
    end(n);

    n = mistaken("acd_restart_missing");
    until(n, 20000);
    fw_mounted(n->b->core, n->b->now);
    until(n, 40000);
    CHECK(n->count == 6);
    end(n);

    n = mistaken("acd_address_late");
    until(n, 20000);
    CHECK(at(n, USE, 0) == at(n, ANNOUNCEMENT, 1) && at(n, ANNOUNCEMENT, 0) == at(n, ANNOUNCEMENT, 1) - 2000);
    end(n);

    n = mistaken("acd_probes_forever");
    until(n, 60000);
    CHECK(count(n, PROBE) > 6 && count(n, RELEASE) == 0);
    end(n);
}

int main(void)
{
    RUN(address_is_in_use_after_three_probes_and_two_seconds);
    RUN(quiet_host_is_left_alone);
    RUN(time_may_wrap_on_the_way);
    RUN(limits_of_the_config_hold);
    RUN(probes_and_announcements_have_their_format);
    RUN(pauses_differ_from_boot_to_boot_and_board_to_board);
    RUN(pauses_reach_both_ends);
    RUN(occupied_address_is_never_used);
    RUN(ten_conflicts_slow_the_attempts_down);
    RUN(link_that_comes_and_goes_does_not_undo_the_limit);
    RUN(link_that_comes_and_goes_after_a_limited_attempt_brings_no_other);
    RUN(link_that_was_away_for_the_whole_pause_is_probed_soon);
    RUN(pause_counts_from_the_conflict_where_no_probe_was);
    RUN(claims_in_the_pause_do_not_make_it_longer);
    RUN(conflicts_are_forgotten_when_the_address_was_held_for_long);
    RUN(conflicts_are_forgotten_when_the_address_was_held_until_its_link_went);
    RUN(occupant_that_leaves_is_followed);
    RUN(either_kind_of_conflict_starts_probing_over);
    RUN(conflict_counts_from_the_link_on_and_not_before);
    RUN(rival_before_the_first_probe_is_a_conflict);
    RUN(own_frames_that_come_back_are_no_conflict);
    RUN(what_says_nothing_against_the_address_changes_nothing);
    RUN(probe_for_an_address_in_use_does_not_make_the_board_retreat);
    RUN(first_conflict_in_use_is_answered_by_one_announcement);
    RUN(second_conflict_soon_after_costs_the_address);
    RUN(defence_counts_for_one_link_only);
    RUN(conflict_between_two_announcements_is_defended);
    RUN(link_that_comes_back_is_probed_anew);
    RUN(unmount_in_the_middle_of_probing_ends_it);
    RUN(suspend_in_the_middle_of_probing_ends_it);
    RUN(board_on_its_way_out_probes_no_more);
    RUN(probe_that_usb_did_not_take_is_sent_again);
    RUN(last_probe_that_usb_did_not_take_is_sent_again);
    RUN(announcement_that_usb_did_not_take_is_sent_again);
    RUN(stack_does_not_speak_from_an_address_that_is_not_proven);
    RUN(mistake_has_the_flaw_that_it_names);
    RUN(mistake_in_use_has_the_flaw_that_it_names);
    return 0;
}
