"""A run as analyses read it: rows, values, vectors, maps."""

import stat

import numpy as np
import pytest

from leaplab.errors import LeaplabError, MissingError, QuestionError

NAN = float("nan")


def test_values_come_in_row_order_and_keep_their_types(make_population):
    population = make_population(
        {
            "metadata.whole": ("int", [2**60, 2**60 + 1, -7]),
            "metadata.some": ("int", [1, None, 3]),
            "metadata.large": ("int", [2**60, None, 2**60 + 1]),
            "metadata.text": ("string", ["a", None, ""]),
            "metadata.truth": ("boolean", [True, None, False]),
            "loss.a": ("float", [0.5, NAN, None]),
        }
    )

    whole = population.values("metadata.whole")
    assert (whole.dtype, whole.tolist()) == (np.int64, [2**60, 2**60 + 1, -7])
    np.testing.assert_array_equal(population.values("metadata.some"), [1, NAN, 3])
    assert population.values("metadata.large").tolist() == [2**60, None, 2**60 + 1]
    assert population.values("metadata.text").tolist() == ["a", None, ""]
    assert population.values("metadata.truth").tolist() == [True, None, False]
    np.testing.assert_array_equal(population.values("loss.a"), [0.5, NAN, NAN])
    assert population.values("sample.state").tolist() == ["training"] * 3
    with pytest.raises(MissingError, match="no column 'loss.b'"):
        population.values("loss.b")


def test_sample_is_found_by_its_id_and_by_its_state_where_that_is_needed(make_population):
    population = make_population(
        {"loss.a": ("float", [1.0] * 5)},
        ids=["a", "b", "a", "training/b", "c"],
        states={"training": 2, "validation": 3},
    )

    assert [population.row_of("c"), population.row_of("b"), population.row_of("training/b")] == [4, 1, 3]
    assert [population.row_of("a", "validation"), population.row_of("validation/a")] == [2, 2]
    with pytest.raises(QuestionError, match="2 samples 'a' in this run; write training/a or validation/a"):
        population.row_of("a")
    with pytest.raises(MissingError, match="no sample 'd'; ids are like a, b, a"):
        population.row_of("d")
    with pytest.raises(MissingError, match="no sample 'c' in training"):
        population.row_of("c", "training")
    with pytest.raises(MissingError, match="no sample 5; rows are 0 to 4"):
        population.require_row(5)


def test_vectors_that_are_not_finite_are_left_out_and_counted(make_population):
    vectors = np.arange(12.0).reshape(6, 2)
    vectors[1, 0], vectors[4, 1] = NAN, np.inf
    population = make_population({"loss.a": ("float", [1.0] * 6)}, vectors=vectors)

    found = population.vectors()

    assert found.rows.tolist() == [0, 2, 3, 5]
    np.testing.assert_array_equal(found.values, vectors[[0, 2, 3, 5]])
    assert found.left_out == 2
    assert "2 of 6 vectors of the latent space 'model' hold NaN or infinity" in population.notices[-1]


@pytest.mark.parametrize("method", ["pca", "pacmap"])
def test_map_has_a_place_for_every_finite_vector_and_none_for_others(make_population, method):
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(40, 3))
    vectors[7] = NAN
    population = make_population({"loss.a": ("float", [1.0] * 40)}, vectors=vectors)
    alone = make_population({"loss.a": ("float", [1.0] * 39)}, vectors=np.delete(vectors, 7, axis=0))

    points = population.map(None, method)

    assert np.isnan(points).all(axis=1).tolist() == [row == 7 for row in range(40)]
    np.testing.assert_array_equal(np.delete(points, 7, axis=0), alone.map("model", method))
    clusters = population.clusters()
    assert clusters[7] == -1
    assert (np.delete(clusters, 7) >= 0).all()


@pytest.mark.parametrize(("landmarks", "is_told"), [(39, False), (38, True), (12, True)])
def test_a_map_by_landmarks_is_told(make_population, monkeypatch, landmarks, is_told):
    vectors = np.random.default_rng(0).normal(size=(40, 3))
    vectors[7] = NAN
    population = make_population({"loss.a": ("float", [1.0] * 40)}, vectors=vectors)
    monkeypatch.setattr("leaplab.population.notices.LANDMARKS", landmarks)

    told = [notice for notice in population.notices if "by landmarks" in notice]

    assert len(told) == is_told
    assert not is_told or f"is drawn of {landmarks} of 39 samples" in told[0]


def test_space_without_a_finite_vector_is_one_sentence(make_population):
    population = make_population({"loss.a": ("float", [1.0] * 2)}, vectors=np.full((2, 2), NAN))

    with pytest.raises(LeaplabError, match="Every vector of the latent space 'model' holds NaN or infinity"):
        population.map(None, "pca")
    assert "Every vector" in population.notices[0]


def test_run_without_a_latent_space_lays_its_samples_out_in_their_order(make_population):
    population = make_population({"loss.a": ("float", [1.0] * 5)})

    points = population.map(None, "pacmap")

    # A square of three, read like text.
    assert points.tolist() == [[-1, 0.5], [0, 0.5], [1, 0.5], [-1, -0.5], [0, -0.5]]
    assert "no latent space" in population.notices[-1]
    assert "analysis.cluster" not in population.columns
    with pytest.raises(MissingError, match="has no latent space"):
        population.vectors()


def test_what_does_not_exist_is_one_sentence(make_population):
    population = make_population({"loss.a": ("float", [1.0] * 2)}, vectors=np.eye(2))

    with pytest.raises(MissingError, match="has no latent space 'other'; it has model"):
        population.map("other", "pca")
    with pytest.raises(QuestionError, match="no projection 'umap'; there are pacmap, pca"):
        population.map("model", "umap")


def test_read_only_run_is_read_and_nothing_is_written(make_population):
    population = make_population({"loss.a": ("float", [1.0] * 3)}, vectors=np.eye(3))
    folder = population.store.path
    before = sorted(path.relative_to(folder) for path in folder.rglob("*"))
    (folder / "derived").write_text("no folder can be made here")  # as root, permissions forbid nothing
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)

    points = population.map(None, "pca")

    assert points.shape == (3, 2)
    np.testing.assert_array_equal(points, population.map(None, "pca"))
    folder.chmod(stat.S_IRWXU)
    (folder / "derived").unlink()
    assert sorted(path.relative_to(folder) for path in folder.rglob("*")) == before
