// SPDX-License-Identifier: Apache-2.0
#include "settings.h"

#include <stdio.h>
#include <string.h>

#include "esp_app_desc.h"
#include "esp_netif.h"
#include "esp_random.h"
#include "mistakes.h"
#include "sdkconfig.h"

#ifdef CONFIG_HIL_ROLE_DHCP_CLIENT
#define OWN_ADDRESS "0.0.0.0"
#else
#define OWN_ADDRESS CONFIG_HIL_ADDRESS
#endif

/* Kconfig's strings are written by people: what is no address counts as none. */
static void read_address(uint8_t octets[4], const char *text)
{
    esp_ip4_addr_t address = {0};
    if (esp_netif_str_to_ip4(text, &address) != ESP_OK) {
        address.addr = 0;
    }
    memcpy(octets, &address.addr, 4);
}

/* Each step takes the time that it takes; the core only has to wait for the interface. */
static void do_without_model_times(fw_config *config)
{
    config->start_ms = config->nvs_ms = config->lwip_ms = config->event_loop_ms = 0;
    config->usb_driver_ms = config->ncm_ms = config->cdc_ms = config->netif_ms = config->dhcp_ms = 0;
    config->netif_start_ms = config->watchdog_ms = config->wifi_ms = config->redirect_ms = config->http_ms = 0;
}

static void read_role(fw_config *config)
{
    read_address(config->address, OWN_ADDRESS);
#if defined(CONFIG_HIL_ROLE_DHCP_SERVER)
    config->role = FW_ROLE_DHCP_SERVER;
    config->prefix = CONFIG_HIL_PREFIX;
    config->lease_s = CONFIG_HIL_LEASE_S;
    read_address(config->pool_first, CONFIG_HIL_POOL_FIRST);
    read_address(config->pool_last, CONFIG_HIL_POOL_LAST);
    read_address(config->router, CONFIG_HIL_ROUTER);
    read_address(config->dns, OWN_ADDRESS);
#elif defined(CONFIG_HIL_ROLE_DHCP_CLIENT)
    config->role = FW_ROLE_DHCP_CLIENT;
#else
    config->role = FW_ROLE_STATIC;
    config->prefix = CONFIG_HIL_PREFIX;
    read_address(config->router, CONFIG_HIL_GATEWAY);
#endif
}

static void write_hex(char *text, size_t size, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count && 2 * i + 2 < size; i++) {
        snprintf(text + 2 * i, size - 2 * i, "%02x", bytes[i]);
    }
}

void settings_read(fw_config *config, uint32_t boots_before)
{
    const esp_app_desc_t *application = esp_app_get_description();
    fw_default_config(config);
    do_without_model_times(config);
    read_role(config);
    mistakes_make(config);
    config->boot_count = boots_before;
    config->seed = esp_random();
    write_hex(config->elf_sha256, sizeof config->elf_sha256, application->app_elf_sha256, sizeof application->app_elf_sha256);
    snprintf(config->version, sizeof config->version, "%.31s", application->version);
    snprintf(config->project, sizeof config->project, "%.31s", application->project_name);
}
