// SPDX-License-Identifier: Apache-2.0
/* The HTTP server's routes as a table, and their bodies. What a request leaves in the log is the route's own affair. */
#include <inttypes.h>
#include <string.h>

#include "core_internal.h"
#include "query.h"
#include "sse.h"

#define MAX_METHOD 16u
#define MAX_URI 512u /* as CONFIG_HTTPD_MAX_URI_LEN */
#define JSON "application/json"
#define PLAIN "text/plain; charset=utf-8"
#define HTML "text/html"

/* False where the query makes no sense. */
typedef bool (*handler)(fw_core *core, const char *query, uint32_t now, fw_text *body);

static bool front_page(fw_core *core, const char *query, uint32_t now, fw_text *body)
{
    (void)query;
    fw_log(core, 'I', "http", now, "GET /");
    fw_text_add(body,
                "<!DOCTYPE html>\n<html><head><title>ESP32-S3 USB NCM Server</title></head>\n"
                "<body><h1>ESP32-S3 USB NCM Server</h1>\n<p>Connected!</p>\n"
                "<p>%s %s, boot %" PRIu32 "</p>\n"
                "<p><a href=\"/status\">status</a> <a href=\"/events\">events</a> <a href=\"/logs\">logs</a> "
                "<a href=\"/version\">version</a></p></body></html>\n",
                core->config.project, core->config.version, core->boot_count);
    return true;
}

static void tell_led(const fw_core *core, fw_text *body)
{
    fw_text_add(body, "{\"led\":%s}", core->s.led ? "true" : "false");
}

static bool led(fw_core *core, const char *query, uint32_t now, fw_text *body)
{
    (void)query;
    (void)now;
    tell_led(core, body);
    return true;
}

static void switch_led(fw_core *core, bool on, uint32_t now, fw_text *body)
{
    core->s.led = on;
    fw_log(core, 'I', "http", now, "LED %s", on ? "on" : "off");
    fw_emit(core, FW_LED, on ? 1 : 0, NULL);
    tell_led(core, body);
}

static bool led_on(fw_core *core, const char *query, uint32_t now, fw_text *body)
{
    (void)query;
    switch_led(core, true, now, body);
    return true;
}

static bool led_off(fw_core *core, const char *query, uint32_t now, fw_text *body)
{
    (void)query;
    switch_led(core, false, now, body);
    return true;
}

/* What is asked for is done later, so that the answer is out first; it says what will be done. */
static void leave(fw_core *core, fw_leave_way way, uint32_t now, fw_text *body)
{
    bool restarts = fw_leave_by_http(core, way, now) == FW_LEAVE_TO_RESTART;
    fw_text_add(body, "{\"status\":\"%s\"}", restarts ? "resetting" : "bootloader");
}

static bool reset(fw_core *core, const char *query, uint32_t now, fw_text *body)
{
    (void)query;
    leave(core, FW_LEAVE_TO_RESTART, now, body);
    return true;
}

static bool bootloader(fw_core *core, const char *query, uint32_t now, fw_text *body)
{
    (void)query;
    leave(core, FW_LEAVE_TO_LOADER, now, body);
    return true;
}

static bool logs(fw_core *core, const char *query, uint32_t now, fw_text *body)
{
    (void)query;
    (void)body;
    fw_log(core, 'I', "http", now, "Log stream opened");
    return true;
}

static bool logs_all(fw_core *core, const char *query, uint32_t now, fw_text *body)
{
    (void)query;
    (void)now;
    fw_log_ring_dump(&core->ring, body);
    return true;
}

/* `?since=N` leaves out the first N; `?format=json` tells the boot too, so that a change of it is not missed. */
static bool events(fw_core *core, const char *query, uint32_t now, fw_text *body)
{
    bool hidden = core->config.event_discards_hidden != 0;
    uint32_t since = 0;
    bool json = false;
    (void)now;
    if (!fw_query_number(query, "since", &since) || !fw_query_choice(query, "format", "text", "json", &json)) {
        return false;
    }
    if (json) {
        fw_text_add(body, "{\n  \"boot_id\": \"%08" PRIx32 "\",\n", fw_boot_id(core));
        fw_text_add(body, "  \"boot_count\": %" PRIu32 ",\n", core->boot_count);
        fw_event_log_members(&core->events, since, hidden, body);
        fw_text_add(body, "}\n");
    } else {
        fw_event_log_text(&core->events, since, hidden, body);
    }
    return true;
}

static bool status(fw_core *core, const char *query, uint32_t now, fw_text *body)
{
    (void)query;
    (void)now;
    fw_event_log_json(&core->events, body);
    return true;
}

static void add_string(fw_text *body, const char *key, const char *value)
{
    fw_text_add(body, "  \"%s\": ", key);
    fw_text_json(body, value);
    fw_text_add(body, ",\n");
}

static const char *const ROLES[] = {
    [FW_ROLE_DHCP_SERVER] = "dhcp-server",
    [FW_ROLE_DHCP_CLIENT] = "dhcp-client",
    [FW_ROLE_STATIC] = "static",
};

static bool version(fw_core *core, const char *query, uint32_t now, fw_text *body)
{
    (void)query;
    fw_text_add(body, "{\n");
    add_string(body, "version", core->config.version);
    add_string(body, "project", core->config.project);
    add_string(body, "elf_sha256", core->config.elf_sha256);
    add_string(body, "role", ROLES[core->config.role]);
    fw_text_add(body, "  \"boot_id\": \"%08" PRIx32 "\",\n", fw_boot_id(core));
    fw_text_add(body, "  \"boot_count\": %" PRIu32 ",\n", core->boot_count);
    add_string(body, "reset_reason", core->s.reset_reason);
    fw_text_add(body, "  \"uptime_ms\": %" PRIu32 ",\n", now - core->s.boot_ms);
    fw_text_add(body, "  \"free_heap\": %" PRIu32 ",\n", core->free_heap);
    fw_text_add(body, "  \"tx_dropped\": %" PRIu32 ",\n", core->s.tx_dropped);
    fw_text_add(body, "  \"rx_dropped\": %" PRIu32 ",\n", core->s.rx_dropped);
    fw_text_add(body, "  \"rx_malformed\": %" PRIu32 ",\n", core->s.rx_malformed);
    fw_text_add(body, "  \"http_refused\": %" PRIu32 ",\n", core->s.http_refused);
    fw_text_add(body, "  \"serial_refused\": %" PRIu32 "\n}\n", core->s.serial.refused);
    return true;
}

static const struct {
    const char *path;
    const char *method;
    const char *content_type;
    handler handler;
    bool stream;
} ROUTES[] = {
    {"/", "GET", HTML, front_page, false},
    {"/led", "GET", JSON, led, false},
    {"/led/on", "POST", JSON, led_on, false},
    {"/led/off", "POST", JSON, led_off, false},
    {"/reset", "POST", JSON, reset, false},
    {"/bootloader", "POST", JSON, bootloader, false},
    {"/logs", "GET", "text/event-stream", logs, true},
    {"/logs_all", "GET", PLAIN, logs_all, false},
    {"/events", "GET", PLAIN, events, false},
    {"/status", "GET", JSON, status, false},
    {"/version", "GET", JSON, version, false},
};

#define ROUTE_COUNT (sizeof ROUTES / sizeof ROUTES[0])

static const char STREAM_HEADERS[] = "Cache-Control: no-cache\r\n"
                                     "Connection: keep-alive\r\n"
                                     "Access-Control-Allow-Origin: *\r\n";

/* Texts of ESP-IDF's httpd_txrx.c. */
static void refuse(fw_response *response, uint32_t status, fw_text *body)
{
    fw_text_init(body, response->body, response->capacity);
    response->status = status;
    response->stream = 0;
    response->content_type = HTML;
    response->headers = "";
    if (status == 404) {
        fw_text_add(body, "Nothing matches the given URI");
    } else if (status == 400) {
        fw_text_add(body, "Bad request syntax");
    } else if (status == 405) {
        fw_text_add(body, "Specified method is invalid for this resource");
    } else if (status == 414) {
        fw_text_add(body, "URI is too long");
    } else {
        fw_text_add(body, "Server has encountered an unexpected error");
    }
}

static bool equals(const char *wanted, const char *given, size_t length)
{
    return strlen(wanted) == length && memcmp(wanted, given, length) == 0;
}

/* Length of the path without its query, which begins behind it. */
static size_t path_length(const char *path, const char **query)
{
    const char *mark = strchr(path, '?');
    *query = mark == NULL ? "" : mark + 1;
    return mark == NULL ? strlen(path) : (size_t)(mark - path);
}

/* The route, or where none fits all that there are, and why not. */
static size_t find_route(const char *method, const char *path, size_t length, uint32_t *refusal)
{
    size_t found = ROUTE_COUNT;
    *refusal = 404;
    for (size_t i = 0; i < ROUTE_COUNT; i++) {
        if (equals(ROUTES[i].path, path, length)) {
            *refusal = 405;
            found = equals(ROUTES[i].method, method, fw_text_length(method, MAX_METHOD)) ? i : found;
        }
    }
    return found;
}

static void answer(fw_core *core, size_t route, const char *query, uint32_t now, fw_response *response, fw_text *body)
{
    response->status = 200;
    response->stream = ROUTES[route].stream ? 1 : 0;
    response->content_type = ROUTES[route].content_type;
    response->headers = ROUTES[route].stream ? STREAM_HEADERS : "";
    bool understood = ROUTES[route].handler(core, query, now, body);
    if (!understood || body->overflow) {
        refuse(response, understood ? 500 : 400, body);
    }
}

/* What the firmware of requests_told_at_length prints of each; its numbers and wording are of no account. */
static void tell_at_length(fw_core *core, const char *method, const char *path, const fw_response *response, uint32_t now)
{
    fw_log(core, 'I', "http", now, "+-- HTTP REQUEST --------------------");
    fw_log(core, 'I', "http", now, "| Method: %.16s", method);
    fw_log(core, 'I', "http", now, "| URI: %.200s", path);
    fw_log(core, 'I', "http", now, "| Handler: %s", response->status == 200 ? "found" : "none");
    fw_log(core, 'I', "http", now, "| Content: none");
    fw_log(core, 'I', "http", now, "+-- HTTP RESPONSE -------------------");
    fw_log(core, 'I', "http", now, "| Response: %" PRIu32, response->status);
    fw_log(core, 'I', "http", now, "| Type: %s", response->content_type);
    fw_log(core, 'I', "http", now, "| Size: %u", (unsigned)response->length);
    fw_log(core, 'I', "http", now, "+------------------------------------");
}

void fw_http_refused(fw_core *core, uint32_t status, uint32_t now)
{
    core->s.http_refused++;
    fw_log(core, 'W', "http", now, "Refused a request: %" PRIu32, status);
}

void fw_http_request(fw_core *core, const char *method, const char *path, uint32_t now, fw_response *response)
{
    fw_text body;
    const char *query = "";
    uint32_t refusal = 414;
    size_t found = ROUTE_COUNT;
    fw_at_point(core, FW_POINT_BEFORE_HTTP, now);
    if (fw_text_length(path, MAX_URI + 1) <= MAX_URI) {
        size_t length = path_length(path, &query);
        found = find_route(method, path, length, &refusal);
    }
    fw_text_init(&body, response->body, response->capacity);
    if (found < ROUTE_COUNT) {
        answer(core, found, query, now, response, &body);
    } else {
        refuse(response, refusal, &body);
    }
    if (response->status != 200) {
        fw_http_refused(core, response->status, now);
    }
    response->length = body.length;
    if (core->config.requests_told_at_length) {
        tell_at_length(core, method, path, response, now);
    }
}

size_t fw_log_stream_next(fw_core *core, fw_log_cursor *cursor, uint32_t now, char *buffer, size_t capacity)
{
    fw_text chunk;
    if (capacity < FW_SSE_CHUNK_BYTES) {
        return 0;
    }
    fw_text_init(&chunk, buffer, capacity);
    return fw_sse_next(&core->ring, cursor, core->config.keepalive_ms, now, &chunk);
}
