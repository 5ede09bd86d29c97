import numpy as np
import pytest
from code_loader.contract.sim_config import FloatBounds, parse_sim_config
from msgspec.structs import replace

from vision import statistics
from yolov7_foresight.config import ForesightConfig
from yolov7_foresight.simulation import BOUNDS, PARAMETERS, simulate

DEFAULTS = {name: parameter.default for name, parameter in PARAMETERS.items()}


@pytest.fixture
def small(config: ForesightConfig) -> ForesightConfig:
    return replace(config, scenes=replace(config.scenes, width=160, height=120))


def test_the_same_arguments_make_the_same_frames_and_another_seed_makes_others(small: ForesightConfig) -> None:
    given = {**DEFAULTS, "noise": 0.03, "fisheye": 0.5, "dusk": 0.6}
    first, second = simulate(3, 4, small, **given), simulate(3, 4, small, **given)
    for (image, objects), (again, same) in zip(first, second, strict=True):
        assert np.array_equal(image, again)
        assert np.array_equal(objects.edges, same.edges)
        assert np.array_equal(objects.classes, same.classes)
    assert not np.array_equal(simulate(1, 5, small, **given)[0][0], first[0][0])


def test_the_first_of_more_frames_are_those_of_fewer_and_no_two_are_alike(small: ForesightConfig) -> None:
    more, fewer = simulate(4, 0, small, **DEFAULTS), simulate(2, 0, small, **DEFAULTS)
    assert all(np.array_equal(one[0], other[0]) for one, other in zip(more, fewer, strict=False))
    assert len({image.tobytes() for image, _ in more}) == 4


def test_frames_are_images_of_the_settings_size_with_objects_in_them(small: ForesightConfig) -> None:
    frames = simulate(6, 1, small, **{**DEFAULTS, "fisheye": 0.6})
    assert sum(len(objects) for _, objects in frames) > 6
    for image, objects in frames:
        assert image.shape == (120, 160, 3)
        assert image.dtype == np.uint8
        assert (objects.edges >= 0).all()
        assert (objects.edges[:, 2:] <= (160, 120)).all()
        assert (objects.edges[:, 2:] > objects.edges[:, :2]).all()
        assert set(objects.classes.tolist()) <= {0, 1, 2}


def test_light_and_sensor_leave_the_objects_where_they_are(small: ForesightConfig) -> None:
    plain = simulate(3, 2, small, **DEFAULTS)
    other = simulate(3, 2, small, **{**DEFAULTS, "dusk": 0.9, "noise": 0.05, "temperature": 4000.0, "blur": 1.0})
    for (image, objects), (changed, same) in zip(plain, other, strict=True):
        assert np.array_equal(objects.edges, same.edges)
        assert not np.array_equal(image, changed)


def _mean(frames: list, measure) -> float:
    return float(np.mean([measure(image) for image, _ in frames]))


@pytest.mark.parametrize(
    ("name", "low", "high", "measure"),
    [
        ("exposure", -1.0, 1.0, statistics.brightness),
        ("temperature", 4000.0, 9000.0, statistics.colour_temperature),
        ("red_spread", 0.6, 1.4, lambda image: statistics.channel_deviations(image)[0]),
        ("noise", 0.0, 0.05, statistics.sharpness),
        ("blur", 1.5, 0.0, statistics.sharpness),
        ("dusk", 1.0, 0.0, statistics.brightness),
    ],
)
def test_each_parameter_moves_the_statistic_that_it_is_for(
    name: str, low: float, high: float, measure, small: ForesightConfig
) -> None:
    measured = [_mean(simulate(4, 3, small, **{**DEFAULTS, name: value}), measure) for value in (low, high)]
    assert measured[0] < measured[1]


@pytest.mark.parametrize("name", list(PARAMETERS))
def test_a_parameter_outside_its_bounds_is_refused_by_name(name: str, small: ForesightConfig) -> None:
    for value in (PARAMETERS[name].lowest - 0.1, PARAMETERS[name].highest + 0.1, float("nan")):
        with pytest.raises(ValueError, match=f"{name} must be between"):
            simulate(1, 0, small, **{**DEFAULTS, name: value})


@pytest.mark.parametrize("name", list(PARAMETERS))
def test_both_ends_of_a_parameter_can_be_simulated(name: str, small: ForesightConfig) -> None:
    for value in (PARAMETERS[name].lowest, PARAMETERS[name].highest):
        ((image, _),) = simulate(1, 0, small, **{**DEFAULTS, name: value})
        assert image.std() > 0


def test_no_frames_and_a_negative_seed_are_refused(small: ForesightConfig) -> None:
    with pytest.raises(ValueError, match="at least 1 frame, not 0"):
        simulate(0, 0, small, **DEFAULTS)
    with pytest.raises(ValueError, match="seed is at least 0, not -1"):
        simulate(1, -1, small, **DEFAULTS)


def test_tensorleap_reads_the_bounds_as_they_are_meant() -> None:
    read = parse_sim_config(BOUNDS)
    assert list(read) == list(PARAMETERS)
    for name, parameter in PARAMETERS.items():
        assert read[name].bounds == FloatBounds(parameter.lowest, parameter.highest)
        assert parameter.lowest <= parameter.default <= parameter.highest
