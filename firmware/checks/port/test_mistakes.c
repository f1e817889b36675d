// SPDX-License-Identifier: Apache-2.0
/* HIL_MISTAKES: every name of the core and of the port is made and told, and any other is told as nobody's. */
#include <stdarg.h>

#include "../../core/tests/check.h"

#include "../../main/mistakes.c"

static char told[8192];
static fw_config config;

void esp_log_line(const char *tag, const char *format, ...)
{
    size_t length = strlen(told);
    va_list arguments;
    (void)tag;
    va_start(arguments, format);
    vsnprintf(told + length, sizeof told - length, format, arguments);
    va_end(arguments);
    strncat(told, "\n", sizeof told - strlen(told) - 1);
}

static void begin(void)
{
    told[0] = '\0';
    fw_default_config(&config);
    memset(&port_makes, 0, sizeof port_makes);
}

static void add_names(char *names, size_t size, name_of table)
{
    for (uint32_t number = 0; table(number) != NULL; number++) {
        size_t length = strlen(names);
        snprintf(names + length, size - length, "%s ", table(number));
    }
}

static void a_build_without_mistakes_makes_none_and_says_nothing(void)
{
    static const port_mistakes NONE;
    fw_config untouched;
    begin();
    fw_default_config(&untouched);
    mistakes_make(&config);
    mistakes_tell();
    CHECK(memcmp(&config, &untouched, sizeof config) == 0);
    CHECK(memcmp(&port_makes, &NONE, sizeof NONE) == 0);
    CHECK_TEXT(told, "");
}

static void every_name_of_both_tables_is_made_and_told(void)
{
    static char names[4096];
    port_mistakes all;
    uint32_t of_core = 0, of_port = 0, lines = 0;
    begin();
    add_names(names, sizeof names, fw_mistake_name);
    add_names(names, sizeof names, port_mistake_name);
    make(&config, names);
    tell(names);
    memset(&all, 1, sizeof all);
    CHECK(memcmp(&port_makes, &all, sizeof all) == 0);
    CHECK(config.silence_ignored == 1 && config.acd_jitter_missing == 1);
    for (const char *line = strstr(told, "this build makes a mistake: "); line != NULL;
         line = strstr(line + 1, "this build makes a mistake: ")) {
        lines++;
    }
    while (fw_mistake_name(of_core) != NULL) {
        of_core++;
    }
    while (port_mistake_name(of_port) != NULL) {
        CHECK(strlen(port_mistake_what(of_port)) > 0 && strlen(port_mistake_source(of_port)) > 0);
        of_port++;
    }
    CHECK(of_port == sizeof(port_mistakes) && lines == of_core + of_port);
    CHECK(strstr(told, "neither") == NULL);
}

static void a_name_makes_its_own_mistake_alone(void)
{
    begin();
    make(&config, "  log_cut silence_ignored ");
    CHECK(port_makes.log_cut && !port_makes.serial_silent && !port_makes.status_empty);
    CHECK(config.silence_ignored == 1 && config.link_ignores_stack == 0);
}

static void an_unknown_name_is_refused_by_name(void)
{
    static const port_mistakes NONE;
    begin();
    make(&config, "log_cu log_cuts a_name_that_is_longer_than_any_of_the_tables");
    tell("log_cu status_empty a_name_that_is_longer_than_any_of_the_tables");
    CHECK(memcmp(&port_makes, &NONE, sizeof NONE) == 0);
    CHECK_TEXT(told, "HIL_MISTAKES: neither core nor port knows log_cu\n"
                     "this build makes a mistake: status_empty\n"
                     "HIL_MISTAKES: neither core nor port knows a_name_that_is_longer_than_any_of_the_tables\n");
}

int main(void)
{
    RUN(a_build_without_mistakes_makes_none_and_says_nothing);
    RUN(every_name_of_both_tables_is_made_and_told);
    RUN(a_name_makes_its_own_mistake_alone);
    RUN(an_unknown_name_is_refused_by_name);
    return 0;
}
