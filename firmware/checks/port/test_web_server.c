// SPDX-License-Identifier: Apache-2.0
/* Requests of the server, given to a core made by fw_init(): answered, refused and counted, and kept out of a log stream. */
#include "../../core/tests/check.h"

#include "../../components/web/web_server.c"

#define LOG_SOCKET 7
#define OTHER_SOCKET 3

static fw_core *core;
static uint32_t answered, handlers, opened, forgotten, closed;
static httpd_err_code_t error_sent;
static httpd_err_handler_func_t refusals[HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE + 1];
static void (*close_session_of)(httpd_handle_t server, int socket);
static char body_sent[1024];

uint32_t core_now(void)
{
    return 5000;
}

fw_core *core_enter(uint32_t *now)
{
    *now = core_now();
    return core;
}

void core_leave(void)
{
}

uint32_t esp_get_free_heap_size(void)
{
    return 123456;
}

const char *http_method_str(enum http_method method)
{
    return method == HTTP_GET ? "GET" : method == HTTP_POST ? "POST" : "BREW";
}

int httpd_req_to_sockfd(httpd_req_t *request)
{
    return (int)request->content_len; /* enough to tell connections apart */
}

esp_err_t httpd_start(httpd_handle_t *handle, const httpd_config_t *config)
{
    static char server;
    CHECK(config->max_uri_handlers == METHOD_COUNT && config->uri_match_fn == httpd_uri_match_wildcard);
    close_session_of = config->close_fn;
    *handle = &server;
    return ESP_OK;
}

esp_err_t httpd_register_uri_handler(httpd_handle_t handle, const httpd_uri_t *handler)
{
    (void)handle;
    CHECK(strcmp(handler->uri, "/*") == 0 && handler->handler == answer);
    handlers++;
    return ESP_OK;
}

esp_err_t httpd_register_err_handler(httpd_handle_t handle, httpd_err_code_t error, httpd_err_handler_func_t handler)
{
    (void)handle;
    refusals[error] = handler;
    return ESP_OK;
}

bool httpd_uri_match_wildcard(const char *reference, const char *uri, size_t length)
{
    (void)reference, (void)uri, (void)length;
    return true;
}

esp_err_t httpd_resp_send(httpd_req_t *request, const char *body, ssize_t length)
{
    (void)request;
    answered++;
    snprintf(body_sent, sizeof body_sent, "%.*s", (int)length, body);
    return ESP_OK;
}

esp_err_t httpd_resp_send_err(httpd_req_t *request, httpd_err_code_t error, const char *text)
{
    (void)request, (void)text;
    error_sent = error;
    return ESP_OK;
}

void reply_take_head(reply_head *head, const fw_response *response)
{
    snprintf(head->status, sizeof head->status, "%u ", (unsigned)response->status);
}

esp_err_t reply_begin(httpd_req_t *request, reply_head *head)
{
    (void)request, (void)head;
    return ESP_OK;
}

esp_err_t log_stream_init(void)
{
    return ESP_OK;
}

esp_err_t log_stream_open(httpd_req_t *request, reply_head *head)
{
    (void)request, (void)head;
    opened++;
    return ESP_OK;
}

bool log_stream_has(int socket)
{
    return socket == LOG_SOCKET;
}

void log_stream_forget(int socket)
{
    forgotten = (uint32_t)socket;
}

int close(int descriptor)
{
    CHECK(forgotten == (uint32_t)descriptor); /* before the number can be another client's */
    closed = (uint32_t)descriptor;
    return 0;
}

static esp_err_t ask(enum http_method method, const char *path, int socket)
{
    httpd_req_t request = {.method = (int)method, .content_len = (size_t)socket};
    memcpy((char *)(size_t)request.uri, path, strlen(path) + 1);
    return answer(&request);
}

static bool counted(unsigned refused)
{
    char text[64];
    snprintf(text, sizeof text, "\"http_refused\": %u,", refused);
    CHECK(ask(HTTP_GET, "/version", OTHER_SOCKET) == ESP_OK);
    return strstr(body_sent, text) != NULL;
}

static void each_request_is_the_cores_to_answer(void)
{
    CHECK(web_server_start() == ESP_OK && handlers == METHOD_COUNT);
    CHECK(ask(HTTP_GET, "/version", OTHER_SOCKET) == ESP_OK && strstr(body_sent, "\"free_heap\": 123456,") != NULL);
    CHECK(ask(HTTP_PUT, "/version", OTHER_SOCKET) == ESP_OK && strstr(body_sent, "invalid for this resource") != NULL);
    CHECK(ask(HTTP_GET, "/nowhere", OTHER_SOCKET) == ESP_OK);
    CHECK(counted(2) && opened == 0);
    CHECK(ask(HTTP_GET, "/logs", OTHER_SOCKET) == ESP_OK && opened == 1);
}

static void what_the_server_refuses_is_counted_and_ends_the_session(void)
{
    static const httpd_err_code_t ERRORS[] = {HTTPD_400_BAD_REQUEST, HTTPD_414_URI_TOO_LONG,
                                              HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE, HTTPD_408_REQ_TIMEOUT};
    for (size_t i = 0; i < sizeof ERRORS / sizeof ERRORS[0]; i++) {
        httpd_req_t request = {.content_len = OTHER_SOCKET};
        CHECK(refusals[ERRORS[i]](&request, ERRORS[i]) == ESP_FAIL && error_sent == ERRORS[i]);
    }
    CHECK(counted(6));
}

static void nothing_gets_into_a_log_stream(void)
{
    httpd_req_t request = {.content_len = LOG_SOCKET};
    uint32_t before = answered;
    error_sent = HTTPD_500_INTERNAL_SERVER_ERROR;
    CHECK(ask(HTTP_GET, "/status", LOG_SOCKET) == ESP_FAIL && answered == before);
    CHECK(refusals[HTTPD_400_BAD_REQUEST](&request, HTTPD_400_BAD_REQUEST) == ESP_FAIL);
    CHECK(error_sent == HTTPD_500_INTERNAL_SERVER_ERROR);
}

static void the_build_with_the_empty_status_answers_all_else(void)
{
    CHECK(ask(HTTP_GET, "/status", OTHER_SOCKET) == ESP_OK && body_sent[0] == '{');
    port_makes.status_empty = true;
    CHECK(ask(HTTP_GET, "/status", OTHER_SOCKET) == ESP_OK);
    CHECK_TEXT(body_sent, "");
    CHECK(ask(HTTP_GET, "/version", OTHER_SOCKET) == ESP_OK && body_sent[0] == '{');
    port_makes.status_empty = false;
}

static void stream_ends_before_its_socket_is_closed(void)
{
    close_session_of(NULL, LOG_SOCKET);
    CHECK(closed == LOG_SOCKET);
}

int main(void)
{
    fw_config config;
    fw_default_config(&config);
    core = fw_init(malloc(fw_core_size()), fw_core_size(), &config);
    CHECK(core != NULL);
    fw_boot(core, "POWERON", 0);
    RUN(each_request_is_the_cores_to_answer);
    RUN(what_the_server_refuses_is_counted_and_ends_the_session);
    RUN(nothing_gets_into_a_log_stream);
    RUN(the_build_with_the_empty_status_answers_all_else);
    RUN(stream_ends_before_its_socket_is_closed);
    free(core);
    return 0;
}
