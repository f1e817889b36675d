// SPDX-License-Identifier: Apache-2.0
/* Everything that leaves the core: log lines, commands, events, points. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core_internal.h"

/* `line` ends in LF; the ring keeps it without. */
static void write_line(fw_core *core, const char *line, size_t length)
{
    uint32_t sinks = FW_SINK_CONSOLE;
    if (core->s.redirected) {
        sinks |= core->s.dtr ? FW_SINK_CDC : 0;
        fw_log_ring_add(&core->ring, line, length - 1);
    }
    fw_queued record = {NULL, sinks, FW_CONSOLE_WRITE, (uint16_t)length};
    if (!fw_queue_push(&core->queue, record, (const uint8_t *)line)) {
        core->s.lines_lost++;
    }
}

static void end_line(fw_core *core, fw_text *line)
{
    if (line->length + 2 > line->capacity) {
        line->length = line->capacity - 2;
    }
    line->data[line->length++] = '\n';
    line->data[line->length] = '\0';
    write_line(core, line->data, line->length);
}

/* Lines that found no room are counted, and the count is told as soon as there is room again. */
static void tell_lost(fw_core *core, uint32_t now)
{
    uint32_t lost = core->s.lines_lost;
    if (lost == 0 || fw_queue_free(&core->queue) < 2 * FW_LOG_LINE_BYTES + FW_QUEUE_RESERVE) {
        return;
    }
    char data[FW_LOG_LINE_BYTES + 1];
    fw_text line;
    core->s.lines_lost = 0;
    fw_text_init(&line, data, sizeof data);
    fw_text_add(&line, "W (%" PRIu32 ") main: %" PRIu32 " log lines lost", now - core->s.boot_ms, lost);
    end_line(core, &line);
}

void fw_log(fw_core *core, char level, const char *tag, uint32_t now, const char *format, ...)
{
    char data[FW_LOG_LINE_BYTES + 1];
    fw_text line;
    va_list arguments;
    tell_lost(core, now);
    fw_text_init(&line, data, sizeof data);
    fw_text_add(&line, "%c (%" PRIu32 ") %s: ", level, now - core->s.boot_ms, tag);
    va_start(arguments, format);
    int wanted = vsnprintf(data + line.length, sizeof data - line.length, format, arguments);
    va_end(arguments);
    line.length += fw_text_length(data + line.length, wanted < 0 ? 0 : (size_t)wanted);
    end_line(core, &line);
}

void fw_answer(fw_core *core, const char *line)
{
    size_t length = strlen(line);
    fw_queued record = {NULL, FW_SINK_CDC, FW_CONSOLE_WRITE, (uint16_t)length};
    if (core->s.dtr && !fw_queue_push(&core->queue, record, (const uint8_t *)line)) {
        core->s.lines_lost++;
    }
}

void fw_log_foreign(fw_core *core, const char *text, size_t length, uint32_t now)
{
    char data[FW_LOG_LINE_BYTES + 1];
    fw_text line;
    tell_lost(core, now);
    fw_text_init(&line, data, sizeof data);
    fw_text_bytes(&line, text, length > 0 && text[length - 1] == '\n' ? length - 1 : length);
    end_line(core, &line);
}

bool fw_emit(fw_core *core, fw_command_kind kind, uint32_t argument, const char *text)
{
    fw_queued record = {text, argument, (uint16_t)kind, 0};
    return fw_queue_push(&core->queue, record, NULL);
}

/* The log is told once that the event log is full: whoever follows it would wait for what never comes. */
void fw_record(fw_core *core, fw_event_name name, const char *detail, uint32_t now)
{
    bool hidden = core->config.event_discards_hidden != 0;
    if (core->events.count == core->events.capacity && core->events.discarded == 0 && !hidden) {
        fw_log(core, 'W', "main", now, "Event log full: %" PRIu32 " kept, the rest is counted", core->events.count);
    }
    fw_event_log_record(&core->events, name, detail, now - core->s.boot_ms);
}

void fw_at_point(fw_core *core, fw_point point, uint32_t now)
{
    if (core->on_point != NULL) {
        core->on_point(core->point_user, point, now);
    }
}

const char *fw_point_name(uint32_t point)
{
    static const char *const NAMES[FW_POINTS] = {
        [FW_POINT_BOOT_STEP] = "boot_step",
        [FW_POINT_STACK_READY] = "stack_ready",
        [FW_POINT_MOUNTED] = "mounted",
        [FW_POINT_RESUMED] = "resumed",
        [FW_POINT_LINK_OFF] = "link_off",
        [FW_POINT_LINK_SETTLE] = "link_settle",
        [FW_POINT_LINK_AWAIT_STACK] = "link_await_stack",
        [FW_POINT_LINK_KICK_BEGIN] = "link_kick_begin",
        [FW_POINT_LINK_KICK_END] = "link_kick_end",
        [FW_POINT_LINK_LISTEN] = "link_listen",
        [FW_POINT_LINK_RUN] = "link_run",
        [FW_POINT_LINK_GAVE_UP] = "link_gave_up",
        [FW_POINT_LINK_SUSPENDED] = "link_suspended",
        [FW_POINT_BEFORE_RECOVER] = "before_recover",
        [FW_POINT_RECOVER_DETACHED] = "recover_detached",
        [FW_POINT_RECOVER_ATTACHING] = "recover_attaching",
        [FW_POINT_RECOVER_AWAIT_MOUNT] = "recover_await_mount",
        [FW_POINT_BEFORE_RX] = "before_rx",
        [FW_POINT_BEFORE_TX] = "before_tx",
        [FW_POINT_FRAME_SENT] = "frame_sent",
        [FW_POINT_BEFORE_HTTP] = "before_http",
        [FW_POINT_BEFORE_SERIAL] = "before_serial",
        [FW_POINT_BEFORE_LEAVE] = "before_leave",
        [FW_POINT_LOADER_DETACHED] = "loader_detached",
        [FW_POINT_ACD_BEFORE_PROBE] = "acd_before_probe",
        [FW_POINT_ACD_PROVEN] = "acd_proven",
        [FW_POINT_ACD_CONFLICT] = "acd_conflict",
    };
    return point < FW_POINTS ? NAMES[point] : NULL;
}

/* A log line for two sinks is handed out twice. */
static void fill_write(fw_core *core, const fw_queued *record, fw_command *command)
{
    bool console = (record->argument & FW_SINK_CONSOLE) != 0;
    command->kind = console ? FW_CONSOLE_WRITE : FW_CDC_WRITE;
    if (console && (record->argument & FW_SINK_CDC) != 0) {
        fw_queue_keep(&core->queue, FW_SINK_CDC);
    }
}

static void fill_addresses(const fw_config *config, fw_command *command)
{
    memcpy(command->address, config->address, sizeof command->address);
    memcpy(command->first, config->pool_first, sizeof command->first);
    memcpy(command->last, config->pool_last, sizeof command->last);
    memcpy(command->router, config->router, sizeof command->router);
    memcpy(command->dns, config->dns, sizeof command->dns);
    command->prefix = config->prefix;
    command->lease_s = config->lease_s;
}

static bool has_addresses(const fw_queued *record)
{
    return (record->kind == FW_START_NETIF && record->argument != 0) || record->kind == FW_START_DHCP_SERVER ||
           record->kind == FW_SET_ADDRESS;
}

bool fw_next_command(fw_core *core, fw_command *command)
{
    fw_queued record;
    const uint8_t *bytes = NULL;
    memset(command, 0, sizeof *command);
    if (!fw_queue_take(&core->queue, &record, &bytes)) {
        return false;
    }
    command->kind = record.kind;
    command->text = record.text;
    command->bytes = bytes;
    command->length = record.length;
    if (record.kind == FW_CONSOLE_WRITE) {
        fill_write(core, &record, command);
    } else if (has_addresses(&record)) {
        fill_addresses(&core->config, command);
    } else if (record.kind == FW_RESTART) {
        command->delay_ms = record.argument;
    } else if (record.kind != FW_START_NETIF) {
        command->on = record.argument;
    }
    return true;
}
