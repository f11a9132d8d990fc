"""Every question is described with what it reads and what it answers."""

from read_api.routes import read_routes


async def test_the_openapi_document_knows_every_question(ask):
    document = (await ask.http.get("/openapi.json")).json()
    described = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
        if path.startswith("/v3")
    }
    asked = {
        (method, route.path_format)
        for route in read_routes().routes
        for method in route.methods
        if method != "OPTIONS"
    }
    assert asked <= described
    path = "/v3/workspaces/{workspace}/sessions/{session}/context"
    operation = document["paths"][path]["get"]
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert {"workspace", "session", "tokens", "peer_target", "min_position"} <= names
    page = document["paths"]["/v3/workspaces/{workspace}/peers/list"]["post"]
    assert "requestBody" in page
    assert "content" in page["responses"]["200"]
