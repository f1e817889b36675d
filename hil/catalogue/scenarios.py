"""Scenarios of tests/hil that find faults, and what else a proof gives to pytest."""

CONNECT = "test_connect.py::test_host_that_waits_at_the_port_gets_a_lease[ios]"
SUSPEND = "test_suspend.py"
REPLUG = "test_replug.py::test_replug_after_success_serves_a_lease_again"
RAPID = "test_replug.py::test_ten_rapid_replugs"
GIVEN_UP = "test_silence.py::test_host_that_has_given_up_asks_again"
PEACE = "test_silence.py::test_silent_host_is_left_in_peace"
NO_CLAIMS = "test_silence.py::test_start_without_a_host_leaves_no_claims"
ELSEWHERE = "test_other_network.py"
TWO_BOARDS = "test_two_boards.py"
LISTENING = "test_terminal.py::test_log_flows_to_a_terminal"
WAITING_LOG = "test_terminal.py::test_log_that_has_to_wait_comes_whole"
ENDPOINTS, STREAM = "test_http.py::test_every_endpoint_answers", "test_http.py::test_log_stream_lives_and_blocks_nobody"
FULL_LOG = "test_http.py::test_full_event_log_says_so"

TWO = ("--hil-virtual-boards", "2")
STATIC = ("--hil-virtual-role", "static")
PROBED = "test_static_address.py::test_address_is_probed_for_before_it_is_used"
DEFENDED = "test_static_address.py::test_address_in_use_is_defended_once"
PROBED_ANEW = "test_static_address.py::test_link_that_comes_back_is_probed_anew"
RIVALLED = "test_static_address.py::test_rival_for_the_address_makes_the_board_begin_anew"
TAKEN = "test_static_address.py::test_address_of_another_host_is_not_used"
ENTERED = "test_bootloader.py::test_the_loader_is_entered_and_left[serial]"
CLEARED = "test_bootloader.py::test_a_reset_of_the_core_leads_out_once_the_order_is_cleared"
FLASHED = "test_bootloader.py::test_a_board_in_its_loader_is_flashed_and_serves"
NEW = ("--version", "0.9.9", "--code-bytes", "60000")
"""A version that differs from what a virtual board holds, of several blocks of esptool's stub (16 kB each)."""
SMALL = ("--version", "0.9.9")
"""One of a single block."""
LARGE = ("--version", "0.9.9", "--code-bytes", "1100000")
"""One that does not fit into 1 MB."""
