// SPDX-License-Identifier: Apache-2.0
/* The core's task: it performs what there is, waits until the deadline, and is woken by inputs; by semaphores alone, as the
 * task's notification belongs to the functions of ESP-IDF that wait for it. fw_init() is the real one. */
#include <setjmp.h>

#include "../../core/tests/check.h"

#include "../../components/core_runner/core_runner.c"

#define LOCK ((SemaphoreHandle_t)&lock)
#define WORK ((SemaphoreHandle_t)&work)

static struct {
    uint32_t held;
    TaskHandle_t holder;
} lock;
static struct {
    uint32_t given;
} work;
static int64_t now_us, lock_takes_us;
static TickType_t waited;
static uint32_t waits, performed, console_lines;
static TaskFunction_t task;
static jmp_buf stop;

int64_t esp_timer_get_time(void)
{
    return now_us;
}

SemaphoreHandle_t xSemaphoreCreateMutex(void)
{
    return LOCK;
}

SemaphoreHandle_t xSemaphoreCreateBinary(void)
{
    return WORK;
}

TaskHandle_t xTaskGetCurrentTaskHandle(void)
{
    return (TaskHandle_t)&task;
}

TaskHandle_t xSemaphoreGetMutexHolder(SemaphoreHandle_t semaphore)
{
    CHECK(semaphore == LOCK);
    return lock.holder;
}

/* Time passes where the task waits; it ends where it has waited for the third time. */
BaseType_t xSemaphoreTake(SemaphoreHandle_t semaphore, TickType_t ticks)
{
    if (semaphore == LOCK) {
        CHECK(ticks == portMAX_DELAY && lock.held == 0);
        now_us += lock_takes_us; /* somebody else is in */
        lock.held = 1;
        lock.holder = xTaskGetCurrentTaskHandle();
        return pdTRUE;
    }
    CHECK(semaphore == WORK && lock.held == 0);
    if (work.given > 0) {
        work.given = 0;
        return pdTRUE;
    }
    waited = ticks;
    if (++waits == 3) {
        longjmp(stop, 1);
    }
    now_us += (int64_t)ticks * 1000;
    return 0;
}

BaseType_t xSemaphoreGive(SemaphoreHandle_t semaphore)
{
    if (semaphore == LOCK) {
        CHECK(lock.held == 1);
        lock.held = 0;
        lock.holder = NULL;
    } else {
        work.given = 1;
    }
    return pdTRUE;
}

BaseType_t xTaskCreate(TaskFunction_t code, const char *name, uint32_t stack_bytes, void *argument, UBaseType_t priority,
                       TaskHandle_t *handle)
{
    (void)name, (void)stack_bytes, (void)argument, (void)priority, (void)handle;
    task = code;
    return pdPASS;
}

static void perform(const fw_command *command)
{
    CHECK(lock.held == 0); /* what performs it may give inputs */
    performed++;
    console_lines += command->kind == FW_CONSOLE_WRITE ? 1 : 0;
    if (command->kind == FW_START_DHCP_SERVER) {
        fw_netif_started(core_enter(NULL), core_now());
        CHECK(core_is_entered());
        core_leave();
        CHECK(!core_is_entered());
    }
}

static void task_performs_waits_and_is_woken(void)
{
    fw_config config;
    fw_default_config(&config);
    CHECK(core_runner_init(&config) == ESP_OK);
    CHECK(core_runner_start("POWERON", perform) == ESP_OK && task == run && performed == 0);
    if (setjmp(stop) == 0) {
        task(NULL);
    }
    CHECK(now_us == (config.start_ms + config.nvs_ms) * 1000ll); /* it slept to the first deadline, and to the second */
    CHECK(waited == config.lwip_ms && console_lines > 0);
    waits = 0;
    uint32_t before = performed;
    fw_log_foreign(core_enter(NULL), "from elsewhere", 14, core_now());
    core_leave();
    CHECK(work.given == 1);
    if (setjmp(stop) == 0) {
        task(NULL);
    }
    CHECK(performed > before);
}

static void time_of_an_input_is_read_inside(void)
{
    uint32_t before = core_now();
    uint32_t now = 0;
    lock_takes_us = 5000;
    (void)core_enter(&now);
    core_leave();
    lock_takes_us = 0;
    CHECK(now == before + 5);
}

int main(void)
{
    RUN(task_performs_waits_and_is_woken);
    RUN(time_of_an_input_is_read_inside);
    free(runner.core);
    return 0;
}
