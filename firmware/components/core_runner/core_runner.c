// SPDX-License-Identifier: Apache-2.0
#include "core_runner.h"

#include <stdlib.h>

#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/semphr.h"
#include "freertos/task.h"

#define STACK_BYTES 6144
#define PRIORITY 6 /* above TinyUSB's task, which feeds it */

/* The task's own notification is not used: tinyusb_driver_install() waits for it, in this task, to learn that TinyUSB runs. */
static struct {
    fw_core *core;
    SemaphoreHandle_t lock;
    SemaphoreHandle_t work; /* there may be commands, or another deadline */
    core_perform perform;
} runner;

uint32_t core_now(void)
{
    return (uint32_t)(esp_timer_get_time() / 1000);
}

fw_core *core_enter(uint32_t *now)
{
    xSemaphoreTake(runner.lock, portMAX_DELAY);
    if (now != NULL) {
        *now = core_now();
    }
    return runner.core;
}

void core_leave(void)
{
    xSemaphoreGive(runner.lock);
    (void)xSemaphoreGive(runner.work); /* given already is given */
}

bool core_is_entered(void)
{
    return runner.lock != NULL && xSemaphoreGetMutexHolder(runner.lock) == xTaskGetCurrentTaskHandle();
}

static bool next_command(fw_command *command)
{
    xSemaphoreTake(runner.lock, portMAX_DELAY);
    bool any = fw_next_command(runner.core, command);
    xSemaphoreGive(runner.lock);
    return any;
}

static TickType_t until_deadline(void)
{
    uint32_t deadline = 0;
    xSemaphoreTake(runner.lock, portMAX_DELAY);
    bool any = fw_deadline(runner.core, &deadline);
    xSemaphoreGive(runner.lock);
    if (!any) {
        return portMAX_DELAY;
    }
    int32_t left = (int32_t)(deadline - core_now());
    return left <= 0 ? 0 : pdMS_TO_TICKS((uint32_t)left);
}

static void run(void *unused)
{
    fw_command command;
    (void)unused;
    for (;;) {
        xSemaphoreTake(runner.lock, portMAX_DELAY);
        fw_wake(runner.core, core_now());
        xSemaphoreGive(runner.lock);
        while (next_command(&command)) {
            runner.perform(&command);
        }
        (void)xSemaphoreTake(runner.work, until_deadline());
    }
}

esp_err_t core_runner_init(const fw_config *config)
{
    void *memory = malloc(fw_core_size());
    runner.lock = xSemaphoreCreateMutex();
    runner.work = xSemaphoreCreateBinary();
    if (memory == NULL || runner.lock == NULL || runner.work == NULL) {
        return ESP_ERR_NO_MEM;
    }
    runner.core = fw_init(memory, fw_core_size(), config);
    return runner.core == NULL ? ESP_ERR_INVALID_ARG : ESP_OK;
}

esp_err_t core_runner_start(const char *reset_reason, core_perform perform)
{
    runner.perform = perform;
    fw_boot(core_enter(NULL), reset_reason, 0);
    core_leave();
    return xTaskCreate(run, "core", STACK_BYTES, NULL, PRIORITY, NULL) == pdPASS ? ESP_OK : ESP_ERR_NO_MEM;
}
