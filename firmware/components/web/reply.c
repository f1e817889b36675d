// SPDX-License-Identifier: Apache-2.0
#include "reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void reply_take_head(reply_head *head, const fw_response *response)
{
    snprintf(head->status, sizeof head->status, "%" PRIu32 " ", response->status);
    snprintf(head->headers, sizeof head->headers, "%s", response->headers);
    head->content_type = response->content_type;
}

/* Ends the field's name, its value and the line where they lie. */
static esp_err_t set_headers(httpd_req_t *request, char *line)
{
    esp_err_t failed = ESP_OK;
    char *end = strstr(line, "\r\n");
    while (failed == ESP_OK && end != NULL) {
        char *value = strstr(line, ": ");
        *end = '\0';
        if (value == NULL || value > end) {
            return ESP_ERR_INVALID_ARG;
        }
        *value = '\0';
        failed = httpd_resp_set_hdr(request, line, value + 2);
        line = end + 2;
        end = strstr(line, "\r\n");
    }
    return failed;
}

esp_err_t reply_begin(httpd_req_t *request, reply_head *head)
{
    esp_err_t failed = httpd_resp_set_status(request, head->status);
    if (failed == ESP_OK) {
        failed = httpd_resp_set_type(request, head->content_type);
    }
    return failed == ESP_OK ? set_headers(request, head->headers) : failed;
}
