// SPDX-License-Identifier: Apache-2.0
/* The log ring as server-sent events (WHATWG HTML, section 9.2): one event a line, exactly one blank line after each. */
#ifndef FW_SSE_H
#define FW_SSE_H

#include "log_ring.h"

/* The next chunk for one reader; returns its length, 0 where there is nothing to say yet. */
size_t fw_sse_next(const fw_log_ring *ring, fw_log_cursor *cursor, uint32_t keepalive_ms, uint32_t now, fw_text *out);

#endif
