// SPDX-License-Identifier: Apache-2.0
/* The log on a socket: in chunks, resumed where a client stopped taking, and given up where it takes nothing. */
#include "../../core/tests/check.h"

#include "../../components/web/log_stream.c"

#define CLIENTS 8

static uint32_t now, notified, refused, shut_down, chunked, counted, kept;
static int error;
static struct {
    bool broken;
    size_t room; /* bytes that it takes before it takes no more */
    size_t length;
    char bytes[8192];
} clients[CLIENTS];
static size_t lines; /* that the log has */

uint32_t core_now(void)
{
    return now;
}

fw_core *core_enter(uint32_t *at)
{
    *at = core_now();
    return NULL;
}

void core_leave(void)
{
}

size_t fw_log_stream_next(fw_core *core, fw_log_cursor *cursor, uint32_t at, char *buffer, size_t capacity)
{
    (void)core, (void)at;
    if (cursor->greeted == 0) {
        cursor->greeted = 1;
        return (size_t)snprintf(buffer, capacity, "hello");
    }
    return cursor->next < lines ? (size_t)snprintf(buffer, capacity, "line %u\n", (unsigned)cursor->next++) : 0;
}

ssize_t send(int socket, const void *bytes, size_t length, int flags)
{
    size_t taken = length < clients[socket].room ? length : clients[socket].room;
    CHECK(flags == MSG_DONTWAIT);
    if (clients[socket].broken || taken == 0) {
        error = clients[socket].broken ? ECONNRESET : EAGAIN;
        return -1;
    }
    memcpy(clients[socket].bytes + clients[socket].length, bytes, taken);
    clients[socket].length += taken;
    clients[socket].room -= taken;
    return (ssize_t)taken;
}

int shutdown(int socket, int how)
{
    CHECK(how == SHUT_RDWR);
    shut_down |= 1u << socket;
    return 0;
}

int *__errno(void)
{
    return &error;
}

esp_err_t reply_begin(httpd_req_t *request, reply_head *head)
{
    (void)request, (void)head;
    return ESP_OK;
}

esp_err_t httpd_resp_send_chunk(httpd_req_t *request, const char *chunk, ssize_t length)
{
    CHECK(port_makes.log_stream_blocks || (length == 5 && memcmp(chunk, "hello", 5) == 0));
    chunked++;
    return clients[request->method].broken ? ESP_FAIL : ESP_OK;
}

int httpd_req_to_sockfd(httpd_req_t *request)
{
    return request->method; /* enough to tell requests apart */
}

esp_err_t httpd_resp_set_status(httpd_req_t *request, const char *status)
{
    (void)request;
    CHECK(strncmp(status, "503", 3) == 0);
    refused++;
    return ESP_OK;
}

esp_err_t httpd_resp_set_type(httpd_req_t *request, const char *type)
{
    (void)request, (void)type;
    return ESP_OK;
}

esp_err_t httpd_resp_sendstr(httpd_req_t *request, const char *text)
{
    (void)request, (void)text;
    return ESP_OK;
}

void fw_http_refused(fw_core *core, uint32_t status, uint32_t at)
{
    (void)core, (void)at;
    counted = status;
}

esp_err_t httpd_sess_update_lru_counter(httpd_handle_t handle, int socket)
{
    CHECK(handle == &now);
    kept |= 1u << socket;
    return ESP_OK;
}

SemaphoreHandle_t xSemaphoreCreateMutex(void)
{
    return (SemaphoreHandle_t)&now;
}

BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t ticks)
{
    (void)semaphore, (void)ticks;
    return pdTRUE;
}

BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore)
{
    (void)semaphore;
    return pdTRUE;
}

BaseType_t xTaskCreate(TaskFunction_t code, const char *name, uint32_t stack_bytes, void *argument, UBaseType_t priority,
                       TaskHandle_t *task)
{
    (void)name, (void)stack_bytes, (void)argument, (void)priority;
    CHECK(code == run);
    *task = (TaskHandle_t)&now;
    return pdPASS;
}

BaseType_t xTaskNotifyGive(TaskHandle_t task)
{
    (void)task;
    notified++;
    return pdTRUE;
}

uint32_t ulTaskNotifyTake(BaseType_t clear, TickType_t ticks)
{
    (void)clear, (void)ticks;
    return 0;
}

void vTaskDelay(TickType_t ticks)
{
    (void)ticks;
    clients[0].broken = lines == 3; /* the client goes when it has read that much */
    lines++;
}

static void begin(void)
{
    for (int socket = 0; socket < CLIENTS; socket++) {
        log_stream_forget(socket);
        memset(&clients[socket], 0, sizeof clients[socket]);
        clients[socket].room = 4096;
    }
    now = 5000;
    lines = notified = refused = shut_down = counted = kept = 0;
    CHECK(log_stream_init() == ESP_OK);
}

static esp_err_t open_on(int socket)
{
    httpd_req_t request = {.method = socket};
    reply_head head = {0};
    return log_stream_open(&request, &head);
}

static void lines_go_out_as_chunks(void)
{
    begin();
    CHECK(open_on(3) == ESP_OK && log_stream_has(3) && !log_stream_has(2));
    CHECK(!push_all() && clients[3].length == 0);
    lines = 2;
    web_log_grew();
    CHECK(notified == 2); /* by the new reader, and by the new lines */
    CHECK(!push_all());
    CHECK_TEXT(clients[3].bytes, "0007\r\nline 0\n\r\n0007\r\nline 1\n\r\n");
}

static void client_is_resumed_where_it_stopped(void)
{
    begin();
    clients[1].room = 8;
    CHECK(open_on(1) == ESP_OK);
    lines = 2;
    CHECK(push_all());
    CHECK_TEXT(clients[1].bytes, "0007\r\nli");
    now += PATIENCE_MS - 1;
    CHECK(push_all());
    clients[1].room = 1;
    CHECK(push_all());
    now += PATIENCE_MS - 1; /* it has moved since */
    clients[1].room = 4096;
    CHECK(!push_all() && shut_down == 0);
    CHECK_TEXT(clients[1].bytes, "0007\r\nline 0\n\r\n0007\r\nline 1\n\r\n");
}

static void client_that_takes_nothing_stops_no_other_and_is_given_up(void)
{
    begin();
    clients[0].room = 0;
    CHECK(open_on(0) == ESP_OK && open_on(1) == ESP_OK);
    lines = 1;
    CHECK(push_all() && clients[1].length == 15);
    now += PATIENCE_MS;
    lines = 2;
    CHECK(!push_all() && clients[1].length == 30);
    CHECK(shut_down == 1u << 0);
    clients[0].room = 4096;
    CHECK(!push_all() && clients[0].length == 0); /* what the server has not closed yet stays shut */
}

static void silence_is_no_reason_to_give_up(void)
{
    begin();
    CHECK(open_on(0) == ESP_OK);
    now += 10 * PATIENCE_MS;
    CHECK(!push_all());
    lines = 1;
    clients[0].room = 0;
    CHECK(push_all() && shut_down == 0);
}

static void broken_connection_is_given_up_at_once(void)
{
    begin();
    CHECK(open_on(2) == ESP_OK);
    clients[2].broken = true;
    lines = 1;
    CHECK(!push_all() && shut_down == 1u << 2);
    CHECK(open_on(4) == ESP_OK);
    log_stream_forget(4);
    clients[5].broken = true;
    CHECK(open_on(5) == ESP_FAIL && !log_stream_has(5));
}

static void socket_that_the_server_closed_is_left_alone(void)
{
    begin();
    CHECK(open_on(2) == ESP_OK);
    log_stream_forget(2);
    log_stream_forget(7); /* of any other session */
    lines = 3;
    CHECK(!push_all() && clients[2].length == 0 && !log_stream_has(2));
}

static void fifth_client_is_refused_until_one_has_gone(void)
{
    begin();
    for (int socket = 0; socket < STREAMS; socket++) {
        CHECK(open_on(socket) == ESP_OK);
    }
    CHECK(refused == 0 && counted == 0);
    CHECK(open_on(5) == ESP_FAIL && refused == 1 && counted == 503 && !log_stream_has(5)); /* the session ends with it */
    log_stream_forget(1);
    CHECK(open_on(5) == ESP_OK && refused == 1 && log_stream_has(5));
    begin();
}

static void every_stream_and_no_other_session_is_kept(void)
{
    begin();
    log_stream_keep(&now);
    CHECK(kept == 0);
    CHECK(open_on(1) == ESP_OK && open_on(6) == ESP_OK && open_on(3) == ESP_OK);
    log_stream_forget(3);
    log_stream_keep(&now);
    CHECK(kept == (1u << 1 | 1u << 6));
    begin();
}

static void the_build_that_blocks_serves_a_reader_until_it_goes(void)
{
    begin();
    lines = 1;
    chunked = 0;
    port_makes.log_stream_blocks = true;
    CHECK(open_on(0) == ESP_FAIL && chunked == 5); /* the greeting, three lines, and one that nobody took */
    CHECK(!log_stream_has(0));
    port_makes.log_stream_blocks = false;
}

int main(void)
{
    RUN(lines_go_out_as_chunks);
    RUN(client_is_resumed_where_it_stopped);
    RUN(client_that_takes_nothing_stops_no_other_and_is_given_up);
    RUN(silence_is_no_reason_to_give_up);
    RUN(broken_connection_is_given_up_at_once);
    RUN(socket_that_the_server_closed_is_left_alone);
    RUN(fifth_client_is_refused_until_one_has_gone);
    RUN(every_stream_and_no_other_session_is_kept);
    RUN(the_build_that_blocks_serves_a_reader_until_it_goes);
    return 0;
}
