// SPDX-License-Identifier: Apache-2.0
/*
 * One task a stream: a client that does not read stops its own task in send(), for the server's send timeout, and nobody
 * else. The request is detached from the server's task, which serves on (ESP-IDF's asynchronous handlers).
 */
#include "log_stream.h"

#include <stdlib.h>

#include "core_runner.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "web.h"

#define STREAMS 4
#define STACK_BYTES 4096
#define PRIORITY 4
#define LOOK_MS 1000u /* at the latest: the keep-alive is due by time, not by a new line */

typedef struct {
    httpd_req_t *request;
    reply_head head; /* the request points into it */
    fw_log_cursor cursor;
    char chunk[FW_SSE_CHUNK_BYTES];
} stream;

/* What a slot holds from its taking until its task is known. */
#define STARTING ((TaskHandle_t)&slots)

static SemaphoreHandle_t lock;
static TaskHandle_t slots[STREAMS];

/* The slot that held `from` holds `to` now; false where none did. */
static bool exchange(TaskHandle_t from, TaskHandle_t to)
{
    bool found = false;
    xSemaphoreTake(lock, portMAX_DELAY);
    for (size_t slot = 0; slot < STREAMS && !found; slot++) {
        found = slots[slot] == from;
        slots[slot] = found ? to : slots[slot];
    }
    xSemaphoreGive(lock);
    return found;
}

static size_t next_chunk(stream *open)
{
    size_t length = fw_log_stream_next(core_enter(), &open->cursor, core_now(), open->chunk, sizeof open->chunk);
    core_leave();
    return length;
}

static void close_stream(stream *open)
{
    int socket = httpd_req_to_sockfd(open->request);
    httpd_handle_t server = open->request->handle;
    (void)httpd_req_async_handler_complete(open->request);
    (void)httpd_sess_trigger_close(server, socket);
    free(open);
}

static void run(void *argument)
{
    stream *open = argument;
    esp_err_t failed = reply_begin(open->request, &open->head);
    (void)exchange(STARTING, xTaskGetCurrentTaskHandle());
    while (failed == ESP_OK) {
        size_t length = next_chunk(open);
        if (length > 0) {
            failed = httpd_resp_send_chunk(open->request, open->chunk, (ssize_t)length);
        } else {
            (void)ulTaskNotifyTake(pdTRUE, pdMS_TO_TICKS(LOOK_MS));
        }
    }
    close_stream(open);
    (void)exchange(xTaskGetCurrentTaskHandle(), NULL);
    vTaskDelete(NULL);
}

static esp_err_t refuse(httpd_req_t *request)
{
    (void)httpd_resp_set_status(request, "503 Service Unavailable");
    (void)httpd_resp_set_type(request, "text/plain; charset=utf-8");
    return httpd_resp_sendstr(request, "Too many log clients\n");
}

/* In the server's task alone, so that a slot that is STARTING is this call's. */
static bool start(httpd_req_t *request, const reply_head *head)
{
    stream *open = calloc(1, sizeof *open);
    if (open == NULL) {
        return false;
    }
    open->head = *head;
    if (httpd_req_async_handler_begin(request, &open->request) != ESP_OK) {
        free(open);
        return false;
    }
    if (xTaskCreate(run, "log_stream", STACK_BYTES, open, PRIORITY, NULL) != pdPASS) {
        (void)refuse(open->request);
        close_stream(open);
        (void)exchange(STARTING, NULL);
    }
    return true;
}

esp_err_t log_stream_init(void)
{
    lock = xSemaphoreCreateMutex();
    return lock == NULL ? ESP_ERR_NO_MEM : ESP_OK;
}

esp_err_t log_stream_open(httpd_req_t *request, const reply_head *head)
{
    if (!exchange(NULL, STARTING)) {
        return refuse(request);
    }
    if (!start(request, head)) {
        (void)exchange(STARTING, NULL);
        return refuse(request);
    }
    return ESP_OK;
}

void web_log_grew(void)
{
    if (lock == NULL) {
        return;
    }
    xSemaphoreTake(lock, portMAX_DELAY);
    for (size_t slot = 0; slot < STREAMS; slot++) {
        if (slots[slot] != NULL && slots[slot] != STARTING) {
            (void)xTaskNotifyGive(slots[slot]);
        }
    }
    xSemaphoreGive(lock);
}
