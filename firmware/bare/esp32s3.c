// SPDX-License-Identifier: Apache-2.0
/*
 * An ESP32-S3 as ESP-IDF's second-stage boot loader leaves it: caches mapped, a stack, the ROM's vectors for the register
 * windows, UART0 at the boot loader's rate, watchdogs running. Addresses: ESP32-S3 Technical Reference Manual 1.6, chapters
 * "System and Memory" (4), "System Timer" (11), "Watchdog Timers" (13), "Low-power Management" (10), "UART Controller" (26).
 */
#include <stdbool.h>

#include "bare.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))

#define UART0_FIFO REGISTER(0x60000000)
#define UART0_STATUS REGISTER(0x6000001C)
#define UART_WAITING ((UART0_STATUS >> 16) & 0x3ffu)
#define UART_FULL 100u

#define RTC_OPTIONS0 REGISTER(0x60008000)
#define RTC_SOFTWARE_RESET (1u << 31)
#define RTC_WDT_CONFIG0 REGISTER(0x60008098)
#define RTC_WDT_PROTECT REGISTER(0x600080B0)
#define TIMG0_WDT_CONFIG0 REGISTER(0x6001F048)
#define TIMG0_WDT_PROTECT REGISTER(0x6001F064)
#define WDT_KEY 0x50D83AA1u

#define SYSTIMER_CONF REGISTER(0x60023000)
#define SYSTIMER_RUNNING (3u << 30) /* its clock, and unit 0 */
#define SYSTIMER_UNIT0 REGISTER(0x60023004)
#define SYSTIMER_LATCH (1u << 30)
#define SYSTIMER_LATCHED (1u << 29)
#define SYSTIMER_UNIT0_LOW REGISTER(0x60023044)
#define SYSTIMER_TICKS_A_MS 16000u

#define ELF_SHA256_AT 144 /* in esp_app_desc_t */

extern uint32_t bss_begin[], bss_end[];
extern const uint8_t app_description[];

static struct {
    uint32_t ticks;
    uint32_t ms;
} told;

uint32_t bare_now(void)
{
    SYSTIMER_UNIT0 = SYSTIMER_LATCH;
    while ((SYSTIMER_UNIT0 & SYSTIMER_LATCHED) == 0) {
    }
    uint32_t passed = (SYSTIMER_UNIT0_LOW - told.ticks) / SYSTIMER_TICKS_A_MS;
    told.ticks += passed * SYSTIMER_TICKS_A_MS;
    told.ms += passed;
    return told.ms;
}

void bare_write(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        while (UART_WAITING > UART_FULL) {
        }
        UART0_FIFO = bytes[i];
    }
}

void bare_wait_until(uint32_t deadline)
{
    (void)deadline;
}

void bare_restart(void)
{
    RTC_OPTIONS0 |= RTC_SOFTWARE_RESET;
    for (;;) {
    }
}

const uint8_t *bare_elf_sha256(void)
{
    return app_description + ELF_SHA256_AT;
}

static void stop_watchdogs(void)
{
    RTC_WDT_PROTECT = WDT_KEY;
    RTC_WDT_CONFIG0 = 0;
    TIMG0_WDT_PROTECT = WDT_KEY;
    TIMG0_WDT_CONFIG0 = 0;
}

void bare_start(void) __attribute__((noreturn));
void bare_start(void)
{
    stop_watchdogs();
    for (uint32_t *word = bss_begin; word < bss_end; word++) {
        *word = 0;
    }
    SYSTIMER_CONF |= SYSTIMER_RUNNING;
    bare_run();
}
