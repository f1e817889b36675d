// SPDX-License-Identifier: Apache-2.0
/* The mistakes of the config as a table: what goes wrong in the firmware that makes it, and where it was seen. */
#include <string.h>

#include "core_internal.h"

#define BRIDGE "mcu-apple-bridge 0d5a385, main/"
#define AQ "ESP32S3_firmware 77a36dc, usb_netif_aq.c"
#define OPTACON "optacon-esp32, "
#define MISTAKE(field, what, source) {#field, what, source, offsetof(fw_config, field)}

static const struct {
    const char *name;
    const char *what;
    const char *source;
    size_t offset;
} MISTAKES[] = {
    MISTAKE(event_discards_hidden, "a full event log does not say that it is", BRIDGE "event_log.c"),
    MISTAKE(link_ignores_stack, "the link goes up though the stack is not ready", BRIDGE "network_setup.c"),
    MISTAKE(silence_ignored, "no recovery, however long no frame comes", BRIDGE "network_setup.c"),
    MISTAKE(mount_clears_attempts, "each mount restarts the count of recoveries, the board's own too",
            BRIDGE "network_setup.c; TinyUSB usbd.c"),
    MISTAKE(grace_from_old_clock, "a mount inside a kick makes the grace time underflow", BRIDGE "network_setup.c"),
    MISTAKE(resume_leaves_down, "the kick after a resume has no second half", BRIDGE "network_setup.c"),
    MISTAKE(events_survive_boot, "the event log of an earlier boot is told as this one's", BRIDGE "event_log.c"),
    MISTAKE(loader_phy_on_otg, "the PHY stays on USB-OTG: the ROM comes up as 303a:0009", OPTACON "361439a"),
    MISTAKE(loader_without_flag, "the force-download bit is not set: the application comes back",
            OPTACON "2da0333; ESP32-S3 TRM, RTC_CNTL_OPTION1_REG"),
    MISTAKE(loader_flag_left, "the force-download bit is set at each boot: any restart ends in the ROM",
            "esptool targets/esp32s3.py, hard_reset"),
    MISTAKE(dhcp_told_by_port, "all of a client is told as DISCOVER, all of a server as OFFER",
            BRIDGE "network_setup.c"),
    MISTAKE(sends_claimed_early, "a frame is claimed as sent before USB was asked, and whatever it answers",
            BRIDGE "network_setup.c"),
    MISTAKE(drops_untold, "a frame that is not sent, as the link is down, is neither counted nor told",
            BRIDGE "network_setup.c"),
    MISTAKE(firsts_latched, "FIRST_RX and FIRST_TX are not told again after a mount", BRIDGE "network_setup.c"),
    MISTAKE(requests_told_at_length, "each request leaves a block of lines in the log", BRIDGE "http_server.c"),
    MISTAKE(suspend_moves_link, "the link is said to go down and up while the bus sleeps", BRIDGE "network_setup.c"),
    MISTAKE(drops_claimed, "a frame that is thrown away, as the stack is not ready, is claimed as DHCP",
            BRIDGE "network_setup.c; " AQ),
    MISTAKE(dhcp_client_mute, "the DHCP client is said to be started, and sends nothing",
            AQ "; ESP-IDF esp_netif_lwip.c, esp_netif_dhcpc_start"),
    MISTAKE(acd_address_first, "the address is in use before the first probe", "lwIP 2.2.1 netif_set_addr, acd_start"),
    MISTAKE(acd_missing, "a static address is used without a probe", "lwIP 2.2.1 acd.c; ESP-IDF 5.5 acd_dhcp_check.c"),
    MISTAKE(acd_conflicts_ignored, "an answer to a probe changes nothing", "RFC 5227 2.1.1"),
    MISTAKE(acd_rivals_ignored, "somebody else's probe for the address changes nothing", "RFC 5227 2.1.1"),
    MISTAKE(acd_queries_conflict, "an ordinary request for the address counts as a conflict", "RFC 5227 2.1.1"),
    MISTAKE(acd_echoes_conflict, "the board's own probes, reflected, count as a conflict",
            "RFC 5227 2.1.1, note; lwIP pull request 95"),
    MISTAKE(acd_limit_missing, "no pause, however many conflicts there were", "RFC 5227 2.1.1"),
    MISTAKE(acd_defence_missing, "in use, a conflict changes nothing", "RFC 5227 2.4"),
    MISTAKE(acd_defends_always, "in use, every conflict is answered and the address never given up", "RFC 5227 2.4"),
    MISTAKE(acd_restart_missing, "the link goes down and comes up, and the address is used as before",
            "lwIP 2.2.1 acd.c, acd_network_changed_link_down"),
    MISTAKE(acd_address_late, "the address is announced 2 s before it answers", "lwIP 2.2.1 acd.c, ACD_IP_OK"),
    MISTAKE(acd_probes_forever, "in use, another probe goes out now and then",
            "OpENer_EnIP_KC868A16 627af93, acd.c; RFC 5227 2.1"),
    MISTAKE(acd_jitter_missing, "the pauses are the same after each boot", "lwIP 2.2.1 acd.c without LWIP_RAND"),
    MISTAKE(nak_unnamed, "a NAK does not say which server it is from", "ESP-IDF dhcpserver.c, send_nak; esp-idf issue 19120"),
    MISTAKE(loader_request_ignored, "the board says that it goes to its loader, and goes on as before",
            "MicroPython tools/mpremote, transport_serial.py"),
};

#define MISTAKE_COUNT (sizeof MISTAKES / sizeof MISTAKES[0])

const char *fw_mistake_name(uint32_t number)
{
    return number < MISTAKE_COUNT ? MISTAKES[number].name : NULL;
}

const char *fw_mistake_what(uint32_t number)
{
    return number < MISTAKE_COUNT ? MISTAKES[number].what : NULL;
}

const char *fw_mistake_source(uint32_t number)
{
    return number < MISTAKE_COUNT ? MISTAKES[number].source : NULL;
}

bool fw_make_mistake(fw_config *config, const char *name)
{
    static const uint32_t MADE = 1;
    for (size_t i = 0; i < MISTAKE_COUNT; i++) {
        if (strcmp(MISTAKES[i].name, name) == 0) {
            memcpy((uint8_t *)config + MISTAKES[i].offset, &MADE, sizeof MADE);
            return true;
        }
    }
    return false;
}
