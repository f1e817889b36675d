// SPDX-License-Identifier: Apache-2.0
/*
 * Link state and recovery: whether the host is told "connected", and what is done about a host that never sends.
 *
 * A mount holds the link down for a tick and a kick, so that the host sees it come up after its driver is there. If no
 * frame comes within the grace time, the board takes itself off the bus and comes back, at most `max_attempts` times
 * with growing pauses; not so in the static role, where silence means nothing. Only a received frame or a mount that the
 * board did not cause clears that count: all mounts within `own_mount_ms` of a reconnect are its own, as a host may
 * configure the board more than once.
 *
 * The machine is two tables, STATES and ROWS. A step picks the first row that fits; the caller performs it and then
 * feeds FW_LINK_ENTER until no row fits. All timing is by deadline, so nothing underflows where inputs race.
 *
 * The rows that mistakes of the config add stand before the right ones, each under a guard of its own.
 */
#ifndef FW_LINK_MACHINE_H
#define FW_LINK_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "fw_core.h"

typedef enum {
    FW_LINK_OFF,         /* not configured by a host */
    FW_LINK_SETTLE,      /* just mounted */
    FW_LINK_AWAIT_STACK, /* mounted, the IP stack is not ready */
    FW_LINK_KICK_STACK,  /* down, about to come up */
    FW_LINK_KICK_RESUME, /* the same after a resume */
    FW_LINK_LISTEN,      /* up, no frame heard since the mount */
    FW_LINK_RUN,         /* up, frames heard or not waited for */
    FW_LINK_GAVE_UP,     /* up, no frame heard, no attempt left */
    FW_LINK_SUSPENDED,   /* as it was; no notification can be delivered */
    FW_LINK_DETACHED,    /* recovery: off the bus */
    FW_LINK_ATTACHING,   /* recovery: back on the bus */
    FW_LINK_AWAIT_MOUNT, /* recovery: the host has not configured the board */
    FW_LINK_KICK_ATTACH, /* recovery: down, about to come up */
    FW_LINK_STATES,
    FW_LINK_ANY,  /* in a row: from every state */
    FW_LINK_STAY, /* in a row: the state and its timer go on */
} fw_link_state;

typedef enum {
    FW_LINK_ENTER, /* the state was just entered */
    FW_LINK_TIMER,
    FW_LINK_MOUNT,
    FW_LINK_UNMOUNT,
    FW_LINK_SUSPEND,
    FW_LINK_RESUME,
    FW_LINK_STACK_READY,
    FW_LINK_FRAME,
} fw_link_input;

typedef enum {
    FW_LINK_ALWAYS,
    FW_LINK_IF_MOUNTED,
    FW_LINK_IF_STACK, /* the IP stack is ready */
    FW_LINK_IF_HEARD,
    FW_LINK_IF_GIVEN_UP,
    FW_LINK_IF_ATTEMPTS, /* one is left */
    FW_LINK_IF_HASTY,    /* config: link_ignores_stack */
    FW_LINK_IF_DEAF,     /* config: silence_ignored, or the static role */
    FW_LINK_IF_OLD_CLOCK, /* config: grace_from_old_clock */
    FW_LINK_IF_LEFT_DOWN, /* config: resume_leaves_down */
    FW_LINK_IF_MOVED, /* config: suspend_moves_link, and mounted */
} fw_link_guard;

typedef enum { FW_LINK_KEEP, FW_LINK_DOWN, FW_LINK_UP } fw_link_set;
typedef enum { FW_LINK_NOTHING, FW_LINK_DETACH, FW_LINK_ATTACH, FW_LINK_GIVE_UP } fw_link_recovery;

typedef struct {
    fw_link_state from;
    fw_link_input input;
    fw_link_guard guard;
    fw_link_set set;
    const char *reason; /* of the link state, or NULL */
    fw_link_recovery recovery;
    fw_link_state to;
} fw_link_row;

typedef struct {
    fw_link_state state;
    bool up;          /* what the host was last told */
    bool mounted;
    bool stack_ready;
    bool heard;       /* a frame came since the mount */
    bool given_up;
    bool timed;
    uint32_t deadline;
    uint32_t attached_ms; /* last reconnect, where there was an attempt */
    uint32_t attempt_ms; /* start of the last attempt */
    uint32_t attempts;
    uint32_t mount_ms;
    uint32_t kick_ms; /* start of the last kick */
} fw_link;

void fw_link_init(fw_link *link);
/* The row that was applied, to be performed by the caller; NULL where the input changes nothing. */
const fw_link_row *fw_link_step(fw_link *link, const fw_config *config, fw_link_input input, uint32_t now);
bool fw_link_due(const fw_link *link, uint32_t now);
/* The point before what the timer, if it is due, leads to; FW_POINTS where there is none. */
fw_point fw_link_point_before(const fw_link *link, const fw_config *config);
/* The point of the state just entered. */
fw_point fw_link_point(const fw_link *link);

#endif
