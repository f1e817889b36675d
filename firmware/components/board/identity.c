// SPDX-License-Identifier: Apache-2.0
#include <stdio.h>
#include <string.h>

#include "board.h"
#include "esp_mac.h"
#include "port_mistakes.h"

#define LOCAL 0x02u     /* of the first octet: locally administered (IEEE 802-2014, 8.2) */
#define OTHER_END 0x01u /* of the last: chips are four addresses apart */

static const uint8_t SOMEBODYS[BOARD_MAC_BYTES] = {0x02, 0x02, 0x11, 0x22, 0x33, 0x00};

esp_err_t board_read_identity(board_identity *identity)
{
    uint8_t base[BOARD_MAC_BYTES];
    esp_err_t failed = esp_efuse_mac_get_default(base);
    if (failed != ESP_OK) {
        return failed;
    }
    if (port_makes.identity_constant) {
        memcpy(base, SOMEBODYS, sizeof base);
    }
    snprintf(identity->serial, sizeof identity->serial, "%02X%02X%02X%02X%02X%02X", base[0], base[1], base[2], base[3],
             base[4], base[5]);
    base[0] |= LOCAL;
    memcpy(identity->device_mac, base, sizeof base);
    base[BOARD_MAC_BYTES - 1] ^= OTHER_END;
    memcpy(identity->host_mac, base, sizeof base);
    return ESP_OK;
}
