// SPDX-License-Identifier: Apache-2.0
/*
 * Portable core of the reference firmware: what the board decides, without a single call that does it.
 *
 * The port feeds inputs (USB callbacks, frames, HTTP requests) with the time in milliseconds, then takes commands with
 * fw_next_command() until there are none, and calls fw_wake() at the instant that fw_deadline() names. Time is a
 * uint32_t that may wrap. The core has no global state, allocates nothing and never blocks; the caller serialises calls.
 * Inputs may be called from within a point callback.
 */
#ifndef FW_CORE_H
#define FW_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FW_MIN_FRAME 14u
#define FW_MAX_FRAME 1514u
#define FW_MAX_EVENTS 128u
#define FW_RING_LINES 200u
#define FW_RING_LINE_BYTES 255u
#define FW_LOG_LINE_BYTES 511u
#define FW_NAME_BYTES 32u
#define FW_RESPONSE_BYTES 65536u  /* a body never needs more */
#define FW_SSE_CHUNK_BYTES 2048u  /* a chunk of the log stream never needs more */
#define FW_SHA256_BYTES 65u      /* as hexadecimal digits, final NUL included */
#define FW_SERIAL_LINE_BYTES 32u  /* a command on the serial port is shorter */

typedef struct fw_core fw_core;

typedef enum {
    FW_ROLE_DHCP_SERVER = 0, /* `address` at once, and addresses of the pool for those who ask */
    FW_ROLE_DHCP_CLIENT,     /* no address but that of a server */
    FW_ROLE_STATIC,          /* `address`, once probing has shown that nobody else has it (RFC 5227) */
} fw_role;

/* Durations are milliseconds. fw_default_config() fills in the constants of the firmware that this one takes after. */
typedef struct {
    uint32_t role;           /* fw_role */
    uint32_t event_capacity; /* 1..FW_MAX_EVENTS */
    uint32_t event_discards_hidden; /* 1: a full event log does not say that it is */

    uint32_t tick_ms;        /* mount to the first kick */
    uint32_t kick_ms;        /* link held down */
    uint32_t no_rx_grace_ms; /* link up to recovery, if no frame comes; never in the static role: a host owes such a board
                                no frame, as nothing is asked of it and a probe is answered by nobody */
    uint32_t detach_ms;      /* USB disconnected during recovery */
    uint32_t attach_ms;      /* reconnected, before the kick */
    uint32_t max_attempts;
    uint32_t backoff_ms;     /* least time from the first attempt to the second; grows twofold */
    uint32_t backoff_max_ms;
    uint32_t own_mount_ms;   /* a mount this soon after a reconnect was caused by it */

    /* Address conflict detection, by the names of RFC 5227 section 1.1. */
    uint32_t acd_probe_wait_ms; /* random, from 0 to this */
    uint32_t acd_probe_count;   /* 1.. */
    uint32_t acd_probe_min_ms;  /* one probe to the next: random, from this */
    uint32_t acd_probe_max_ms;  /* to this */
    uint32_t acd_announce_wait_ms;
    uint32_t acd_announce_count; /* 1.. */
    uint32_t acd_announce_interval_ms;
    uint32_t acd_max_conflicts;
    uint32_t acd_rate_limit_ms;
    uint32_t acd_defend_ms;

    /* Mistakes seen in firmware of this kind; 0 is right. fw_mistake_name() and its neighbours list them. */
    uint32_t link_ignores_stack;    /* up after a mount though the stack is not ready, and no kick when it is */
    uint32_t silence_ignored;       /* no recovery, however long no frame comes */
    uint32_t mount_clears_attempts; /* each mount, the board's own too, restarts the count and the backoff */
    uint32_t grace_from_old_clock;  /* a mount in the kick does not end it; the grace time ends by the clock before it */
    uint32_t resume_leaves_down;    /* the kick after a resume has no second half */
    uint32_t events_survive_boot;   /* a boot does not clear the event log */
    uint32_t loader_phy_on_otg;     /* the PHY stays on USB-OTG: the ROM comes up as 303a:0009 */
    uint32_t loader_without_flag;   /* the force-download bit is not set: the application comes back */
    uint32_t loader_flag_left;      /* each boot leaves the force-download bit set: any restart ends in the ROM */
    uint32_t dhcp_told_by_port;     /* all of a client is DISCOVER, all of a server OFFER, and nothing is the rest */
    uint32_t sends_claimed_early;   /* a frame is claimed as sent before USB was asked, and whatever it answers */
    uint32_t drops_untold;          /* a frame that is not sent, as the link is down, is neither counted nor told */
    uint32_t firsts_latched;        /* a mount does not make FIRST_RX and FIRST_TX new; only an unmount does */
    uint32_t requests_told_at_length; /* each request leaves a block of lines, and pushes out what stood before */
    uint32_t suspend_moves_link;    /* a suspend takes the link down, and it comes up again while the bus sleeps */
    uint32_t drops_claimed;         /* a frame that is thrown away, as the stack is not ready, is claimed as DHCP */
    uint32_t dhcp_client_mute;      /* the client is claimed to be started, and is not */
    uint32_t acd_address_first;     /* the address is in use before the first probe, and stays so while probing */
    uint32_t acd_missing;           /* the address is in use from the start; no probe, no announcement, no defence */
    uint32_t acd_conflicts_ignored; /* while probing: an answer to a probe changes nothing */
    uint32_t acd_rivals_ignored;    /* while probing: somebody else's probe for the address changes nothing */
    uint32_t acd_queries_conflict;  /* while probing: an ordinary request for the address counts as a conflict */
    uint32_t acd_echoes_conflict;   /* while probing: the board's own probes, reflected, count as a conflict */
    uint32_t acd_limit_missing;     /* no pause, however many conflicts there were */
    uint32_t acd_defence_missing;   /* in use: a conflict changes nothing */
    uint32_t acd_defends_always;    /* in use: every conflict is answered, and the address never given up */
    uint32_t acd_restart_missing;   /* the link goes down and comes up, and the address is used as before */
    uint32_t acd_address_late;      /* the address is set with the last announcement: the first one is a promise */
    uint32_t acd_probes_forever;    /* in use: another probe now and then */
    uint32_t acd_jitter_missing;    /* the same pauses after each boot */
    uint32_t nak_unnamed;           /* a NAK of the server is sent as it is, without the server's name */
    uint32_t loader_request_ignored; /* the way to the loader ends with the line that says so: USB and all else go on */

    uint32_t start_ms;       /* reset to the first line: ROM and second-stage boot loader */
    uint32_t nvs_ms;
    uint32_t lwip_ms;
    uint32_t event_loop_ms;
    uint32_t usb_driver_ms;
    uint32_t ncm_ms;
    uint32_t cdc_ms;
    uint32_t netif_ms;
    uint32_t dhcp_ms;
    uint32_t netif_start_ms;
    uint32_t netif_timeout_ms; /* boot goes on without the netif after this */
    uint32_t watchdog_ms;
    uint32_t wifi_ms;
    uint32_t redirect_ms;
    uint32_t http_ms;

    uint32_t restart_delay_ms; /* answer to a reset or boot loader request, to its first step; see fw_http_sent() */
    uint32_t loader_detach_ms; /* off the bus before the PHY changes hands, so that the host sees the board go */
    uint32_t keepalive_ms;   /* silence in the log stream before a comment */
    uint32_t lease_s;
    uint32_t boot_count;     /* boots before this one */
    uint32_t seed;           /* random: decides the pauses of ACD and, with the count, the boot id */
    uint32_t free_heap;      /* bytes, until fw_set_free_heap() */
    uint8_t address[4];
    uint8_t pool_first[4];
    uint8_t pool_last[4];
    uint8_t router[4];       /* 0.0.0.0: no router option */
    uint8_t dns[4];
    uint32_t prefix;
    char version[FW_NAME_BYTES];
    char project[FW_NAME_BYTES];
    char elf_sha256[FW_SHA256_BYTES]; /* of the running image, or "" where it is not known */
} fw_config;

/* What the port has to do, in the order in which it is told. */
typedef enum {
    FW_START_USB = 1,     /* install the USB driver; the board appears on the bus */
    FW_START_NETIF,       /* bring the interface up with address and prefix; 0.0.0.0: up, without an address. Where no
                             DHCP server follows, answer with fw_netif_started() */
    FW_START_DHCP_SERVER, /* first, last, router, dns, lease_s; answer with fw_netif_started() */
    FW_START_HTTP,        /* listen on port 80 */
    FW_USB_DISCONNECT,    /* tud_disconnect() */
    FW_USB_CONNECT,       /* tud_connect() */
    FW_LINK_STATE,        /* tell the host by NETWORK_CONNECTION; on, text: the reason */
    FW_TRANSMIT_FRAME,    /* hand the bytes to USB; answer with fw_frame_sent() */
    FW_REMOTE_WAKEUP,     /* tud_remote_wakeup() */
    FW_CONSOLE_WRITE,     /* bytes, for the UART */
    FW_CDC_WRITE,         /* bytes, for the CDC-ACM port */
    FW_RESTART,           /* esp_restart(); delay_ms: still to wait */
    FW_LED,               /* on */
    FW_PHY_TO_SERIAL_JTAG, /* route the internal PHY from USB-OTG to USB-Serial/JTAG (usb_usj_mode) */
    FW_FORCE_DOWNLOAD,    /* on: RTC_CNTL_FORCE_DOWNLOAD_BOOT of RTC_CNTL_OPTION1_REG set, else cleared */
    FW_SET_ADDRESS,       /* static role: use address, prefix and, as gateway, router; 0.0.0.0: no gateway. The core
                             announces it itself */
    FW_CLEAR_ADDRESS,     /* static role: stop using the address at once, whatever connections there are */
    FW_START_DHCP_CLIENT, /* client role: begin with DISCOVER; tell fw_address_assigned() and fw_address_lost() */
    FW_STOP_DHCP_CLIENT,  /* client role: the link is down; forget the lease */
    FW_COMMAND_KINDS,
} fw_command_kind;

typedef struct {
    uint32_t kind;
    uint32_t on;
    uint32_t delay_ms;
    uint32_t lease_s;
    uint32_t prefix;
    uint32_t length;
    const uint8_t *bytes; /* valid until the next fw_next_command() or fw_boot() */
    const char *text;
    uint8_t address[4];
    uint8_t first[4];
    uint8_t last[4];
    uint8_t router[4];
    uint8_t dns[4];
} fw_command;

typedef enum {
    FW_SEND_ACCEPTED = 0,
    FW_SEND_NOT_MOUNTED,
    FW_SEND_LINK_DOWN,
    FW_SEND_BAD_LENGTH,
    FW_SEND_QUEUE_FULL,
    FW_SEND_UNPROVEN, /* static role: it speaks from an address that is not in use yet */
    FW_SEND_NOT_DUE,  /* static role: an announcement of the stack's own, which is the core's to make; not counted */
} fw_send_result;

typedef struct {
    char *body;      /* set by the caller */
    size_t capacity; /* set by the caller */
    size_t length;
    uint32_t status;
    uint32_t stream; /* 1: the body is the log stream, see fw_log_stream_next() */
    const char *content_type;
    const char *headers; /* "Name: value\r\n" each, or "" */
} fw_response;

/* One reader of the log stream; all zero is a new one. */
typedef struct {
    uint32_t next;
    uint32_t spoke_ms;
    uint32_t greeted;
} fw_log_cursor;

/* Where a port may look on, or give inputs of its own: a race is raised at its point, never by waiting for it. */
typedef enum {
    FW_POINT_BOOT_STEP = 0,      /* a step of the boot table was done */
    FW_POINT_STACK_READY,        /* NETIF_READY was recorded */
    FW_POINT_MOUNTED,            /* in the mount callback; the link machine has seen the mount */
    FW_POINT_RESUMED,            /* the same of a resume */
    FW_POINT_LINK_OFF,           /* LINK_*: the link machine has entered the state of that name */
    FW_POINT_LINK_SETTLE,
    FW_POINT_LINK_AWAIT_STACK,
    FW_POINT_LINK_KICK_BEGIN,    /* the link is down; it comes up kick_ms later */
    FW_POINT_LINK_KICK_END,      /* kick_ms are over; the link is down still */
    FW_POINT_LINK_LISTEN,
    FW_POINT_LINK_RUN,
    FW_POINT_LINK_GAVE_UP,
    FW_POINT_LINK_SUSPENDED,
    FW_POINT_BEFORE_RECOVER,     /* no frame within the grace time; the board is still on the bus */
    FW_POINT_RECOVER_DETACHED,
    FW_POINT_RECOVER_ATTACHING,
    FW_POINT_RECOVER_AWAIT_MOUNT,
    FW_POINT_BEFORE_RX,          /* a frame came; nothing is known of it yet */
    FW_POINT_BEFORE_TX,          /* the IP stack has a frame to send */
    FW_POINT_FRAME_SENT,         /* USB has taken a frame, and the claims are made */
    FW_POINT_BEFORE_HTTP,
    FW_POINT_BEFORE_SERIAL,      /* bytes came on the serial port */
    FW_POINT_BEFORE_LEAVE,       /* a reset or boot loader request was answered; nothing was done about it yet */
    FW_POINT_LOADER_DETACHED,    /* off the bus on the way to the boot loader; the PHY is USB-OTG's still */
    FW_POINT_ACD_BEFORE_PROBE,   /* a probe is due, and has not left */
    FW_POINT_ACD_PROVEN,         /* probing has found nobody; the address is not in use yet */
    FW_POINT_ACD_CONFLICT,       /* a conflict was heard, and nothing done about it yet */
    FW_POINTS,
} fw_point;

typedef void (*fw_point_callback)(void *user, uint32_t point, uint32_t now);

size_t fw_core_size(void);
size_t fw_config_size(void);
size_t fw_command_size(void);
size_t fw_response_size(void);
void fw_default_config(fw_config *config);

/* NULL where the memory is too small or not aligned for any type, or a value of the config is out of range. */
fw_core *fw_init(void *memory, size_t size, const fw_config *config);
/* Another config, as fw_init() takes it: limits and switches count at once, the rest from the next boot. False, and
 * nothing changed, where a value is out of range. */
bool fw_configure(fw_core *core, const fw_config *config);
/* "link_kick_begin" for FW_POINT_LINK_KICK_BEGIN; NULL where there is no such point. */
const char *fw_point_name(uint32_t point);
void fw_set_points(fw_core *core, fw_point_callback callback, void *user);
/* For /version and, before fw_boot(), for the boot log. */
void fw_set_free_heap(fw_core *core, uint32_t bytes);
/* The Ethernet address of the board's own side, before FW_START_NETIF is answered; kept over fw_boot(). */
void fw_set_mac(fw_core *core, const uint8_t mac[6]);

/* Forget everything but the config and the boot count. `now` is the instant of the reset: the board's own time 0. */
void fw_boot(fw_core *core, const char *reset_reason, uint32_t now);
void fw_wake(fw_core *core, uint32_t now);
bool fw_deadline(const fw_core *core, uint32_t *deadline);
bool fw_next_command(fw_core *core, fw_command *command);

void fw_mounted(fw_core *core, uint32_t now);
void fw_unmounted(fw_core *core, uint32_t now);
void fw_suspended(fw_core *core, bool remote_wakeup, uint32_t now);
void fw_resumed(fw_core *core, uint32_t now);
void fw_line_state(fw_core *core, bool dtr, bool rts, uint32_t now);
/* Bytes that the host wrote to the CDC-ACM port: commands, one a line, ended by CR or LF. `bootloader` and `reset` are
 * answered by `ok bootloader` and `ok reset`; anything else is counted, and answered by nothing: a terminal that echoes
 * what it reads would be answered for ever. */
void fw_serial_received(fw_core *core, const uint8_t *bytes, size_t length, uint32_t now);
/* The interface runs and, in the server role, the DHCP server with it; the link may go up. */
void fw_netif_started(fw_core *core, uint32_t now);
/* DHCP client role: the stack uses this address now (IP_EVENT_ETH_GOT_IP), or none any more. esp-netif tells the loss of none
 * too, where its client has been looking for a second: that one counts for nothing. */
void fw_address_assigned(fw_core *core, const uint8_t address[4], uint32_t now);
void fw_address_lost(fw_core *core, uint32_t now);
bool fw_link_up(const fw_core *core);

/* True: hand the frame to the IP stack. IPv4 and UDP whose lengths lead past the frame are refused. */
bool fw_frame_received(fw_core *core, const uint8_t *frame, size_t length, uint32_t now);
/* A frame that was to be handed over, and that the IP stack did not take; `why` is an error's name. */
void fw_frame_refused(fw_core *core, const char *why, uint32_t now);
fw_send_result fw_send_frame(fw_core *core, const uint8_t *frame, size_t length, uint32_t now);
void fw_frame_sent(fw_core *core, const uint8_t *frame, size_t length, bool ok, const char *reason, uint32_t now);

/* A whole line of somebody else's log, such as ESP-IDF's own; a final line end is dropped. */
void fw_log_foreign(fw_core *core, const char *text, size_t length, uint32_t now);

/* `path` with its query, as it stands in the request line. Never blocks: a log stream is a cursor of its own, to be
 * served beside all other requests and never inside the server's one task. */
void fw_http_request(fw_core *core, const char *method, const char *path, uint32_t now, fw_response *response);
/* The last answer was sent. Where it was to a request to leave, the delay before the first step begins anew, once; without
 * this call it began with the request. */
void fw_http_sent(fw_core *core, uint32_t now);
/* A request that never came here, as the server itself could make nothing of it and answered with this status. */
void fw_http_refused(fw_core *core, uint32_t status, uint32_t now);
/* The mistakes of the config, from 0 on, as text; NULL where there is no such number. */
const char *fw_mistake_name(uint32_t number);   /* the field's: "acd_missing" */
const char *fw_mistake_what(uint32_t number);   /* what goes wrong */
const char *fw_mistake_source(uint32_t number); /* where it was seen */
/* False where no mistake has that name. */
bool fw_make_mistake(fw_config *config, const char *name);
/* Names of events, from 0 on; NULL where there is no such number. */
const char *fw_event_text(uint32_t number);

/* Bytes of the next chunk, already framed; 0 where there is none now or `capacity` is below FW_SSE_CHUNK_BYTES. */
size_t fw_log_stream_next(fw_core *core, fw_log_cursor *cursor, uint32_t now, char *buffer, size_t capacity);

#endif
