// SPDX-License-Identifier: Apache-2.0
/*
 * The server's task answers the request and serves on; the session stays open, and one task sends on all of them, without
 * ever waiting for a client. The server tells when it closes a socket, so that none is written to that has become another
 * client's. ESP-IDF's own asynchronous handlers are not used: 5.1 has none, and 5.2 and 5.3.1 let two tasks have one socket
 * (esp-idf issues 13430 and 13998).
 */
#include "log_stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core_runner.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"
#include "lwip/sockets.h"
#include "port_mistakes.h"
#include "web.h"

#define STREAMS 4
#define STACK_BYTES 4096
#define PRIORITY 4
#define LOOK_MS 1000u    /* at the latest: the keep-alive is due by time, not by a new line */
#define AGAIN_MS 50u     /* while a client does not take what waits for it */
#define PATIENCE_MS 10000u /* a client that takes nothing for so long is given up */

#define NO_SOCKET (-1)
#define CHUNK_HEAD "%04x\r\n" /* RFC 9112, 7.1: leading zeros are allowed */
#define CHUNK_HEAD_BYTES 6
#define CHUNK_END "\r\n"
#define CHUNK_END_BYTES 2

typedef struct {
    int socket;
    bool given_up;
    uint32_t moved_ms; /* when the client last took something, or nothing waited for it */
    fw_log_cursor cursor;
    size_t sent, length; /* of what lies in `bytes` */
    char bytes[CHUNK_HEAD_BYTES + FW_SSE_CHUNK_BYTES + CHUNK_END_BYTES];
} stream;

static SemaphoreHandle_t lock;
static TaskHandle_t sender;
static stream *streams[STREAMS];

static size_t next_body(fw_log_cursor *cursor, char *body)
{
    uint32_t now = 0;
    fw_core *core = core_enter(&now);
    size_t length = fw_log_stream_next(core, cursor, now, body, FW_SSE_CHUNK_BYTES);
    core_leave();
    return length;
}

static void refill(stream *open)
{
    char head[CHUNK_HEAD_BYTES + 1];
    size_t body = next_body(&open->cursor, open->bytes + CHUNK_HEAD_BYTES);
    open->sent = 0;
    open->length = 0;
    if (body > 0) {
        (void)snprintf(head, sizeof head, CHUNK_HEAD, (unsigned)(body & 0xffffu));
        memcpy(open->bytes, head, CHUNK_HEAD_BYTES);
        memcpy(open->bytes + CHUNK_HEAD_BYTES + body, CHUNK_END, CHUNK_END_BYTES);
        open->length = CHUNK_HEAD_BYTES + body + CHUNK_END_BYTES;
    }
}

/* The server sees the end of the session, and closes it. */
static void give_up(stream *open)
{
    open->given_up = true;
    (void)shutdown(open->socket, SHUT_RDWR);
}

/* True: something waits for the client. */
static bool push(stream *open)
{
    while (!open->given_up) {
        if (open->sent == open->length) {
            open->moved_ms = core_now();
            refill(open);
        }
        if (open->length == 0) {
            return false;
        }
        ssize_t sent = send(open->socket, open->bytes + open->sent, open->length - open->sent, MSG_DONTWAIT);
        if (sent > 0) {
            open->sent += (size_t)sent;
            open->moved_ms = core_now();
        } else if ((errno != EAGAIN && errno != EWOULDBLOCK) || core_now() - open->moved_ms >= PATIENCE_MS) {
            give_up(open);
        } else {
            return true;
        }
    }
    return false;
}

static bool push_all(void)
{
    bool waiting = false;
    xSemaphoreTake(lock, portMAX_DELAY);
    for (size_t slot = 0; slot < STREAMS; slot++) {
        waiting = (streams[slot] != NULL && push(streams[slot])) || waiting;
    }
    xSemaphoreGive(lock);
    return waiting;
}

static void run(void *unused)
{
    (void)unused;
    for (;;) {
        bool waiting = push_all();
        (void)ulTaskNotifyTake(pdTRUE, pdMS_TO_TICKS(waiting ? AGAIN_MS : LOOK_MS));
    }
}

/* The slot that holds this socket, or with NO_SOCKET a free one; NULL where there is none. In the server's task, which alone
 * changes slots. */
static stream **slot_of(int socket)
{
    for (size_t slot = 0; slot < STREAMS; slot++) {
        int held = streams[slot] == NULL ? NO_SOCKET : streams[slot]->socket;
        if (held == socket) {
            return &streams[slot];
        }
    }
    return NULL;
}

static void put(stream **slot, stream *open)
{
    xSemaphoreTake(lock, portMAX_DELAY); /* the sender may be in the middle of them */
    *slot = open;
    xSemaphoreGive(lock);
}

/* The session ends with it, as with every answer of this kind. */
static esp_err_t refuse(httpd_req_t *request)
{
    uint32_t now = 0;
    fw_core *core = core_enter(&now);
    fw_http_refused(core, 503, now);
    core_leave();
    (void)httpd_resp_set_status(request, "503 Service Unavailable");
    (void)httpd_resp_set_type(request, "text/plain; charset=utf-8");
    (void)httpd_resp_sendstr(request, "Too many log clients\n");
    return ESP_FAIL;
}

/* The greeting goes out with the headers, in the server's task: nothing is in the way of a client's first bytes. */
static esp_err_t greet(httpd_req_t *request, reply_head *head, stream *open)
{
    size_t length = next_body(&open->cursor, open->bytes);
    esp_err_t failed = reply_begin(request, head);
    return failed == ESP_OK ? httpd_resp_send_chunk(request, open->bytes, (ssize_t)length) : failed;
}

/* In the server's task, for as long as the client reads: nobody else is served. */
static esp_err_t stay_with(httpd_req_t *request, stream *open)
{
    esp_err_t failed = ESP_OK;
    while (failed == ESP_OK) {
        size_t length = next_body(&open->cursor, open->bytes);
        if (length > 0) {
            failed = httpd_resp_send_chunk(request, open->bytes, (ssize_t)length);
        } else {
            vTaskDelay(pdMS_TO_TICKS(AGAIN_MS));
        }
    }
    return failed;
}

esp_err_t log_stream_init(void)
{
    lock = xSemaphoreCreateMutex();
    if (lock == NULL || xTaskCreate(run, "log_stream", STACK_BYTES, NULL, PRIORITY, &sender) != pdPASS) {
        return ESP_ERR_NO_MEM;
    }
    return ESP_OK;
}

esp_err_t log_stream_open(httpd_req_t *request, reply_head *head)
{
    stream **slot = slot_of(NO_SOCKET);
    stream *open = slot == NULL ? NULL : calloc(1, sizeof *open);
    if (open == NULL) {
        return refuse(request);
    }
    esp_err_t failed = greet(request, head, open);
    if (failed == ESP_OK && port_makes.log_stream_blocks) {
        failed = stay_with(request, open);
    }
    if (failed != ESP_OK) {
        free(open);
        return failed; /* the server closes the session */
    }
    open->socket = httpd_req_to_sockfd(request);
    open->moved_ms = core_now();
    put(slot, open);
    (void)xTaskNotifyGive(sender);
    return ESP_OK;
}

bool log_stream_has(int socket)
{
    return slot_of(socket) != NULL;
}

void log_stream_keep(httpd_handle_t server)
{
    for (size_t slot = 0; slot < STREAMS; slot++) {
        if (streams[slot] != NULL) {
            (void)httpd_sess_update_lru_counter(server, streams[slot]->socket);
        }
    }
}

void log_stream_forget(int socket)
{
    stream **slot = slot_of(socket);
    if (slot != NULL) {
        stream *closed = *slot;
        put(slot, NULL);
        free(closed);
    }
}

void web_log_grew(void)
{
    if (sender != NULL) {
        (void)xTaskNotifyGive(sender);
    }
}
