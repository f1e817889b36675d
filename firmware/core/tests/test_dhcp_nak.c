// SPDX-License-Identifier: Apache-2.0
#include "dhcp_nak.h"
#include "dhcp_watch.h"
#include "frames.h"

static const uint8_t SERVER[4] = {192, 168, 7, 1};

/* As ESP-IDF's server makes it: type, end, and padding. */
static test_frame bare_nak(size_t padding)
{
    uint8_t options[64] = {53, 1, FW_DHCP_NAK, 255};
    CHECK(padding <= sizeof options - 4);
    return dhcp_frame(0, options, 4 + padding);
}

static uint32_t udp_sum(const test_frame *frame)
{
    const uint8_t *ip = frame->bytes + 14;
    size_t length = frame->length - 34;
    uint32_t sum = 17u + (uint32_t)length;
    for (size_t i = 12; i < 20 + length; i += 2) {
        sum += (uint32_t)ip[i] << 8 | (i + 1 < 20 + length ? ip[i + 1] : 0u);
    }
    while (sum >> 16 != 0) {
        sum = (sum & 0xFFFFu) + (sum >> 16);
    }
    return sum;
}

static void the_server_is_named_in_the_padding(void)
{
    test_frame frame = bare_nak(8);
    CHECK(fw_dhcp_nak_name(frame.bytes, frame.length, SERVER));
    const uint8_t wanted[] = {53, 1, FW_DHCP_NAK, 54, 4, 192, 168, 7, 1, 255, 0, 0};
    CHECK(memcmp(frame.bytes + DHCP_FIXED, wanted, sizeof wanted) == 0);
    CHECK(fw_dhcp_watch(frame.bytes, frame.length).type == FW_DHCP_NAK);
    CHECK(!fw_dhcp_nak_name(frame.bytes, frame.length, SERVER));
    free(frame.bytes);
}

static void a_checksum_is_made_anew_and_none_stays_none(void)
{
    for (size_t padding = 8; padding < 10; padding++) { /* an even and an odd length */
        test_frame frame = bare_nak(padding);
        frame.bytes[40] = 1;
        CHECK(fw_dhcp_nak_name(frame.bytes, frame.length, SERVER));
        CHECK(udp_sum(&frame) == 0xFFFFu);
        free(frame.bytes);
    }
    test_frame frame = bare_nak(8);
    CHECK(fw_dhcp_nak_name(frame.bytes, frame.length, SERVER));
    CHECK(frame.bytes[40] == 0 && frame.bytes[41] == 0);
    free(frame.bytes);
}

static void without_room_it_stays_as_it_is(void)
{
    for (size_t padding = 0; padding < 8; padding++) {
        test_frame frame = bare_nak(padding);
        CHECK(fw_dhcp_nak_name(frame.bytes, frame.length, SERVER) == (padding >= 6));
        free(frame.bytes);
    }
}

static void other_frames_are_left_alone(void)
{
    for (uint8_t type = 0; type <= 9; type++) {
        for (int from_client = 0; from_client <= 1; from_client++) {
            const uint8_t options[] = {53, 1, type, 255, 0, 0, 0, 0, 0, 0, 0};
            test_frame frame = dhcp_frame(from_client, options, sizeof options);
            bool is_nak = type == FW_DHCP_NAK && !from_client;
            CHECK(fw_dhcp_nak_name(frame.bytes, frame.length, SERVER) == is_nak);
            CHECK(is_nak || memcmp(frame.bytes + DHCP_FIXED, options, sizeof options) == 0);
            free(frame.bytes);
        }
    }
}

static void hostile_options_are_survived(void)
{
    const uint8_t runs_past[] = {53, 1, FW_DHCP_NAK, 61, 255, 1, 2};
    const uint8_t cut[] = {53, 1, FW_DHCP_NAK, 61};
    const uint8_t endless[] = {53, 1, FW_DHCP_NAK, 0, 0, 0, 0, 0, 0, 0};
    const uint8_t *all[] = {runs_past, cut, endless};
    const size_t lengths[] = {sizeof runs_past, sizeof cut, sizeof endless};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        test_frame frame = dhcp_frame(0, all[i], lengths[i]);
        CHECK(!fw_dhcp_nak_name(frame.bytes, frame.length, SERVER));
        free(frame.bytes);
    }
}

int main(void)
{
    RUN(the_server_is_named_in_the_padding);
    RUN(a_checksum_is_made_anew_and_none_stays_none);
    RUN(without_room_it_stays_as_it_is);
    RUN(other_frames_are_left_alone);
    RUN(hostile_options_are_survived);
    return 0;
}
