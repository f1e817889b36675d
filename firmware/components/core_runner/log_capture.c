// SPDX-License-Identifier: Apache-2.0
#include <stdarg.h>
#include <stdio.h>

#include "core_runner.h"
#include "esp_log.h"

/* Within an input the line goes to the console alone: the core is not to be entered twice. */
static int capture(const char *format, va_list arguments)
{
    char line[FW_LOG_LINE_BYTES + 1];
    uint32_t now = 0;
    if (core_is_entered()) {
        return vprintf(format, arguments);
    }
    int wanted = vsnprintf(line, sizeof line, format, arguments);
    if (wanted <= 0) {
        return wanted;
    }
    size_t length = (size_t)wanted < sizeof line ? (size_t)wanted : sizeof line - 1;
    fw_core *core = core_enter(&now);
    fw_log_foreign(core, line, length, now);
    core_leave();
    return wanted;
}

void log_capture_start(void)
{
    (void)esp_log_set_vprintf(capture);
}
