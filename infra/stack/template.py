"""template.yaml as CloudFormation would run it: transformed, its resources created in the stand-in, and read back, so that the stack runs
what the template says and not a second description of it."""

import base64
import io
import json
import os
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import aws, paths

STACK = "pgbaton"


@dataclass
class Deployed:
    """What the template says, with the names that were given."""

    functions: dict[str, dict[str, Any]]
    """By logical name: `name`, `binary`, `memory`, `timeout`, `retries`, `environment`."""
    schedules: list[dict[str, Any]]
    """`name` (logical), `expression`, `timezone`, `function` (ARN), `input`, `enabled`."""
    schedule_groups: list[str]
    """Names of the groups whose schedules the functions manage."""
    state_machines: list[dict[str, Any]]
    """`name`, `arn`, `definition` (file), `substitutions`."""
    api: str
    """Logical name of the function behind the HTTP API."""
    outputs: dict[str, str]


def deploy(endpoint: str, region: str, parameters: dict[str, str]) -> Deployed:
    """Creates the template's resources in an empty stand-in."""
    template, definitions = _transformed(region)
    defaults = {name: p["Default"] for name, p in template["Parameters"].items() if "Default" in p}
    iac = aws.client("cloudformation", endpoint, region)
    iac.create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(template),
        Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    stack = iac.describe_stacks(StackName=STACK)["Stacks"][0]
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise SystemExit(f"the template could not be created: {stack['StackStatus']}")
    names = {r["LogicalResourceId"]: r["PhysicalResourceId"] for r in iac.list_stack_resources(StackName=STACK)["StackResourceSummaries"]}
    resolve = Resolver(template, {**defaults, **parameters}, names, region)
    resources = template["Resources"]
    lambdas = aws.client("lambda", endpoint, region)
    functions = {}
    for logical, resource in resources.items():
        if resource["Type"] == "AWS::Lambda::Function":
            said = lambdas.get_function_configuration(FunctionName=names[logical])
            functions[logical] = {
                "name": said["FunctionName"],
                "binary": resource["Metadata"]["BuildProperties"]["Binary"],
                "memory": said["MemorySize"],
                "timeout": said["Timeout"],
                "retries": _retries(resources, logical),
                # The stand-in gives numbers back as numbers.
                "environment": {k: str(v) for k, v in said.get("Environment", {}).get("Variables", {}).items()},
            }
    schedules = [
        _schedule(logical, resolve.value(resource["Properties"]))
        for logical, resource in resources.items()
        if resource["Type"] == "AWS::Scheduler::Schedule"
    ]
    groups = _groups(resources, resolve, endpoint, region)
    state_machines = [
        {
            "name": names[logical].rpartition(":")[2],
            "arn": names[logical],
            "definition": file,
            "substitutions": resolve.value(resources[logical]["Properties"].get("DefinitionSubstitutions", {})),
        }
        for logical, file in definitions.items()
    ]
    outputs = {o["OutputKey"]: o["OutputValue"] for o in stack.get("Outputs", [])}
    return Deployed(functions, schedules, groups, state_machines, _behind_api(resources), outputs)


def _transformed(region: str) -> tuple[dict[str, Any], dict[str, Path]]:
    """The template without SAM's own resources, and the files of the state machines' definitions by logical name."""
    os.environ.setdefault("AWS_DEFAULT_REGION", region)
    from samtranslator.translator.transform import transform
    from samtranslator.yaml_helper import yaml_parse

    class NoManagedPolicies:
        """The template names none."""

        def load(self) -> dict[str, str]:
            return {}

    template = yaml_parse((paths.ROOT / "template.yaml").read_text())
    definitions = {}
    for logical, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://none/none.zip"
        if resource["Type"] == "AWS::Serverless::StateMachine":
            definitions[logical] = paths.ROOT / resource["Properties"]["DefinitionUri"]
            resource["Properties"]["DefinitionUri"] = "s3://none/none.json"
    defaults = {name: p.get("Default", "") for name, p in template["Parameters"].items()}
    template = transform(template, defaults, NoManagedPolicies())
    # The stand-in keeps a function's settings and a state machine's name; the host runs the program and the definition.
    for logical, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Code"] = {"ZipFile": _empty_zip()}
        if resource["Type"] == "AWS::KMS::Key":
            # moto reads the tags of a key as its API has them (TagKey), not as CloudFormation has them.
            resource["Properties"].pop("Tags", None)
        if logical in definitions:
            del resource["Properties"]["DefinitionS3Location"]
            resource["Properties"]["DefinitionString"] = definitions[logical].read_text()
    return json.loads(json.dumps(template)), definitions


def _empty_zip() -> str:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as z:
        z.writestr("bootstrap", "")
    return base64.b64encode(content.getvalue()).decode()


def _retries(resources: dict[str, Any], function: str) -> int:
    for resource in resources.values():
        if resource["Type"] == "AWS::Lambda::EventInvokeConfig" and resource["Properties"]["FunctionName"] == {"Ref": function}:
            return resource["Properties"].get("MaximumRetryAttempts", 2)
    return 2


def _behind_api(resources: dict[str, Any]) -> str:
    """The function that API Gateway is permitted to invoke."""
    for resource in resources.values():
        if resource["Type"] == "AWS::Lambda::Permission" and resource["Properties"]["Principal"] == "apigateway.amazonaws.com":
            return resource["Properties"]["FunctionName"]["Ref"]
    raise SystemExit("template.yaml has no function behind the HTTP API")


def _groups(resources: dict[str, Any], resolve: "Resolver", endpoint: str, region: str) -> list[str]:
    """The groups of schedules, which the stand-in's CloudFormation leaves out."""
    scheduler = aws.client("scheduler", endpoint, region)
    groups = [resolve.value(r["Properties"]["Name"]) for r in resources.values() if r["Type"] == "AWS::Scheduler::ScheduleGroup"]
    for group in groups:
        scheduler.create_schedule_group(Name=group)
    return groups


def _schedule(logical: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": logical,
        "expression": properties["ScheduleExpression"],
        "timezone": properties.get("ScheduleExpressionTimezone", "UTC"),
        "function": properties["Target"]["Arn"],
        "input": properties["Target"].get("Input", "{}"),
        "enabled": properties.get("State", "ENABLED") == "ENABLED",
    }


class Resolver:
    """The intrinsic functions that the template uses where the stand-in does not resolve them: in its schedules, and in what is put into the
    definitions of state machines."""

    def __init__(self, template: dict[str, Any], parameters: dict[str, str], names: dict[str, str], region: str):
        self.template, self.parameters, self.names = template, parameters, names
        self.pseudo = {"AWS::Region": region, "AWS::AccountId": aws.ACCOUNT, "AWS::Partition": "aws", "AWS::StackName": STACK}

    def value(self, v: Any) -> Any:
        """`v` with its intrinsic functions replaced."""
        if isinstance(v, list):
            return [self.value(x) for x in v]
        if not isinstance(v, dict):
            return v
        if len(v) == 1:
            name, argument = next(iter(v.items()))
            if name == "Ref":
                return self.ref(argument)
            if name == "Fn::GetAtt":
                return self.attribute(*argument)
            if name == "Fn::Sub" and isinstance(argument, str):
                return re.sub(r"\$\{([\w:]+)\}", lambda m: str(self.ref(m[1])), argument)
            if name == "Fn::If":
                return self.value(argument[1] if self.condition(argument[0]) else argument[2])
            if name.startswith("Fn::"):
                raise SystemExit(f"template.yaml uses {name} where it would have to be resolved here, which infra/stack/template.py does not know")
        return {k: self.value(x) for k, x in v.items()}

    def ref(self, name: str) -> Any:
        """A parameter, pseudo parameter or resource."""
        for known in (self.parameters, self.pseudo, self.names):
            if name in known:
                return known[name]
        return name

    def attribute(self, logical: str, attribute: str) -> str:
        """The ARNs that schedules and state machines need."""
        kind = self.template["Resources"][logical]["Type"]
        region, name = self.pseudo["AWS::Region"], self.names.get(logical, logical)
        if (kind, attribute) == ("AWS::Lambda::Function", "Arn"):
            return f"arn:aws:lambda:{region}:{aws.ACCOUNT}:function:{name}"
        return f"arn:aws:unknown:{region}:{aws.ACCOUNT}:{logical}.{attribute}"

    def condition(self, name: str) -> bool:
        """A condition of the template: Equals and Not are enough so far."""
        return self._test(self.template["Conditions"][name])

    def _test(self, test: dict[str, Any]) -> bool:
        name, argument = next(iter(test.items()))
        if name == "Fn::Equals":
            left, right = (self.value(x) for x in argument)
            return left == right
        if name == "Fn::Not":
            return not self._test(argument[0])
        raise SystemExit(f"template.yaml uses {name} in a condition, which infra/stack/template.py does not know")
