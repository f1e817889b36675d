// SPDX-License-Identifier: Apache-2.0
/*
 * The one place where time passes for the core: a task that wakes it at its deadline and performs its commands.
 *
 * Inputs may come from any task: enter, call the core, leave. A command is performed without the lock, so what performs it
 * may give inputs itself.
 */
#ifndef CORE_RUNNER_H
#define CORE_RUNNER_H

#include <stdint.h>

#include "esp_err.h"
#include "fw_core.h"

typedef void (*core_perform)(const fw_command *command);

/* The core exists from here on; nothing is performed yet. */
esp_err_t core_runner_init(const fw_config *config);
/* Boot the core and perform what it says, for ever, in a task of its own. */
esp_err_t core_runner_start(const char *reset_reason, core_perform perform);

/* Milliseconds since the chip's reset; wraps after 49 days, as the core expects. */
uint32_t core_now(void);
/* `now`, where it is wanted, is read once nobody else can enter: the core's inputs come in the order of their times. */
fw_core *core_enter(uint32_t *now);
void core_leave(void);
/* True in the task that has entered and not left. */
bool core_is_entered(void);

/* From now on what ESP-IDF logs goes through the core, and to the console from there. */
void log_capture_start(void);

#endif
