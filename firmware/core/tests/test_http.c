// SPDX-License-Identifier: Apache-2.0
#include "bench.h"
#include "query.h"

static uint32_t status_of(bench *b, const char *path)
{
    static char body[FW_RESPONSE_BYTES];
    fw_response response = {.body = body, .capacity = sizeof body};
    fw_http_request(b->core, "GET", path, b->now, &response);
    return response.status;
}

static void query_is_read_by_its_keys(void)
{
    uint32_t number = 7;
    bool second = false;
    CHECK(fw_query_number("", "since", &number) && number == 7);
    CHECK(fw_query_number("sinc=1&sincee=2&since", "since", &number) && number == 7);
    CHECK(fw_query_number("a=&since=4294967295&since=1", "since", &number) && number == UINT32_MAX);
    CHECK(fw_query_choice("format=json", "format", "text", "json", &second) && second);
    CHECK(fw_query_choice("&&format=text&", "format", "text", "json", &second) && !second);
    CHECK(!fw_query_choice("format=js", "format", "text", "json", &second));
}

static void number_that_is_none_is_refused(void)
{
    static const char *const NONE[] = {"since=", "since=-1", "since=4294967296", "since=99999999999999999999", "since=1x",
                                       "since= 1", "since=\xb2"};
    for (size_t i = 0; i < sizeof NONE / sizeof NONE[0]; i++) {
        uint32_t number = 7;
        CHECK(!fw_query_number(NONE[i], "since", &number));
    }
}

static void query_belongs_to_no_path(void)
{
    bench *b = bench_booted(NULL, 5000);
    CHECK(status_of(b, "/status?") == 200);
    CHECK(status_of(b, "/status?a=?b") == 200);
    CHECK(status_of(b, "/status/?a=b") == 404);
    CHECK(status_of(b, "/events?since=x") == 400);
    CHECK(status_of(b, "/status?since=x") == 200);
    bench_free(b);
}

/* `/events?since=000…001x` without `x` is the longest. */
static void what_is_longer_than_a_uri_is_refused_and_not_cut(void)
{
    bench *b = bench_booted(NULL, 5000);
    char path[1024];
    memset(path, '0', sizeof path);
    memcpy(path, "/events?since=", 14);
    path[512] = '\0';
    CHECK(strstr(bench_get(b, path), "] BOOT") != NULL);
    path[511] = '1';
    CHECK(strstr(bench_get(b, path), "] BOOT") == NULL);
    path[511] = 'x';
    CHECK(status_of(b, path) == 400);
    path[512] = '1';
    path[513] = '\0';
    CHECK(status_of(b, path) == 414);
    path[513] = '0';
    path[sizeof path - 1] = '\0';
    CHECK(status_of(b, path) == 414);
    memset(path + 1, 'x', 512);
    path[513] = '\0';
    CHECK(status_of(b, path) == 414);
    CHECK(strstr(bench_get(b, "/version"), "\"http_refused\": 4,\n") != NULL);
    bench_free(b);
}

static void requests_in_a_row_are_answered_each_by_itself(void)
{
    bench *b = bench_booted(NULL, 5000);
    for (int i = 0; i < 3; i++) {
        CHECK(status_of(b, "/nowhere") == 404);
        CHECK(status_of(b, "/reset") == 405);
        CHECK(status_of(b, "/version") == 200);
    }
    bench_until(b, 1000);
    CHECK_TEXT(b->said, "");
    bench_free(b);
}

static void log_streams_are_read_side_by_side(void)
{
    static char chunk[FW_SSE_CHUNK_BYTES];
    fw_log_cursor cursors[8] = {{0}};
    bench *b = bench_booted(NULL, 5000);
    fw_log_foreign(b->core, "one", 3, b->now);
    for (size_t i = 0; i < 8; i++) {
        size_t chunks = 0;
        while (fw_log_stream_next(b->core, &cursors[i], b->now, chunk, sizeof chunk) > 0) {
            chunks++;
        }
        CHECK(chunks == 5); /* the greeting, three lines of the boot, this one */
        CHECK(status_of(b, "/status") == 200);
    }
    bench_free(b);
}

int main(void)
{
    RUN(query_is_read_by_its_keys);
    RUN(number_that_is_none_is_refused);
    RUN(query_belongs_to_no_path);
    RUN(what_is_longer_than_a_uri_is_refused_and_not_cut);
    RUN(requests_in_a_row_are_answered_each_by_itself);
    RUN(log_streams_are_read_side_by_side);
    return 0;
}
