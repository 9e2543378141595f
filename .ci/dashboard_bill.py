"""The dashboard's bill of materials (CycloneDX) from its lock file, on stdout.

`npm sbom --omit dev` leaves out what development packages ask for too, React among it; without `--omit` it stops at a
peer that a development package has not got.
"""

import base64
import json
import sys
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.contrib.this.builders import this_component
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

FRONTEND = Path(__file__).resolve().parents[1] / "frontend"


def bill(lock: dict[str, dict[str, dict[str, str]]]) -> Bom:
    root, *packages = lock["packages"].items()
    made = Bom()
    made.metadata.tools.components.add(this_component())
    made.metadata.component = Component(
        name=root[1]["name"], version=root[1]["version"], type=ComponentType.APPLICATION, bom_ref="dashboard"
    )
    shipped = [_component(place, package) for place, package in packages if not package.get("dev")]
    made.components.update(shipped)
    made.register_dependency(made.metadata.component, shipped)
    return made


def _component(place: str, package: dict[str, str]) -> Component:
    group, _, name = place.rpartition("node_modules/")[2].rpartition("/")
    purl = PackageURL("npm", group or None, name, package["version"])
    return Component(
        name=name,
        group=group or None,
        version=package["version"],
        purl=purl,
        bom_ref=f"{purl}#{place}",
        licenses=[LicenseFactory().make_from_string(package["license"])] if "license" in package else None,
        hashes=[HashType(alg=HashAlgorithm.SHA_512, content=_hexadecimal(package["integrity"]))],
    )


def _hexadecimal(integrity: str) -> str:
    return base64.b64decode(integrity.removeprefix("sha512-")).hex()


if __name__ == "__main__":
    sys.stdout.write(
        JsonV1Dot6(bill(json.loads((FRONTEND / "package-lock.json").read_text()))).output_as_string(indent=2)
    )
