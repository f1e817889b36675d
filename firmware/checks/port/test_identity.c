// SPDX-License-Identifier: Apache-2.0
/* The names of a board come from its fuses, but in the build whose boards are twins. */
#include "../../core/tests/check.h"

#include "../../components/board/identity.c"
#include "port_mistakes.h"

static uint8_t fuses[BOARD_MAC_BYTES];

esp_err_t esp_efuse_mac_get_default(uint8_t *mac)
{
    memcpy(mac, fuses, sizeof fuses);
    return ESP_OK;
}

static board_identity read_with(uint8_t last)
{
    static const uint8_t BASE[BOARD_MAC_BYTES] = {0x7c, 0xdf, 0xa1, 0xe0, 0xc4, 0x00};
    board_identity identity;
    memcpy(fuses, BASE, sizeof fuses);
    fuses[BOARD_MAC_BYTES - 1] = last;
    CHECK(board_read_identity(&identity) == ESP_OK);
    return identity;
}

static void two_boards_differ(void)
{
    board_identity one = read_with(0xb8), other = read_with(0xbc);
    CHECK_TEXT(one.serial, "7CDFA1E0C4B8");
    CHECK_TEXT(other.serial, "7CDFA1E0C4BC");
    CHECK(one.device_mac[0] == 0x7e && one.device_mac[5] == 0xb8 && one.host_mac[5] == 0xb9);
    CHECK(memcmp(one.host_mac, other.host_mac, sizeof one.host_mac) != 0);
}

static void in_the_build_with_constants_they_do_not(void)
{
    port_makes.identity_constant = true;
    board_identity one = read_with(0xb8), other = read_with(0xbc);
    port_makes.identity_constant = false;
    CHECK_TEXT(other.serial, one.serial);
    CHECK(memcmp(one.device_mac, other.device_mac, sizeof one.device_mac) == 0);
    CHECK(memcmp(one.host_mac, other.host_mac, sizeof one.host_mac) == 0);
}

int main(void)
{
    RUN(two_boards_differ);
    RUN(in_the_build_with_constants_they_do_not);
    return 0;
}
