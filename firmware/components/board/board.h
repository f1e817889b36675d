// SPDX-License-Identifier: Apache-2.0
/* What is this board's own: its names, its boots, its LED, its ways to start over. */
#ifndef BOARD_H
#define BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include "esp_err.h"

#define BOARD_MAC_BYTES 6
#define BOARD_SERIAL_CHARACTERS 12

/* All derived from the MAC address in the chip's fuses, so that two boards differ. */
typedef struct {
    char serial[BOARD_SERIAL_CHARACTERS + 1]; /* "7CDFA1E0C4B8" */
    uint8_t host_mac[BOARD_MAC_BYTES];        /* of the host's end of the USB link */
    uint8_t device_mac[BOARD_MAC_BYTES];      /* of the board's end */
} board_identity;

esp_err_t board_read_identity(board_identity *identity);

/* "POWERON", "SW", "PANIC" …: esp_reset_reason() without its prefix. */
const char *board_reset_reason(void);
/* Boots before this one, and count this one; NVS has to be there. Where it cannot be read or written, RTC memory counts on. */
uint32_t board_count_boot(void);

void board_led_init(void);
void board_led_set(bool on);

/*
 * On the way to the ROM's loader, once USB is disconnected and the host has had time to see it: 303a:1001 with the PHY on
 * Serial/JTAG, 303a:0009 or nothing without. The force-download bit lies in the RTC domain and outlives a
 * restart; EN or the loss of power clears it.
 */
void board_give_phy_to_serial_jtag(void);
void board_force_download(bool on);
void board_restart(void) __attribute__((noreturn));

#endif
