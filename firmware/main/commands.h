// SPDX-License-Identifier: Apache-2.0
/* What the core decides, done. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "board.h"
#include "fw_core.h"

/* `identity` has to stay. */
void commands_init(const board_identity *identity);
/* In the core's task. */
void commands_perform(const fw_command *command);

#endif
