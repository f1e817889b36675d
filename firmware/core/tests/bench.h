// SPDX-License-Identifier: Apache-2.0
/* A core on the heap, its time, and the commands it gave, as one line of text each. */
#ifndef FW_BENCH_H
#define FW_BENCH_H

#include <inttypes.h>

#include "check.h"
#include "fw_core.h"

typedef struct {
    fw_core *core;
    uint32_t start;
    uint32_t now;
    char said[65536]; /* "500 link up stack_ready_kick_up\n": ms since start, command */
    size_t length;
} bench;

static inline void bench_say(bench *b, const char *what, const char *detail)
{
    int added = snprintf(b->said + b->length, sizeof b->said - b->length, "%" PRIu32 " %s%s\n", b->now - b->start, what,
                         detail);
    CHECK(added > 0 && (size_t)added < sizeof b->said - b->length);
    b->length += (size_t)added;
}

/* Log lines begin with their level. */
static inline int bench_is_answer(const fw_command *command)
{
    return command->length > 3 && memcmp(command->bytes, "ok ", 3) == 0;
}

static inline void bench_note(bench *b, const fw_command *command)
{
    static const char *const NAMES[] = {
        [FW_START_USB] = "start usb",
        [FW_START_NETIF] = "start netif",
        [FW_START_DHCP_SERVER] = "start dhcp",
        [FW_START_HTTP] = "start http",
        [FW_USB_DISCONNECT] = "disconnect",
        [FW_USB_CONNECT] = "connect",
        [FW_TRANSMIT_FRAME] = "transmit",
        [FW_REMOTE_WAKEUP] = "wakeup",
        [FW_RESTART] = "restart",
        [FW_LED] = "led",
        [FW_PHY_TO_SERIAL_JTAG] = "phy jtag",
        [FW_SET_ADDRESS] = "set address",
        [FW_CLEAR_ADDRESS] = "clear address",
        [FW_START_DHCP_CLIENT] = "start client",
        [FW_STOP_DHCP_CLIENT] = "stop client",
    };
    if (command->kind == FW_LINK_STATE) {
        bench_say(b, command->on ? "up " : "down ", command->text);
    } else if (command->kind == FW_FORCE_DOWNLOAD) {
        bench_say(b, "flag ", command->on ? "set" : "cleared");
    } else if (command->kind == FW_CDC_WRITE && bench_is_answer(command)) {
        bench_say(b, "answer ", memcmp(command->bytes, "ok bootloader\n", command->length) == 0 ? "bootloader" : "reset");
    } else if (command->kind != FW_CONSOLE_WRITE && command->kind != FW_CDC_WRITE) {
        bench_say(b, NAMES[command->kind], "");
    }
}

/* Take all commands; log lines are left out of `said`. */
static inline void bench_drain(bench *b)
{
    fw_command command;
    while (fw_next_command(b->core, &command)) {
        bench_note(b, &command);
    }
}

static inline void bench_forget(bench *b)
{
    b->length = 0;
    b->said[0] = '\0';
}

static inline bench *bench_new(const fw_config *config, uint32_t now)
{
    fw_config defaults;
    bench *b = calloc(1, sizeof *b);
    CHECK(b != NULL);
    fw_default_config(&defaults);
    b->core = fw_init(malloc(fw_core_size()), fw_core_size(), config == NULL ? &defaults : config);
    CHECK(b->core != NULL);
    b->start = now;
    b->now = now;
    return b;
}

static inline void bench_free(bench *b)
{
    free(b->core);
    free(b);
}

/* Let time pass up to `to` ms after the start, waking the core at each deadline. */
static inline void bench_until(bench *b, uint32_t to)
{
    uint32_t deadline = 0;
    bench_drain(b);
    while (fw_deadline(b->core, &deadline) && (int32_t)(deadline - (b->start + to)) <= 0) {
        b->now = (int32_t)(deadline - b->now) > 0 ? deadline : b->now;
        fw_wake(b->core, b->now);
        bench_drain(b);
    }
    b->now = b->start + to;
}

/* Booted 2000 ms ago, stack ready, nothing said yet; the start of time is now. */
static inline bench *bench_booted(const fw_config *config, uint32_t now)
{
    bench *b = bench_new(config, now - 2000);
    fw_boot(b->core, "POWERON", b->now);
    bench_until(b, 470);
    fw_netif_started(b->core, b->now);
    bench_until(b, 2000);
    b->start = b->now;
    bench_forget(b);
    return b;
}

static inline char *bench_get(bench *b, const char *path)
{
    static char body[FW_RESPONSE_BYTES];
    fw_response response = {.body = body, .capacity = sizeof body};
    fw_http_request(b->core, "GET", path, b->now, &response);
    CHECK(response.status == 200);
    return body;
}

#endif
