"""Geometry of the charts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.core.durations import HOUR_MS
from app.core.interval import Range
from app.market.domain.series import Expected, Point
from app.web.display import charts


def _point(
    hour: int, *, net: float | None = None, share: float | None = None, n_stories: int = 0, n_negative: int = 0
) -> Point:
    return Point(
        at=hour * HOUR_MS,
        n_posts=n_stories,
        n_stories=n_stories,
        n_negative=n_negative,
        net_sentiment=net,
        negative_share=share,
    )


def _stamp(ms: int) -> str:
    return str(ms // HOUR_MS)


FRAME = charts.Frame(stamp=_stamp)


def _heights(run: str) -> list[float]:
    return [float(pair.split(",")[1]) for pair in run.split()]


def test_net_sentiment_is_drawn_around_the_middle_and_broken_at_gaps() -> None:
    plot = charts.sentiment_plot([_point(0, net=1.0), _point(1), _point(2, net=-0.5)], frame=FRAME)
    assert [set(_heights(run)) for run in plot.runs] == [{0.0}, {75.0}]
    assert [(bar.kind, bar.y, bar.height) for bar in plot.bars] == [("over", 0.0, 50.0), ("under", 50.0, 25.0)]


def test_volume_puts_the_negative_stories_in_front_of_all_on_a_round_scale() -> None:
    plot = charts.volume_plot([_point(0, n_stories=7, n_negative=3), _point(1)], frame=FRAME)
    assert plot.y_marks == ("8", "4", "0")
    assert [(bar.kind, bar.height) for bar in plot.bars] == [("bar-all", 87.5), ("bar-bad", 37.5)]


def test_a_share_of_one_touches_the_top() -> None:
    plot = charts.share_plot([_point(0, share=1.0), _point(1, share=0.0)], frame=FRAME)
    assert _heights(plot.runs[0])[1:] == [0.0, 100.0]


def test_what_is_usual_is_a_band_broken_where_it_is_not_known() -> None:
    points = [_point(hour, n_stories=2) for hour in range(4)]
    known = Expected(at=0, stories=Range(low=1, high=4), net=Range(low=-0.5, high=0.5), share=Range(low=0, high=0.5))
    frame = charts.Frame(stamp=_stamp, usual=[known, Expected(at=1), known, known])
    net = charts.sentiment_plot(points, frame=frame)
    assert net.bands[0] == "0.0,25.0 125.0,25.0 250.0,25.0 250.0,75.0 125.0,75.0 0.0,75.0"
    assert [band.split()[0] for band in net.bands] == ["0.0,25.0", "500.0,25.0"]
    volume = charts.volume_plot(points, frame=frame)
    assert (volume.y_marks, set(_heights(volume.bands[0]))) == (("4", "2", "0"), {0.0, 75.0})
    assert set(_heights(charts.share_plot(points, frame=frame).bands[0])) == {50.0, 100.0}


def test_a_share_says_how_sure_it_is() -> None:
    sure = Expected(at=0, share_seen=Range(low=0.1, high=0.6))
    drawn = charts.share_plot([_point(0, share=0.3), _point(1)], frame=charts.Frame(stamp=_stamp, usual=[sure]))
    assert drawn.whiskers == (charts.Whisker(x=250.0, top=40.0, bottom=90.0),)


def test_alerts_are_marked_where_they_overlap_the_drawn_time() -> None:
    points = [_point(hour) for hour in range(10)]
    spans = [(-5 * HOUR_MS, 2 * HOUR_MS), (9 * HOUR_MS, 99 * HOUR_MS), (50 * HOUR_MS, 60 * HOUR_MS)]
    marks = charts.alerted(points, spans=spans)
    assert [(mark.x, mark.width) for mark in marks] == [(0.0, 200.0), (900.0, 100.0)]


def test_times_are_marked_at_most_six_times_from_first_to_last() -> None:
    marks = charts.x_marks([_point(hour) for hour in range(48)], stamp=_stamp)
    assert (len(marks), marks[0], marks[-1]) == (6, "0", "47")
    assert charts.x_marks([], stamp=_stamp) == ()


@given(st.lists(st.one_of(st.none(), st.floats(-1, 1)), max_size=40))
def test_a_sparkline_stays_in_its_frame(values: list[float | None]) -> None:
    drawn = charts.sparkline(values)
    heights = [height for run in drawn.runs for height in _heights(run)]
    assert all(0 <= height <= drawn.height for height in heights)
    assert bool(heights) == any(value is not None for value in values)
    assert len(drawn.runs) <= 1  # gaps between known values are bridged


def test_a_plot_in_another_frame_keeps_its_proportions() -> None:
    known = Expected(at=0, net=Range(low=-0.5, high=0.5))
    frame = charts.Frame(stamp=_stamp, usual=[known, known], spans=[(0, HOUR_MS)])
    plot = charts.sentiment_plot([_point(0, net=1.0), _point(1, net=-1.0)], frame=frame)
    drawn = charts.scaled(plot, width=500.0, height=300.0)
    assert (drawn.width, drawn.height, drawn.zero, drawn.alerted[0].width) == (500.0, 300.0, 150.0, 250.0)
    assert {0.0, 300.0} == set(_heights(drawn.runs[0]))
    assert drawn.bands[0].startswith("0.0,75.0 125.0,75.0")
    assert [(bar.height, bar.width) for bar in drawn.bars] == [(150.0, 200.0), (150.0, 200.0)]


def test_empty_series_draw_nothing_and_do_not_fail() -> None:
    for plot in (charts.sentiment_plot, charts.share_plot, charts.volume_plot):
        drawn = plot([], frame=FRAME)
        assert (drawn.runs, drawn.bars, drawn.hits) == ((), (), ())
