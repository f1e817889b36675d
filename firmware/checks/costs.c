// SPDX-License-Identifier: Apache-2.0
/*
 * What the core does most often, a thousand times each, in functions of their own that callgrind counts; and, without an
 * argument, how much memory the core wants. `argv[1]` names what is done.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_internal.h"

#define TIMES 1000u
#define MEASURED __attribute__((noinline))

static fw_core *core;
static uint8_t frame[590];

static void demand(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void drain(void)
{
    fw_command command;
    while (fw_next_command(core, &command)) {
    }
}

MEASURED void measured_event_record(void)
{
    fw_event_log_record(&core->events, FW_EVENT_NCM_LINK_UP, "stack_ready_kick_up", 123456);
}

MEASURED void measured_log_line(void)
{
    fw_log(core, 'I', "net", 123456, "attempt %lu of %s", 3ul, "five");
}

MEASURED void measured_foreign_line(void)
{
    static const char LINE[] = "I (123456) wifi: connected with a network, channel 6, bandwidth 20 MHz\n";
    fw_log_foreign(core, LINE, sizeof LINE - 1, 123456);
}

MEASURED void measured_frame_received(void)
{
    demand(fw_frame_received(core, frame, sizeof frame, 123456));
}

MEASURED void measured_frame_sent(void)
{
    demand(fw_send_frame(core, frame, sizeof frame, 123456) == FW_SEND_ACCEPTED);
    drain();
    fw_frame_sent(core, frame, sizeof frame, true, "", 123456);
}

MEASURED void measured_status_request(void)
{
    static char body[FW_RESPONSE_BYTES];
    fw_response response = {.body = body, .capacity = sizeof body};
    fw_http_request(core, "GET", "/status", 123456, &response);
}

MEASURED void measured_wake(void)
{
    fw_wake(core, 123456);
}

static const struct {
    const char *name;
    void (*function)(void);
} OPERATIONS[] = {
    {"event_record", measured_event_record},     {"log_line", measured_log_line},
    {"foreign_line", measured_foreign_line},     {"frame_received", measured_frame_received},
    {"frame_sent", measured_frame_sent},         {"status_request", measured_status_request},
    {"wake", measured_wake},
};

/* Past its boot, mounted, link up, and so that neither list nor queue runs full. */
static void make_ready(void)
{
    fw_config config;
    fw_default_config(&config);
    core = fw_init(malloc(fw_core_size()), fw_core_size(), &config);
    fw_boot(core, "POWERON", 0);
    fw_netif_started(core, 0);
    for (uint32_t now = 0; now <= 10000; now += 10) {
        if (now == 3000) {
            fw_mounted(core, now);
        }
        if (now == 4000) {
            (void)fw_frame_received(core, frame, sizeof frame, now);
        }
        fw_wake(core, now);
        drain();
    }
}

static void repeat(void (*function)(void))
{
    for (uint32_t i = 0; i < TIMES; i++) {
        core->events.count = 0;
        function();
        drain();
    }
}

int main(int argc, char **argv)
{
    memset(frame, 0xff, 6);
    frame[12] = 0x86;
    frame[13] = 0xdd;
    for (size_t i = 0; argc > 1 && i < sizeof OPERATIONS / sizeof OPERATIONS[0]; i++) {
        if (strcmp(OPERATIONS[i].name, argv[1]) == 0) {
            make_ready();
            repeat(OPERATIONS[i].function);
            return 0;
        }
    }
    return 1;
}
