// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core_runner.h"
#include "esp_http_server.h"
#include "esp_system.h"
#include "http_parser.h"
#include "log_stream.h"
#include "port_mistakes.h"
#include "reply.h"
#include "web.h"

/* LWIP_MAX_SOCKETS is 16; the server itself needs three. */
#define SOCKETS 13
#define STACK_BYTES 6144

/* Every method a client may try: the core refuses those that a path does not have. */
static const httpd_method_t METHODS[] = {HTTP_GET, HTTP_POST, HTTP_HEAD, HTTP_PUT, HTTP_DELETE, HTTP_PATCH, HTTP_OPTIONS};

#define METHOD_COUNT (sizeof METHODS / sizeof METHODS[0])

static void ask_core(httpd_req_t *request, fw_response *response)
{
    uint32_t now = 0;
    fw_core *core = core_enter(&now);
    fw_set_free_heap(core, esp_get_free_heap_size());
    fw_http_request(core, http_method_str((httpd_method_t)request->method), request->uri, now, response);
    core_leave();
}

/* The core's delay before a restart begins with its answer: this is out before the board goes. */
static esp_err_t send_body(httpd_req_t *request, reply_head *head, const fw_response *response)
{
    bool empty = port_makes.status_empty && strcmp(request->uri, "/status") == 0;
    size_t length = empty ? 0 : response->length;
    esp_err_t failed = reply_begin(request, head);
    return failed == ESP_OK ? httpd_resp_send(request, response->body, (ssize_t)length) : failed;
}

/* A request behind one for the log stream ends the session: its answer would be part of the log. */
static esp_err_t answer(httpd_req_t *request)
{
    reply_head head;
    if (log_stream_has(httpd_req_to_sockfd(request))) {
        return ESP_FAIL;
    }
    fw_response response = {.body = malloc(FW_RESPONSE_BYTES), .capacity = FW_RESPONSE_BYTES};
    esp_err_t failed = ESP_OK;
    if (response.body == NULL) {
        return httpd_resp_send_err(request, HTTPD_500_INTERNAL_SERVER_ERROR, NULL);
    }
    ask_core(request, &response);
    reply_take_head(&head, &response);
    if (response.stream != 0) {
        free(response.body);
        return log_stream_open(request, &head);
    }
    failed = send_body(request, &head, &response);
    free(response.body);
    return failed;
}

/* What the server itself can make nothing of, or nobody here answers. */
static const struct {
    httpd_err_code_t error;
    uint32_t status;
} REFUSED[] = {
    {HTTPD_400_BAD_REQUEST, 400},
    {HTTPD_404_NOT_FOUND, 404},
    {HTTPD_405_METHOD_NOT_ALLOWED, 405},
    {HTTPD_408_REQ_TIMEOUT, 408},
    {HTTPD_411_LENGTH_REQUIRED, 411},
    {HTTPD_414_URI_TOO_LONG, 414},
    {HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE, 431},
    {HTTPD_501_METHOD_NOT_IMPLEMENTED, 501},
    {HTTPD_505_VERSION_NOT_SUPPORTED, 505},
};

#define REFUSED_COUNT (sizeof REFUSED / sizeof REFUSED[0])

/* The session ends with it, as it does where no handler is registered. */
static esp_err_t refuse(httpd_req_t *request, httpd_err_code_t error)
{
    for (size_t i = 0; i < REFUSED_COUNT; i++) {
        if (REFUSED[i].error == error) {
            uint32_t now = 0;
            fw_core *core = core_enter(&now);
            fw_http_refused(core, REFUSED[i].status, now);
            core_leave();
        }
    }
    if (!log_stream_has(httpd_req_to_sockfd(request))) {
        (void)httpd_resp_send_err(request, error, NULL);
    }
    return ESP_FAIL;
}

static void close_session(httpd_handle_t server, int socket)
{
    (void)server;
    log_stream_forget(socket);
    (void)close(socket);
}

static esp_err_t serve(httpd_handle_t server)
{
    esp_err_t failed = ESP_OK;
    for (size_t i = 0; i < METHOD_COUNT && failed == ESP_OK; i++) {
        const httpd_uri_t any = {.uri = "/*", .method = METHODS[i], .handler = answer};
        failed = httpd_register_uri_handler(server, &any);
    }
    for (size_t i = 0; i < REFUSED_COUNT && failed == ESP_OK; i++) {
        failed = httpd_register_err_handler(server, REFUSED[i].error, refuse);
    }
    return failed;
}

esp_err_t web_server_start(void)
{
    httpd_handle_t server = NULL;
    httpd_config_t config = HTTPD_DEFAULT_CONFIG();
    config.stack_size = STACK_BYTES;
    config.max_open_sockets = SOCKETS;
    config.max_uri_handlers = METHOD_COUNT;
    config.lru_purge_enable = true;
    config.close_fn = close_session;
    config.uri_match_fn = httpd_uri_match_wildcard;
    esp_err_t failed = log_stream_init();
    if (failed == ESP_OK) {
        failed = httpd_start(&server, &config);
    }
    return failed == ESP_OK ? serve(server) : failed;
}
