// SPDX-License-Identifier: Apache-2.0
/*
 * Mistakes that the port can make, beside those of the core (fw_mistake_name() and its neighbours), for a build that a bench
 * has to catch. Each is looked at in the one place where firmware of this kind went wrong; none is made in a build that is
 * meant to work.
 */
#ifndef PORT_MISTAKES_H
#define PORT_MISTAKES_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    bool boot_panics;
    bool usb_missing;
    bool mount_blocks;
    bool first_frame_disconnects;
    bool link_up_untold;
    bool dhcp_server_missing;
    bool sends_need_ready;
    bool identity_constant;
    bool serial_silent;
    bool log_cut;
    bool log_stream_blocks;
    bool status_empty;
} port_mistakes;

/* Written before any other part of the port starts, and read from there on. */
extern port_mistakes port_makes;

/* By number from 0; NULL behind the last. */
const char *port_mistake_name(uint32_t number);
const char *port_mistake_what(uint32_t number);
const char *port_mistake_source(uint32_t number);
/* False: no mistake of the port has this name. */
bool port_make_mistake(const char *name);

#endif
