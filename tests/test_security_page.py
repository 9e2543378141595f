"""docs/security.md names tests for what it claims: they are there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/security.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", PAGE)))
# Work that is under way beside this page; each goes from here when it is there.
AWAITED = {
    "tests/accounts/test_cookies.py::test_a_foreign_page_cannot_log_in_refresh_or_log_out",
    "tests/accounts/test_cookies.py::test_no_answer_is_shared_with_another_site",
    "tests/accounts/test_cookies.py::test_over_tls_every_cookie_is_this_hosts_alone",
    "tests/accounts/test_guessing.py::test_guesses_from_many_places_are_slowed_down_together",
    "tests/accounts/test_guessing.py::test_that_an_account_is_guessed_at_is_in_the_audit_and_the_log_once_a_day",
    "tests/accounts/test_guessing.py::test_the_owner_gets_in_with_a_device_that_has_logged_in_before",
    "tests/accounts/test_guessing.py::test_whatever_the_refusal_the_answer_and_the_work_are_the_same",
    "tests/accounts/test_keys.py::test_a_header_that_brings_its_own_key_is_not_listened_to",
    "tests/accounts/test_keys.py::test_a_key_is_changed_without_logging_anybody_out",
    "tests/accounts/test_limits.py::test_of_many_at_the_same_moment_no_more_pass_than_may",
    "tests/accounts/test_limits.py::test_refusals_count_and_from_one_address_too_many_are_429",
    "tests/accounts/test_limits.py::test_without_the_database_nobody_is_let_through",
    "tests/accounts/test_lockout.py::test_whoever_guesses_locks_nobody_else_out",
    "tests/accounts/test_password_rules.py::test_a_weak_password_is_refused_and_told_why",
    "tests/aetherflow/etl/test_fuzz.py::test_no_file_ends_the_reader_hangs_it_or_loses_a_row",
    "tests/aetherflow/etl/test_hostile_files.py::test_entities_are_never_followed",
    "tests/aetherflow/etl/test_hostile_files.py::test_no_room_is_made_for_texts_a_workbook_says_it_has",
    "tests/aetherflow/etl/test_hostile_files.py::test_very_many_rows_are_not_begun_with",
    "tests/aetherflow/etl/test_hostile_files.py::test_what_holds_no_table_is_refused_by_its_content_whatever_it_is_called",
    "tests/config/test_checks.py::test_one_key_for_two_ends_is",
    "tests/config/test_headers.py::test_downloads_and_data_of_people_are_kept_by_nobody",
    "tests/config/test_headers.py::test_every_kind_of_answer_has_its_headers",
    "tests/config/test_headers.py::test_with_tls_every_answer_asks_for_it_from_then_on",
    "tests/config/test_settings.py::test_what_others_must_not_reach_stops_the_start",
    "tests/datasets/test_names.py::test_a_name_is_safe_wherever_it_is_used",
    "tests/datasets/test_names.py::test_any_name_becomes_one_part_of_a_key",
    "tests/e2e/test_secrets.py::test_no_secret_is_in_what_any_process_says",
    "tests/isolation/test_console_doors.py::test_a_token_of_the_api_opens_no_page_of_the_console",
    "tests/isolation/test_console_doors.py::test_health_names_no_department_and_no_person",
    "tests/isolation/test_console_doors.py::test_the_metrics_are_shut_and_hold_numbers_only",
    "tests/isolation/test_every_route.py::test_by_no_method_anybody_gets_what_is_not_theirs",
    "tests/isolation/test_every_route.py::test_every_route_of_the_url_conf_says_who_gets_in",
    "tests/isolation/test_every_route.py::test_the_url_conf_and_the_openapi_file_know_the_same_routes",
    "tests/isolation/test_ids.py::test_an_id_of_another_department_is_answered_like_one_that_never_was",
    "tests/isolation/test_messages.py::test_a_message_whose_department_is_not_its_datasets_is_refused",
    "tests/isolation/test_messages.py::test_a_stranger_brings_no_file_into_a_department",
    "tests/isolation/test_row_level_security.py",
    "tests/isolation/test_side_paths.py::test_an_idempotency_key_is_ones_own",
    "tests/isolation/test_side_paths.py::test_each_sees_ones_own_and_nothing_of_the_other",
    "tests/isolation/test_side_paths.py::test_lists_are_filtered_by_nothing_that_is_no_parameter",
    "tests/isolation/test_side_paths.py::test_lists_are_ordered_by_nothing_that_they_do_not_show",
    "tests/isolation/test_side_paths.py::test_nothing_may_be_kept_and_shown_to_the_next_one",
    "tests/jobs/test_quotas.py::test_many_uploads_in_a_short_time_are_429",
    "tests/jobs/test_quotas.py::test_the_departments_quota_is_that_of_all_its_people_and_of_no_others",
    "tests/jobs/test_quotas.py::test_two_at_once_cannot_both_have_the_last",
    "tests/jobs/test_revocation.py::test_a_token_from_before_is_refused_by_the_next_request",
    "tests/test_exports.py::test_every_address_that_gives_out_a_file_is_tested_here",
    "tests/test_exports.py::test_no_cell_is_run_whatever_separates_them",
    "tests/test_exports.py::test_the_raw_file_is_no_page_and_comes_whole",
    "tests/test_exports.py::test_what_the_api_gives_out_is_a_file_and_harmless",
    "tests/test_policy.py::test_a_page_of_the_console_keeps_to_it",
    "tests/test_policy.py::test_the_api_s_page_does",
}


def functions_of(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


def is_there(name: str) -> bool:
    file, _, test = name.partition("::")
    path = ROOT / file
    return path.is_file() and (not test or test in functions_of(path))


def test_every_test_that_is_named_is_there() -> None:
    assert len(NAMED) > 50
    assert [name for name in NAMED if not is_there(name)] == sorted(AWAITED)


def test_every_line_of_the_tables_names_a_test_or_says_why_not() -> None:
    rows = [line.strip("|").split("|") for line in PAGE.splitlines() if re.match(r"\| (API|V)\d", line)]
    for row in rows:
        assert len(row) == 3, row
        assert "`tests/" in row[2] or re.search(r"not applicable|operator|open", row[1]), row
    assert {f"API{number}" for number in range(1, 11)} <= {row[0].split()[0] for row in rows}
    assert {f"V{number}" for number in range(1, 18)} <= {re.split(r"[. ]", row[0].strip())[0] for row in rows}


def test_every_file_it_leads_to_is_there() -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", PAGE):
        assert (ROOT / "docs" / target).exists(), target
