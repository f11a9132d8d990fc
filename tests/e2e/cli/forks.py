"""Runs ``honcho`` again and again, each time in a fork of one process that imported it.

It reads lines of JSON, the arguments of one command each, and answers each with a line:
``code``, ``out`` and ``err``. Its first line is what the program offers: for each
command, the names of each option. A program started anew for each command would do
the same, a second later.
"""

import json
import os
import sys
import tempfile
import traceback

import typer
from honcho_cli.main import app


def offered(command, path=()):
    """The options of this command and of all below it, by path."""
    found = {}
    for name, each in getattr(command, "commands", {}).items():
        if not each.hidden:
            found |= offered(each, (*path, name))
    if not found:
        options = [p.opts + p.secondary_opts for p in command.params]
        found[" ".join(path)] = [each for each in options if each[0].startswith("-")]
    return found


def run(arguments):
    """Run one command as ``honcho`` does, in a process of its own."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            os._exit(told(arguments))
        _, status = os.waitpid(child, 0)
        out.seek(0)
        err.seek(0)
        return {
            "code": os.waitstatus_to_exitcode(status),
            "out": out.read().decode(),
            "err": err.read().decode(),
        }


def told(arguments):
    """Return the exit code, as the interpreter would at the end of the program."""
    sys.argv = ["honcho", *arguments]
    try:
        app()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(bool(ended.code))
    except BaseException:  # noqa: BLE001  the interpreter would print it and exit
        traceback.print_exc()
        return 70
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    print(json.dumps(offered(typer.main.get_command(app))), flush=True)
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
