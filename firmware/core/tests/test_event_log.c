// SPDX-License-Identifier: Apache-2.0
#include "check.h"
#include "event_log.h"

static const char *text_of(const fw_event_log *log, int json)
{
    static char data[FW_RESPONSE_BYTES];
    fw_text out;
    fw_text_init(&out, data, sizeof data);
    if (json) {
        fw_event_log_json(log, &out);
    } else {
        fw_event_log_text(log, 0, false, &out);
    }
    CHECK(!out.overflow);
    return data;
}

static void text_follows_the_format_literally(void)
{
    fw_event_log log;
    fw_event_log_init(&log, FW_MAX_EVENTS);
    fw_event_log_record(&log, FW_EVENT_NETIF_READY, "", 485);
    fw_event_log_record(&log, FW_EVENT_NCM_LINK_UP, "stack_ready_kick_up", 1234567);
    CHECK_TEXT(text_of(&log, 0), "=== CRITICAL EVENTS (2 recorded) ===\n\n"
                                 "[   485 ms] NETIF_READY\n[1234567 ms] NCM_LINK_UP: stack_ready_kick_up\n\n"
                                 "=== STATUS FLAGS ===\nUSB_MOUNTED: NO\nUSB_UNMOUNTED: NO\nUSB_SUSPENDED: NO\n"
                                 "USB_RESUMED: NO\nNCM_LINK_UP: YES\nNETIF_READY: YES\nFIRST_RX: NO\nFIRST_TX: NO\n"
                                 "DHCP_DISCOVER_RX: NO\nDHCP_OFFER_TX: NO\nDHCP_REQUEST_RX: NO\nDHCP_ACK_TX: NO\n"
                                 "DHCP_ASSIGNED: NO\n");
}

static void json_has_the_thirteen_keys_in_order(void)
{
    fw_event_log log;
    fw_event_log_init(&log, FW_MAX_EVENTS);
    fw_event_log_record(&log, FW_EVENT_DHCP_ASSIGNED, "192.168.7.2", 1);
    CHECK_TEXT(text_of(&log, 1),
               "{\n  \"USB_MOUNTED\": false,\n  \"USB_UNMOUNTED\": false,\n  \"USB_SUSPENDED\": false,\n"
               "  \"USB_RESUMED\": false,\n  \"NCM_LINK_UP\": false,\n  \"NETIF_READY\": false,\n"
               "  \"FIRST_RX\": false,\n  \"FIRST_TX\": false,\n  \"DHCP_DISCOVER_RX\": false,\n"
               "  \"DHCP_OFFER_TX\": false,\n  \"DHCP_REQUEST_RX\": false,\n  \"DHCP_ACK_TX\": false,\n"
               "  \"DHCP_ASSIGNED\": true\n}\n");
}

static void full_log_says_what_it_discards_and_still_sets_flags(void)
{
    static const char HEAD[] = "=== CRITICAL EVENTS (2 recorded) ===\n=== 2 EVENTS DISCARDED ===\n\n[     1 ms] USB_MOUNTED\n";
    fw_event_log log;
    fw_event_log_init(&log, 2);
    fw_event_log_record(&log, FW_EVENT_USB_MOUNTED, "", 1);
    fw_event_log_record(&log, FW_EVENT_BOOT, "POWERON", 2);
    fw_event_log_record(&log, FW_EVENT_TX_FAILED, "ARP", 3);
    fw_event_log_record(&log, FW_EVENT_FIRST_TX, "", 4);
    CHECK(strncmp(text_of(&log, 0), HEAD, sizeof HEAD - 1) == 0);
    CHECK(log.flags[FW_EVENT_FIRST_TX]);
}

static void full_log_that_hides_its_discards_looks_like_one_that_just_fits(void)
{
    static const char HEAD[] = "=== CRITICAL EVENTS (1 recorded) ===\n\n[     1 ms] USB_MOUNTED\n\n=== STATUS FLAGS ===\n";
    char data[FW_RESPONSE_BYTES];
    fw_event_log log;
    fw_text out;
    fw_event_log_init(&log, 1);
    fw_event_log_record(&log, FW_EVENT_USB_MOUNTED, "", 1);
    fw_event_log_record(&log, FW_EVENT_FIRST_TX, "", 2);
    fw_text_init(&out, data, sizeof data);
    fw_event_log_text(&log, 0, true, &out);
    CHECK(strncmp(data, HEAD, sizeof HEAD - 1) == 0);
    CHECK(log.flags[FW_EVENT_FIRST_TX]);
}

static void detail_is_cut_and_made_printable(void)
{
    char detail[200];
    fw_event_log log;
    memset(detail, 'x', sizeof detail);
    detail[0] = '\n';
    detail[1] = (char)0xFF;
    fw_event_log_init(&log, FW_MAX_EVENTS);
    fw_event_log_record(&log, FW_EVENT_BOOT, detail, 0);
    CHECK(strlen(log.entries[0].detail) == FW_DETAIL_BYTES - 1);
    CHECK(strncmp(log.entries[0].detail, "??xxx", 5) == 0);
}

static void largest_text_fits_a_response(void)
{
    char detail[FW_DETAIL_BYTES];
    fw_event_log log;
    memset(detail, 'x', sizeof detail);
    fw_event_log_init(&log, FW_MAX_EVENTS);
    for (int i = 0; i < 1000; i++) {
        fw_event_log_record(&log, FW_EVENT_DHCP_SERVER_STARTED, detail, UINT32_MAX);
    }
    CHECK(strstr(text_of(&log, 0), "=== 872 EVENTS DISCARDED ===") != NULL);
}

int main(void)
{
    RUN(text_follows_the_format_literally);
    RUN(json_has_the_thirteen_keys_in_order);
    RUN(full_log_says_what_it_discards_and_still_sets_flags);
    RUN(full_log_that_hides_its_discards_looks_like_one_that_just_fits);
    RUN(detail_is_cut_and_made_printable);
    RUN(largest_text_fits_a_response);
    return 0;
}
