"""The stand-in for AWS (moto), and clients for it."""

import sys
import urllib.error
import urllib.request

import boto3
from botocore.config import Config

from . import processes

ACCOUNT = "123456789012"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}


def start(mark: str) -> tuple[int, str]:
    """Starts moto; gives process id and endpoint."""
    port = processes.free_port()
    command = [sys.executable, "-m", "stack.moto_server", "-H", "127.0.0.1", "-p", str(port)]
    pid = processes.start("moto", command, mark)
    endpoint = f"http://127.0.0.1:{port}"
    processes.wait("moto", lambda: answers(f"{endpoint}/moto-api/"), pid, "moto")
    return pid, endpoint


def answers(url: str) -> bool:
    """Whether an HTTP server answers there, whatever it says."""
    try:
        urllib.request.urlopen(url, timeout=2).close()
        return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def client(service: str, endpoint: str, region: str = "us-east-1"):
    """A boto3 client of the stand-in."""
    return boto3.client(service, **_where(endpoint, region))


def resource(service: str, endpoint: str, region: str = "us-east-1"):
    """A boto3 resource of the stand-in."""
    return boto3.resource(service, **_where(endpoint, region))


def _where(endpoint: str, region: str) -> dict:
    return {
        "endpoint_url": endpoint,
        "region_name": region,
        "aws_access_key_id": CREDENTIALS["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        "config": Config(retries={"max_attempts": 2}, read_timeout=900, s3={"addressing_style": "path"}),
    }


def put_secret(endpoint: str, name: str, value: str, region: str = "us-east-1") -> str:
    """Creates or changes a secret; gives its ARN."""
    secrets = client("secretsmanager", endpoint, region)
    try:
        return secrets.create_secret(Name=name, SecretString=value)["ARN"]
    except secrets.exceptions.ResourceExistsException:
        return secrets.put_secret_value(SecretId=name, SecretString=value)["ARN"]
