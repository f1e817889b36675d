// SPDX-License-Identifier: Apache-2.0
/* Boot as a table: each step prints its line, does one thing and takes the time that the config gives it. */
#include <inttypes.h>
#include <string.h>

#include "core_internal.h"

typedef enum { NOTHING, BANNER, USB, NCM, NETIF, DHCP, READY, WATCHDOG, REDIRECT, HTTP, COMPLETE } boot_action;

typedef struct {
    const char *tag;
    const char *text; /* or NULL */
    boot_action action;
    size_t duration; /* offset of a field of fw_config */
} boot_step;

#define TAKES(field) offsetof(fw_config, field)
#define NO_TIME SIZE_MAX

static const boot_step STEPS[] = {
    {"main", NULL, NOTHING, TAKES(start_ms)},
    {"main", NULL, BANNER, NO_TIME},
    {"main", "[BOOT 1/7] NVS flash", NOTHING, TAKES(nvs_ms)},
    {"main", "[BOOT 2/7] lwIP stack", NOTHING, TAKES(lwip_ms)},
    {"main", "[BOOT 3/7] Event loop", NOTHING, TAKES(event_loop_ms)},
    {"main", "[BOOT 4/7] USB network", NOTHING, NO_TIME},
    {"net", "[1/7] TinyUSB driver", USB, TAKES(usb_driver_ms)},
    {"net", "[2/7] NCM interface", NCM, TAKES(ncm_ms)},
    {"net", "[3/7] CDC-ACM console", NOTHING, TAKES(cdc_ms)},
    {"net", "[4/7] esp-netif", NETIF, TAKES(netif_ms)},
    {"net", "[5/7] DHCP server options", DHCP, TAKES(dhcp_ms)},
    {"net", "[6/7] Starting the network interface", NOTHING, TAKES(netif_start_ms)},
    {"net", NULL, READY, NO_TIME},
    {"net", "[7/7] Link watchdog", WATCHDOG, TAKES(watchdog_ms)},
    {"main", "[BOOT 5/7] Wi-Fi", NOTHING, TAKES(wifi_ms)},
    {"main", "[BOOT 6/7] Redirecting logs to USB CDC", REDIRECT, TAKES(redirect_ms)},
    {"main", "[BOOT 7/7] HTTP server", HTTP, TAKES(http_ms)},
    {"main", "BOOT COMPLETE - SERVER READY", COMPLETE, NO_TIME},
};

#define STEP_COUNT (sizeof STEPS / sizeof STEPS[0])

static uint32_t duration_of(const fw_core *core, const boot_step *step)
{
    uint32_t duration = 0;
    if (step->duration != NO_TIME) {
        memcpy(&duration, (const uint8_t *)&core->config + step->duration, sizeof duration);
    }
    return duration;
}

static void print_banner(fw_core *core, uint32_t now)
{
    fw_log(core, 'I', "main", now, "ESP32-S3 USB NCM Server");
    fw_log(core, 'I', "main", now, "%s %s", core->config.project, core->config.version);
    fw_log(core, 'I', "main", now, "boot %" PRIu32 ", reset reason %s", core->boot_count, core->s.reset_reason);
    if (core->heap_told) {
        fw_log(core, 'I', "main", now, "free heap %" PRIu32 " bytes", core->free_heap);
    }
}

/* Before this the console alone has the log: the ring's first line is the one printed here. */
static void redirect_logs(fw_core *core, uint32_t now)
{
    core->s.redirected = true;
    fw_log(core, 'I', "main", now, "Logs now output to /dev/cu.usbmodem* (macOS)");
}

static void end_wait(fw_core *core, uint32_t now)
{
    core->s.boot.waited = true;
    if (core->s.netif_started) {
        fw_declare_ready(core, now);
    } else {
        fw_log(core, 'E', "net", now, "Network interface not started after %" PRIu32 " ms",
               core->config.netif_timeout_ms);
    }
}

static void act(fw_core *core, boot_action action, uint32_t now)
{
    switch (action) {
    case NOTHING:
        break;
    case BANNER:
        print_banner(core, now);
        fw_leave_clear_flag(core);
        break;
    case USB:
        fw_emit(core, FW_START_USB, 0, NULL);
        break;
    case NCM:
        if (!core->s.link.mounted) { /* a fast host may be ahead; its mount has set the link down already */
            fw_set_link(core, false, "boot_init", now);
        }
        break;
    case NETIF:
        fw_address_start_netif(core);
        break;
    case DHCP:
        fw_address_start_server(core);
        break;
    case READY:
        end_wait(core, now);
        break;
    case WATCHDOG:
        fw_log(core, 'W', "net", now, "*** USB WATCHDOG TASK STARTED ***");
        break;
    case REDIRECT:
        redirect_logs(core, now);
        break;
    case HTTP:
        fw_emit(core, FW_START_HTTP, 0, NULL);
        break;
    case COMPLETE:
        core->s.boot.running = false;
        break;
    }
}

void fw_boot_start(fw_core *core, uint32_t now)
{
    core->s.boot.running = true;
    core->s.boot.deadline = now;
}

bool fw_boot_due(const fw_core *core, uint32_t now)
{
    const fw_boot_state *boot = &core->s.boot;
    bool arrived = boot->waiting && core->s.netif_started;
    return boot->running && (arrived || (int32_t)(boot->deadline - now) <= 0);
}

/* The step that waits for the interface is met twice: once to wait, once when it came or the time is over. */
static bool must_wait(fw_core *core, const boot_step *step, uint32_t now)
{
    fw_boot_state *boot = &core->s.boot;
    if (step->action != READY || core->s.netif_started || boot->waiting) {
        boot->waiting = false;
        return false;
    }
    boot->waiting = true;
    boot->deadline = now + core->config.netif_timeout_ms;
    return true;
}

void fw_boot_run(fw_core *core, uint32_t now)
{
    const boot_step *step = &STEPS[core->s.boot.step];
    if (core->s.boot.step >= STEP_COUNT || must_wait(core, step, now)) {
        return;
    }
    core->s.boot.step++;
    core->s.boot.deadline = now + duration_of(core, step);
    if (step->text != NULL) {
        fw_log(core, 'I', step->tag, now, "%s", step->text);
    }
    act(core, step->action, now);
    fw_at_point(core, FW_POINT_BOOT_STEP, now);
}
