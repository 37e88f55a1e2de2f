"""Settings from the environment."""

import pytest

from app import engine_options
from fsms.config import GRADING_SCHEMES, BadSetting, Settings
from fsms.grading import SCHEMES


def test_without_any_variable_the_embedded_database_is_meant() -> None:
    settings = Settings.from_environment({})

    assert settings.database_url is None
    assert (settings.host, settings.port, settings.bcrypt_cost, settings.idle_minutes) == ("127.0.0.1", 8000, 12, 30)


def test_a_server_of_ones_own_needs_a_secret_key() -> None:
    with pytest.raises(BadSetting, match="SECRET_KEY is not set"):
        Settings.from_environment({"DATABASE_URL": "postgresql://school@db/school"})


def test_an_empty_variable_counts_as_unset() -> None:
    assert Settings.from_environment({"DATABASE_URL": "  ", "PORT": ""}).database_url is None


@pytest.mark.parametrize(("name", "written"), [("PORT", "eighty"), ("PORT", "0"), ("PORT", "70000"), ("PORT", "-1")])
def test_a_number_that_is_none_is_named_with_its_bounds(name: str, written: str) -> None:
    with pytest.raises(BadSetting, match="PORT must be a whole number from 1 to 65535"):
        Settings.from_environment({name: written})


def test_secrets_do_not_show_when_settings_are_printed() -> None:
    printed = repr(Settings(secret_key="hush", demo_password="hush", redis_url="redis://:hush@cache"))

    assert "hush" not in printed


def test_a_scheme_of_grading_is_one_of_those_there_are() -> None:
    assert set(GRADING_SCHEMES) == set(SCHEMES)
    assert Settings.from_environment({"FSMS_GRADING_SCHEME": "school"}).grading_scheme == "school"
    with pytest.raises(BadSetting, match="FSMS_GRADING_SCHEME must be one of plain, school, not “french”"):
        Settings.from_environment({"FSMS_GRADING_SCHEME": "french"})


def test_statements_are_prepared_on_the_embedded_server_and_elsewhere_only_where_somebody_says_so() -> None:
    own = {"DATABASE_URL": "postgresql://school", "SECRET_KEY": "hush"}

    def arguments(**given: str) -> object:
        return engine_options(Settings.from_environment(given))["connect_args"]

    as_usual = {"application_name": "fsms"}
    assert arguments() == as_usual
    assert arguments(**own) == as_usual | {"prepare_threshold": None}
    assert arguments(**own, FSMS_PREPARED_STATEMENTS="on") == as_usual
    with pytest.raises(BadSetting, match="FSMS_PREPARED_STATEMENTS must be one of on, off"):
        arguments(**own, FSMS_PREPARED_STATEMENTS="maybe")
