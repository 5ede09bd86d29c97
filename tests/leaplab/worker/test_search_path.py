import site
from pathlib import Path

from leaplab.worker.search_path import integration_first


def test_integration_comes_first_and_the_home_of_leaplab_goes(tmp_path):
    home, root, other = tmp_path / "home", tmp_path / "root", tmp_path / "other"
    package = home / "leaplab" / "src" / "leaplab"
    for folder in (package, root, other):
        folder.mkdir(parents=True)
    (tmp_path / "link").symlink_to(home)
    entries = ["", str(home), str(home / "leaplab" / "src"), str(other), str(root), str(tmp_path / "link")]

    assert integration_first(entries, str(root), package) == [str(root), str(other)]


def test_home_of_leaplab_stays_where_it_is_the_integration(tmp_path):
    package = tmp_path / "leaplab" / "src" / "leaplab"

    assert integration_first([str(tmp_path), "/elsewhere"], str(tmp_path), package) == [str(tmp_path), "/elsewhere"]


def test_site_packages_stay_where_leaplab_is_installed_there(tmp_path):
    packages = site.getsitepackages()[0]

    assert integration_first([packages], str(tmp_path), Path(packages) / "leaplab") == [str(tmp_path), packages]


def test_folders_that_are_to_be_hidden_are(tmp_path):
    entries = ["/elsewhere", "/of/another/python/site-packages"]

    found = integration_first(entries, str(tmp_path), tmp_path / "leaplab", ["/of/another/python/site-packages"])

    assert found == [str(tmp_path), "/elsewhere"]
