"""What ends a command is said in one line, whatever little it says of itself."""

import pytest
import typer

from infra.cli.one_line import run


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError(), "the system: TimeoutError"),
        (OSError("nobody is there"), "the system: nobody is there"),
        (FileNotFoundError(2, "no such file", "a/b"), "a/b: no such file"),
    ],
)
def test_what_the_system_refuses_is_named(capsys, error, said):
    async def work(_):
        raise error

    with pytest.raises(typer.Exit) as left:
        run(work)
    assert left.value.exit_code == 2
    assert capsys.readouterr().err == f"palimpsest: {said}\n"
