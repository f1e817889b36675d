// SPDX-License-Identifier: Apache-2.0
#include "address.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core_internal.h"

static const char *quad(char text[16], const uint8_t address[4])
{
    snprintf(text, 16, "%u.%u.%u.%u", (unsigned)address[0], (unsigned)address[1], (unsigned)address[2],
             (unsigned)address[3]);
    return text;
}

static bool is_static(const fw_core *core)
{
    return core->config.role == FW_ROLE_STATIC;
}

static void set_address(fw_core *core, uint32_t now)
{
    char text[16];
    if (core->s.address_set) {
        return;
    }
    core->s.address_set = true;
    fw_emit(core, FW_SET_ADDRESS, 0, NULL);
    fw_log(core, 'I', "acd", now, "Using %s", quad(text, core->config.address));
    fw_record(core, FW_EVENT_ADDRESS_SET, quad(text, core->config.address), now);
}

static void clear_address(fw_core *core, const char *reason, uint32_t now)
{
    if (!core->s.address_set) {
        return;
    }
    core->s.address_set = false;
    fw_emit(core, FW_CLEAR_ADDRESS, 0, NULL);
    fw_log(core, 'W', "acd", now, "Address given up (%s)", reason);
    fw_record(core, FW_EVENT_ADDRESS_CLEARED, reason, now);
}

/* Of the board's life: no two boots, and no two boards, pause alike. */
void fw_address_boot(fw_core *core)
{
    fw_acd_init(&core->s.acd, core->config.acd_jitter_missing ? 1 : ~fw_boot_id(core));
}

void fw_address_start_netif(fw_core *core)
{
    fw_emit(core, FW_START_NETIF, core->config.role == FW_ROLE_DHCP_SERVER ? 1 : 0, NULL);
}

void fw_address_start_server(fw_core *core)
{
    if (core->config.role == FW_ROLE_DHCP_SERVER) {
        fw_emit(core, FW_START_DHCP_SERVER, 0, NULL);
    }
}

/* ---- static ---------------------------------------------------------------------------------- */

static bool transmit(fw_core *core, bool announce)
{
    uint8_t frame[FW_ARP_FRAME_BYTES];
    fw_queued record = {NULL, 0, FW_TRANSMIT_FRAME, FW_ARP_FRAME_BYTES};
    fw_acd_frame(frame, core->mac, core->config.address, announce);
    if (fw_queue_push(&core->queue, record, frame)) {
        return true;
    }
    core->s.tx_dropped++;
    return false;
}

static void tell_attempt(fw_core *core, uint32_t now)
{
    char text[16];
    char detail[FW_DETAIL_BYTES];
    if (core->s.acd.probes != 1 || core->s.address_probed) {
        return;
    }
    core->s.address_probed = true;
    snprintf(detail, sizeof detail, "%s attempt %" PRIu32, quad(text, core->config.address), core->s.acd.attempts);
    fw_log(core, 'I', "acd", now, "Probing %s", detail);
    fw_record(core, FW_EVENT_ACD_PROBING, detail, now);
}

static void tell_conflict(fw_core *core, const uint8_t *frame, fw_event_name name, uint32_t now)
{
    static const uint8_t NONE[4] = {0};
    char detail[FW_DETAIL_BYTES];
    const uint8_t *mac = frame + 22;
    const char *kind = memcmp(mac + 6, NONE, sizeof NONE) == 0 ? "probe" : "claim";
    snprintf(detail, sizeof detail, "%s of %02x:%02x:%02x:%02x:%02x:%02x", kind, (unsigned)mac[0], (unsigned)mac[1],
             (unsigned)mac[2], (unsigned)mac[3], (unsigned)mac[4], (unsigned)mac[5]);
    fw_log(core, 'W', "acd", now, "%s: %s", name == FW_EVENT_ACD_DEFENDED ? "Defended against" : "Conflict", detail);
    fw_record(core, name, detail, now);
}

static void tell_limit(fw_core *core, uint32_t now)
{
    uint32_t conflicts = core->s.acd.conflicts;
    if (conflicts == core->config.acd_max_conflicts && !core->config.acd_limit_missing) {
        char detail[FW_DETAIL_BYTES];
        snprintf(detail, sizeof detail, "%" PRIu32 " conflicts", conflicts);
        fw_log(core, 'E', "acd", now, "%s: an attempt comes every %" PRIu32 " ms only", detail,
               core->config.acd_rate_limit_ms);
        fw_record(core, FW_EVENT_ACD_RATE_LIMITED, detail, now);
    }
}

/* `frame`: the conflicting one, or NULL. False where a frame that was due found no room. */
static bool perform(fw_core *core, fw_acd_action action, const uint8_t *frame, uint32_t now)
{
    const fw_acd *acd = &core->s.acd;
    switch (action) {
    case FW_ACD_DO_NOTHING:
        break;
    case FW_ACD_SEND_PROBE:
        tell_attempt(core, now);
        return transmit(core, false);
    case FW_ACD_TAKE:
    case FW_ACD_SEND_ANNOUNCEMENT:
        if (!core->config.acd_address_late || acd->announcements >= core->config.acd_announce_count) {
            set_address(core, now);
        }
        return transmit(core, true);
    case FW_ACD_DEFEND:
        tell_conflict(core, frame, FW_EVENT_ACD_DEFENDED, now);
        return transmit(core, true);
    case FW_ACD_BACK_OFF:
    case FW_ACD_RETREAT:
        core->s.address_probed = false;
        tell_conflict(core, frame, FW_EVENT_ACD_CONFLICT, now);
        tell_limit(core, now);
        if (action == FW_ACD_RETREAT) {
            clear_address(core, "conflict", now);
        }
        break;
    case FW_ACD_LET_GO:
        clear_address(core, "link_down", now);
        break;
    }
    return true;
}

static void feed(fw_core *core, fw_acd_input input, const uint8_t *frame, uint32_t now)
{
    const fw_acd_row *row = fw_acd_step(&core->s.acd, &core->config, input, now);
    if (row != NULL && !perform(core, row->action, frame, now)) {
        (void)fw_acd_step(&core->s.acd, &core->config, FW_ACD_UNSENT, now);
    }
}

static void static_link(fw_core *core, bool up, uint32_t now)
{
    if (up && (core->config.acd_missing || core->config.acd_address_first)) {
        set_address(core, now);
    }
    if (!core->config.acd_missing) {
        core->s.address_probed = false;
        feed(core, up ? FW_ACD_START : FW_ACD_STOP, NULL, now);
    }
}

/* ---- DHCP client ----------------------------------------------------------------------------- */

static void client_link(fw_core *core, bool up, uint32_t now)
{
    if (up == core->s.client_started) {
        return;
    }
    core->s.client_started = up;
    if (up) {
        fw_record(core, FW_EVENT_DHCP_CLIENT_STARTED, "", now);
    }
    if (!core->config.dhcp_client_mute) {
        fw_emit(core, up ? FW_START_DHCP_CLIENT : FW_STOP_DHCP_CLIENT, 0, NULL);
    }
}

void fw_address_assigned(fw_core *core, const uint8_t address[4], uint32_t now)
{
    char text[16];
    core->s.leased = true;
    fw_log(core, 'I', "net", now, "GOT_IP: %s", quad(text, address));
    fw_record(core, FW_EVENT_DHCP_ASSIGNED, quad(text, address), now);
}

void fw_address_lost(fw_core *core, uint32_t now)
{
    if (!core->s.leased) {
        return;
    }
    core->s.leased = false;
    fw_log(core, 'W', "net", now, "Address given up (lease)");
    fw_record(core, FW_EVENT_ADDRESS_CLEARED, "lease", now);
}

/* ---- both ------------------------------------------------------------------------------------ */

void fw_address_link(fw_core *core, bool up, uint32_t now)
{
    if (up && !core->s.netif_ready) {
        return;
    }
    if (is_static(core)) {
        static_link(core, up, now);
    } else if (core->config.role == FW_ROLE_DHCP_CLIENT) {
        client_link(core, up, now);
    }
}

void fw_address_suspended(fw_core *core, uint32_t now)
{
    if (is_static(core) && !core->s.acd.held) {
        feed(core, FW_ACD_STOP, NULL, now);
    }
}

void fw_address_heard(fw_core *core, const uint8_t *frame, size_t length, uint32_t now)
{
    if (!is_static(core)) {
        return;
    }
    fw_arp_heard heard = fw_acd_hear(frame, length, core->mac, core->config.address);
    if (fw_acd_is_conflict(&core->s.acd, &core->config, heard)) {
        fw_at_point(core, FW_POINT_ACD_CONFLICT, now);
        feed(core, FW_ACD_CONFLICT, frame, now);
    }
}

fw_send_result fw_address_allows(const fw_core *core, const uint8_t *frame, size_t length)
{
    const fw_config *config = &core->config;
    if (!is_static(core) || config->acd_missing || config->acd_address_first) {
        return FW_SEND_ACCEPTED;
    }
    if (fw_acd_is_own(frame, length, core->mac, config->address)) {
        return FW_SEND_NOT_DUE;
    }
    bool early = !core->s.address_set && fw_acd_speaks_from(frame, length, config->address);
    return early ? FW_SEND_UNPROVEN : FW_SEND_ACCEPTED;
}

void fw_address_sent(fw_core *core, const uint8_t *frame, size_t length, bool ok, uint32_t now)
{
    if (!ok && is_static(core) && fw_acd_is_own(frame, length, core->mac, core->config.address)) {
        feed(core, FW_ACD_UNSENT, NULL, now);
    }
}

bool fw_address_due(const fw_core *core, uint32_t now)
{
    return !core->s.leave.off_bus && fw_acd_due(&core->s.acd, now);
}

/* An input from the point may have changed what is due. */
void fw_address_run(fw_core *core, uint32_t now)
{
    fw_acd_state state = core->s.acd.state;
    if (state == FW_ACD_PROVE) {
        fw_at_point(core, FW_POINT_ACD_PROVEN, now);
    } else if (state == FW_ACD_WAIT || state == FW_ACD_PROBE) {
        fw_at_point(core, FW_POINT_ACD_BEFORE_PROBE, now);
    }
    if (fw_address_due(core, now)) {
        feed(core, FW_ACD_TIMER, NULL, now);
    }
}
