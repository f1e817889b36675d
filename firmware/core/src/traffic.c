// SPDX-License-Identifier: Apache-2.0
/* Frames in and out: gates, and the claims that a frame justifies. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core_internal.h"
#include "dhcp_nak.h"
#include "dhcp_watch.h"

#define LIMIT_MS 1000u

static bool may_speak(fw_limiter *limiter, uint32_t now)
{
    if (limiter->spoke && now - limiter->spoke_ms < LIMIT_MS) {
        return false;
    }
    limiter->spoke = true;
    limiter->spoke_ms = now;
    return true;
}

static bool has_frame_length(size_t length)
{
    return length >= FW_MIN_FRAME && length <= FW_MAX_FRAME;
}

static bool refuse_rx(fw_core *core, const char *why, uint32_t now)
{
    core->s.rx_dropped++;
    if (may_speak(&core->s.rx_limiter, now)) {
        fw_log(core, 'W', "net", now, "RX: %s, dropping", why);
    }
    return false;
}

static void claim_received(fw_core *core, const uint8_t *frame, size_t length, uint32_t now)
{
    fw_dhcp_seen dhcp = fw_dhcp_watch(frame, length);
    if (dhcp.from_client && dhcp.type == FW_DHCP_DISCOVER) {
        fw_record(core, FW_EVENT_DHCP_DISCOVER_RX, "", now);
    } else if (dhcp.from_client && dhcp.type == FW_DHCP_REQUEST) {
        fw_record(core, FW_EVENT_DHCP_REQUEST_RX, "", now);
    }
}

bool fw_frame_received(fw_core *core, const uint8_t *frame, size_t length, uint32_t now)
{
    fw_at_point(core, FW_POINT_BEFORE_RX, now);
    if (!has_frame_length(length)) {
        return refuse_rx(core, "length is not a frame's", now);
    }
    if (!core->s.link.mounted) {
        return refuse_rx(core, "not mounted", now);
    }
    if (!core->s.first_rx) {
        core->s.first_rx = true;
        fw_record(core, FW_EVENT_FIRST_RX, "", now);
    }
    fw_feed_link(core, FW_LINK_FRAME, now);
    if (!core->s.netif_ready) {
        return refuse_rx(core, "netif not ready", now);
    }
    claim_received(core, frame, length, now);
    return true;
}

static fw_send_result refuse_tx(fw_core *core, fw_send_result result, uint32_t now)
{
    static const char *const REASONS[] = {
        [FW_SEND_ACCEPTED] = "",           [FW_SEND_NOT_MOUNTED] = "not mounted",
        [FW_SEND_LINK_DOWN] = "link down", [FW_SEND_BAD_LENGTH] = "length is not a frame's",
        [FW_SEND_QUEUE_FULL] = "queue full",
    };
    core->s.tx_dropped++;
    if (may_speak(&core->s.tx_limiter, now)) {
        fw_log(core, 'W', "net", now, "TX DROPPED: %s (%" PRIu32 " since boot)", REASONS[result], core->s.tx_dropped);
    }
    return result;
}

/* A suspended board still sends: USB queues the frame, and where the host allowed it the board wakes the host once. */
fw_send_result fw_send_frame(fw_core *core, const uint8_t *frame, size_t length, uint32_t now)
{
    fw_at_point(core, FW_POINT_BEFORE_TX, now);
    if (!core->s.link.mounted) {
        return refuse_tx(core, FW_SEND_NOT_MOUNTED, now);
    }
    if (!core->s.link.up) {
        return refuse_tx(core, FW_SEND_LINK_DOWN, now);
    }
    if (!has_frame_length(length)) {
        return refuse_tx(core, FW_SEND_BAD_LENGTH, now);
    }
    if (core->s.suspended && core->s.wake_armed && !core->s.wake_sent) {
        core->s.wake_sent = fw_emit(core, FW_REMOTE_WAKEUP, 0, NULL);
    }
    fw_queued record = {NULL, 0, FW_TRANSMIT_FRAME, (uint16_t)length};
    if (!fw_queue_push(&core->queue, record, frame)) {
        return refuse_tx(core, FW_SEND_QUEUE_FULL, now);
    }
    (void)fw_dhcp_nak_name(fw_queue_newest(&core->queue, record.length), length, core->config.address);
    return FW_SEND_ACCEPTED;
}

/* An ACK of an INFORM assigns nothing: its yiaddr is zero (RFC 2131, 4.3.5). */
static void claim_assigned(fw_core *core, const uint8_t *address, uint32_t now)
{
    static const uint8_t NONE[4] = {0};
    char detail[FW_DETAIL_BYTES];
    if (memcmp(address, NONE, sizeof NONE) == 0) {
        return;
    }
    snprintf(detail, sizeof detail, "%u.%u.%u.%u", (unsigned)address[0], (unsigned)address[1], (unsigned)address[2],
             (unsigned)address[3]);
    fw_record(core, FW_EVENT_DHCP_ASSIGNED, detail, now);
}

static void claim_sent(fw_core *core, const uint8_t *frame, size_t length, uint32_t now)
{
    fw_dhcp_seen dhcp = fw_dhcp_watch(frame, length);
    if (!core->s.first_tx) {
        core->s.first_tx = true;
        fw_record(core, FW_EVENT_FIRST_TX, "", now);
    }
    if (dhcp.from_client) {
        return;
    }
    if (dhcp.type == FW_DHCP_OFFER) {
        fw_record(core, FW_EVENT_DHCP_OFFER_TX, "", now);
    } else if (dhcp.type == FW_DHCP_NAK) {
        fw_record(core, FW_EVENT_DHCP_NAK_TX, "", now);
    } else if (dhcp.type == FW_DHCP_ACK) {
        fw_record(core, FW_EVENT_DHCP_ACK_TX, "", now);
        claim_assigned(core, dhcp.yiaddr, now);
    }
}

void fw_frame_sent(fw_core *core, const uint8_t *frame, size_t length, bool ok, const char *reason, uint32_t now)
{
    char why[FW_DETAIL_BYTES];
    char detail[FW_DETAIL_BYTES];
    fw_text text;
    if (ok) {
        claim_sent(core, frame, length, now);
        fw_at_point(core, FW_POINT_FRAME_SENT, now);
        return;
    }
    fw_text_init(&text, why, sizeof why);
    fw_text_printable(&text, reason, sizeof why);
    fw_log(core, 'E', "net", now, "TX FAILED: %s", why);
    fw_text_init(&text, detail, sizeof detail);
    fw_text_add(&text, "%s %s", fw_frame_kind(frame, length), why);
    fw_record(core, FW_EVENT_TX_FAILED, detail, now);
}
