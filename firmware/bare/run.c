// SPDX-License-Identifier: Apache-2.0
/* The core without USB, IP stack and HTTP server: it boots, logs, and waits for a link that does not come. */
#include <stdio.h>
#include <string.h>

#include "bare.h"

#define CORE_BYTES 73728 /* the budget of core/COSTS.md */
#define NO_DEADLINE_MS 1000u

static _Alignas(16) uint8_t memory[CORE_BYTES];

static void say(const char *text)
{
    bare_write((const uint8_t *)text, strlen(text));
}

static void perform(fw_core *core, const fw_command *command)
{
    switch ((fw_command_kind)command->kind) {
    case FW_CONSOLE_WRITE:
        bare_write(command->bytes, command->length);
        break;
    case FW_START_NETIF:
        if (bare_config.role != FW_ROLE_DHCP_SERVER) {
            fw_netif_started(core, bare_now());
        }
        break;
    case FW_START_DHCP_SERVER:
        fw_netif_started(core, bare_now());
        break;
    case FW_TRANSMIT_FRAME:
        fw_frame_sent(core, command->bytes, command->length, false, "ESP_ERR_NOT_SUPPORTED", bare_now());
        break;
    case FW_RESTART:
        bare_restart();
    default: /* of parts that are not here */
        break;
    }
}

static void configure(fw_config *config)
{
    const uint8_t *digest = bare_elf_sha256();
    *config = bare_config;
    for (size_t i = 0; digest != NULL && i < BARE_SHA256_BYTES; i++) {
        (void)snprintf(config->elf_sha256 + 2 * i, 3, "%02x", digest[i]);
    }
}

void bare_run(void)
{
    fw_config config;
    fw_command command;
    configure(&config);
    fw_core *core = fw_init(memory, sizeof memory, &config);
    if (core == NULL) {
        say("hil: the core refuses its config\n");
        for (;;) {
            bare_wait_until(bare_now() + NO_DEADLINE_MS);
        }
    }
    fw_boot(core, "POWERON", bare_now());
    for (;;) {
        uint32_t deadline = bare_now() + NO_DEADLINE_MS;
        fw_wake(core, bare_now());
        while (fw_next_command(core, &command)) {
            perform(core, &command);
        }
        (void)fw_deadline(core, &deadline);
        bare_wait_until(deadline);
    }
}
