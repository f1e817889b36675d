// SPDX-License-Identifier: Apache-2.0
/* esp_http_server */
#pragma once
#include <stdbool.h>
#include <sys/types.h>

#include "esp_err.h"
#include "freertos/FreeRTOS.h"
#include "http_parser.h"
#include "sdkconfig.h"

typedef void *httpd_handle_t;
typedef enum http_method httpd_method_t;
typedef struct httpd_req {
    httpd_handle_t handle;
    int method;
    const char uri[CONFIG_HTTPD_MAX_URI_LEN + 1];
    size_t content_len;
    void *aux;
    void *user_ctx;
    void *sess_ctx;
} httpd_req_t;
typedef struct {
    const char *uri;
    httpd_method_t method;
    esp_err_t (*handler)(httpd_req_t *request);
    void *user_ctx;
} httpd_uri_t;
typedef bool (*httpd_uri_match_func_t)(const char *reference, const char *uri, size_t length);
typedef struct {
    unsigned task_priority;
    size_t stack_size;
    BaseType_t core_id;
    uint16_t server_port;
    uint16_t ctrl_port;
    uint16_t max_open_sockets;
    uint16_t max_uri_handlers;
    uint16_t max_resp_headers;
    uint16_t backlog_conn;
    bool lru_purge_enable;
    uint16_t recv_wait_timeout;
    uint16_t send_wait_timeout;
    esp_err_t (*open_fn)(httpd_handle_t server, int socket);
    void (*close_fn)(httpd_handle_t server, int socket);
    httpd_uri_match_func_t uri_match_fn;
} httpd_config_t;
#define HTTPD_DEFAULT_CONFIG() {.task_priority = 5, .stack_size = 4096, .core_id = tskNO_AFFINITY, .server_port = 80}
typedef enum {
    HTTPD_500_INTERNAL_SERVER_ERROR,
    HTTPD_501_METHOD_NOT_IMPLEMENTED,
    HTTPD_505_VERSION_NOT_SUPPORTED,
    HTTPD_400_BAD_REQUEST,
    HTTPD_401_UNAUTHORIZED,
    HTTPD_403_FORBIDDEN,
    HTTPD_404_NOT_FOUND,
    HTTPD_405_METHOD_NOT_ALLOWED,
    HTTPD_408_REQ_TIMEOUT,
    HTTPD_411_LENGTH_REQUIRED,
    HTTPD_414_URI_TOO_LONG, /* 413 comes before it in later versions: the names count */
    HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE,
} httpd_err_code_t;
typedef esp_err_t (*httpd_err_handler_func_t)(httpd_req_t *request, httpd_err_code_t error);

esp_err_t httpd_start(httpd_handle_t *handle, const httpd_config_t *config);
esp_err_t httpd_register_uri_handler(httpd_handle_t handle, const httpd_uri_t *handler);
bool httpd_uri_match_wildcard(const char *reference, const char *uri, size_t length);
esp_err_t httpd_register_err_handler(httpd_handle_t handle, httpd_err_code_t error, httpd_err_handler_func_t handler);
esp_err_t httpd_resp_set_status(httpd_req_t *request, const char *status);
esp_err_t httpd_resp_set_type(httpd_req_t *request, const char *type);
esp_err_t httpd_resp_set_hdr(httpd_req_t *request, const char *field, const char *value);
esp_err_t httpd_resp_send(httpd_req_t *request, const char *body, ssize_t length);
esp_err_t httpd_resp_send_chunk(httpd_req_t *request, const char *chunk, ssize_t length);
esp_err_t httpd_resp_sendstr(httpd_req_t *request, const char *text);
esp_err_t httpd_resp_send_err(httpd_req_t *request, httpd_err_code_t error, const char *text);
int httpd_req_recv(httpd_req_t *request, char *bytes, size_t capacity);
esp_err_t httpd_sess_update_lru_counter(httpd_handle_t handle, int socket);
int httpd_req_to_sockfd(httpd_req_t *request);
