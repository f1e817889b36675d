// SPDX-License-Identifier: Apache-2.0
/* The head of an answer, from the core's form into the server's. */
#include "../../core/tests/check.h"

#include "../../components/web/reply.c"

static char said[512];

static void say(const char *what, const char *value)
{
    size_t length = strlen(said);
    snprintf(said + length, sizeof said - length, "%s=%s\n", what, value);
}

esp_err_t httpd_resp_set_status(httpd_req_t *request, const char *status)
{
    (void)request;
    say("status", status);
    return ESP_OK;
}

esp_err_t httpd_resp_set_type(httpd_req_t *request, const char *type)
{
    (void)request;
    say("type", type);
    return ESP_OK;
}

esp_err_t httpd_resp_set_hdr(httpd_req_t *request, const char *field, const char *value)
{
    (void)request;
    say(field, value);
    return ESP_OK;
}

static esp_err_t head_of(const char *headers)
{
    static reply_head head;
    const fw_response response = {.status = 200, .content_type = "text/event-stream", .headers = headers};
    said[0] = '\0';
    reply_take_head(&head, &response);
    return reply_begin(NULL, &head);
}

static void each_header_is_split(void)
{
    CHECK(head_of("Cache-Control: no-cache\r\nConnection: keep-alive\r\n") == ESP_OK);
    CHECK_TEXT(said, "status=200 \ntype=text/event-stream\nCache-Control=no-cache\nConnection=keep-alive\n");
}

static void none_is_none(void)
{
    CHECK(head_of("") == ESP_OK);
    CHECK_TEXT(said, "status=200 \ntype=text/event-stream\n");
}

static void what_is_no_header_is_refused(void)
{
    CHECK(head_of("no colon\r\nName: value\r\n") == ESP_ERR_INVALID_ARG);
}

static void the_cores_longest_headers_fit(void)
{
    fw_config config;
    static char body[FW_RESPONSE_BYTES];
    fw_response response = {.body = body, .capacity = sizeof body};
    fw_default_config(&config);
    fw_core *core = fw_init(malloc(fw_core_size()), fw_core_size(), &config);
    CHECK(core != NULL);
    fw_boot(core, "POWERON", 0);
    fw_http_request(core, "GET", "/logs", 0, &response);
    CHECK(response.stream == 1 && strlen(response.headers) < REPLY_HEADER_BYTES);
    free(core);
}

int main(void)
{
    RUN(each_header_is_split);
    RUN(none_is_none);
    RUN(what_is_no_header_is_refused);
    RUN(the_cores_longest_headers_fit);
    return 0;
}
