// SPDX-License-Identifier: Apache-2.0
/* What the core's own modules share; the port sees fw_core.h only. */
#ifndef FW_CORE_INTERNAL_H
#define FW_CORE_INTERNAL_H

#include "acd.h"
#include "address.h"
#include "command_queue.h"
#include "event_log.h"
#include "fw_core.h"
#include "link_machine.h"
#include "log_ring.h"

/* At most one log line a second about frames that are dropped. */
typedef struct {
    bool spoke;
    uint32_t spoke_ms;
} fw_limiter;

typedef struct {
    bool running;
    bool waiting; /* for the network interface */
    bool waited;  /* it came, or the time was over */
    uint32_t step;
    uint32_t deadline;
} fw_boot_state;

typedef enum { FW_STAY, FW_LEAVE_TO_RESTART, FW_LEAVE_TO_LOADER } fw_leave_way;

typedef struct {
    fw_leave_way way;
    uint32_t step; /* of the way's table: the next one */
    uint32_t at;   /* when it is due */
    bool unsent;   /* asked for over HTTP, and the answer is not known to be out */
    bool off_bus;  /* for good: link and recovery are over */
} fw_leave_state;

/* A line of the serial port, as far as it has come. */
typedef struct {
    char text[FW_SERIAL_LINE_BYTES];
    uint32_t length;
    bool spoiled; /* too long, or with a byte that is no text: refused and counted already */
    uint32_t refused;
} fw_serial_line;

struct fw_core {
    /* kept over fw_boot() */
    fw_config config;
    fw_point_callback on_point;
    void *point_user;
    uint32_t boot_count;
    uint32_t free_heap;
    bool heap_told; /* by the port; else it is the config's */
    uint8_t mac[6];
    /* forgotten by fw_boot() */
    struct {
        uint32_t boot_ms;
        char reset_reason[FW_NAME_BYTES];
        fw_boot_state boot;
        fw_link link;
        bool redirected; /* log lines go to CDC and the ring too */
        bool netif_started; /* the port says so */
        bool netif_ready;   /* and boot has come that far */
        bool dtr;
        bool suspended;
        bool wake_armed;
        bool wake_sent; /* in this suspend */
        bool first_rx;
        bool first_tx;
        bool tx_crowded; /* the last frame of the stack found no room in the queue */
        bool led;
        fw_acd acd;
        bool address_set;    /* static role: the port was told to use it */
        bool address_probed; /* this attempt was told */
        bool client_started;
        bool leased; /* client role: the stack has an address */
        fw_leave_state leave;
        fw_serial_line serial;
        uint32_t tx_dropped;
        uint32_t rx_dropped;
        uint32_t rx_malformed;
        uint32_t http_refused;
        uint32_t lines_lost;
        fw_limiter tx_limiter;
        fw_limiter rx_limiter;
    } s;
    fw_event_log events;
    fw_log_ring ring;
    fw_command_queue queue;
};

/* output.c */
void fw_log(fw_core *core, char level, const char *tag, uint32_t now, const char *format, ...) FW_PRINTF(5, 6);
bool fw_emit(fw_core *core, fw_command_kind kind, uint32_t argument, const char *text);
void fw_record(fw_core *core, fw_event_name name, const char *detail, uint32_t now);
void fw_at_point(fw_core *core, fw_point point, uint32_t now);
/* An answer on the serial port, LF included; nothing while DTR is low, as nobody would read it in time. */
void fw_answer(fw_core *core, const char *line);

/* boot_sequence.c */
void fw_boot_start(fw_core *core, uint32_t now);
void fw_boot_run(fw_core *core, uint32_t now);
bool fw_boot_due(const fw_core *core, uint32_t now);

/* leave.c */
/* Begin to leave; a way that was begun before goes on. Returns the way that is being taken. */
fw_leave_way fw_leave(fw_core *core, fw_leave_way way, const char *tag, uint32_t now);
/* The same for a request whose answer fw_http_sent() tells of. */
fw_leave_way fw_leave_by_http(fw_core *core, fw_leave_way way, uint32_t now);
bool fw_leave_due(const fw_core *core, uint32_t now);
void fw_leave_run(fw_core *core, uint32_t now);
/* At each boot: what an earlier life may have left set in the RTC domain. */
void fw_leave_clear_flag(fw_core *core);

/* serial_commands.c */
void fw_serial_forget(fw_core *core);

/* core.c */
/* Another number for each boot of each board, where the seed is random. */
uint32_t fw_boot_id(const fw_core *core);
void fw_declare_ready(fw_core *core, uint32_t now);
void fw_feed_link(fw_core *core, fw_link_input input, uint32_t now);
void fw_set_link(fw_core *core, bool up, const char *reason, uint32_t now);

#endif
