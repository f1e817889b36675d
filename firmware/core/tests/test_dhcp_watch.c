// SPDX-License-Identifier: Apache-2.0
#include "dhcp_watch.h"
#include "frames.h"

static void type_is_option_53(void)
{
    for (uint8_t type = 0; type <= 9; type++) {
        test_frame frame = dhcp_typed(1, type);
        fw_dhcp_seen seen = fw_dhcp_watch(frame.bytes, frame.length);
        CHECK(seen.type == (type <= 8 ? type : 0));
        CHECK(seen.from_client);
        free(frame.bytes);
    }
}

static void reply_gives_the_address(void)
{
    test_frame frame = dhcp_typed(0, FW_DHCP_ACK);
    fw_dhcp_seen seen = fw_dhcp_watch(frame.bytes, frame.length);
    CHECK(seen.type == FW_DHCP_ACK && !seen.from_client);
    CHECK(memcmp(seen.yiaddr, (const uint8_t[]){192, 168, 7, 2}, 4) == 0);
    CHECK_TEXT(fw_frame_kind(frame.bytes, frame.length), "DHCP_ACK");
    free(frame.bytes);
}

static void expect_none(const uint8_t *options, size_t count)
{
    test_frame frame = dhcp_frame(1, options, count);
    CHECK(fw_dhcp_watch(frame.bytes, frame.length).type == FW_DHCP_NONE);
    free(frame.bytes);
}

static void options_that_run_past_the_end_are_no_dhcp(void)
{
    expect_none(NULL, 0);
    expect_none((const uint8_t[]){53}, 1);
    expect_none((const uint8_t[]){53, 1}, 2);
    expect_none((const uint8_t[]){53, 2, 1, 1}, 4);
    expect_none((const uint8_t[]){53, 0, 255}, 3);
    expect_none((const uint8_t[]){61, 255, 53, 1, 1}, 5);
    expect_none((const uint8_t[]){255, 53, 1, 1}, 4);
}

static void first_type_counts(void)
{
    test_frame frame = dhcp_frame(1, (const uint8_t[]){53, 1, FW_DHCP_REQUEST, 53, 1, FW_DHCP_INFORM, 255}, 7);
    CHECK(fw_dhcp_watch(frame.bytes, frame.length).type == FW_DHCP_REQUEST);
    free(frame.bytes);
    expect_none((const uint8_t[]){53, 1, 9, 53, 1, FW_DHCP_INFORM, 255}, 7);
}

static void every_truncation_is_safe(void)
{
    test_frame whole = dhcp_typed(1, FW_DHCP_DISCOVER);
    for (size_t length = 0; length < whole.length; length++) {
        uint8_t *cut = malloc(length + 1);
        CHECK(cut != NULL);
        uint8_t *exact = cut + 1; /* ends where the allocation ends */
        memcpy(exact, whole.bytes, length);
        CHECK(fw_dhcp_watch(exact, length).type == FW_DHCP_NONE);
        CHECK(fw_frame_kind(exact, length) != NULL);
        free(cut);
    }
    free(whole.bytes);
}

/* The lengths inside agree with the cut, so that each check inward is reached. */
static void every_honest_truncation_is_safe(void)
{
    test_frame whole = dhcp_typed(1, FW_DHCP_DISCOVER);
    for (size_t length = 42; length + 1 < whole.length; length++) { /* without the end option it is still whole */
        uint8_t *cut = malloc(length);
        CHECK(cut != NULL);
        memcpy(cut, whole.bytes, length);
        put16(cut + 16, length - 14);
        put16(cut + 38, length - 34);
        CHECK(fw_dhcp_watch(cut, length).type == FW_DHCP_NONE);
        free(cut);
    }
    free(whole.bytes);
}

static uint8_t type_with(size_t at, uint8_t value)
{
    test_frame frame = dhcp_typed(1, FW_DHCP_DISCOVER);
    frame.bytes[at] = value;
    uint8_t type = fw_dhcp_watch(frame.bytes, frame.length).type;
    free(frame.bytes);
    return type;
}

static void wrong_headers_are_no_dhcp(void)
{
    CHECK(type_with(14, 0x45) == FW_DHCP_DISCOVER);
    CHECK(type_with(14, 0x65) == FW_DHCP_NONE); /* IP version */
    CHECK(type_with(14, 0x44) == FW_DHCP_NONE); /* header of 16 bytes */
    CHECK(type_with(14, 0x4F) == FW_DHCP_NONE); /* 60 bytes: the ports lie elsewhere */
    CHECK(type_with(16, 0xFF) == FW_DHCP_NONE); /* total length past the end */
    CHECK(type_with(16, 0x00) == FW_DHCP_NONE); /* total length inside the message */
    CHECK(type_with(21, 0x01) == FW_DHCP_NONE); /* a later fragment */
    CHECK(type_with(20, 0x20) == FW_DHCP_NONE); /* a first fragment */
    CHECK(type_with(23, 6) == FW_DHCP_NONE);    /* TCP */
    CHECK(type_with(38, 0xFF) == FW_DHCP_NONE); /* UDP length past the end */
    CHECK(type_with(42, 2) == FW_DHCP_NONE);   /* BOOTREPLY from a client's port */
    CHECK(type_with(278, 0) == FW_DHCP_NONE);  /* magic cookie */
}

static void udp_length_below_its_own_header_is_no_dhcp(void)
{
    test_frame frame = dhcp_typed(1, FW_DHCP_DISCOVER);
    put16(frame.bytes + 38, 7);
    CHECK(fw_dhcp_watch(frame.bytes, frame.length).type == FW_DHCP_NONE);
    free(frame.bytes);
}

static void ethernet_padding_is_not_read(void)
{
    test_frame frame = dhcp_frame(1, (const uint8_t[]){0, 0, 0, 53, 1, 1, 255}, 7);
    put16(frame.bytes + 16, frame.length - 14 - 4);
    put16(frame.bytes + 38, frame.length - 34 - 4);
    CHECK(fw_dhcp_watch(frame.bytes, frame.length).type == FW_DHCP_NONE);
    free(frame.bytes);
}

static void kinds_have_names(void)
{
    static const struct {
        uint16_t ethertype;
        const char *kind;
    } ALL[] = {{0x0806, "ARP"}, {0x86DD, "IPV6"}, {0x0800, "IPV4"}, {0x88CC, "ETHERNET"}};
    for (size_t i = 0; i < sizeof ALL / sizeof ALL[0]; i++) {
        test_frame frame = ethernet_frame(ALL[i].ethertype, 60);
        CHECK_TEXT(fw_frame_kind(frame.bytes, frame.length), ALL[i].kind);
        free(frame.bytes);
    }
}

int main(void)
{
    RUN(type_is_option_53);
    RUN(reply_gives_the_address);
    RUN(options_that_run_past_the_end_are_no_dhcp);
    RUN(first_type_counts);
    RUN(every_truncation_is_safe);
    RUN(every_honest_truncation_is_safe);
    RUN(wrong_headers_are_no_dhcp);
    RUN(udp_length_below_its_own_header_is_no_dhcp);
    RUN(ethernet_padding_is_not_read);
    RUN(kinds_have_names);
    return 0;
}
