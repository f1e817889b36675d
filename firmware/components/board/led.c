// SPDX-License-Identifier: Apache-2.0
#include "board.h"
#include "driver/gpio.h"
#include "sdkconfig.h"

#ifdef CONFIG_HIL_LED_ACTIVE_LOW
#define LEVEL(on) ((on) ? 0u : 1u)
#else
#define LEVEL(on) ((on) ? 1u : 0u)
#endif

void board_led_init(void)
{
    (void)gpio_reset_pin((gpio_num_t)CONFIG_HIL_LED_GPIO);
    board_led_set(false);
    (void)gpio_set_direction((gpio_num_t)CONFIG_HIL_LED_GPIO, GPIO_MODE_OUTPUT);
}

void board_led_set(bool on)
{
    (void)gpio_set_level((gpio_num_t)CONFIG_HIL_LED_GPIO, LEVEL(on));
}
