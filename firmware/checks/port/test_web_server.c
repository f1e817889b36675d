// SPDX-License-Identifier: Apache-2.0
/* Requests of the server, given to a core made by fw_init(): answered, refused and counted, and kept out of a log stream. */
#include "../../core/tests/check.h"

static size_t allocated, most;
#define malloc(size) ((allocated = (size)) > most ? NULL : malloc(size))

#include "../../components/web/web_server.c"

#define LOG_SOCKET 7
#define OTHER_SOCKET 3
#define SENDING_MS 70u /* the client is slow */

static fw_core *core;
static uint32_t now_ms = 5000;
static uint32_t answered, handlers, opened, forgotten, closed;
static httpd_err_code_t error_sent;
static httpd_err_handler_func_t refusals[HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE + 1];
static void (*close_session_of)(httpd_handle_t server, int socket);
static esp_err_t (*open_session_of)(httpd_handle_t server, int socket);
static char body_sent[FW_RESPONSE_BYTES];
static char order[128]; /* of the last request */
static size_t length_sent, unread;
static uint32_t kept, time_sent;
static int undelayed;

uint32_t core_now(void)
{
    return now_ms;
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
    return method == HTTP_GET ? "GET" : method == HTTP_POST ? "POST" : method == HTTP_HEAD ? "HEAD" : "BREW";
}

int httpd_req_to_sockfd(httpd_req_t *request)
{
    return (int)request->content_len; /* enough to tell connections apart */
}

esp_err_t httpd_start(httpd_handle_t *handle, const httpd_config_t *config)
{
    static char server;
    CHECK(config->max_uri_handlers == METHOD_COUNT && config->uri_match_fn == httpd_uri_match_wildcard);
    open_session_of = config->open_fn;
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
    CHECK(length >= 0); /* else the server takes what strlen() says */
    answered++;
    length_sent = (size_t)length;
    snprintf(body_sent, sizeof body_sent, "%.*s", (int)length, body);
    strcat(order, "sent ");
    now_ms += SENDING_MS;
    time_sent = now_ms;
    return ESP_OK;
}

int httpd_req_recv(httpd_req_t *request, char *bytes, size_t capacity)
{
    size_t length = unread < capacity ? unread : capacity;
    (void)request;
    memset(bytes, 'x', length);
    strcat(order, length > 0 ? "read " : "");
    unread -= length;
    return (int)length;
}

void log_stream_keep(httpd_handle_t server)
{
    (void)server;
    kept++;
}

int setsockopt(int socket, int level, int option, const void *value, socklen_t length)
{
    int on = 0;
    CHECK(level == IPPROTO_TCP && option == TCP_NODELAY && length == sizeof on);
    memcpy(&on, value, sizeof on);
    undelayed = on ? socket : 0;
    return 0;
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
    order[0] = '\0';
    memcpy((char *)(size_t)request.uri, path, strlen(path) + 1);
    return answer(&request);
}

static unsigned number_refused(void)
{
    static const char KEY[] = "\"http_refused\": ";
    CHECK(ask(HTTP_GET, "/version", OTHER_SOCKET) == ESP_OK);
    const char *key = strstr(body_sent, KEY);
    CHECK(key != NULL);
    return (unsigned)strtoul(key + strlen(KEY), NULL, 10);
}

static void each_request_is_the_cores_to_answer(void)
{
    CHECK(web_server_start() == ESP_OK && handlers == METHOD_COUNT);
    CHECK(ask(HTTP_GET, "/version", OTHER_SOCKET) == ESP_OK && strstr(body_sent, "\"free_heap\": 123456,") != NULL);
    CHECK(ask(HTTP_GET, "/logs", OTHER_SOCKET) == ESP_OK && opened == 1);
}

static void a_refusal_ends_the_session_and_is_counted(void)
{
    unsigned before = number_refused();
    CHECK(ask(HTTP_PUT, "/version", OTHER_SOCKET) == ESP_FAIL && strstr(body_sent, "invalid for this resource") != NULL);
    CHECK(ask(HTTP_GET, "/nowhere", OTHER_SOCKET) == ESP_FAIL && strstr(body_sent, "Nothing matches") != NULL);
    CHECK(number_refused() == before + 2);
    unread = REST_BYTES + 1;
    CHECK(ask(HTTP_POST, "/nowhere", OTHER_SOCKET) == ESP_FAIL);
    CHECK_TEXT(order, "sent read read "); /* else closing would reset the connection */
    unread = SIZE_MAX;
    CHECK(ask(HTTP_POST, "/nowhere", OTHER_SOCKET) == ESP_FAIL && unread > 0); /* not for ever */
    unread = 0;
}

static void a_head_request_gets_no_body(void)
{
    CHECK(ask(HTTP_HEAD, "/version", OTHER_SOCKET) == ESP_FAIL && length_sent == 0);
    CHECK(ask(HTTP_HEAD, "/nowhere", OTHER_SOCKET) == ESP_FAIL && length_sent == 0);
}

static void a_target_with_the_servers_name_is_understood(void)
{
    CHECK(ask(HTTP_GET, "http://192.168.7.1/version", OTHER_SOCKET) == ESP_OK && strstr(body_sent, "\"boot_id\"") != NULL);
    CHECK(ask(HTTP_GET, "http://board:80/events?format=json", OTHER_SOCKET) == ESP_OK && body_sent[0] == '{');
    CHECK(ask(HTTP_GET, "http://192.168.7.1", OTHER_SOCKET) == ESP_OK && strstr(body_sent, "<html>") != NULL);
    CHECK(ask(HTTP_GET, "http://192.168.7.1/nowhere", OTHER_SOCKET) == ESP_FAIL);
}

static void only_long_answers_get_a_long_buffer(void)
{
    static const char *const GET[] = {"/", "/led", "/version?x", "/status", "http://board/led", "/events2", "/nowhere"};
    static const char *const POST[] = {"/led/on", "/led/off"};
    for (size_t i = 0; i < sizeof GET / sizeof GET[0]; i++) {
        (void)ask(HTTP_GET, GET[i], OTHER_SOCKET);
        CHECK(allocated == SHORT_BYTES && length_sent < SHORT_BYTES && strstr(body_sent, "unexpected error") == NULL);
    }
    for (size_t i = 0; i < sizeof POST / sizeof POST[0]; i++) {
        CHECK(ask(HTTP_POST, POST[i], OTHER_SOCKET) == ESP_OK && allocated == SHORT_BYTES);
    }
}

/* What is due is done. */
static bool restarts(void)
{
    fw_command command;
    bool any = false;
    fw_wake(core, now_ms);
    while (fw_next_command(core, &command)) {
        any = any || command.kind == FW_RESTART;
    }
    return any;
}

static void fill(void)
{
    static const char LINE[] = "W (1234567) net: as long as a line of the log may be, and said more often than the log has room for, so that "
                               "the answer is as long as ever it can become: it is cut where the ring cuts it, which is at two hundred "
                               "and fifty-five characters of the text, all of them printed here.";
    for (uint32_t i = 0; i < 2 * FW_RING_LINES; i++) {
        fw_log_foreign(core, LINE, sizeof LINE - 1, now_ms);
        fw_mounted(core, now_ms);
        fw_unmounted(core, now_ms);
        now_ms += 100; /* the boot ends meanwhile: the log has lines from then on */
        CHECK(!restarts());
    }
}

static void answers_that_grow_have_room(void)
{
    static const char *const GET[] = {"/logs_all", "/events", "/events?format=json"};
    fill();
    for (size_t i = 0; i < sizeof GET / sizeof GET[0]; i++) {
        CHECK(ask(HTTP_GET, GET[i], OTHER_SOCKET) == ESP_OK && length_sent > SHORT_BYTES);
    }
}

static void without_memory_the_answer_is_500_and_counted(void)
{
    uint32_t before = answered;
    unsigned refused = number_refused();
    most = SHORT_BYTES;
    CHECK(ask(HTTP_GET, "/logs_all", OTHER_SOCKET) == ESP_FAIL);
    CHECK(error_sent == HTTPD_500_INTERNAL_SERVER_ERROR && answered == before + 1);
    most = SIZE_MAX;
    CHECK(number_refused() == refused + 1);
}

static void a_restart_waits_until_its_answer_is_out(void)
{
    fw_config config;
    fw_default_config(&config);
    CHECK(ask(HTTP_POST, "/reset", OTHER_SOCKET) == ESP_OK && strstr(body_sent, "resetting") != NULL);
    for (now_ms = time_sent; now_ms < time_sent + config.restart_delay_ms; now_ms++) {
        CHECK(!restarts());
    }
    CHECK(restarts());
}

static void answers_leave_at_once_and_streams_stay_young(void)
{
    CHECK(open_session_of(NULL, OTHER_SOCKET) == ESP_OK && undelayed == OTHER_SOCKET);
    kept = 0;
    (void)open_session_of(NULL, OTHER_SOCKET);
    CHECK(kept == 1);
    (void)ask(HTTP_GET, "/version", OTHER_SOCKET);
    CHECK(kept == 2);
    httpd_req_t request = {.content_len = OTHER_SOCKET};
    (void)refuse(&request, HTTPD_400_BAD_REQUEST);
    CHECK(kept == 3);
}

static void what_the_server_refuses_is_counted_and_ends_the_session(void)
{
    static const httpd_err_code_t ERRORS[] = {HTTPD_400_BAD_REQUEST, HTTPD_414_URI_TOO_LONG,
                                              HTTPD_431_REQ_HDR_FIELDS_TOO_LARGE, HTTPD_408_REQ_TIMEOUT};
    unsigned before = number_refused();
    for (size_t i = 0; i < sizeof ERRORS / sizeof ERRORS[0]; i++) {
        httpd_req_t request = {.content_len = OTHER_SOCKET};
        CHECK(refusals[ERRORS[i]](&request, ERRORS[i]) == ESP_FAIL && error_sent == ERRORS[i]);
    }
    CHECK(number_refused() == before + 4);
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
    memset(config.version, 1, sizeof config.version - 1); /* six characters each, in JSON */
    memset(config.project, 1, sizeof config.project - 1);
    memset(config.elf_sha256, 'f', sizeof config.elf_sha256 - 1);
    most = SIZE_MAX;
    core = fw_init(malloc(fw_core_size()), fw_core_size(), &config);
    CHECK(core != NULL);
    fw_boot(core, "POWERON", 0);
    RUN(each_request_is_the_cores_to_answer);
    RUN(a_refusal_ends_the_session_and_is_counted);
    RUN(a_head_request_gets_no_body);
    RUN(a_target_with_the_servers_name_is_understood);
    RUN(only_long_answers_get_a_long_buffer);
    RUN(answers_that_grow_have_room);
    RUN(without_memory_the_answer_is_500_and_counted);
    RUN(answers_leave_at_once_and_streams_stay_young);
    RUN(what_the_server_refuses_is_counted_and_ends_the_session);
    RUN(nothing_gets_into_a_log_stream);
    RUN(the_build_with_the_empty_status_answers_all_else);
    RUN(stream_ends_before_its_socket_is_closed);
    RUN(a_restart_waits_until_its_answer_is_out);
    free(core);
    return 0;
}
