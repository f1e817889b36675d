// SPDX-License-Identifier: Apache-2.0
/* Frames to the host: tried again while TinyUSB has no buffer, for a while, and told as what became of them. */
#include "../../core/tests/check.h"

#include "../../components/usb_link/ncm_sender.c"

static uint32_t ticks, tries, succeed_at, queued, queue_room;
static esp_err_t refusal;
static bool told_ok, ready;
static uint32_t left, came_back;
static char told_reason[64];

uint32_t core_now(void)
{
    return ticks;
}

fw_core *core_enter(uint32_t *at)
{
    *at = core_now();
    return NULL;
}

void core_leave(void)
{
}

void fw_frame_sent(fw_core *core, const uint8_t *bytes, size_t length, bool ok, const char *reason, uint32_t now)
{
    (void)core, (void)now;
    CHECK(length == 3 && memcmp(bytes, "abc", 3) == 0);
    told_ok = ok;
    snprintf(told_reason, sizeof told_reason, "%s", reason);
}

const char *esp_err_to_name(esp_err_t code)
{
    return code == ESP_OK ? "ESP_OK" : code == ESP_FAIL ? "ESP_FAIL" : code == ESP_ERR_NO_MEM ? "ESP_ERR_NO_MEM" : "other";
}

esp_err_t tinyusb_net_send_sync(void *buffer, uint16_t length, void *free_argument, TickType_t timeout)
{
    (void)buffer, (void)length, (void)free_argument, (void)timeout;
    return ++tries >= succeed_at ? ESP_OK : refusal;
}

bool tud_ready(void)
{
    return ready;
}

void usb_link_disconnect(void)
{
    left = ticks;
}

void usb_link_connect(void)
{
    came_back = ticks;
}

TickType_t xTaskGetTickCount(void)
{
    return ticks;
}

void vTaskDelay(TickType_t wait)
{
    ticks += (uint32_t)wait;
}

QueueHandle_t xQueueCreate(UBaseType_t length, UBaseType_t item_bytes)
{
    queue_room = length;
    return item_bytes == sizeof(frame *) ? (QueueHandle_t)&queue_room : NULL;
}

BaseType_t xQueueSend(QueueHandle_t queue, const void *item, TickType_t wait)
{
    (void)queue;
    CHECK(wait == 0); /* or the core's task would wait for the host */
    if (queued == queue_room) {
        return 0;
    }
    free(*(frame *const *)item);
    queued++;
    return pdTRUE;
}

BaseType_t xQueueReceive(QueueHandle_t queue, void *item, TickType_t wait)
{
    (void)queue, (void)item, (void)wait;
    return 0;
}

BaseType_t xTaskCreate(TaskFunction_t code, const char *name, uint32_t stack_bytes, void *argument,
                       UBaseType_t priority, TaskHandle_t *task)
{
    (void)name, (void)stack_bytes, (void)argument, (void)priority, (void)task;
    return code == send_frames ? pdPASS : 0;
}

/* A frame, and from which try on TinyUSB takes it; until then it says `meanwhile`. */
static frame *taken_at(uint32_t at, esp_err_t meanwhile)
{
    frame *one = calloc(1, sizeof *one + 3);
    CHECK(one != NULL);
    one->length = 3;
    memcpy(one->bytes, "abc", 3);
    tries = 0;
    succeed_at = at;
    refusal = meanwhile;
    return one;
}

static esp_err_t send_when(uint32_t at, esp_err_t meanwhile)
{
    frame *one = taken_at(at, meanwhile);
    esp_err_t became = send_within(one, pdMS_TO_TICKS(PATIENCE_MS));
    free(one);
    return became;
}

static void a_frame_is_tried_again_while_no_buffer_is_free(void)
{
    CHECK(send_when(1, ESP_FAIL) == ESP_OK && tries == 1);
    CHECK(send_when(5, ESP_FAIL) == ESP_OK && tries == 5);
}

static void patience_ends(void)
{
    uint32_t start = ticks;
    CHECK(send_when(UINT32_MAX, ESP_FAIL) == ESP_FAIL);
    CHECK(ticks - start >= PATIENCE_MS && ticks - start < PATIENCE_MS + 2 * AGAIN_MS);
}

static void a_board_that_is_not_mounted_does_not_try_again(void)
{
    CHECK(send_when(UINT32_MAX, ESP_ERR_INVALID_STATE) == ESP_ERR_INVALID_STATE && tries == 1);
}

static void a_suspended_board_sends_but_in_the_build_that_needs_ready(void)
{
    ready = false;
    CHECK(send_when(1, ESP_FAIL) == ESP_OK && tries == 1);
    port_makes.sends_need_ready = true;
    CHECK(send_when(1, ESP_FAIL) == ESP_ERR_INVALID_STATE && tries == 0);
    ready = true;
    CHECK(send_when(1, ESP_FAIL) == ESP_OK && tries == 1);
    port_makes.sends_need_ready = false;
}

static void a_frame_takes_the_board_off_the_bus_in_the_build_that_leaves_it(void)
{
    ticks = 1000;
    send_next(taken_at(1, ESP_FAIL));
    CHECK(told_ok && left == 0);
    port_makes.first_frame_disconnects = true;
    send_next(taken_at(UINT32_MAX, ESP_ERR_INVALID_STATE));
    CHECK(!told_ok && left == 0);
    send_next(taken_at(1, ESP_FAIL));
    CHECK(told_ok && left == 1000 && came_back == 1000 + AWAY_MS);
    port_makes.first_frame_disconnects = false;
    told_reason[0] = '\0';
}

static void a_full_queue_is_told_as_a_failure(void)
{
    CHECK(ncm_sender_start() == ESP_OK);
    for (int i = 0; i < WAITING; i++) {
        usb_link_transmit((const uint8_t *)"abc", 3);
    }
    CHECK_TEXT(told_reason, "");
    usb_link_transmit((const uint8_t *)"abc", 3);
    CHECK(!told_ok);
    CHECK_TEXT(told_reason, "ESP_ERR_NO_MEM");
}

int main(void)
{
    RUN(a_frame_is_tried_again_while_no_buffer_is_free);
    RUN(patience_ends);
    RUN(a_board_that_is_not_mounted_does_not_try_again);
    RUN(a_suspended_board_sends_but_in_the_build_that_needs_ready);
    RUN(a_frame_takes_the_board_off_the_bus_in_the_build_that_leaves_it);
    RUN(a_full_queue_is_told_as_a_failure);
    return 0;
}
