"""Terraform over a copy of `infra/`, its state in a file and its AWS the local endpoint."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from config.local import ROOT
from config.local.endpoint import CREDENTIALS

INFRA = ROOT / "infra"
REGION = "us-east-1"
NO_CHANGES, CHANGES = 0, 2
# What is said of the provider in infra/ is for AWS; the endpoint knows no host names of buckets.
OVERRIDE = """
terraform {
  backend "local" {}
}
provider "aws" {
  s3_use_path_style = true
}
"""


class NoTerraform(Exception):  # noqa: N818
    """Why it cannot be run here."""


class Terraform:
    def __init__(self, folder: Path, *, endpoint_url: str) -> None:
        self.folder = folder
        # A person's own AWS is out of reach: neither their profile nor their configuration is read.
        self._env = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_VAR_"))}
        self._env |= {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": endpoint_url,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1,localhost",
            "CHECKPOINT_DISABLE": "1",
            "TF_IN_AUTOMATION": "1",
        }

    def begin(self, **variables: object) -> None:
        """Raises NoTerraform where there is none, or not its provider."""
        if shutil.which("terraform") is None:
            raise NoTerraform("terraform is not on the PATH")
        for file in (*INFRA.glob("*.tf"), INFRA / ".terraform.lock.hcl"):
            shutil.copy(file, self.folder)
        (self.folder / "local_override.tf").write_text(OVERRIDE)
        (self.folder / "terraform.tfvars.json").write_text(json.dumps(variables))
        done = self.run("init", "-input=false", check=False)
        if done.returncode:
            raise NoTerraform(f"terraform finds no provider; set TF_CLI_ARGS_init=-plugin-dir=…\n{done.stderr}")

    def run(self, *arguments: str, check: bool = True, seconds: float = 600) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            ["terraform", *arguments, *(() if arguments[0] in {"fmt", "show", "output"} else ("-no-color",))],
            cwd=self.folder,
            env=self._env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert not check or done.returncode == 0, f"terraform {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
        return done

    def apply(self) -> None:
        self.run("apply", "-auto-approve", "-input=false", "-parallelism=30")

    def destroy(self) -> None:
        self.run("destroy", "-auto-approve", "-input=false", "-parallelism=30")

    def plan(self, *arguments: str) -> tuple[int, str]:
        """NO_CHANGES or CHANGES, and what it says."""
        done = self.run("plan", "-detailed-exitcode", "-input=false", "-parallelism=30", *arguments, check=False)
        assert done.returncode in {NO_CHANGES, CHANGES}, done.stderr
        return done.returncode, done.stdout

    def output(self, name: str) -> Any:
        return json.loads(self.run("output", "-json", name).stdout)

    def resources(self, kind: str) -> dict[str, dict[str, Any]]:
        """Key of `for_each` (or the name) → attributes of what was made."""
        known = json.loads(self.run("show", "-json").stdout)["values"]["root_module"]["resources"]
        return {each.get("index", each["name"]): each["values"] for each in known if each["type"] == kind}

    def state(self) -> str:
        return (self.folder / "terraform.tfstate").read_text()
