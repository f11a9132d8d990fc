"""Every route of the application stands in the table of who may pass."""

import inspect
import re

import pytest
from litestar import Router
from litestar.routes import HTTPRoute

from commands.routes import ROUTES as WRITES
from infra.http.app import AppSettings, create_app
from infra.http.policy import POLICY, Door, door_of
from read_api import ROUTES as QUESTIONS

CLASSES = {Door.PEER: "peer", Door.SESSION_READ: "session"}
CLASSES[Door.SESSION_WRITE] = "session"


@pytest.fixture(scope="module")
def routes():
    """(method, template, parameters) of everything the server answers."""
    doors = [*WRITES, *QUESTIONS]
    settings = AppSettings(is_ready=lambda: True, count_tokens=len)
    app = create_app(doors, dict.fromkeys(asked_for(doors)), settings).litestar
    found = []
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            names = [p.name for p in route.path_components if not isinstance(p, str)]
            found += [
                (method, route.path, names)
                for method in route.methods
                if method != "OPTIONS"
            ]
    return found


def asked_for(doors):
    """The names handlers ask to be given; what stands in a path is not asked for."""
    handlers = [
        handler
        for door in doors
        for handler in (
            [each for route in door.routes for each in route.route_handlers]
            if isinstance(door, Router)
            else [door]
        )
    ]
    asked = {
        name for each in handlers for name in inspect.signature(each.fn).parameters
    }
    named = {
        name
        for each in handlers
        for path in each.paths
        for name in re.findall(r"{(\w+):", path)
    }
    return asked - named - {"request", "scope", "headers", "query", "data", "socket"}


def test_every_route_has_an_entry(routes):
    known = {(method, _bare(path)) for method, path in POLICY}
    missing = [
        (method, path)
        for method, path, _ in routes
        if (method, _bare(path)) not in known
    ]
    assert missing == []


def test_a_route_names_what_its_keys_are_compared_with(routes):
    for method, path, names in routes:
        door = door_of(method, path)
        if door not in {Door.OPEN, Door.ADMIN} and path != "/v3/workspaces":
            assert names[0] == "workspace", path
        if door in CLASSES:
            assert CLASSES[door] in names, path


def test_what_is_not_in_the_table_is_for_admins():
    assert door_of("GET", "/v3/workspaces/{workspace}/secrets") is Door.ADMIN
    assert door_of("PATCH", "/v3/workspaces/{workspace}") is Door.ADMIN


def _bare(path):
    return "/".join("*" if "{" in part else part for part in path.split("/"))
