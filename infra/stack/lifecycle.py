"""Starting and stopping the whole stack."""

import secrets
import time

from . import aws, host, postgres, processes, sample, servers, state, template
from .prerequisites import say
from .state import Stack

LABEL = "main"


def up(profile: str = "dev") -> tuple[Stack, bool]:
    """The running stack, and whether this call started it, with programs of this cargo profile."""
    there = state.load()
    if there is not None and there.running():
        return there, False
    if there is not None:
        down()
    begun = time.monotonic()
    say("building the functions (cargo)")
    programs = host.build(profile)
    stack = Stack(mark=secrets.token_hex(8))
    try:
        say("starting PostgreSQL 18")
        pid, stack.postgres_url, folder = postgres.start(stack.mark)
        stack.pids, stack.postgres_bin = {"postgres": pid}, str(folder)
        stack.save()
        say("starting the stand-in for AWS")
        pid, stack.aws_endpoint = aws.start(stack.mark)
        stack.pids = {"moto": pid, **stack.pids}
        stack.save()
        say("creating what template.yaml says")
        _deploy(stack, programs)
        stack.save()
    except BaseException:
        stack.save()
        down()
        raise
    say(f"up after {time.monotonic() - begun:.0f} s: API {stack.api_url}, Lambda {stack.invoke_url}, AWS {stack.aws_endpoint}")
    return stack, True


def _deploy(stack: Stack, programs) -> None:
    shop = sample.create(stack)
    stack.main_secret = aws.put_secret(stack.aws_endpoint, "pgbaton/main", shop)
    stack.jwt_secret = aws.put_secret(stack.aws_endpoint, "pgbaton/jwt", secrets.token_urlsafe(32))
    parameters = {
        "DatabaseSecretArn": stack.main_secret,
        "DatabaseLabel": LABEL,
        "JwtSecretArn": stack.jwt_secret,
        "DeletionProtection": "false",
    }
    deployed = template.deploy(stack.aws_endpoint, stack.region, parameters)
    stack.bucket = deployed.outputs["BucketName"]
    stack.backup_table = deployed.outputs["BackupTableName"]
    stack.state_table = deployed.outputs["StateTableName"]
    stack.functions = {f["binary"]: f["name"] for f in deployed.functions.values()}
    stack.schedules = {s["name"]: s["expression"] for s in deployed.schedules}
    say("starting the Lambda host")
    host.start(stack, deployed, programs)


def down() -> bool:
    """Stops whatever of the stack still runs; tells whether there was anything."""
    stack = state.load()
    if stack is None:
        return False
    found = bool(processes.marked(stack.mark))
    processes.stop(stack.mark, list(stack.pids.values()))
    postgres.remove_data()
    servers.remove_data()
    for file in (state.paths.STATE, state.paths.LOCAL / "lambda-host.json"):
        file.unlink(missing_ok=True)
    return found
