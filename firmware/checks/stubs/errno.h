// SPDX-License-Identifier: Apache-2.0
/* newlib */
#pragma once

int *__errno(void);
#define errno (*__errno())
#define EAGAIN 11
#define EWOULDBLOCK EAGAIN
#define ECONNRESET 104
