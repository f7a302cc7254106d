#!/usr/bin/env python3
"""Writes what the package says about the crates that are compiled into it.

    bundled.py TARGET DIRECTORY

TARGET is Rust's name of the platform, such as x86_64-unknown-linux-gnu. In DIRECTORY come to be
`copyright`, Debian's machine-readable copyright file, and `sbom.cdx.json`, a CycloneDX 1.5 list of
components. Both are the same for the same Cargo.lock.
"""

import json
import os
import re
import subprocess
import sys
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
LICENCES = os.path.join(HERE, "debian", "licenses")
LICENCE_FILE = re.compile(r"^(LICEN[CS]E|COPYING|COPYRIGHT|NOTICE|UNLICENSE)", re.IGNORECASE)
HOLDER = re.compile(r"^[\s/*#]*(?:Copyright|COPYRIGHT)\s+(?:\([cC]\)\s*|©\s*)?(.*\S)")
# Placeholders and sentences of the licences themselves.
NO_HOLDER = re.compile(r"[\[{]yyyy[\]}]|^(notice|license|owner|holder|and|law|or|interest)\b|^\W*$", re.IGNORECASE)


def metadata(target):
    command = ["cargo", "metadata", "--format-version=1", "--locked", "--filter-platform", target]
    return json.loads(subprocess.check_output(command))


def bundled(data):
    """The crates that end up in the package, and what each of them uses: build tools and macros, and
    what only they need, do not."""
    packages = {package["id"]: package for package in data["packages"]}
    nodes = {node["id"]: node for node in data["resolve"]["nodes"]}
    root = next(p["id"] for p in data["packages"] if p["name"] == "pam_duo")

    def is_macro(package):
        return any("proc-macro" in target["kind"] for target in package["targets"])

    command = next(p["id"] for p in data["packages"] if p["name"] == "pamduo")
    uses, waiting = {}, [root, command]
    while waiting:
        one = waiting.pop()
        if one in uses:
            continue
        uses[one] = sorted(
            dep["pkg"]
            for dep in nodes[one]["deps"]
            if any(kind["kind"] is None for kind in dep["dep_kinds"]) and not is_macro(packages[dep["pkg"]])
        )
        waiting += uses[one]
    found = sorted((packages[one] for one in uses), key=lambda p: (p["name"], p["version"]))
    return packages[root], [p for p in found if p["id"] != root], uses


def holders(package):
    """Whoever a crate's licence files name as holders of its copyright, else its authors."""
    top = os.path.dirname(package["manifest_path"])
    found = []
    for folder, folders, files in os.walk(top):
        folders.sort()
        for name in sorted(files):
            if not LICENCE_FILE.match(name):
                continue
            with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as text:
                for line in text:
                    match = HOLDER.match(line)
                    if match and not NO_HOLDER.search(match.group(1)):
                        holder = match.group(1)
                        if holder not in found:
                            found.append(holder)
    return found or package["authors"] or [f"the authors of {package['name']}"]


def debian_expression(licence):
    """SPDX to the words of Debian's format: X or Y, X and Y, with a comma for brackets."""
    licence = licence.replace("/", " OR ")
    licence = licence.replace("Apache-2.0 WITH LLVM-exception OR ", "")
    match = re.fullmatch(r"\((.*)\) AND (.*)", licence)
    if match:
        licence = f"{match.group(1)}, AND {match.group(2)}"
    return licence.replace(" OR ", " or ").replace(" AND ", " and ")


def names(expression):
    return [name for name in re.split(r",? (?:or|and) ", expression) if name]


def indented(text):
    return "\n".join(f" {line}" if line.strip() else " ." for line in text.strip("\n").split("\n"))


def copyright_file(root, crates):
    out = [
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        "Upstream-Name: pam_duo\n"
        "Comment:\n"
        " The module and the command are linked statically with the Rust crates that\n"
        " are named here by name and version, and with Rust's standard library.\n"
    ]
    used = set()

    def stanza(files, holder_lines, licence):
        expression = debian_expression(licence)
        used.update(names(expression))
        copyrights = "\n           ".join(holder_lines)
        out.append(f"Files: {files}\nCopyright: {copyrights}\nLicense: {expression}\n")

    with open(os.path.join(HERE, "..", "LICENSE-MIT"), encoding="utf-8") as text:
        own = [HOLDER.match(line).group(1) for line in text if HOLDER.match(line)]
    stanza("*", own[:1], root["license"])
    for crate in crates:
        stanza(f"{crate['name']}-{crate['version']}/*", holders(crate), crate["license"])
    stanza("rust-standard-library/*", ["The Rust Project Developers"], "MIT OR Apache-2.0")
    for name in sorted(used):
        with open(os.path.join(LICENCES, name), encoding="utf-8") as text:
            out.append(f"License: {name}\n{indented(text.read())}\n")
    return "\n".join(out)


def purl(package):
    return f"pkg:cargo/{package['name']}@{package['version']}"


def sbom(root, crates, uses, data, target):
    checksums = lock_checksums()
    ids = {package["id"]: purl(package) for package in data["packages"]}

    def component(package, kind):
        made = {
            "type": kind,
            "bom-ref": purl(package),
            "name": package["name"],
            "version": package["version"],
            "licenses": [{"expression": package["license"].replace("/", " OR ")}],
            "purl": purl(package),
        }
        if package["description"]:
            made["description"] = " ".join(package["description"].split())
        checksum = checksums.get((package["name"], package["version"]))
        if checksum:
            made["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        if package["repository"]:
            made["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
        return made

    rustc = subprocess.check_output(["rustc", "--version"], text=True).split()[1]
    standard_library = {
        "type": "library",
        "bom-ref": f"pkg:generic/rust-std@{rustc}",
        "name": "rust-std",
        "version": rustc,
        "description": "Rust's standard library",
        "licenses": [{"expression": "MIT OR Apache-2.0"}],
        "purl": f"pkg:generic/rust-std@{rustc}",
    }
    made = {
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": component(root, "application"),
            "properties": [{"name": "cargo:target", "value": target}],
        },
        "components": [component(crate, "library") for crate in crates] + [standard_library],
        "dependencies": [
            {
                "ref": purl(package),
                "dependsOn": sorted(ids[one] for one in uses[package["id"]])
                + ([standard_library["bom-ref"]] if package is root else []),
            }
            for package in [root, *crates]
        ],
    }
    # Not a random one: the same list has the same number.
    digest = json.dumps(made, sort_keys=True)
    made["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, digest).urn
    return json.dumps(made, indent=1, sort_keys=True) + "\n"


def lock_checksums():
    with open(os.path.join(HERE, "..", "Cargo.lock"), encoding="utf-8") as text:
        parts = text.read().split("[[package]]")
    found = {}
    for part in parts:
        fields = dict(re.findall(r'^(name|version|checksum) = "(.*)"$', part, re.MULTILINE))
        if "checksum" in fields:
            found[fields["name"], fields["version"]] = fields["checksum"]
    return found


def main():
    target, directory = sys.argv[1:]
    data = metadata(target)
    root, crates, uses = bundled(data)
    for name, text in [
        ("copyright", copyright_file(root, crates)),
        ("sbom.cdx.json", sbom(root, crates, uses, data, target)),
    ]:
        with open(os.path.join(directory, name), "w", encoding="utf-8") as out:
            out.write(text)


if __name__ == "__main__":
    main()
