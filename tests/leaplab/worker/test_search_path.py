import site

from leaplab.worker.search_path import integration_first


def test_integration_comes_first_and_the_home_of_leaplab_goes(tmp_path):
    home, root, other = tmp_path / "home", tmp_path / "root", tmp_path / "other"
    for folder in (home, root, other):
        folder.mkdir()
    (tmp_path / "link").symlink_to(home)

    found = integration_first(["", str(home), str(other), str(root), str(tmp_path / "link")], str(root), str(home))

    assert found == [str(root), str(other)]


def test_home_of_leaplab_stays_where_it_is_the_integration(tmp_path):
    assert integration_first([str(tmp_path), "/elsewhere"], str(tmp_path), str(tmp_path)) == [
        str(tmp_path),
        "/elsewhere",
    ]


def test_site_packages_stay_where_leaplab_is_installed_there(tmp_path):
    packages = site.getsitepackages()[0]

    assert integration_first([packages], str(tmp_path), packages) == [str(tmp_path), packages]
