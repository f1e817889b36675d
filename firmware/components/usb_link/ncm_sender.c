// SPDX-License-Identifier: Apache-2.0
/* Frames on their way to the host, in a task that may wait for TinyUSB, so that nobody else has to. */
#include <stdlib.h>
#include <string.h>

#include "core_runner.h"
#include "freertos/FreeRTOS.h"
#include "freertos/queue.h"
#include "freertos/task.h"
#include "parts.h"
#include "port_mistakes.h"
#include "tinyusb_net.h"
#include "tusb.h"
#include "usb_link.h"

#define WAITING 8
#define STACK_BYTES 4096
#define PRIORITY 4 /* below TinyUSB's task, which empties the buffers */

/* How long a frame waits for a buffer of TinyUSB. A host that does not read lets it pass, and the frame is told as failed. */
#define PATIENCE_MS 250u
#define AGAIN_MS 10u
/* TinyUSB's task answers at once or not at all; only a task that hangs lets this pass. */
#define ANSWER_MS 1000u
#define AWAY_MS 500u /* off the bus, in the build that leaves it */

typedef struct {
    size_t length;
    uint8_t bytes[];
} frame;

static QueueHandle_t waiting;

static void tell(const uint8_t *bytes, size_t length, esp_err_t failed)
{
    uint32_t now = 0;
    fw_core *core = core_enter(&now);
    fw_frame_sent(core, bytes, length, failed == ESP_OK, esp_err_to_name(failed), now);
    core_leave();
}

static esp_err_t send_within(frame *sent, TickType_t patience)
{
    TickType_t start = xTaskGetTickCount();
    esp_err_t failed = ESP_FAIL;
    if (port_makes.sends_need_ready && !tud_ready()) {
        return ESP_ERR_INVALID_STATE;
    }
    for (;;) {
        failed = tinyusb_net_send_sync(sent->bytes, (uint16_t)sent->length, NULL, pdMS_TO_TICKS(ANSWER_MS));
        if (failed != ESP_FAIL || xTaskGetTickCount() - start >= patience) { /* ESP_FAIL: no buffer was free */
            return failed;
        }
        vTaskDelay(pdMS_TO_TICKS(AGAIN_MS));
    }
}

/* What it sends next, it sends after another mount. */
static void leave_bus(void)
{
    usb_link_disconnect();
    vTaskDelay(pdMS_TO_TICKS(AWAY_MS));
    usb_link_connect();
}

static void send_next(frame *next)
{
    esp_err_t failed = send_within(next, pdMS_TO_TICKS(PATIENCE_MS));
    tell(next->bytes, next->length, failed);
    free(next);
    if (failed == ESP_OK && port_makes.first_frame_disconnects) {
        leave_bus();
    }
}

static void send_frames(void *unused)
{
    frame *next = NULL;
    (void)unused;
    for (;;) {
        if (xQueueReceive(waiting, &next, portMAX_DELAY) == pdTRUE) {
            send_next(next);
        }
    }
}

esp_err_t ncm_sender_start(void)
{
    waiting = xQueueCreate(WAITING, sizeof(frame *));
    if (waiting == NULL || xTaskCreate(send_frames, "ncm_send", STACK_BYTES, NULL, PRIORITY, NULL) != pdPASS) {
        return ESP_ERR_NO_MEM;
    }
    return ESP_OK;
}

void usb_link_transmit(const uint8_t *bytes, size_t length)
{
    frame *copy = malloc(sizeof *copy + length);
    if (copy != NULL) {
        copy->length = length;
        memcpy(copy->bytes, bytes, length);
    }
    if (copy == NULL || waiting == NULL || xQueueSend(waiting, &copy, 0) != pdTRUE) {
        free(copy);
        tell(bytes, length, ESP_ERR_NO_MEM);
    }
}
