"""Keys are put together here, so that no scanner takes this file for a leak."""

import pytest

from leaplab.bundle.secrets import find_secrets

RANDOM = "q7Xw2LkP9vZr4TnB8sYd6HjM"


@pytest.fixture
def found(tmp_path):
    def find(content, name="code.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return find_secrets(tmp_path, [name])

    return find


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("ROOT = '/home/maria/data'", "/home/maria"),
        ('ROOT = "/Users/j.doe-2/data"', "/Users/j.doe-2"),
        ("path: /home/maria", "/home/maria"),
        ("# see /home/maria/notes", "/home/maria"),
        ("open(r'C:\\Users\\Maria Doe\\x')", "C:\\Users\\Maria Doe"),
        ("open('D:\\\\Users\\\\maria\\\\x')", "D:\\\\Users\\\\maria"),
        ("file = 'c:/Users/maria/x'", "c:/Users/maria"),
        ("DATA=/root/datasets/x", "/root/datasets"),
    ],
)
def test_home_paths_are_found(found, line, shown):
    (secret,) = found(f"\n{line}\n")

    assert (secret.kind, secret.path, secret.line, secret.shown) == ("home path", "code.py", 2, shown)
    assert shown in secret.message


@pytest.mark.parametrize(
    "line",
    [
        "for example /home/user/data or /Users/you/data",
        "https://example.org/home/maria/index.html",
        "self.root/'x', root/weights, {root}/model, $ROOT/root/x",
        "~/home/maria and ../home/maria and /data/home/maria",
        "/homes/maria /home/ /Users/<name>/data /home/{name}/x /home/$USER/x",
        "C:\\Users\\Public\\x",
        "the /root of the tree",
        "GET /users/maria",
    ],
)
def test_what_only_looks_like_a_home_path_is_not(found, line):
    assert found(line) == []


def test_ids_are_found_in_leap_yaml_whatever_they_are(found):
    secrets = found("projectId: abc\nsecretId: 'x y'\nbranch: b\nentryFile: a.py\n", "leap.yaml")

    assert [(secret.kind, secret.line, secret.shown) for secret in secrets] == [
        ("project id", 1, "projectId"),
        ("project id", 2, "secretId"),
    ]
    assert found("projectId:\nsecretId: ''\nprojectId: null\n# projectId: x\nprojectId: # none\n", "leap.yaml") == []


@pytest.mark.parametrize(
    "line", ['projectId = "65f1c0ffee12"', "'project_id': 'n4n0id-x1'", "projectId: 123456", '{"secretId": "ab12cd34"}']
)
def test_ids_are_found_in_code(found, line):
    (secret,) = found(line)

    assert secret.kind == "project id"
    assert len(secret.shown) <= 9


@pytest.mark.parametrize(
    "line", ["project_id = project.identifier", "projectId: str", "project_id=None", "secret_id: 7"]
)
def test_a_variable_named_like_an_id_is_none(found, line):
    assert found(line) == []


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("AKIA" + "IOSFODNN7EXAMPLE", "an AWS key"),
        ("ghp_" + RANDOM + RANDOM, "a GitHub token"),
        ("github_pat_" + RANDOM, "a GitHub token"),
        ("glpat-" + RANDOM, "a GitLab token"),
        ("AIza" + (RANDOM * 2)[:35], "a Google key"),
        ("xoxb-" + RANDOM, "a Slack token"),
        ("hf_" + (RANDOM * 2)[:34], "a Hugging Face token"),
        ("sk-" + RANDOM, "an API key"),
        ("sk-proj-" + RANDOM, "an API key"),
        ("eyJ" + RANDOM + ".eyJ" + RANDOM + "." + RANDOM, "a JSON web token"),
        ("-----BEGIN RSA " + "PRIVATE KEY-----", "a private key"),
        ("-----BEGIN " + "PRIVATE KEY-----", "a private key"),
        ("https://maria:" + "s3cretpw@example.org/simple", "a password in an address"),
    ],
)
def test_keys_of_known_shape_are_found_and_not_repeated(found, key, told):
    (secret,) = found(f"use({key!r})")

    assert secret.kind == "key"
    assert told in secret.message
    assert key not in secret.message
    assert key[7:] not in secret.shown


@pytest.mark.parametrize(
    "line",
    [
        "api_key = '{}'",
        '"accessToken": "{}"',
        "CLIENT_SECRET: '{}'",
        "Password='{}'",
        "headers = dict(auth_token='{}')",
    ],
)
def test_a_random_text_that_is_assigned_to_a_keys_name_is_found(found, line):
    (secret,) = found(line.format(RANDOM))

    assert secret.kind == "key"
    assert RANDOM not in secret.message


@pytest.mark.parametrize(
    "line",
    [
        f"checksum = '{RANDOM}'",
        "api_key = os.environ['API_KEY']",
        "api_key = 'your-api-key-goes-here'",
        "token = 'aaaaaaaaaaaaaaaaaaaaaaaa1'",
        "token = 'short1'",
        "tokenizer = 'bert-base-uncased-finetuned'",
        "sk-learn and sk-image-processing-toolbox",
        "git+https://github.com/owner/name.git@main",
        "https://{user}:{password}@example.org",
        "AKIA and ghp_short",
    ],
)
def test_ordinary_text_is_no_key(found, line):
    assert found(line) == []


def test_binary_files_and_files_that_cannot_be_read_give_nothing(found, tmp_path):
    assert found(b"\0\1" + b"/home/maria/x", "model.bin") == []
    assert find_secrets(tmp_path, ["gone.py"]) == []
    assert len(found(b"caf\xe9 '/home/maria/x'", "latin.py")) == 1


def test_a_very_long_line_takes_no_time(found):
    assert found("x = '" + "a/home" * 500_000 + "'") == []
    assert found("a:" * 1_000_000) == []


def test_this_repositorys_bundle_gives_nothing_away(repository):
    from leaplab.bundle.listing import list_bundle
    from leaplab.project.leap_yaml import read_leap_yaml
    from leaplab.project.locate import find_project

    for leap_yaml in sorted(repository.glob("*/push/leap.yaml")):
        listing = list_bundle(find_project(repository), read_leap_yaml(leap_yaml))
        assert find_secrets(repository, listing.paths) == []
