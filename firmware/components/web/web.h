// SPDX-License-Identifier: Apache-2.0
/* HTTP: each request goes to the core, which answers it; log streams run in tasks of their own. */
#ifndef WEB_H
#define WEB_H

#include "esp_err.h"

esp_err_t web_server_start(void);
/* There are new log lines: whoever streams looks at once. */
void web_log_grew(void);

#endif
