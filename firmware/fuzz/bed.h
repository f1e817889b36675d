// SPDX-License-Identifier: Apache-2.0
/* A core that has booted in some role, on memory of its exact size, and what has to hold of all that it says. */
#ifndef FUZZ_BED_H
#define FUZZ_BED_H

#include <stdlib.h>
#include <string.h>

#include "fw_core.h"

#define HOLDS(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    const uint8_t *at;
    size_t left;
} input;

static inline uint8_t take_byte(input *in)
{
    if (in->left == 0) {
        return 0;
    }
    in->left--;
    return *in->at++;
}

/* Bytes of their own, at their exact length, so that a read past their end is caught; given back with free(). */
static inline uint8_t *take_bytes(input *in, size_t wanted, size_t *length)
{
    *length = wanted < in->left ? wanted : in->left;
    uint8_t *bytes = malloc(*length > 0 ? *length : 1);
    HOLDS(bytes != NULL);
    memcpy(bytes, in->at, *length);
    in->at += *length;
    in->left -= *length;
    return bytes;
}

static inline void drain(fw_core *core)
{
    fw_command command;
    unsigned sum = 0;
    while (fw_next_command(core, &command)) {
        HOLDS(command.kind >= FW_START_USB && command.kind < FW_COMMAND_KINDS);
        HOLDS(command.length <= FW_MAX_FRAME);
        HOLDS(command.kind != FW_LINK_STATE || command.text != NULL);
        for (uint32_t i = 0; i < command.length; i++) {
            sum += command.bytes[i];
        }
    }
    HOLDS(sum != ~0u);
}

static inline void pass_time(fw_core *core, uint32_t *now, uint32_t by)
{
    *now += by;
    fw_wake(core, *now);
    drain(core);
}

static inline fw_core *booted(uint32_t role, uint32_t *now)
{
    static const uint8_t MAC[6] = {2, 0, 0, 0, 0, 1};
    static void *memory;
    fw_config config;
    fw_default_config(&config);
    config.role = role % 3u;
    memory = memory == NULL ? malloc(fw_core_size()) : memory;
    fw_core *core = fw_init(memory, fw_core_size(), &config);
    HOLDS(core != NULL);
    fw_set_mac(core, MAC);
    *now = 0;
    fw_boot(core, "POWERON", 0);
    for (int step = 0; step < 12; step++) {
        pass_time(core, now, 100);
    }
    fw_netif_started(core, *now);
    fw_mounted(core, *now);
    fw_line_state(core, true, true, *now);
    for (int step = 0; step < 12; step++) {
        pass_time(core, now, 100);
    }
    return core;
}

#endif
