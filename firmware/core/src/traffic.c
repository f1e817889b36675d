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

/* What is claimed of a DHCP message: the first row that fits. A server hears and answers, a client asks and hears. */
static const struct {
    fw_dhcp_type type;
    bool from_client;
    bool sent; /* else received */
    bool client_role;
    fw_event_name event;
} CLAIMS[] = {
    {FW_DHCP_DISCOVER, true, false, false, FW_EVENT_DHCP_DISCOVER_RX},
    {FW_DHCP_OFFER, false, true, false, FW_EVENT_DHCP_OFFER_TX},
    {FW_DHCP_REQUEST, true, false, false, FW_EVENT_DHCP_REQUEST_RX},
    {FW_DHCP_ACK, false, true, false, FW_EVENT_DHCP_ACK_TX},
    {FW_DHCP_NAK, false, true, false, FW_EVENT_DHCP_NAK_TX},
    {FW_DHCP_DISCOVER, true, true, true, FW_EVENT_DHCP_DISCOVER_TX},
    {FW_DHCP_OFFER, false, false, true, FW_EVENT_DHCP_OFFER_RX},
    {FW_DHCP_REQUEST, true, true, true, FW_EVENT_DHCP_REQUEST_TX},
    {FW_DHCP_ACK, false, false, true, FW_EVENT_DHCP_ACK_RX},
    {FW_DHCP_NAK, false, false, true, FW_EVENT_DHCP_NAK_RX},
    {FW_DHCP_DECLINE, true, true, true, FW_EVENT_DHCP_DECLINE_TX},
};

/* With dhcp_told_by_port only the two that the ports can tell are left. */
static fw_dhcp_type claimed_type(const fw_core *core, const fw_dhcp_seen *dhcp)
{
    if (!core->config.dhcp_told_by_port || dhcp->type == FW_DHCP_NONE) {
        return (fw_dhcp_type)dhcp->type;
    }
    return dhcp->from_client ? FW_DHCP_DISCOVER : FW_DHCP_OFFER;
}

static void claim_dhcp(fw_core *core, const fw_dhcp_seen *dhcp, bool sent, uint32_t now)
{
    bool client_role = core->config.role == FW_ROLE_DHCP_CLIENT;
    fw_dhcp_type type = claimed_type(core, dhcp);
    for (size_t i = 0; i < sizeof CLAIMS / sizeof CLAIMS[0]; i++) {
        if (CLAIMS[i].type == type && CLAIMS[i].from_client == dhcp->from_client && CLAIMS[i].sent == sent &&
            CLAIMS[i].client_role == client_role) {
            fw_record(core, CLAIMS[i].event, "", now);
            return;
        }
    }
}

static fw_frame_flaw claim_received(fw_core *core, const uint8_t *frame, size_t length, uint32_t now)
{
    fw_dhcp_seen dhcp = fw_dhcp_watch(frame, length);
    claim_dhcp(core, &dhcp, false, now);
    return (fw_frame_flaw)dhcp.flaw;
}

/* A broken DHCP message is passed on in a sound datagram: other readers than this one may make something of it. */
static bool pass(fw_core *core, fw_frame_flaw flaw, uint32_t now)
{
    core->s.rx_malformed += flaw == FW_FLAW_NONE ? 0 : 1;
    switch (flaw) {
    case FW_FLAW_IP:
        return refuse_rx(core, "IPv4 header is wrong", now);
    case FW_FLAW_UDP:
        return refuse_rx(core, "UDP length is wrong", now);
    case FW_FLAW_NONE:
    case FW_FLAW_DHCP:
        break;
    }
    return true;
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
        if (core->config.drops_claimed) {
            (void)claim_received(core, frame, length, now);
        }
        return refuse_rx(core, "netif not ready", now);
    }
    fw_frame_flaw flaw = claim_received(core, frame, length, now);
    fw_address_heard(core, frame, length, now);
    return pass(core, flaw, now);
}

void fw_frame_refused(fw_core *core, const char *why, uint32_t now)
{
    char reason[FW_DETAIL_BYTES];
    fw_text text;
    fw_text_init(&text, reason, sizeof reason);
    fw_text_printable(&text, why, sizeof reason);
    (void)refuse_rx(core, reason, now);
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
    claim_dhcp(core, &dhcp, true, now);
    if (!dhcp.from_client && dhcp.type == FW_DHCP_ACK && !core->config.dhcp_told_by_port) {
        claim_assigned(core, dhcp.yiaddr, now);
    }
}

static fw_send_result refuse_tx(fw_core *core, fw_send_result result, uint32_t now)
{
    static const char *const REASONS[] = {
        [FW_SEND_ACCEPTED] = "",           [FW_SEND_NOT_MOUNTED] = "not mounted",
        [FW_SEND_LINK_DOWN] = "link down", [FW_SEND_BAD_LENGTH] = "length is not a frame's",
        [FW_SEND_QUEUE_FULL] = "queue full",
        [FW_SEND_UNPROVEN] = "the address is not in use",
        [FW_SEND_NOT_DUE] = "",
    };
    if (core->config.drops_untold) {
        return result;
    }
    core->s.tx_dropped++;
    if (may_speak(&core->s.tx_limiter, now)) {
        fw_log(core, 'W', "net", now, "TX DROPPED: %s (%" PRIu32 " since boot)", REASONS[result], core->s.tx_dropped);
    }
    return result;
}

static void record_failed(fw_core *core, const uint8_t *frame, size_t length, const char *why, uint32_t now)
{
    char detail[FW_DETAIL_BYTES];
    fw_text text;
    if (!core->config.sends_claimed_early) {
        fw_text_init(&text, detail, sizeof detail);
        fw_text_add(&text, "%s %s", fw_frame_kind(frame, length), why);
        fw_record(core, FW_EVENT_TX_FAILED, detail, now);
    }
}

/* An event for the first of a run, so that a burst does not fill the event log; and for each DHCP message. */
static fw_send_result refuse_for_room(fw_core *core, const uint8_t *frame, size_t length, uint32_t now)
{
    bool dhcp = fw_dhcp_watch(frame, length).type != FW_DHCP_NONE;
    if ((dhcp || !core->s.tx_crowded) && !core->config.drops_untold) {
        record_failed(core, frame, length, "queue full", now);
    }
    core->s.tx_crowded = true;
    return refuse_tx(core, FW_SEND_QUEUE_FULL, now);
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
    fw_send_result allowed = fw_address_allows(core, frame, length);
    if (allowed != FW_SEND_ACCEPTED) {
        return allowed == FW_SEND_NOT_DUE ? allowed : refuse_tx(core, allowed, now);
    }
    if (core->s.suspended && core->s.wake_armed && !core->s.wake_sent) {
        core->s.wake_sent = fw_emit(core, FW_REMOTE_WAKEUP, 0, NULL);
    }
    fw_queued record = {NULL, 0, FW_TRANSMIT_FRAME, (uint16_t)length};
    if (!fw_queue_push(&core->queue, record, frame)) {
        return refuse_for_room(core, frame, length, now);
    }
    core->s.tx_crowded = false;
    if (core->config.sends_claimed_early) {
        claim_sent(core, frame, length, now);
    }
    if (!core->config.nak_unnamed) {
        (void)fw_dhcp_nak_name(fw_queue_newest(&core->queue, record.length), length, core->config.address);
    }
    return FW_SEND_ACCEPTED;
}

static void tell_failed(fw_core *core, const uint8_t *frame, size_t length, const char *reason, uint32_t now)
{
    char why[FW_DETAIL_BYTES];
    fw_text text;
    fw_text_init(&text, why, sizeof why);
    fw_text_printable(&text, reason, sizeof why);
    fw_log(core, 'E', "net", now, "TX FAILED: %s", why);
    record_failed(core, frame, length, why, now);
}

void fw_frame_sent(fw_core *core, const uint8_t *frame, size_t length, bool ok, const char *reason, uint32_t now)
{
    if (!ok) {
        tell_failed(core, frame, length, reason, now);
    } else if (!core->config.sends_claimed_early) {
        claim_sent(core, frame, length, now);
    }
    fw_address_sent(core, frame, length, ok, now);
    if (ok) {
        fw_at_point(core, FW_POINT_FRAME_SENT, now);
    }
}
