// SPDX-License-Identifier: Apache-2.0
/*
 * Address conflict detection for one IPv4 address, after RFC 5227.
 *
 * The link comes up: wait at random, send PROBE_NUM probes at random intervals, wait ANNOUNCE_WAIT. If nobody answered,
 * the address is in use from the first of ANNOUNCE_NUM announcements on, never before. A conflict while probing starts
 * over; after MAX_CONFLICTS of them an attempt comes once in RATE_LIMIT_INTERVAL only, across links that go down and
 * come up too. In use, a conflict is answered by one announcement; a second one within DEFEND_INTERVAL costs the address
 * (section 2.4, b), and probing starts over. The link goes down: nothing is known any more.
 *
 * The machine is two tables, STATES and ROWS. A step picks the first row that fits, and the caller does what it says.
 * A frame that USB did not take was not sent: its step is done again.
 */
#ifndef FW_ACD_H
#define FW_ACD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fw_core.h"

#define FW_ARP_FRAME_BYTES 42u

typedef enum {
    FW_ACD_OFF,        /* no link */
    FW_ACD_WAIT,       /* PROBE_WAIT, or the rest of RATE_LIMIT_INTERVAL */
    FW_ACD_PROBE,      /* at least one probe is out, another will follow */
    FW_ACD_PROVE,      /* ANNOUNCE_WAIT after the last probe */
    FW_ACD_ANNOUNCE,   /* in use, another announcement will follow */
    FW_ACD_KEEP,       /* in use */
    FW_ACD_STATES,
    FW_ACD_ANY,  /* in a row: from every state */
    FW_ACD_STAY, /* in a row: the state and its timer go on */
} fw_acd_state;

typedef enum {
    FW_ACD_START, /* the link came up */
    FW_ACD_STOP,  /* it went down */
    FW_ACD_TIMER,
    FW_ACD_CONFLICT,
    FW_ACD_UNSENT, /* USB did not take a probe or announcement */
} fw_acd_input;

typedef enum {
    FW_ACD_ALWAYS,
    FW_ACD_IF_LAST_PROBE,
    FW_ACD_IF_LAST_ANNOUNCEMENT,
    FW_ACD_IF_LIMITED,  /* MAX_CONFLICTS have been */
    FW_ACD_IF_DEFENDED, /* less than DEFEND_INTERVAL ago */
    FW_ACD_IF_HELD,     /* the address is in use */
    FW_ACD_IF_STALE,    /* config: acd_restart_missing, and the address is in use */
    FW_ACD_IF_RESTLESS, /* config: acd_probes_forever */
} fw_acd_guard;

typedef enum {
    FW_ACD_DO_NOTHING,
    FW_ACD_SEND_PROBE,
    FW_ACD_TAKE,     /* set the address and send the first announcement */
    FW_ACD_SEND_ANNOUNCEMENT,
    FW_ACD_BACK_OFF, /* a conflict ended an attempt */
    FW_ACD_DEFEND,   /* send an announcement */
    FW_ACD_RETREAT,  /* a conflict costs the address: clear it */
    FW_ACD_LET_GO,   /* the link is gone: clear it */
} fw_acd_action;

typedef struct {
    fw_acd_state from;
    fw_acd_input input;
    fw_acd_guard guard;
    fw_acd_action action;
    fw_acd_state to;
} fw_acd_row;

typedef struct {
    fw_acd_state state;
    bool held; /* the address is in use */
    bool timed;
    bool defended;
    uint32_t deadline;
    uint32_t attempts; /* since boot */
    uint32_t attempt_ms; /* first probe of the last one */
    uint32_t probes;
    uint32_t announcements;
    uint32_t conflicts; /* until the address was held for RATE_LIMIT_INTERVAL */
    uint32_t conflict_ms;
    uint32_t defended_ms;
    uint32_t held_ms;
    uint32_t random;
} fw_acd;

/* What an ARP frame says about an address. */
typedef enum {
    FW_ARP_NO_MATTER,
    FW_ARP_CLAIM, /* somebody else's sender address: request or reply */
    FW_ARP_RIVAL, /* somebody else's probe */
    FW_ARP_QUERY, /* an ordinary request for it */
    FW_ARP_ECHO,  /* the own probe */
} fw_arp_heard;

void fw_acd_init(fw_acd *acd, uint32_t seed);
/* The row that was applied, to be performed by the caller; NULL where the input changes nothing. */
const fw_acd_row *fw_acd_step(fw_acd *acd, const fw_config *config, fw_acd_input input, uint32_t now);
bool fw_acd_due(const fw_acd *acd, uint32_t now);
fw_arp_heard fw_acd_hear(const uint8_t *frame, size_t length, const uint8_t mac[6], const uint8_t address[4]);
/* Whether what was heard is a conflict now: sections 2.1.1 and 2.4. */
bool fw_acd_is_conflict(const fw_acd *acd, const fw_config *config, fw_arp_heard heard);
/* A probe, or with `announce` an announcement. */
void fw_acd_frame(uint8_t frame[FW_ARP_FRAME_BYTES], const uint8_t mac[6], const uint8_t address[4], bool announce);
/* A broadcast request of `mac` for its own address: a probe or an announcement. */
bool fw_acd_is_own(const uint8_t *frame, size_t length, const uint8_t mac[6], const uint8_t address[4]);
/* ARP or IPv4 that speaks from `address`. */
bool fw_acd_speaks_from(const uint8_t *frame, size_t length, const uint8_t address[4]);

#endif
