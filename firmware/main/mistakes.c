// SPDX-License-Identifier: Apache-2.0
#include "mistakes.h"

#include <string.h>

#include "esp_log.h"
#include "port_mistakes.h"
#include "sdkconfig.h"

static const char TAG[] = "main";

typedef const char *(*name_of)(uint32_t number);

/* From one name to the next, with blanks between them; begins before the first with length 0. */
static bool next_name(const char **name, size_t *length)
{
    *name += *length;
    *name += strspn(*name, " ");
    *length = strcspn(*name, " ");
    return *length > 0;
}

/* The table's own name where it has this one; else NULL. */
static const char *find(name_of table, const char *name, size_t length)
{
    uint32_t number = 0;
    const char *known = table(number);
    while (known != NULL && (strlen(known) != length || memcmp(known, name, length) != 0)) {
        known = table(++number);
    }
    return known;
}

static void make(fw_config *config, const char *names)
{
    size_t length = 0;
    while (next_name(&names, &length)) {
        const char *of_core = find(fw_mistake_name, names, length);
        const char *of_port = find(port_mistake_name, names, length);
        if (of_core != NULL) {
            (void)fw_make_mistake(config, of_core);
        }
        if (of_port != NULL) {
            (void)port_make_mistake(of_port);
        }
    }
}

static void tell(const char *names)
{
    size_t length = 0;
    while (next_name(&names, &length)) {
        if (find(fw_mistake_name, names, length) != NULL || find(port_mistake_name, names, length) != NULL) {
            ESP_LOGW(TAG, "this build makes a mistake: %.*s", (int)length, names);
        } else {
            ESP_LOGE(TAG, "HIL_MISTAKES: neither core nor port knows %.*s", (int)length, names);
        }
    }
}

void mistakes_make(fw_config *config)
{
    make(config, CONFIG_HIL_MISTAKES);
}

void mistakes_tell(void)
{
    tell(CONFIG_HIL_MISTAKES);
}
