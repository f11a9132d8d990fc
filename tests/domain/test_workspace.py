"""A workspace is made once and set up often."""

from domain.workspace import (
    WorkspaceConfigured,
    configure_workspace,
    create_workspace,
)
from tests.domain.stories import workspace_created
from tests.support.given import given


def test_a_workspace_is_created_with_what_was_sent():
    created = workspace_created(metadata={"a": 1})
    given().when(create_workspace, created).then(created)


def test_creating_it_again_changes_nothing_whatever_is_sent():
    given(workspace_created()).when(
        create_workspace, workspace_created(metadata={"ignored": 1})
    ).then_nothing()


def test_a_section_of_the_configuration_is_replaced_as_a_whole():
    stored = {
        "reasoning": {"enabled": False},
        "summary": {"enabled": True, "messages_per_short_summary": 15},
    }
    given(workspace_created(configuration=stored)).when(
        configure_workspace, "w", None, {"summary": {"enabled": False}}
    ).then(
        WorkspaceConfigured(
            workspace="w",
            metadata={},
            configuration={
                "reasoning": {"enabled": False},
                "summary": {"enabled": False},
            },
        )
    )


def test_metadata_is_replaced_and_an_empty_object_clears_it():
    given(workspace_created(metadata={"a": 1})).when(
        configure_workspace, "w", {}, None
    ).then(WorkspaceConfigured(workspace="w", metadata={}, configuration={}))


def test_null_leaves_everything_as_it_is():
    given(workspace_created(metadata={"a": 1}, configuration={"b": 2})).when(
        configure_workspace, "w", None, None
    ).then_nothing()
