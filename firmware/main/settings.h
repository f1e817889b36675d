// SPDX-License-Identifier: Apache-2.0
/* The core's config, from Kconfig and the application's description. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include "fw_core.h"

void settings_read(fw_config *config, uint32_t boots_before);

#endif
