"""Sensor ids map to the same UUID everywhere, for ever."""

from __future__ import annotations

from uuid import UUID, uuid5

import pytest

from traffic_platform.events.reasons import Reason, Rejection
from traffic_platform.events.sensor_ids import (
    SENSOR_NAMESPACE,
    canonical_external_id,
    fault,
    is_valid,
    read_external_id,
    sensor_uuid,
)

OWN = "0f8fad5b-d9cb-469f-a165-70867728950e"


def test_the_mapping_has_never_changed() -> None:
    assert UUID("6f7d4f0e-3d0b-5f0c-9a39-6c2d6b1f5a11") == SENSOR_NAMESPACE
    assert sensor_uuid("1345") == UUID("aace4a5b-6c91-567f-98ba-a55fce4f2ee2")
    assert sensor_uuid("Münchner Ring 7") == UUID("4d338efe-0fd4-52d8-b72f-88a8f55b671b")


def test_a_canonical_uuid_is_itself_in_either_case() -> None:
    assert sensor_uuid(OWN) == sensor_uuid(OWN.upper()) == UUID(OWN)
    assert canonical_external_id(OWN.upper()) == OWN


@pytest.mark.parametrize(
    "text", [OWN.replace("-", ""), f"{{{OWN}}}", f"urn:uuid:{OWN}", f" {OWN}", f"{OWN}\n", "A-1"]
)
def test_any_other_form_is_a_name_like_any(text: str) -> None:
    assert sensor_uuid(text) == uuid5(SENSOR_NAMESPACE, text)
    assert canonical_external_id(text) == text


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", "is empty"),
        ("x" * 256, "has 256 characters, and 255 are allowed"),
        ("a\0", "holds a NUL"),
        ("\udfff", "holds a lone surrogate, which is no character"),
    ],
)
def test_what_postgresql_cannot_hold_names_no_sensor(text: str, flaw: str) -> None:
    assert fault(text) == flaw
    assert not is_valid(text)
    with pytest.raises(Rejection) as caught:
        read_external_id(text)
    assert caught.value.reason == Reason.INVALID_SENSOR_ID
    assert caught.value.detail.endswith(flaw)


@pytest.mark.parametrize("text", ["x", "x" * 255, "🚗" * 255, "\x01", " "])
def test_anything_else_does(text: str) -> None:
    assert is_valid(text)
    assert read_external_id(text) == text
