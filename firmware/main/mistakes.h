// SPDX-License-Identifier: Apache-2.0
/* The mistakes that HIL_MISTAKES names: the core's and the port's, none in a build that is meant to work. */
#ifndef MISTAKES_H
#define MISTAKES_H

#include "fw_core.h"

/* Before the core and every part of the port: `config` gets the core's, `port_makes` the port's. */
void mistakes_make(fw_config *config);
/* Once the core has booted, so that they stand in its log: each that is made, and each name that is nobody's. */
void mistakes_tell(void);

#endif
