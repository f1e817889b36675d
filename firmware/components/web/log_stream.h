// SPDX-License-Identifier: Apache-2.0
#ifndef WEB_LOG_STREAM_H
#define WEB_LOG_STREAM_H

#include "esp_http_server.h"
#include "reply.h"

esp_err_t log_stream_init(void);
/* Answer this request with the log for as long as its client reads, in a task of its own; 503 where too many do. */
esp_err_t log_stream_open(httpd_req_t *request, const reply_head *head);

#endif
