// SPDX-License-Identifier: Apache-2.0
#ifndef WEB_REPLY_H
#define WEB_REPLY_H

#include <stdint.h>

#include "esp_http_server.h"
#include "fw_core.h"

#define REPLY_HEADER_BYTES 192

/* Status and headers of an answer; the server keeps pointers into it until the answer is out. */
typedef struct {
    char status[8]; /* "200 " */
    const char *content_type;
    char headers[REPLY_HEADER_BYTES]; /* "Name: value\r\n" each */
} reply_head;

void reply_take_head(reply_head *head, const fw_response *response);
/* Tell the server of it; nothing is sent yet. */
esp_err_t reply_begin(httpd_req_t *request, reply_head *head);

#endif
