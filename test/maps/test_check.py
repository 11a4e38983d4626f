import pytest

from behaviors_ros.maps.check import check


def test_rows(straight_osm, make_commonroad, tmp_path):
    scenario = tmp_path / "scenario.xml"
    scenario.write_text(make_commonroad())
    rows = check([straight_osm.write(tmp_path / "map.osm"), scenario, tmp_path / "none.osm"])
    first, second, third = rows
    # Six lanes of 100 m, one crosswalk, one signal, one stop line.
    assert (first.kind, first.lanes, first.crosswalks, first.signals, first.stop_lines) == ("Lanelet2", 6, 1, 1, 1)
    assert first.length_km == pytest.approx(0.6) and first.error == "" and 0.0 < first.seconds < 5.0
    assert (second.kind, second.lanes, second.signals) == ("CommonRoad", 3, 1)
    assert third.error.endswith("none.osm: path: no such file; check the path") and third.lanes == 0
