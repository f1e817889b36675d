// SPDX-License-Identifier: Apache-2.0
#ifndef WEB_LOG_STREAM_H
#define WEB_LOG_STREAM_H

#include <stdbool.h>

#include "esp_http_server.h"
#include "reply.h"

/* All but this in the server's task. Start the task that sends. */
esp_err_t log_stream_init(void);
/* Answer this request with the log for as long as its client reads; 503 where too many do. */
esp_err_t log_stream_open(httpd_req_t *request, reply_head *head);
/* Whether a log is being sent on this socket: no answer to anything else may get into it. */
bool log_stream_has(int socket);
/* The server closes the session whose last request is oldest where a new one finds no room; a stream makes no more requests.
 * Whenever another session is opened or makes one: the streams are as young. */
void log_stream_keep(httpd_handle_t server);
/* The server is about to close this socket; nothing is sent on it from here on. */
void log_stream_forget(int socket);

#endif
