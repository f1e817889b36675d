// SPDX-License-Identifier: Apache-2.0
/* The board's state, its USB inputs and its deadlines. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core_internal.h"

#define MAX_STEPS_A_WAKE 64u

size_t fw_core_size(void)
{
    return sizeof(fw_core);
}

size_t fw_config_size(void)
{
    return sizeof(fw_config);
}

size_t fw_command_size(void)
{
    return sizeof(fw_command);
}

size_t fw_response_size(void)
{
    return sizeof(fw_response);
}

void fw_default_config(fw_config *config)
{
    static const fw_config DEFAULT = {
        .role = FW_ROLE_DHCP_SERVER,
        .event_capacity = FW_MAX_EVENTS,
        .tick_ms = 250,
        .kick_ms = 250,
        .no_rx_grace_ms = 2000,
        .detach_ms = 400,
        .attach_ms = 400,
        .max_attempts = 5,
        .backoff_ms = 2500,
        .backoff_max_ms = 15000,
        .own_mount_ms = 10000,
        .acd_probe_wait_ms = 1000,
        .acd_probe_count = 3,
        .acd_probe_min_ms = 1000,
        .acd_probe_max_ms = 2000,
        .acd_announce_wait_ms = 2000,
        .acd_announce_count = 2,
        .acd_announce_interval_ms = 2000,
        .acd_max_conflicts = 10,
        .acd_rate_limit_ms = 60000,
        .acd_defend_ms = 10000,
        .start_ms = 300,
        .nvs_ms = 40,
        .lwip_ms = 10,
        .event_loop_ms = 5,
        .usb_driver_ms = 60,
        .ncm_ms = 10,
        .cdc_ms = 10,
        .netif_ms = 20,
        .dhcp_ms = 5,
        .netif_start_ms = 25,
        .netif_timeout_ms = 5000,
        .watchdog_ms = 5,
        .wifi_ms = 580,
        .redirect_ms = 10,
        .http_ms = 20,
        .restart_delay_ms = 100,
        .loader_detach_ms = 100,
        .keepalive_ms = 5000,
        .lease_s = 60,
        .free_heap = 200000,
        .address = {192, 168, 7, 1},
        .pool_first = {192, 168, 7, 2},
        .pool_last = {192, 168, 7, 10},
        .router = {192, 168, 7, 254},
        .dns = {192, 168, 7, 1},
        .prefix = 24,
        .version = "0.1.0",
        .project = "hil-reference",
    };
    *config = DEFAULT;
}

static bool is_string(const char *text, size_t capacity)
{
    return fw_text_length(text, capacity) < capacity;
}

static bool is_usable(const fw_config *config)
{
    return config->role <= FW_ROLE_STATIC && config->event_capacity >= 1 && config->event_capacity <= FW_MAX_EVENTS &&
           config->acd_probe_count >= 1 && config->acd_announce_count >= 1 &&
           config->acd_probe_min_ms <= config->acd_probe_max_ms && config->prefix <= 32 &&
           is_string(config->version, sizeof config->version) && is_string(config->project, sizeof config->project) &&
           is_string(config->elf_sha256, sizeof config->elf_sha256);
}

static void forget(fw_core *core, uint32_t now)
{
    memset(&core->s, 0, sizeof core->s);
    core->s.boot_ms = now;
    fw_link_init(&core->s.link);
    if (core->events.capacity == 0 || !core->config.events_survive_boot) {
        fw_event_log_init(&core->events, core->config.event_capacity);
    }
    fw_log_ring_init(&core->ring);
    fw_queue_init(&core->queue);
}

fw_core *fw_init(void *memory, size_t size, const fw_config *config)
{
    if (memory == NULL || size < sizeof(fw_core) || (uintptr_t)memory % _Alignof(fw_core) != 0 || !is_usable(config)) {
        return NULL;
    }
    fw_core *core = memory;
    memset(core, 0, sizeof *core);
    core->config = *config;
    core->boot_count = config->boot_count;
    core->free_heap = config->free_heap;
    forget(core, 0);
    return core;
}

bool fw_configure(fw_core *core, const fw_config *config)
{
    if (!is_usable(config)) {
        return false;
    }
    core->config = *config;
    return true;
}

void fw_set_points(fw_core *core, fw_point_callback callback, void *user)
{
    core->on_point = callback;
    core->point_user = user;
}

void fw_set_free_heap(fw_core *core, uint32_t bytes)
{
    core->free_heap = bytes;
    core->heap_told = true;
}

void fw_set_mac(fw_core *core, const uint8_t mac[6])
{
    memcpy(core->mac, mac, sizeof core->mac);
}

/* Two rounds of multiply and shift: each bit of both words reaches all of the result. */
uint32_t fw_boot_id(const fw_core *core)
{
    uint32_t mixed = core->config.seed + core->boot_count * 0x9E3779B1u;
    mixed = (mixed ^ mixed >> 16) * 0x85EBCA6Bu;
    mixed = (mixed ^ mixed >> 13) * 0xC2B2AE35u;
    return mixed ^ mixed >> 16;
}

void fw_boot(fw_core *core, const char *reset_reason, uint32_t now)
{
    fw_text reason;
    forget(core, now);
    core->boot_count++;
    fw_address_boot(core);
    fw_text_init(&reason, core->s.reset_reason, sizeof core->s.reset_reason);
    fw_text_printable(&reason, reset_reason, FW_NAME_BYTES);
    fw_record(core, FW_EVENT_BOOT, core->s.reset_reason, now);
    fw_boot_start(core, now);
    fw_wake(core, now);
}

void fw_set_link(fw_core *core, bool up, const char *reason, uint32_t now)
{
    fw_log(core, 'W', "net", now, "*** USB NCM LINK %s *** (%s)", up ? "UP" : "DOWN", reason);
    fw_record(core, up ? FW_EVENT_NCM_LINK_UP : FW_EVENT_NCM_LINK_DOWN, reason, now);
    fw_emit(core, FW_LINK_STATE, up ? 1 : 0, reason);
    fw_address_link(core, up, now);
}

static void detach(fw_core *core, uint32_t now)
{
    char detail[FW_DETAIL_BYTES];
    uint32_t attempt = core->s.link.attempts;
    snprintf(detail, sizeof detail, "attempt %" PRIu32, attempt);
    fw_log(core, 'W', "net", now, "*** USB RECOVER: tud_disconnect/tud_connect (attempt %" PRIu32 ") ***", attempt);
    fw_record(core, FW_EVENT_USB_RECOVER, detail, now);
    core->s.suspended = false;
    core->s.dtr = false;
    fw_emit(core, FW_USB_DISCONNECT, 0, NULL);
}

static void perform(fw_core *core, const fw_link_row *row, uint32_t now)
{
    if (row->set != FW_LINK_KEEP) {
        fw_set_link(core, row->set == FW_LINK_UP, row->reason, now);
    }
    switch (row->recovery) {
    case FW_LINK_NOTHING:
        break;
    case FW_LINK_DETACH:
        detach(core, now);
        break;
    case FW_LINK_ATTACH:
        fw_emit(core, FW_USB_CONNECT, 0, NULL);
        break;
    case FW_LINK_GIVE_UP:
        fw_log(core, 'E', "net", now, "*** USB RECOVER: gave up after %" PRIu32 " attempts ***",
               core->s.link.attempts);
        fw_record(core, FW_EVENT_USB_RECOVER, "gave_up", now);
        break;
    }
}

/* Each state is performed whole before its point is raised: an input from there finds a consistent core. */
void fw_feed_link(fw_core *core, fw_link_input input, uint32_t now)
{
    const fw_link_row *row = fw_link_step(&core->s.link, &core->config, input, now);
    while (row != NULL) {
        perform(core, row, now);
        if (row->to != FW_LINK_STAY) {
            fw_at_point(core, fw_link_point(&core->s.link), now);
        }
        row = fw_link_step(&core->s.link, &core->config, FW_LINK_ENTER, now);
    }
}

bool fw_link_up(const fw_core *core)
{
    return core->s.link.up;
}

static void forget_firsts(fw_core *core)
{
    core->s.first_rx = false;
    core->s.first_tx = false;
}

void fw_mounted(fw_core *core, uint32_t now)
{
    fw_log(core, 'W', "net", now, "*** USB MOUNTED (device configured by host) ***");
    fw_record(core, FW_EVENT_USB_MOUNTED, "", now);
    if (!core->config.firsts_latched) {
        forget_firsts(core);
    }
    core->s.suspended = false; /* a bus reset ended it, without a resume callback (TinyUSB usbd.c) */
    core->s.dtr = false;
    fw_serial_forget(core);
    fw_feed_link(core, FW_LINK_MOUNT, now);
    fw_at_point(core, FW_POINT_MOUNTED, now);
}

void fw_unmounted(fw_core *core, uint32_t now)
{
    fw_log(core, 'W', "net", now, "*** USB UNMOUNTED ***");
    fw_record(core, FW_EVENT_USB_UNMOUNTED, "", now);
    forget_firsts(core);
    core->s.suspended = false;
    core->s.dtr = false;
    fw_feed_link(core, FW_LINK_UNMOUNT, now);
}

void fw_suspended(fw_core *core, bool remote_wakeup, uint32_t now)
{
    fw_log(core, 'W', "net", now, "*** USB SUSPENDED (remote_wakeup=%d) ***", remote_wakeup ? 1 : 0);
    fw_record(core, FW_EVENT_USB_SUSPENDED, remote_wakeup ? "wake_en" : "", now);
    core->s.suspended = core->s.link.mounted;
    core->s.wake_armed = remote_wakeup;
    core->s.wake_sent = false;
    fw_address_suspended(core, now);
    fw_feed_link(core, FW_LINK_SUSPEND, now);
}

void fw_resumed(fw_core *core, uint32_t now)
{
    fw_log(core, 'W', "net", now, "*** USB RESUMED ***");
    fw_record(core, FW_EVENT_USB_RESUMED, "", now);
    core->s.suspended = false;
    fw_feed_link(core, FW_LINK_RESUME, now);
    fw_at_point(core, FW_POINT_RESUMED, now);
}

void fw_line_state(fw_core *core, bool dtr, bool rts, uint32_t now)
{
    (void)rts;
    (void)now;
    core->s.dtr = dtr;
    if (!dtr) {
        fw_serial_forget(core);
    }
}

void fw_declare_ready(fw_core *core, uint32_t now)
{
    core->s.netif_ready = true;
    if (core->config.role == FW_ROLE_DHCP_SERVER) {
        fw_record(core, FW_EVENT_DHCP_SERVER_STARTED, "", now);
    }
    fw_log(core, 'I', "net", now, "Network interface ready");
    fw_record(core, FW_EVENT_NETIF_READY, "", now);
    if (core->s.link.up) { /* it went up before the stack was ready */
        fw_address_link(core, true, now);
    }
    fw_feed_link(core, FW_LINK_STACK_READY, now);
    fw_at_point(core, FW_POINT_STACK_READY, now);
}

/* An early report counts when boot has started the DHCP server too, a late one at once. */
void fw_netif_started(fw_core *core, uint32_t now)
{
    bool first = !core->s.netif_started;
    core->s.netif_started = true;
    if (first && core->s.boot.waited) {
        fw_declare_ready(core, now);
    }
    fw_wake(core, now);
}

/* An input from the point may have changed what is due. */
static void run_link(fw_core *core, uint32_t now)
{
    fw_point point = fw_link_point_before(&core->s.link, &core->config);
    if (point != FW_POINTS) {
        fw_at_point(core, point, now);
    }
    if (fw_link_due(&core->s.link, now)) {
        fw_feed_link(core, FW_LINK_TIMER, now);
    }
}

static bool wake_once(fw_core *core, uint32_t now)
{
    if (fw_boot_due(core, now)) {
        fw_boot_run(core, now);
    } else if (fw_leave_due(core, now)) {
        fw_leave_run(core, now);
    } else if (fw_address_due(core, now)) {
        fw_address_run(core, now);
    } else if (!core->s.leave.off_bus && fw_link_due(&core->s.link, now)) {
        run_link(core, now);
    } else {
        return false;
    }
    return true;
}

/* What is still due when the queue is nearly full stays due: the deadline has passed, so the port comes again. */
void fw_wake(fw_core *core, uint32_t now)
{
    uint32_t steps = 0;
    while (steps++ < MAX_STEPS_A_WAKE && fw_queue_free(&core->queue) > FW_QUEUE_BYTES / 2 && wake_once(core, now)) {
    }
}

bool fw_deadline(const fw_core *core, uint32_t *deadline)
{
    const fw_link *link = &core->s.link;
    const fw_acd *acd = &core->s.acd;
    bool any = false;
    const struct {
        bool set;
        uint32_t at;
    } all[] = {
        {core->s.boot.running, core->s.boot.deadline},
        {acd->timed && !core->s.leave.off_bus, acd->deadline},
        {link->timed && !core->s.leave.off_bus, link->deadline},
        {core->s.leave.way != FW_STAY, core->s.leave.at},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].set && (!any || (int32_t)(all[i].at - *deadline) < 0)) {
            *deadline = all[i].at;
            any = true;
        }
    }
    return any;
}
