// SPDX-License-Identifier: Apache-2.0
/* Commands on the serial port, one a line; whatever is none is refused in silence and counted. */
#include <string.h>

#include "core_internal.h"

static const struct {
    const char *name;
    const char *answer;
    fw_leave_way way;
} COMMANDS[] = {
    {"bootloader", "ok bootloader\n", FW_LEAVE_TO_LOADER},
    {"reset", "ok reset\n", FW_LEAVE_TO_RESTART},
};

static void begin_line(fw_serial_line *line)
{
    line->length = 0;
    line->spoiled = false;
}

static void refuse(fw_serial_line *line)
{
    if (!line->spoiled) {
        line->spoiled = true;
        line->refused++;
    }
}

static void obey(fw_core *core, fw_serial_line *line, uint32_t now)
{
    for (size_t i = 0; i < sizeof COMMANDS / sizeof COMMANDS[0]; i++) {
        if (strlen(COMMANDS[i].name) == line->length && memcmp(COMMANDS[i].name, line->text, line->length) == 0) {
            fw_answer(core, COMMANDS[i].answer);
            (void)fw_leave(core, COMMANDS[i].way, "main", now);
            return;
        }
    }
    refuse(line);
}

static void take_byte(fw_core *core, uint8_t byte, uint32_t now)
{
    fw_serial_line *line = &core->s.serial;
    if (byte == '\n' || byte == '\r') {
        if (line->length > 0 && !line->spoiled) {
            obey(core, line, now);
        }
        begin_line(line);
    } else if (byte < ' ' || byte > '~' || line->length == sizeof line->text) {
        refuse(line);
    } else {
        line->text[line->length++] = (char)byte;
    }
}

void fw_serial_forget(fw_core *core)
{
    begin_line(&core->s.serial);
}

void fw_serial_received(fw_core *core, const uint8_t *bytes, size_t length, uint32_t now)
{
    fw_at_point(core, FW_POINT_BEFORE_SERIAL, now);
    for (size_t i = 0; i < length; i++) {
        take_byte(core, bytes[i], now);
    }
}
