// SPDX-License-Identifier: Apache-2.0
/* The log on UART0, written by a task of its own: a long line takes as long there as many frames on USB. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"

esp_err_t console_start(void);
/* In the core's task alone. Never waits: a line that finds no room is dropped whole, and the next that finds some says how
 * many were. */
void console_write(const uint8_t *line, size_t length);
/* Wait until all that was written is out, but no longer than this. */
void console_drain(uint32_t within_ms);

#endif
