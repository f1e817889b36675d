// SPDX-License-Identifier: Apache-2.0
#include "acd.h"

#include <string.h>

#define ETHERNET_BYTES 14u
#define ARP_REQUEST 1u
#define ARP_REPLY 2u
#define SEED_IF_ZERO 0x9E3779B9u /* xorshift stays at zero */

typedef enum { NO_TIMER, PAUSE, INTERVAL, ANNOUNCE_WAIT, ANNOUNCE_INTERVAL, RESTLESS } timer;

static const timer STATES[FW_ACD_STATES] = {
    [FW_ACD_OFF] = NO_TIMER,        [FW_ACD_WAIT] = PAUSE,
    [FW_ACD_PROBE] = INTERVAL,      [FW_ACD_PROVE] = ANNOUNCE_WAIT,
    [FW_ACD_ANNOUNCE] = ANNOUNCE_INTERVAL, [FW_ACD_KEEP] = RESTLESS,
};

/* clang-format off */
#define ROW(from, input, guard, action, to) \
    {FW_ACD_##from, FW_ACD_##input, FW_ACD_##guard, FW_ACD_##action, FW_ACD_##to}

/* The first row that fits is taken: `from` or ANY, the input, the guard. */
static const fw_acd_row ROWS[] = {
    /*  from      input     guard                 action             to        */
    ROW(OFF,      START,    IF_STALE,             DO_NOTHING,        KEEP),
    ROW(OFF,      START,    ALWAYS,               DO_NOTHING,        WAIT),

    ROW(ANY,      STOP,     IF_STALE,             DO_NOTHING,        OFF),
    ROW(ANY,      STOP,     IF_HELD,              LET_GO,            OFF),
    ROW(ANY,      STOP,     ALWAYS,               DO_NOTHING,        OFF),

    ROW(WAIT,     TIMER,    IF_LAST_PROBE,        SEND_PROBE,        PROVE),
    ROW(WAIT,     TIMER,    ALWAYS,               SEND_PROBE,        PROBE),
    ROW(PROBE,    TIMER,    IF_LAST_PROBE,        SEND_PROBE,        PROVE),
    ROW(PROBE,    TIMER,    ALWAYS,               SEND_PROBE,        PROBE),
    ROW(PROVE,    TIMER,    IF_LAST_ANNOUNCEMENT, TAKE,              KEEP),
    ROW(PROVE,    TIMER,    ALWAYS,               TAKE,              ANNOUNCE),
    ROW(ANNOUNCE, TIMER,    IF_LAST_ANNOUNCEMENT, SEND_ANNOUNCEMENT, KEEP),
    ROW(ANNOUNCE, TIMER,    ALWAYS,               SEND_ANNOUNCEMENT, ANNOUNCE),
    ROW(KEEP,     TIMER,    IF_RESTLESS,          SEND_PROBE,        KEEP),

    ROW(WAIT,     CONFLICT, IF_LIMITED,           DO_NOTHING,        STAY),
    ROW(WAIT,     CONFLICT, ALWAYS,               BACK_OFF,          WAIT),
    ROW(PROBE,    CONFLICT, ALWAYS,               BACK_OFF,          WAIT),
    ROW(PROVE,    CONFLICT, ALWAYS,               BACK_OFF,          WAIT),
    ROW(ANNOUNCE, CONFLICT, IF_DEFENDED,          RETREAT,           WAIT),
    ROW(ANNOUNCE, CONFLICT, ALWAYS,               DEFEND,            STAY),
    ROW(KEEP,     CONFLICT, IF_DEFENDED,          RETREAT,           WAIT),
    ROW(KEEP,     CONFLICT, ALWAYS,               DEFEND,            STAY),

    ROW(PROBE,    UNSENT,   ALWAYS,               DO_NOTHING,        PROBE),
    ROW(PROVE,    UNSENT,   ALWAYS,               DO_NOTHING,        PROBE),
    ROW(ANNOUNCE, UNSENT,   ALWAYS,               DO_NOTHING,        ANNOUNCE),
    ROW(KEEP,     UNSENT,   ALWAYS,               DO_NOTHING,        ANNOUNCE),
};
/* clang-format on */

void fw_acd_init(fw_acd *acd, uint32_t seed)
{
    memset(acd, 0, sizeof *acd);
    acd->random = seed == 0 ? SEED_IF_ZERO : seed;
}

/* From `low` to `high`, both included; Marsaglia's xorshift of 32 bits. */
static uint32_t random_between(fw_acd *acd, uint32_t low, uint32_t high)
{
    uint32_t value = acd->random;
    value ^= value << 13;
    value ^= value >> 17;
    value ^= value << 5;
    acd->random = value;
    return high <= low ? low : low + value % (high - low + 1u);
}

static bool is_limited(const fw_acd *acd, const fw_config *config)
{
    return acd->conflicts >= config->acd_max_conflicts && !config->acd_limit_missing;
}

/* Since the last conflict or the last attempt, whichever came later. */
static uint32_t since_last(const fw_acd *acd, uint32_t now)
{
    uint32_t conflict = now - acd->conflict_ms;
    uint32_t attempt = now - acd->attempt_ms;
    return acd->attempts > 0 && attempt < conflict ? attempt : conflict;
}

static uint32_t waiting_time(fw_acd *acd, const fw_config *config, uint32_t now)
{
    uint32_t since = since_last(acd, now);
    uint32_t wait = random_between(acd, 0, config->acd_probe_wait_ms);
    if (is_limited(acd, config) && since < config->acd_rate_limit_ms && config->acd_rate_limit_ms - since > wait) {
        wait = config->acd_rate_limit_ms - since;
    }
    return wait;
}

static void start_timer(fw_acd *acd, const fw_config *config, uint32_t now)
{
    acd->timed = true;
    switch (STATES[acd->state]) {
    case NO_TIMER:
        acd->timed = false;
        break;
    case PAUSE:
        acd->deadline = now + waiting_time(acd, config, now);
        break;
    case INTERVAL:
        acd->deadline = now + random_between(acd, config->acd_probe_min_ms, config->acd_probe_max_ms);
        break;
    case ANNOUNCE_WAIT:
        acd->deadline = now + config->acd_announce_wait_ms;
        break;
    case ANNOUNCE_INTERVAL:
        acd->deadline = now + config->acd_announce_interval_ms;
        break;
    case RESTLESS:
        acd->timed = config->acd_probes_forever != 0;
        acd->deadline = now + config->acd_defend_ms;
        break;
    }
}

static bool allows(const fw_acd *acd, const fw_config *config, fw_acd_guard guard, uint32_t now)
{
    switch (guard) {
    case FW_ACD_ALWAYS:
        return true;
    case FW_ACD_IF_LAST_PROBE:
        return acd->probes + 1 >= config->acd_probe_count;
    case FW_ACD_IF_LAST_ANNOUNCEMENT:
        return acd->announcements + 1 >= config->acd_announce_count;
    case FW_ACD_IF_LIMITED:
        return is_limited(acd, config);
    case FW_ACD_IF_DEFENDED:
        return acd->defended && now - acd->defended_ms < config->acd_defend_ms && !config->acd_defends_always;
    case FW_ACD_IF_HELD:
        return acd->held;
    case FW_ACD_IF_STALE:
        return acd->held && config->acd_restart_missing;
    case FW_ACD_IF_RESTLESS:
        return config->acd_probes_forever != 0;
    }
    return false;
}

static const fw_acd_row *find_row(const fw_acd *acd, const fw_config *config, fw_acd_input input, uint32_t now)
{
    for (size_t i = 0; i < sizeof ROWS / sizeof ROWS[0]; i++) {
        const fw_acd_row *row = &ROWS[i];
        if ((row->from == acd->state || row->from == FW_ACD_ANY) && row->input == input &&
            allows(acd, config, row->guard, now)) {
            return row;
        }
    }
    return NULL;
}

static void begin_attempt(fw_acd *acd)
{
    acd->probes = 0;
    acd->announcements = 0;
    acd->held = false;
    acd->defended = false;
}

/* Conflicts are forgotten once the address was held for long: what comes after that is news. */
static void note_end(fw_acd *acd, const fw_config *config, uint32_t now)
{
    if (acd->held && now - acd->held_ms >= config->acd_rate_limit_ms) {
        acd->conflicts = 0;
    }
    begin_attempt(acd);
}

static void note_first_probe(fw_acd *acd, uint32_t now)
{
    acd->attempts++;
    acd->attempt_ms = now;
}

static void note_action(fw_acd *acd, const fw_config *config, fw_acd_action action, uint32_t now)
{
    switch (action) {
    case FW_ACD_DO_NOTHING:
        break;
    case FW_ACD_SEND_PROBE:
        if (acd->probes == 0) {
            note_first_probe(acd, now);
        }
        acd->probes++;
        break;
    case FW_ACD_TAKE:
        acd->held = true;
        acd->held_ms = now;
        acd->announcements++;
        break;
    case FW_ACD_SEND_ANNOUNCEMENT:
        acd->announcements++;
        break;
    case FW_ACD_DEFEND:
        acd->defended = true;
        acd->defended_ms = now;
        break;
    case FW_ACD_BACK_OFF:
    case FW_ACD_RETREAT:
        note_end(acd, config, now);
        acd->conflicts++;
        acd->conflict_ms = now;
        break;
    case FW_ACD_LET_GO:
        note_end(acd, config, now);
        break;
    }
}

/* What was counted when it was handed over has not left. */
static void note_unsent(fw_acd *acd)
{
    if (acd->held && acd->announcements > 0) {
        acd->announcements--;
    } else if (!acd->held && acd->probes > 0) {
        acd->probes--;
    }
}

const fw_acd_row *fw_acd_step(fw_acd *acd, const fw_config *config, fw_acd_input input, uint32_t now)
{
    const fw_acd_row *row = find_row(acd, config, input, now);
    if (row == NULL) {
        return NULL;
    }
    if (input == FW_ACD_UNSENT) {
        note_unsent(acd);
    }
    note_action(acd, config, row->action, now);
    if (row->to == FW_ACD_STAY) {
        return row;
    }
    if (row->to == FW_ACD_WAIT) {
        begin_attempt(acd);
    }
    acd->state = row->to;
    start_timer(acd, config, now);
    return row;
}

bool fw_acd_due(const fw_acd *acd, uint32_t now)
{
    return acd->timed && (int32_t)(acd->deadline - now) <= 0;
}

static bool is_arp(const uint8_t *frame, size_t length)
{
    static const uint8_t HEAD[] = {0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0}; /* Ethernet, IPv4 (RFC 826) */
    return length >= FW_ARP_FRAME_BYTES && memcmp(frame + 12, HEAD, sizeof HEAD) == 0 &&
           (frame[21] == ARP_REQUEST || frame[21] == ARP_REPLY);
}

static bool is_none(const uint8_t *address)
{
    static const uint8_t NONE[4] = {0};
    return memcmp(address, NONE, sizeof NONE) == 0;
}

fw_arp_heard fw_acd_hear(const uint8_t *frame, size_t length, const uint8_t mac[6], const uint8_t address[4])
{
    if (!is_arp(frame, length)) {
        return FW_ARP_NO_MATTER;
    }
    const uint8_t *sender = frame + 22;
    bool own = memcmp(sender, mac, 6) == 0;
    bool asks = frame[21] == ARP_REQUEST && memcmp(frame + 38, address, 4) == 0;
    if (memcmp(sender + 6, address, 4) == 0) {
        return own ? FW_ARP_NO_MATTER : FW_ARP_CLAIM;
    }
    if (asks && is_none(sender + 6)) {
        return own ? FW_ARP_ECHO : FW_ARP_RIVAL;
    }
    return asks ? FW_ARP_QUERY : FW_ARP_NO_MATTER;
}

static bool is_probing(const fw_acd *acd)
{
    return acd->state == FW_ACD_WAIT || acd->state == FW_ACD_PROBE || acd->state == FW_ACD_PROVE;
}

bool fw_acd_is_conflict(const fw_acd *acd, const fw_config *config, fw_arp_heard heard)
{
    if (acd->state == FW_ACD_OFF) {
        return false;
    }
    if (!is_probing(acd)) {
        return heard == FW_ARP_CLAIM && !config->acd_defence_missing;
    }
    switch (heard) {
    case FW_ARP_NO_MATTER:
        return false;
    case FW_ARP_CLAIM:
        return !config->acd_conflicts_ignored;
    case FW_ARP_RIVAL:
        return !config->acd_rivals_ignored;
    case FW_ARP_QUERY:
        return config->acd_queries_conflict != 0;
    case FW_ARP_ECHO:
        return config->acd_echoes_conflict != 0;
    }
    return false;
}

void fw_acd_frame(uint8_t frame[FW_ARP_FRAME_BYTES], const uint8_t mac[6], const uint8_t address[4], bool announce)
{
    static const uint8_t HEAD[] = {0x08, 0x06, 0, 1, 0x08, 0x00, 6, 4, 0, ARP_REQUEST};
    memset(frame, 0, FW_ARP_FRAME_BYTES);
    memset(frame, 0xFF, 6);
    memcpy(frame + 6, mac, 6);
    memcpy(frame + 12, HEAD, sizeof HEAD);
    memcpy(frame + 22, mac, 6);
    if (announce) {
        memcpy(frame + 28, address, 4);
    }
    memcpy(frame + 38, address, 4);
}

bool fw_acd_is_own(const uint8_t *frame, size_t length, const uint8_t mac[6], const uint8_t address[4])
{
    return is_arp(frame, length) && frame[21] == ARP_REQUEST && memcmp(frame + 22, mac, 6) == 0 &&
           memcmp(frame + 38, address, 4) == 0 && (is_none(frame + 28) || memcmp(frame + 28, address, 4) == 0);
}

bool fw_acd_speaks_from(const uint8_t *frame, size_t length, const uint8_t address[4])
{
    if (is_arp(frame, length)) {
        return memcmp(frame + 28, address, 4) == 0;
    }
    return length >= ETHERNET_BYTES + 20u && frame[12] == 0x08 && frame[13] == 0x00 &&
           memcmp(frame + ETHERNET_BYTES + 12, address, 4) == 0;
}
