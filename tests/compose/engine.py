"""A container engine for these tests: that of DOCKER_HOST, or a dockerd in a folder of its own, gone without a trace.

The images come from their registry where it answers. Where none does, Debian's packages stand in under the same names:
FROM lines and `image:` find them, and what is built and started is the real Dockerfile and the real compose file.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
IMAGES = Path(__file__).parent / "images"
# Debian's client builds with BuildKit by itself; others may lack the plugin for it.
DOCKER = "/usr/bin/docker" if Path("/usr/bin/docker").exists() else "docker"
DEBIAN = "debian:bookworm-slim"
_PACKAGES = "ca-certificates,python3,python3-venv,python3-pip"
_FORWARD = Path("/proc/sys/net/ipv4/ip_forward")
# Tables that nobody has used yet are not saved, and what is not named is not restored.
_EMPTY = {
    "filter": "*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\nCOMMIT\n",
    "nat": "*nat\n:PREROUTING ACCEPT\n:INPUT ACCEPT\n:OUTPUT ACCEPT\n:POSTROUTING ACCEPT\nCOMMIT\n",
}
_NEEDED = ("dockerd", "debootstrap", "iptables-save", "iptables-restore", "ip", "umount")


def missing() -> str:
    """Why no engine can be had here; empty where one can."""
    if not shutil.which(DOCKER) or not (shutil.which("docker-compose") or _has_plugin()):
        return "docker and docker compose are not installed (Debian: apt-get install docker.io docker-compose)"
    if os.environ.get("DOCKER_HOST"):
        return ""
    if os.geteuid() != 0:
        return "only root can start dockerd (or set DOCKER_HOST to one that runs)"
    if absent := [name for name in _NEEDED if not shutil.which(name)]:
        return f"{', '.join(absent)} not installed (Debian: apt-get install docker.io debootstrap iptables iproute2)"
    if Path("/sys/class/net/docker0").exists():
        return "another dockerd runs here: set DOCKER_HOST to use it"
    return ""


def _has_plugin() -> bool:
    return subprocess.run([DOCKER, "compose", "version"], capture_output=True, check=False).returncode == 0


class Engine:
    """`home` holds everything of the dockerd, and is removed with it unless it is to be kept."""

    def __init__(self, home: Path, *, keep: bool) -> None:
        self.home = home
        self._keep = keep
        self._daemon: subprocess.Popen[bytes] | None = None
        self.environment = {**os.environ, "DOCKER_BUILDKIT": "1", "COMPOSE_DOCKER_CLI_BUILD": "1"}
        self.compose = [DOCKER, "compose"] if _has_plugin() else ["docker-compose"]

    def start(self) -> None:
        if os.environ.get("DOCKER_HOST"):
            return
        self.home.mkdir(parents=True, exist_ok=True)
        self._rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
        self._links, self._forward = _links(), _FORWARD.read_text()
        socket = self.home / "docker.sock"
        self.environment["DOCKER_HOST"] = f"unix://{socket}"
        with (self.home / "dockerd.log").open("wb") as log:
            self._daemon = subprocess.Popen(
                [
                    *("dockerd", "--data-root", self.home / "data", "--exec-root", self.home / "run"),
                    *("--pidfile", self.home / "dockerd.pid", "--host", f"unix://{socket}"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + 60
        while self.docker("version", check=False).returncode:
            if self._daemon.poll() is not None or time.monotonic() > deadline:
                said = (self.home / "dockerd.log").read_text(errors="replace")[-2000:]
                self.stop()
                raise RuntimeError(f"dockerd does not start:\n{said}")
            time.sleep(0.2)

    def stop(self) -> None:
        """End the dockerd, and put the machine's network back as it was."""
        if self._daemon is None:
            return
        self._daemon.terminate()
        try:
            self._daemon.wait(60)
        except subprocess.TimeoutExpired:
            self._daemon.kill()
            self._daemon.wait()
        for mount in _mounts_below(self.home):
            subprocess.run(["umount", "--lazy", mount], check=False)
        for link in _links() - self._links:
            subprocess.run(["ip", "link", "delete", link], capture_output=True, check=False)
        untouched = [table for name, table in _EMPTY.items() if f"*{name}\n" not in self._rules]
        subprocess.run(["iptables-restore"], input="".join([self._rules, *untouched]), text=True, check=True)
        _FORWARD.write_text(self._forward)
        if not self._keep:
            shutil.rmtree(self.home, ignore_errors=True)

    def docker(self, *arguments: str | Path, check: bool = True) -> "subprocess.CompletedProcess[str]":
        return self.run(DOCKER, *arguments, check=check)

    def run(
        self, *command: str | Path, check: bool = True, seconds: float = 900, **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
        if check and done.returncode:
            told = f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
            raise RuntimeError(told[-6000:])
        return done

    def provide(self) -> list[str]:
        """All images, made or pulled; the compose files with which they start."""
        files = ["docker-compose.yml"]
        python, node = _named(r"^FROM (python:\S+)"), _named(r"^FROM (node:\S+)")
        services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
        postgres = services["postgres"]["image"]
        if not self._pulled(python, node, postgres):
            self._make_debian()
            self.docker("tag", DEBIAN, python)
            self._build(node, "-f", IMAGES / "node.Dockerfile", ROOT)
            self._build(postgres, "-f", IMAGES / "postgres.Dockerfile", IMAGES)
        self._build("aetherflow:local", "--target", "platform", ROOT)
        if not self._pulled(services["sqs"]["image"], services["s3"]["image"]):
            self._build("aetherflow-stand-in:local", "--target", "stand-in", ROOT)
            files.append("docker-compose.stand-in.yml")
        return files

    def _pulled(self, *images: str) -> bool:
        """What is there already under that name counts too."""
        return all(
            self.docker("image", "inspect", image, check=False).returncode == 0
            or self.docker("pull", "--quiet", image, check=False).returncode == 0
            for image in images
        )

    def _build(self, image: str, *arguments: str | Path) -> None:
        authorities = os.environ.get("SSL_CERT_FILE", "")
        secret = ("--secret", f"id=ca,src={authorities}") if Path(authorities).is_file() else ()
        self.docker("build", "--quiet", *secret, "--tag", image, *arguments)

    def _make_debian(self) -> None:
        if self.docker("image", "inspect", DEBIAN, check=False).returncode == 0:
            return
        root, packed = self.home / "debian", self.home / "debian.tar"
        shutil.rmtree(root, ignore_errors=True)
        sys.stderr.write("No registry of images answers: making them of Debian's packages ...\n")
        self.run("debootstrap", "--variant=minbase", f"--include={_PACKAGES}", "bookworm", root)
        self.run("tar", "--directory", root, "--create", "--file", packed, ".")
        self.docker("import", packed, DEBIAN)
        shutil.rmtree(root)
        packed.unlink()


def _named(pattern: str) -> str:
    found = re.search(pattern, (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert found
    return found[1]


def _links() -> set[str]:
    return {path.name for path in Path("/sys/class/net").iterdir()}


def _mounts_below(folder: Path) -> list[str]:
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    return sorted((each for each in mounts if each.startswith(f"{folder}/")), key=len, reverse=True)
