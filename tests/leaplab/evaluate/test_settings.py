"""What an integration sets for the analyses, and what a run holds of it."""

import pytest

from leaplab.project.locate import find_project
from leaplab.protocol.operations import DESCRIBE
from leaplab.session.opening import open_session
from leaplab.store.manifest import read_manifest

BINDER = "leap_binder.py"
LOADER = "@tensorleap_load_model(["
OLD = (
    "from code_loader.inner_leap_binder import global_leap_binder\ndel global_leap_binder.leap_analysis_configuration\n"
)


def settings(*lines) -> str:
    head = "from code_loader.inner_leap_binder import global_leap_binder\n"
    return head + "".join(f"global_leap_binder.leap_analysis_configuration.{line}\n" for line in lines)


@pytest.fixture(scope="module")
def run(make_project, changed, evaluated, tmp_path_factory):
    """A run whose integration names two domains and ignores the latent space of its input `image`."""
    root = make_project()
    changed(root / BINDER, LOADER, settings('domain_gap_metadata = ["shade", "peak_row"]') + "\n\n" + LOADER)
    changed(root / BINDER, LOADER, settings('ignore_latent_spaces = ["image", "bias"]') + "\n\n" + LOADER)
    changed(root / BINDER, 'latent_space("rows")', 'latent_space("image")')
    return evaluated(tmp_path_factory.mktemp("runs"), root, 25)


def test_columns_whose_values_are_domains_are_told_by_their_names_in_the_run(run):
    assert read_manifest(run.path / "manifest.json").domains == ("metadata.shade", "metadata.peak_row")
    assert set(run.manifest.domains) <= run.manifest.columns.keys()


def test_a_latent_space_that_is_ignored_is_not_written(run):
    assert sorted(folder.name for folder in (run.path / "latent").iterdir()) == ["model"]
    assert list(run.latent_spaces()) == ["model"]


def test_an_integration_that_sets_nothing_has_no_domains_and_all_of_its_latent_spaces(tiny_run):
    assert tiny_run.manifest.domains == ()
    assert sorted(folder.name for folder in (tiny_run.path / "latent").iterdir()) == ["model", "rows"]


def test_a_code_loader_without_the_settings_is_read_as_one_with_none(make_project, changed):
    root = make_project()
    # code-loader of today looks for them itself once the binder is checked; the older ones never do.
    patched = OLD + (
        "import code_loader.leaploader as loading\n"
        "loading.EngineFileContract = lambda connections, _: type('Contract', (), {'node_connections': connections})\n"
        "type(global_leap_binder).__getattr__ = lambda self, name: (\n"
        "    None if name == 'leap_analysis_configuration' and caller() == 'check_dataset' else missing(name)\n"
        ")\n\n\n"
        "def caller():\n    import sys\n\n    return sys._getframe(2).f_code.co_name\n\n\n"
        "def missing(name):\n    raise AttributeError(name)\n\n\n"
    )
    changed(root / BINDER, LOADER, patched + LOADER)

    with open_session(find_project(root)) as session:
        description = session.call(DESCRIBE)
    assert (description.domain_gap_metadata, description.ignored_latent_spaces) == ((), ())
    assert description.losses, "the rest is read as before"
