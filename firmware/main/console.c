// SPDX-License-Identifier: Apache-2.0
#include "console.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

#include "core_runner.h"
#include "freertos/FreeRTOS.h"
#include "freertos/message_buffer.h"
#include "freertos/task.h"

#define WAITING_BYTES 8192u /* about 0.7 s at 115200 baud */
#define STACK_BYTES 3072
#define PRIORITY tskIDLE_PRIORITY /* stdout polls the UART: nobody has to wait meanwhile, the idle task's watchdog neither */
#define NOTE_BYTES 64
#define AGAIN_MS 5u

static MessageBufferHandle_t waiting;
static atomic_uint accepted, written; /* lines */
static uint32_t dropped;              /* of the core's task alone */

static bool queue(const void *line, size_t length)
{
    if (length > FW_LOG_LINE_BYTES || xMessageBufferSend(waiting, line, length, 0) != length) {
        return false;
    }
    atomic_fetch_add(&accepted, 1);
    return true;
}

/* In the form of a log line. */
static bool tell_dropped(void)
{
    char note[NOTE_BYTES];
    int length = snprintf(note, sizeof note, "W (%" PRIu32 ") console: %" PRIu32 " log lines dropped\n", core_now(), dropped);
    return length > 0 && (size_t)length < sizeof note && queue(note, (size_t)length);
}

static void write_next(void)
{
    char line[FW_LOG_LINE_BYTES];
    size_t length = xMessageBufferReceive(waiting, line, sizeof line, portMAX_DELAY);
    if (length > 0) {
        (void)fwrite(line, 1, length, stdout);
        (void)fflush(stdout);
        atomic_fetch_add(&written, 1);
    }
}

static void run(void *unused)
{
    (void)unused;
    for (;;) {
        write_next();
    }
}

esp_err_t console_start(void)
{
    waiting = xMessageBufferCreate(WAITING_BYTES);
    if (waiting == NULL || xTaskCreate(run, "console", STACK_BYTES, NULL, PRIORITY, NULL) != pdPASS) {
        return ESP_ERR_NO_MEM;
    }
    return ESP_OK;
}

void console_write(const uint8_t *line, size_t length)
{
    if (dropped > 0 && tell_dropped()) {
        dropped = 0;
    }
    if (dropped > 0 || !queue(line, length)) {
        dropped++;
    }
}

void console_drain(uint32_t within_ms)
{
    TickType_t start = xTaskGetTickCount();
    while (atomic_load(&written) != atomic_load(&accepted) && xTaskGetTickCount() - start < pdMS_TO_TICKS(within_ms)) {
        vTaskDelay(pdMS_TO_TICKS(AGAIN_MS));
    }
}
