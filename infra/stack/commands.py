"""The command line. Imports nothing outside Python's own library before a command is chosen."""

import argparse
import json
import sys
from typing import Any

from .prerequisites import fail


def parser() -> argparse.ArgumentParser:
    """All commands and their arguments."""
    top = argparse.ArgumentParser(
        prog="infra/local", description="pgbaton on this machine: PostgreSQL, stand-ins for AWS, and the functions, on loopback."
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, help: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=help, description=help)

    command("up", "start the stack and leave it running")
    command("down", "stop the stack, and whatever is left of an earlier one")
    command("status", "what runs, and where")
    demo = command("demo", "back up a sample database, restore it beside itself, and compare")
    demo.add_argument("--database-url", metavar="URL", help="your own database instead of the sample")
    demo.add_argument("--keep", action="store_true", help="keep the restored copy of your database")
    backup = command("backup", "back up a database and wait for the end")
    backup.add_argument("url", metavar="URL", help="postgresql://… or a key=value connection string")
    backup.add_argument("options", nargs="?", type=options, default={}, metavar="OPTIONS", help='JSON, such as {"compression": "gzip"}')
    backup.add_argument("--json", action="store_true", help="print the record as JSON")
    restore = command("restore", "restore a backup into a database, made when it is not there, and wait for the end")
    restore.add_argument("id", metavar="BACKUP_ID", help="id of the backup, or the S3 key or URL of an archive's folder")
    restore.add_argument("url", metavar="URL", help="connection string of the target")
    restore.add_argument("options", nargs="?", type=options, default={}, metavar="OPTIONS", help='JSON, such as {"jobs": 4}')
    restore.add_argument("--json", action="store_true", help="print the record as JSON")
    invoke = command("invoke", "invoke a function and print its answer")
    invoke.add_argument("function", metavar="FUNCTION", help="scheduled-backup, restore, worker, verify, retention-cleanup or api")
    invoke.add_argument("event", nargs="?", type=options, default={}, metavar="EVENT", help="the event, JSON")
    token = command("token", "a token for the API, good for an hour")
    token.add_argument("--scope", default="backup:read backup:write", help="default: %(default)s")
    token.add_argument("--subject", default="infra/local", metavar="NAME", help="who calls, for audit lines and records (%(default)s)")
    token.add_argument("--key-stdin", action="store_true", help="sign with the key on standard input, of a deployment whose JWT_SECRET_ARN names it")
    logs = command("logs", "the log of a function, of postgres, moto or lambda-host")
    logs.add_argument("function", metavar="FUNCTION")
    bench = command("bench", "pgbaton beside pg_dump and pg_restore, on this machine: time, processor, memory")
    bench.add_argument("shapes", nargs="*", metavar="SHAPE", help="one, many, wide, or start for sizes and cold starts; default: all")
    bench.add_argument("--rounds", type=int, default=5, metavar="N", help="how often each way is measured; medians are printed (%(default)s)")
    bench.add_argument("--profile", choices=["release", "dev"], default="release", help="how the functions are built (%(default)s)")
    test = command("test", "everything that must hold: format, lints, template, licences, unit and end-to-end tests")
    test.add_argument("--only", metavar="STEP", action="append", help="only this step (again for more); `list` names them")
    test.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="after --: passed on to cargo test")
    return top


def options(text: str) -> dict[str, Any]:
    """A JSON object."""
    try:
        value = json.loads(text)
    except ValueError as e:
        raise argparse.ArgumentTypeError(f"it is not JSON: {e}") from None
    if not isinstance(value, dict):
        raise argparse.ArgumentTypeError("it must be a JSON object")
    return value


def run(arguments: list[str]) -> int:
    """Carries out one command; gives the exit status."""
    asked = parser().parse_args(arguments)
    from . import host, lifecycle, paths, sample, state

    match asked.command:
        case "up":
            stack, started = lifecycle.up()
            if started:
                sample.fill(stack)
            print(json.dumps(overview(stack), indent=2))
            return 0
        case "down":
            print("stopped" if lifecycle.down() else "nothing was running")
            return 0
        case "status":
            stack = state.load()
            running = stack is not None and stack.running()
            print(json.dumps(overview(stack) if running else {"running": False}, indent=2))
            return 0 if running else 1
        case "invoke":
            ok, answer = host.invoke(state.required(), asked.function, asked.event)
            sys.stdout.write(answer.decode(errors="replace") + "\n")
            return 0 if ok else 1
        case "token":
            from . import token

            if asked.key_stdin:
                # As the functions read the secret: without the newline at its end.
                print(token.signed(sys.stdin.read().strip(), asked.scope, asked.subject))
            else:
                print(token.make(state.required(), asked.scope, asked.subject))
            return 0
        case "logs":
            stack = state.load()
            name = stack.functions.get(asked.function, asked.function) if stack else asked.function
            file = paths.LOGS / f"{name}.log"
            if "/" in name or not file.exists():
                fail(f"there is no log of {asked.function}; there are {', '.join(sorted(f.stem for f in paths.LOGS.glob('*.log')))}")
            sys.stdout.write(file.read_text(errors="replace"))
            return 0
        case "backup":
            from . import runs

            return runs.backup(state.required(), asked.url, asked.options, asked.json)
        case "restore":
            from . import runs

            return runs.restore(state.required(), asked.id, asked.url, asked.options, asked.json)
        case "demo":
            from . import demo

            return demo.run(asked.database_url, asked.keep)
        case "bench":
            from . import bench

            return bench.run(asked.shapes, asked.rounds, asked.profile)
        case "test":
            from . import checks

            return checks.run(asked.only or [], asked.arguments)
    return 2


def overview(stack) -> dict[str, Any]:
    """What a person wants to know of a running stack; no password."""
    from urllib.parse import urlsplit

    at = urlsplit(stack.postgres_url)
    return {
        "running": True,
        "api": stack.api_url,
        "lambda": stack.invoke_url,
        "states": stack.states_url,
        "aws": stack.aws_endpoint,
        "postgres": f"{at.hostname}:{at.port} (the URL is in .local/stack.json)",
        "bucket": stack.bucket,
        "backup_table": stack.backup_table,
        "functions": stack.functions,
        "schedules": stack.schedules,
        "processes": stack.pids,
    }
