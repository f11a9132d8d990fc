"""Webhooks (HC 8.9, 2.7)."""

import pytest

URL = "https://hooks.example.com/a"


@pytest.fixture
def there(api, workspace):
    api.post("/v3/workspaces", json={"id": workspace})


@pytest.mark.usefixtures("there")
def test_x134_a_duplicate_url_is_the_identical_object(api, at, workspace):
    first = api.post(f"{at}/webhooks", json={"url": URL})
    again = api.post(f"{at}/webhooks", json={"url": URL})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()
    assert set(first.json()) == {"id", "workspace_id", "url", "created_at"}
    assert first.json()["workspace_id"] == workspace
    api.post("/v3/workspaces", json={"id": f"{workspace}-2"})
    other = api.post(f"{at}-2/webhooks", json={"url": URL})
    assert other.status_code == 201
    assert other.json()["id"] != first.json()["id"]


def test_x135_an_unknown_workspace_is_404_with_this_text(api):
    answer = api.post(
        "/v3/workspaces/nonexistent-workspace/webhooks", json={"url": URL}
    )
    assert answer.status_code == 404
    assert answer.json() == {"detail": "Workspace nonexistent-workspace not found"}


@pytest.mark.parametrize(
    "url",
    [
        "not-a-url",
        "ftp://example.com/x",
        "http://",
        "https:///path",
        "",
        "http://127.0.0.1/x",
        "http://127.1/x",
        "http://2130706433/x",
        "http://0x7f000001/x",
        "http://10.1.2.3:8080/x",
        "http://192.168.0.1/x",
        "http://169.254.169.254/latest",
        "http://[::1]/x",
        "http://[::ffff:127.0.0.1]/x",
        "http://[fe80::1%25eth0]/x",
        "http://0.0.0.0/x",
        "http://240.0.0.1/x",
        "http://a b/",
        "http://example.com:99999/x",
        "http://[::1",
        "http://ex\u0000ample.com/",
    ],
)
@pytest.mark.usefixtures("there")
def test_x136_an_invalid_url_is_422(api, at, url):
    answer = api.post(f"{at}/webhooks", json={"url": url})
    assert answer.status_code == 422
    first = answer.json()["detail"][0]
    assert (first["type"], first["loc"]) == ("value_error", ["body", "url"])
    assert "Invalid URL format" in first["msg"]


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:9999/x",
        "http://internal.example:80/x?y=z",
        "HTTPS://EXAMPLE.com",
        "http://8.8.8.8/x",
        "http://user:word@example.com/x",
    ],
)
@pytest.mark.usefixtures("there")
def test_host_names_and_public_addresses_are_accepted(api, at, url):
    answer = api.post(f"{at}/webhooks", json={"url": url})
    assert answer.status_code == 201
    assert answer.json()["url"] == url


@pytest.mark.usefixtures("there")
def test_a_url_of_more_than_2048_characters_is_422(api, at):
    long = "https://example.com/" + "a" * 2028
    assert api.post(f"{at}/webhooks", json={"url": long}).status_code == 201
    assert api.post(f"{at}/webhooks", json={"url": f"{long}a"}).status_code == 422


@pytest.mark.usefixtures("there")
def test_x137_the_eleventh_endpoint_is_409(api, at):
    for number in range(10):
        made = api.post(f"{at}/webhooks", json={"url": f"{URL}{number}"})
        assert made.status_code == 201
    refused = api.post(f"{at}/webhooks", json={"url": URL})
    assert refused.status_code == 409
    assert refused.json() == {
        "detail": "Maximum number of webhook endpoints (10) reached for this workspace."
    }
    assert api.post(f"{at}/webhooks", json={"url": f"{URL}3"}).status_code == 200
    listed = api.get(f"{at}/webhooks", params={"size": 4, "page": 2}).json()
    assert [each["url"][-1] for each in listed["items"]] == ["4", "5", "6", "7"]
    assert (listed["total"], listed["pages"]) == (10, 3)


@pytest.mark.usefixtures("there")
def test_x138_deleting_an_unknown_endpoint_is_404(api, at, workspace):
    answer = api.delete(f"{at}/webhooks/nothing")
    assert answer.status_code == 404
    assert answer.json() == {
        "detail": f"Webhook endpoint nothing not found for workspace {workspace}"
    }
    made = api.post(f"{at}/webhooks", json={"url": URL}).json()
    assert api.delete(f"{at}-2/webhooks/{made['id']}").status_code == 404
    gone = api.delete(f"{at}/webhooks/{made['id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert api.get(f"{at}/webhooks").json()["items"] == []
    assert api.delete(f"{at}/webhooks/{made['id']}").status_code == 404


def test_x139_a_test_is_null_and_no_id(api, at):
    answer = api.get(f"{at}/webhooks/test")
    assert answer.status_code == 200
    assert answer.json() is None
    assert answer.content == b"null"
    listed = api.get(f"{at}/webhooks")
    assert (listed.status_code, listed.json()["total"]) == (200, 0)
