// SPDX-License-Identifier: Apache-2.0
#include "event_log.h"

#include <inttypes.h>
#include <string.h>

static const char *const NAMES[FW_EVENT_NAMES] = {
    [FW_EVENT_USB_MOUNTED] = "USB_MOUNTED",
    [FW_EVENT_USB_UNMOUNTED] = "USB_UNMOUNTED",
    [FW_EVENT_USB_SUSPENDED] = "USB_SUSPENDED",
    [FW_EVENT_USB_RESUMED] = "USB_RESUMED",
    [FW_EVENT_NCM_LINK_UP] = "NCM_LINK_UP",
    [FW_EVENT_NETIF_READY] = "NETIF_READY",
    [FW_EVENT_FIRST_RX] = "FIRST_RX",
    [FW_EVENT_FIRST_TX] = "FIRST_TX",
    [FW_EVENT_DHCP_DISCOVER_RX] = "DHCP_DISCOVER_RX",
    [FW_EVENT_DHCP_OFFER_TX] = "DHCP_OFFER_TX",
    [FW_EVENT_DHCP_REQUEST_RX] = "DHCP_REQUEST_RX",
    [FW_EVENT_DHCP_ACK_TX] = "DHCP_ACK_TX",
    [FW_EVENT_DHCP_ASSIGNED] = "DHCP_ASSIGNED",
    [FW_EVENT_NCM_LINK_DOWN] = "NCM_LINK_DOWN",
    [FW_EVENT_DHCP_NAK_TX] = "DHCP_NAK_TX",
    [FW_EVENT_TX_FAILED] = "TX_FAILED",
    [FW_EVENT_USB_RECOVER] = "USB_RECOVER",
    [FW_EVENT_BOOT] = "BOOT",
    [FW_EVENT_DHCP_SERVER_STARTED] = "DHCP_SERVER_STARTED",
    [FW_EVENT_DHCP_CLIENT_STARTED] = "DHCP_CLIENT_STARTED",
    [FW_EVENT_DHCP_DISCOVER_TX] = "DHCP_DISCOVER_TX",
    [FW_EVENT_DHCP_OFFER_RX] = "DHCP_OFFER_RX",
    [FW_EVENT_DHCP_REQUEST_TX] = "DHCP_REQUEST_TX",
    [FW_EVENT_DHCP_ACK_RX] = "DHCP_ACK_RX",
    [FW_EVENT_DHCP_NAK_RX] = "DHCP_NAK_RX",
    [FW_EVENT_DHCP_DECLINE_TX] = "DHCP_DECLINE_TX",
    [FW_EVENT_ADDRESS_SET] = "ADDRESS_SET",
    [FW_EVENT_ADDRESS_CLEARED] = "ADDRESS_CLEARED",
    [FW_EVENT_ACD_PROBING] = "ACD_PROBING",
    [FW_EVENT_ACD_CONFLICT] = "ACD_CONFLICT",
    [FW_EVENT_ACD_DEFENDED] = "ACD_DEFENDED",
    [FW_EVENT_ACD_RATE_LIMITED] = "ACD_RATE_LIMITED",
};

const char *fw_event_text(uint32_t number)
{
    return number < FW_EVENT_NAMES ? NAMES[number] : NULL;
}

void fw_event_log_init(fw_event_log *log, uint32_t capacity)
{
    memset(log, 0, sizeof *log);
    log->capacity = capacity;
}

void fw_event_log_record(fw_event_log *log, fw_event_name name, const char *detail, uint32_t ms)
{
    if (name < FW_EVENT_FLAGS) {
        log->flags[name] = true;
    }
    if (log->count >= log->capacity) {
        log->discarded++;
        return;
    }
    fw_event *entry = &log->entries[log->count++];
    fw_text kept;
    entry->ms = ms;
    entry->name = (uint8_t)name;
    fw_text_init(&kept, entry->detail, sizeof entry->detail);
    fw_text_printable(&kept, detail, FW_DETAIL_BYTES);
}

void fw_event_log_text(const fw_event_log *log, uint32_t since, bool discards_hidden, fw_text *out)
{
    fw_text_add(out, "=== CRITICAL EVENTS (%" PRIu32 " recorded) ===\n", log->count);
    if (log->discarded > 0 && !discards_hidden) {
        fw_text_add(out, "=== %" PRIu32 " EVENTS DISCARDED ===\n", log->discarded);
    }
    if (since > 0) {
        fw_text_add(out, "=== AFTER EVENT %" PRIu32 " ===\n", since);
    }
    fw_text_add(out, "\n");
    for (uint32_t i = since; i < log->count; i++) {
        const fw_event *entry = &log->entries[i];
        fw_text_add(out, "[%6" PRIu32 " ms] %s", entry->ms, NAMES[entry->name]);
        fw_text_add(out, entry->detail[0] != '\0' ? ": %s\n" : "%s\n", entry->detail);
    }
    fw_text_add(out, "\n=== STATUS FLAGS ===\n");
    for (size_t i = 0; i < FW_EVENT_FLAGS; i++) {
        fw_text_add(out, "%s: %s\n", NAMES[i], log->flags[i] ? "YES" : "NO");
    }
}

void fw_event_log_members(const fw_event_log *log, uint32_t since, bool discards_hidden, fw_text *out)
{
    fw_text_add(out, "  \"recorded\": %" PRIu32 ",\n", log->count);
    fw_text_add(out, "  \"discarded\": %" PRIu32 ",\n", discards_hidden ? 0 : log->discarded);
    fw_text_add(out, "  \"events\": [");
    for (uint32_t i = since; i < log->count; i++) {
        const fw_event *entry = &log->entries[i];
        fw_text_add(out, "%s\n    {\"number\": %" PRIu32 ", \"ms\": %" PRIu32 ", \"name\": \"%s\", \"detail\": ",
                    i > since ? "," : "", i + 1, entry->ms, NAMES[entry->name]);
        fw_text_json(out, entry->detail);
        fw_text_bytes(out, "}", 1);
    }
    fw_text_add(out, "\n  ]\n");
}

void fw_event_log_json(const fw_event_log *log, fw_text *out)
{
    fw_text_add(out, "{\n");
    for (size_t i = 0; i < FW_EVENT_FLAGS; i++) {
        const char *comma = i + 1 < FW_EVENT_FLAGS ? "," : "";
        fw_text_add(out, "  \"%s\": %s%s\n", NAMES[i], log->flags[i] ? "true" : "false", comma);
    }
    fw_text_add(out, "}\n");
}
