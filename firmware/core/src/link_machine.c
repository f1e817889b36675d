// SPDX-License-Identifier: Apache-2.0
#include "link_machine.h"

#include <string.h>

typedef enum { NO_TIMER, ASLEEP, TICK, KICK, GRACE, DETACH, ATTACH, BACKOFF } timer;

static const struct {
    fw_point point;
    timer timer;
} STATES[FW_LINK_STATES] = {
    [FW_LINK_OFF] = {FW_POINT_LINK_OFF, NO_TIMER},
    [FW_LINK_SETTLE] = {FW_POINT_LINK_SETTLE, TICK},
    [FW_LINK_AWAIT_STACK] = {FW_POINT_LINK_AWAIT_STACK, NO_TIMER},
    [FW_LINK_KICK_STACK] = {FW_POINT_LINK_KICK_BEGIN, KICK},
    [FW_LINK_KICK_RESUME] = {FW_POINT_LINK_KICK_BEGIN, KICK},
    [FW_LINK_LISTEN] = {FW_POINT_LINK_LISTEN, GRACE},
    [FW_LINK_RUN] = {FW_POINT_LINK_RUN, NO_TIMER},
    [FW_LINK_GAVE_UP] = {FW_POINT_LINK_GAVE_UP, NO_TIMER},
    [FW_LINK_SUSPENDED] = {FW_POINT_LINK_SUSPENDED, ASLEEP},
    [FW_LINK_DETACHED] = {FW_POINT_RECOVER_DETACHED, DETACH},
    [FW_LINK_ATTACHING] = {FW_POINT_RECOVER_ATTACHING, ATTACH},
    [FW_LINK_AWAIT_MOUNT] = {FW_POINT_RECOVER_AWAIT_MOUNT, BACKOFF},
    [FW_LINK_KICK_ATTACH] = {FW_POINT_LINK_KICK_BEGIN, KICK},
};

/* clang-format off */
#define ROW(from, input, guard, set, reason, recovery, to) \
    {FW_LINK_##from, FW_LINK_##input, FW_LINK_##guard, FW_LINK_##set, reason, FW_LINK_##recovery, FW_LINK_##to}

/* The first row that fits is taken: `from` or ANY, the input, the guard. */
static const fw_link_row ROWS[] = {
    /*  from         input        guard        link  reason                   recovery  to           */
    ROW(DETACHED,    MOUNT,       ALWAYS,      DOWN, "mounted",               NOTHING,  STAY),
    ROW(ATTACHING,   MOUNT,       ALWAYS,      DOWN, "mounted",               NOTHING,  STAY),
    ROW(KICK_STACK,  MOUNT,       IF_OLD_CLOCK, DOWN, "mounted",              NOTHING,  STAY),
    ROW(ANY,         MOUNT,       ALWAYS,      DOWN, "mounted",               NOTHING,  SETTLE),

    ROW(DETACHED,    UNMOUNT,     ALWAYS,      DOWN, "unmounted",             NOTHING,  STAY),
    ROW(ATTACHING,   UNMOUNT,     ALWAYS,      DOWN, "unmounted",             NOTHING,  STAY),
    ROW(AWAIT_MOUNT, UNMOUNT,     ALWAYS,      DOWN, "unmounted",             NOTHING,  STAY),
    ROW(ANY,         UNMOUNT,     ALWAYS,      DOWN, "unmounted",             NOTHING,  OFF),

    ROW(SETTLE,      TIMER,       IF_HASTY,    UP,   "mounted_up",            NOTHING,  LISTEN),
    ROW(SETTLE,      TIMER,       IF_STACK,    DOWN, "stack_ready_kick_down", NOTHING,  KICK_STACK),
    ROW(SETTLE,      TIMER,       ALWAYS,      KEEP, NULL,                    NOTHING,  AWAIT_STACK),
    ROW(AWAIT_STACK, STACK_READY, ALWAYS,      DOWN, "stack_ready_kick_down", NOTHING,  KICK_STACK),
    ROW(KICK_STACK,  TIMER,       ALWAYS,      UP,   "stack_ready_kick_up",   NOTHING,  LISTEN),

    ROW(ANY,         SUSPEND,     IF_MOVED,    DOWN, "suspended",             NOTHING,  SUSPENDED),
    ROW(SUSPENDED,   TIMER,       ALWAYS,      UP,   "stack_ready_kick_up",   NOTHING,  SUSPENDED),
    ROW(ANY,         SUSPEND,     IF_MOUNTED,  KEEP, NULL,                    NOTHING,  SUSPENDED),
    ROW(SUSPENDED,   RESUME,      IF_LEFT_DOWN, DOWN, "resume_kick_down",     NOTHING,  AWAIT_STACK),
    ROW(SUSPENDED,   RESUME,      IF_STACK,    DOWN, "resume_kick_down",      NOTHING,  KICK_RESUME),
    ROW(SUSPENDED,   RESUME,      ALWAYS,      KEEP, NULL,                    NOTHING,  AWAIT_STACK),
    ROW(KICK_RESUME, TIMER,       ALWAYS,      UP,   "resume_kick_up",        NOTHING,  LISTEN),

    ROW(LISTEN,      ENTER,       IF_HEARD,    KEEP, NULL,                    NOTHING,  RUN),
    ROW(LISTEN,      ENTER,       IF_GIVEN_UP, KEEP, NULL,                    NOTHING,  GAVE_UP),
    ROW(LISTEN,      FRAME,       ALWAYS,      KEEP, NULL,                    NOTHING,  RUN),
    ROW(GAVE_UP,     FRAME,       ALWAYS,      KEEP, NULL,                    NOTHING,  RUN),

    ROW(LISTEN,      TIMER,       IF_DEAF,     KEEP, NULL,                    NOTHING,  RUN),
    ROW(LISTEN,      TIMER,       IF_ATTEMPTS, DOWN, "no_rx_after_mount",     DETACH,   DETACHED),
    ROW(LISTEN,      TIMER,       ALWAYS,      KEEP, NULL,                    GIVE_UP,  GAVE_UP),
    ROW(DETACHED,    TIMER,       ALWAYS,      KEEP, NULL,                    ATTACH,   ATTACHING),
    ROW(ATTACHING,   TIMER,       IF_MOUNTED,  DOWN, "post_attach_kick_down", NOTHING,  KICK_ATTACH),
    ROW(ATTACHING,   TIMER,       ALWAYS,      KEEP, NULL,                    NOTHING,  AWAIT_MOUNT),
    ROW(AWAIT_MOUNT, TIMER,       IF_ATTEMPTS, DOWN, "no_rx_after_mount",     DETACH,   DETACHED),
    ROW(AWAIT_MOUNT, TIMER,       ALWAYS,      KEEP, NULL,                    GIVE_UP,  OFF),
    ROW(KICK_ATTACH, TIMER,       ALWAYS,      UP,   "kick_complete",         NOTHING,  LISTEN),
};
/* clang-format on */

void fw_link_init(fw_link *link)
{
    memset(link, 0, sizeof *link);
}

/* Pause from one attempt's start to the next: backoff_ms after the first, doubled after each, at most backoff_max_ms. */
static uint32_t backoff(const fw_link *link, const fw_config *config)
{
    uint32_t pause = config->backoff_ms;
    for (uint32_t i = 1; i < link->attempts && pause < config->backoff_max_ms; i++) {
        pause *= 2;
    }
    return pause < config->backoff_max_ms ? pause : config->backoff_max_ms;
}

/* How long to listen: the grace time, and where another attempt may follow, until its backoff is over. */
static uint32_t patience(const fw_link *link, const fw_config *config, uint32_t now)
{
    uint32_t grace = config->no_rx_grace_ms;
    if (link->attempts == 0 || link->attempts >= config->max_attempts) {
        return grace;
    }
    uint32_t since = now - link->attempt_ms;
    uint32_t pause = backoff(link, config);
    return pause > since && pause - since > grace ? pause - since : grace;
}

/* With grace_from_old_clock a mount that came after the clock was read lies 49 days back. */
static bool has_grace_passed(const fw_link *link, const fw_config *config)
{
    return config->grace_from_old_clock && link->kick_ms - link->mount_ms >= config->no_rx_grace_ms;
}

static void start_timer(fw_link *link, const fw_config *config, uint32_t now)
{
    link->timed = true;
    switch (STATES[link->state].timer) {
    case NO_TIMER:
        link->timed = false;
        break;
    case ASLEEP:
        link->timed = config->suspend_moves_link && !link->up;
        link->deadline = now + config->tick_ms;
        break;
    case TICK:
        link->deadline = now + config->tick_ms;
        break;
    case KICK:
        link->kick_ms = now;
        link->deadline = now + config->kick_ms;
        break;
    case DETACH:
        link->deadline = now + config->detach_ms;
        break;
    case ATTACH:
        link->deadline = now + config->attach_ms;
        break;
    case GRACE:
        link->deadline = has_grace_passed(link, config) ? now : now + patience(link, config, now);
        break;
    case BACKOFF:
        link->deadline = now + patience(link, config, now);
        break;
    }
}

static void clear_attempts(fw_link *link)
{
    link->attempts = 0;
    link->given_up = false;
}

static void note_mount(fw_link *link, const fw_config *config, uint32_t now)
{
    bool own = link->state == FW_LINK_DETACHED || now - link->attached_ms <= config->own_mount_ms;
    if (!own || config->mount_clears_attempts) {
        clear_attempts(link);
    }
    link->mount_ms = now;
    link->heard = false;
    link->mounted = link->state != FW_LINK_DETACHED; /* a late callback from before the disconnect */
}

/* What an input says by itself, in whatever state. */
static void note_input(fw_link *link, const fw_config *config, fw_link_input input, uint32_t now)
{
    switch (input) {
    case FW_LINK_MOUNT:
        note_mount(link, config, now);
        break;
    case FW_LINK_UNMOUNT:
        link->mounted = false;
        break;
    case FW_LINK_STACK_READY:
        link->stack_ready = true;
        break;
    case FW_LINK_FRAME:
        link->heard = true;
        clear_attempts(link);
        break;
    case FW_LINK_ENTER:
    case FW_LINK_TIMER:
    case FW_LINK_SUSPEND:
    case FW_LINK_RESUME:
        break;
    }
}

static bool allows(const fw_link *link, const fw_config *config, fw_link_guard guard)
{
    switch (guard) {
    case FW_LINK_ALWAYS:
        return true;
    case FW_LINK_IF_MOUNTED:
        return link->mounted;
    case FW_LINK_IF_STACK:
        return link->stack_ready;
    case FW_LINK_IF_HEARD:
        return link->heard;
    case FW_LINK_IF_GIVEN_UP:
        return link->given_up;
    case FW_LINK_IF_ATTEMPTS:
        return link->attempts < config->max_attempts;
    case FW_LINK_IF_HASTY:
        return config->link_ignores_stack != 0;
    case FW_LINK_IF_DEAF:
        return config->silence_ignored || config->role == FW_ROLE_STATIC;
    case FW_LINK_IF_OLD_CLOCK:
        return config->grace_from_old_clock != 0;
    case FW_LINK_IF_MOVED:
        return config->suspend_moves_link && link->mounted;
    case FW_LINK_IF_LEFT_DOWN:
        return config->resume_leaves_down != 0;
    }
    return false;
}

static const fw_link_row *find_row(const fw_link *link, const fw_config *config, fw_link_input input)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const fw_link_row *row = &ROWS[i];
        if ((row->from == link->state || row->from == FW_LINK_ANY) && row->input == input &&
            allows(link, config, row->guard)) {
            return row;
        }
    }
    return NULL;
}

static void note_recovery(fw_link *link, fw_link_recovery recovery, uint32_t now)
{
    switch (recovery) {
    case FW_LINK_DETACH:
        link->attempts++;
        link->attempt_ms = now;
        link->mounted = false;
        break;
    case FW_LINK_ATTACH:
        link->attached_ms = now;
        break;
    case FW_LINK_GIVE_UP:
        link->given_up = true;
        break;
    case FW_LINK_NOTHING:
        break;
    }
}

const fw_link_row *fw_link_step(fw_link *link, const fw_config *config, fw_link_input input, uint32_t now)
{
    note_input(link, config, input, now);
    const fw_link_row *row = find_row(link, config, input);
    if (row == NULL) {
        return NULL;
    }
    if (row->set != FW_LINK_KEEP) {
        link->up = row->set == FW_LINK_UP;
    }
    note_recovery(link, row->recovery, now);
    if (row->to != FW_LINK_STAY) {
        link->state = row->to;
        start_timer(link, config, now);
    }
    return row;
}

bool fw_link_due(const fw_link *link, uint32_t now)
{
    return link->timed && (int32_t)(link->deadline - now) <= 0;
}

fw_point fw_link_point_before(const fw_link *link, const fw_config *config)
{
    const fw_link_row *row = find_row(link, config, FW_LINK_TIMER);
    if (STATES[link->state].timer == KICK) {
        return FW_POINT_LINK_KICK_END;
    }
    return row != NULL && row->recovery == FW_LINK_DETACH ? FW_POINT_BEFORE_RECOVER : FW_POINTS;
}

fw_point fw_link_point(const fw_link *link)
{
    return STATES[link->state].point;
}
