// SPDX-License-Identifier: Apache-2.0
/*
 * The ways out of the application: a restart, and the ROM's download mode over USB-Serial/JTAG.
 *
 * The ROM speaks on the USB controller that has the PHY, and waits for a download where the force-download bit of the
 * RTC domain is set. That bit outlives a core reset, so each boot clears what an earlier life may have left.
 */
#include <inttypes.h>
#include <string.h>

#include "core_internal.h"

typedef enum { DETACH, ROUTE_PHY, SET_FLAG, RESTART } leave_action;

typedef struct {
    size_t wait; /* before it; offset of a field of fw_config */
    leave_action action;
} leave_step;

#define AFTER(field) offsetof(fw_config, field)
#define AT_ONCE SIZE_MAX

/* Both ways end in RESTART. */
static const leave_step TO_RESTART[] = {
    {AFTER(restart_delay_ms), RESTART},
};
static const leave_step TO_LOADER[] = {
    {AFTER(restart_delay_ms), DETACH},
    {AFTER(loader_detach_ms), ROUTE_PHY},
    {AT_ONCE, SET_FLAG},
    {AT_ONCE, RESTART},
};

static const leave_step *next_step(const fw_core *core)
{
    const leave_step *way = core->s.leave.way == FW_LEAVE_TO_LOADER ? TO_LOADER : TO_RESTART;
    return &way[core->s.leave.step];
}

static void wait_for_step(fw_core *core, uint32_t now)
{
    uint32_t wait = 0;
    if (next_step(core)->wait != AT_ONCE) {
        memcpy(&wait, (const uint8_t *)&core->config + next_step(core)->wait, sizeof wait);
    }
    core->s.leave.at = now + wait;
}

fw_leave_way fw_leave(fw_core *core, fw_leave_way way, const char *tag, uint32_t now)
{
    fw_leave_state *leave = &core->s.leave;
    const char *what = way == FW_LEAVE_TO_RESTART ? "Reset requested, restarting" : "Boot loader requested, leaving";
    fw_log(core, 'W', tag, now, "%s in %" PRIu32 " ms", what, core->config.restart_delay_ms);
    if (leave->way == FW_STAY) {
        leave->way = way;
        leave->step = 0;
        leave->unsent = false;
        wait_for_step(core, now);
    }
    return leave->way;
}

fw_leave_way fw_leave_by_http(fw_core *core, fw_leave_way way, uint32_t now)
{
    bool begins = core->s.leave.way == FW_STAY;
    fw_leave_way taken = fw_leave(core, way, "http", now);
    core->s.leave.unsent = core->s.leave.unsent || begins;
    return taken;
}

void fw_http_sent(fw_core *core, uint32_t now)
{
    fw_leave_state *leave = &core->s.leave;
    if (leave->unsent && leave->way != FW_STAY && leave->step == 0) {
        wait_for_step(core, now);
    }
    leave->unsent = false;
}

bool fw_leave_due(const fw_core *core, uint32_t now)
{
    return core->s.leave.way != FW_STAY && (int32_t)(core->s.leave.at - now) <= 0;
}

static void detach(fw_core *core, uint32_t now)
{
    fw_log(core, 'W', "main", now, "Entering bootloader...");
    if (core->config.loader_request_ignored) {
        core->s.leave.way = FW_STAY;
        return;
    }
    core->s.leave.off_bus = true;
    core->s.dtr = false;
    fw_emit(core, FW_USB_DISCONNECT, 0, NULL);
    fw_at_point(core, FW_POINT_LOADER_DETACHED, now);
}

static void act(fw_core *core, leave_action action, uint32_t now)
{
    switch (action) {
    case DETACH:
        detach(core, now);
        break;
    case ROUTE_PHY:
        if (!core->config.loader_phy_on_otg) {
            fw_emit(core, FW_PHY_TO_SERIAL_JTAG, 0, NULL);
        }
        break;
    case SET_FLAG:
        if (!core->config.loader_without_flag) {
            fw_emit(core, FW_FORCE_DOWNLOAD, 1, NULL);
        }
        break;
    case RESTART:
        core->s.leave.way = FW_STAY;
        fw_emit(core, FW_RESTART, 0, NULL);
        break;
    }
}

void fw_leave_run(fw_core *core, uint32_t now)
{
    leave_action action = next_step(core)->action;
    if (core->s.leave.step == 0) {
        fw_at_point(core, FW_POINT_BEFORE_LEAVE, now);
    }
    act(core, action, now);
    if (core->s.leave.way != FW_STAY) {
        core->s.leave.step++;
        wait_for_step(core, now);
    }
}

void fw_leave_clear_flag(fw_core *core)
{
    fw_emit(core, FW_FORCE_DOWNLOAD, core->config.loader_flag_left ? 1 : 0, NULL);
}
