// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core_runner.h"
#include "esp_http_server.h"
#include "esp_system.h"
#include "http_parser.h"
#include "log_stream.h"
#include "lwip/sockets.h"
#include "port_mistakes.h"
#include "reply.h"
#include "web.h"

/* LWIP_MAX_SOCKETS is 16; the server itself needs three. */
#define SOCKETS 13
#define STACK_BYTES 6144

#define SCHEME "http://"

/* Paths whose answers grow with what has happened; those of all others fit into SHORT_BYTES. */
static const char *const LONG[] = {"/events", "/logs_all"};
#define SHORT_BYTES 1024

/* Of a refused request's body, what is read before its session is closed. */
#define REST_BYTES 256
#define REST_PIECES 16u

/* Every method a client may try: the core refuses those that a path does not have. */
static const httpd_method_t METHODS[] = {HTTP_GET, HTTP_POST, HTTP_HEAD, HTTP_PUT, HTTP_DELETE, HTTP_PATCH, HTTP_OPTIONS};

#define METHOD_COUNT (sizeof METHODS / sizeof METHODS[0])

/* RFC 9112, 3.2.2: a target may begin with the server's name, as it does for a proxy. */
static const char *without_server(const char *target)
{
    if (strncmp(target, SCHEME, strlen(SCHEME)) != 0) {
        return target;
    }
    const char *path = strchr(target + strlen(SCHEME), '/');
    return path == NULL ? "/" : path;
}

static size_t room_for(const char *target)
{
    size_t length = strcspn(target, "?");
    for (size_t i = 0; i < sizeof LONG / sizeof LONG[0]; i++) {
        if (strlen(LONG[i]) == length && memcmp(LONG[i], target, length) == 0) {
            return FW_RESPONSE_BYTES;
        }
    }
    return SHORT_BYTES;
}

static void ask_core(httpd_req_t *request, const char *target, fw_response *response)
{
    uint32_t now = 0;
    fw_core *core = core_enter(&now);
    fw_set_free_heap(core, esp_get_free_heap_size());
    fw_http_request(core, http_method_str((httpd_method_t)request->method), target, now, response);
    core_leave();
}

/* lwIP has it all: from here on the core counts the delay before a restart. */
static void tell_sent(void)
{
    uint32_t now = 0;
    fw_core *core = core_enter(&now);
    fw_http_sent(core, now);
    core_leave();
}

/* Where something is left unread, closing resets the connection, and the client may lose the answer. */
static void read_rest(httpd_req_t *request)
{
    char bytes[REST_BYTES];
    for (size_t pieces = 0; pieces < REST_PIECES && httpd_req_recv(request, bytes, sizeof bytes) > 0; pieces++) {
    }
}

static esp_err_t send_body(httpd_req_t *request, const char *target, const fw_response *response)
{
    bool empty = request->method == HTTP_HEAD || (port_makes.status_empty && strcmp(target, "/status") == 0);
    return httpd_resp_send(request, response->body, empty ? 0 : (ssize_t)response->length);
}

/* The session ends with a refusal, as it does where the server itself refuses. */
static esp_err_t send_answer(httpd_req_t *request, const char *target, reply_head *head, const fw_response *response)
{
    esp_err_t failed = reply_begin(request, head);
    if (failed == ESP_OK) {
        failed = send_body(request, target, response);
        tell_sent();
    }
    if (failed == ESP_OK && response->status >= 400) {
        read_rest(request);
        return ESP_FAIL;
    }
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
    {HTTPD_500_INTERNAL_SERVER_ERROR, 500},
    {HTTPD_501_METHOD_NOT_IMPLEMENTED, 501},
    {HTTPD_505_VERSION_NOT_SUPPORTED, 505},
};

#define REFUSED_COUNT (sizeof REFUSED / sizeof REFUSED[0])

/* The session ends with it, as it does where no handler is registered. */
static esp_err_t refuse(httpd_req_t *request, httpd_err_code_t error)
{
    log_stream_keep(request->handle);
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
        read_rest(request);
    }
    return ESP_FAIL;
}

/* A request behind one for the log stream ends the session: its answer would be part of the log. */
static esp_err_t answer(httpd_req_t *request)
{
    const char *target = without_server(request->uri);
    reply_head head;
    log_stream_keep(request->handle);
    if (log_stream_has(httpd_req_to_sockfd(request))) {
        return ESP_FAIL;
    }
    fw_response response = {.capacity = room_for(target)};
    response.body = malloc(response.capacity);
    if (response.body == NULL) {
        return refuse(request, HTTPD_500_INTERNAL_SERVER_ERROR);
    }
    ask_core(request, target, &response);
    reply_take_head(&head, &response);
    if (response.stream != 0) {
        free(response.body);
        return log_stream_open(request, &head);
    }
    esp_err_t failed = send_answer(request, target, &head, &response);
    free(response.body);
    return failed;
}

/* An answer is several sends: each leaves at once, and none waits for the client's acknowledgement of the one before. */
static esp_err_t open_session(httpd_handle_t server, int socket)
{
    static const int YES = 1;
    log_stream_keep(server);
    (void)setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &YES, sizeof YES);
    return ESP_OK;
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
    config.open_fn = open_session;
    config.close_fn = close_session;
    config.uri_match_fn = httpd_uri_match_wildcard;
    esp_err_t failed = log_stream_init();
    if (failed == ESP_OK) {
        failed = httpd_start(&server, &config);
    }
    return failed == ESP_OK ? serve(server) : failed;
}
