"""Checks the layers of the package: who may import whom, and what the pure machines may use.

Reads `swift package describe --type json` on standard input and the sources below Sources/.
Prints one line a violation and ends with 1 when there is any.
"""

import json
import pathlib
import re
import sys

# What each target may depend on, directly. Anything else is an error, in either direction: an
# allowance that is not used is taken out here as well.
ALLOWED = {
    "AtlasModel": [],
    "AtlasEngine": ["AtlasModel", "HeapModule"],
    "AtlasAgent": ["AtlasModel"],
    "AtlasStore": ["AtlasModel"],
    "AtlasStoreSQLite": ["AtlasModel", "AtlasStore", "GRDB", "GRDBSQLite"],
    "AtlasHooks": ["AtlasModel"],
    "AtlasCalendar": ["AtlasModel"],
    "AtlasFleetImport": ["AtlasModel", "AtlasCalendar", "Yams"],
    "AtlasEvidence": ["AtlasModel", "AtlasStore"],
    "AtlasEvidenceFile": ["AtlasModel", "AtlasStore", "AtlasEvidence", "AtlasWire", "Crypto"],
    "AtlasControl": ["AtlasModel", "AtlasEngine", "AtlasStore", "AtlasEvidence", "HeapModule"],
    # It shares no code with what it checks.
    "AtlasChecker": [],
    "AtlasSimulator": [
        "AtlasModel", "AtlasEngine", "AtlasAgent", "AtlasStore", "AtlasControl", "AtlasCalendar",
        "AtlasChecker", "HeapModule",
    ],
    "AtlasRuntime": [
        "AtlasModel", "AtlasEngine", "AtlasStore", "AtlasControl", "AtlasCalendar", "AtlasHooks",
        "Logging", "ServiceLifecycle",
    ],
    "AtlasWire": ["AtlasModel", "CAtlasProto", "CProtobufC", "GRPCCore"],
    "AtlasLua": ["AtlasModel", "AtlasHooks", "CAtlasLua", "AsyncHTTPClient", "NIOCore", "NIOHTTP1",
                 "NIOPosix"],
    "AtlasServer": [
        "AtlasModel", "AtlasEngine", "AtlasStore", "AtlasControl", "AtlasRuntime", "AtlasEvidence",
        "AtlasEvidenceFile", "AtlasFleetImport", "AtlasCalendar", "AtlasHooks", "AtlasWire", "Crypto",
        "GRPCCore",
        "GRPCNIOTransportHTTP2", "Logging", "NIOCore", "NIOPosix", "ServiceLifecycle",
    ],
    "AtlasAgentKit": [
        "AtlasModel", "AtlasAgent", "AtlasWire", "GRPCCore", "GRPCNIOTransportHTTP2", "Logging",
        "NIOCore", "NIOPosix",
    ],
    "AtlasCommands": [
        "AtlasModel", "AtlasEvidenceFile", "AtlasWire", "ArgumentParser", "GRPCCore",
        "GRPCNIOTransportHTTP2", "Logging", "Yams",
    ],
    "AtlasTestKit": ["AtlasModel", "AtlasEngine", "AtlasStore", "AtlasChecker"],
    "atlas": ["AtlasCommands"],
    "atlas-agent": [
        "AtlasModel", "AtlasAgent", "AtlasAgentKit", "ArgumentParser", "GRPCCore", "Logging",
    ],
    "atlas-sim": ["AtlasModel", "AtlasSimulator", "ArgumentParser"],
    "atlas-bench": [
        "AtlasModel", "AtlasEngine", "AtlasStore", "AtlasStoreSQLite", "AtlasControl", "Crypto",
    ],
    "atlasd": [
        "AtlasModel", "AtlasEngine", "AtlasStore", "AtlasStoreSQLite", "AtlasHooks", "AtlasLua",
        "AtlasControl", "AtlasCalendar", "AtlasRuntime", "AtlasServer", "AtlasWire",
        "AtlasEvidenceFile", "ArgumentParser", "GRPCCore", "GRPCNIOTransportHTTP2", "Logging", "NIOPosix",
        "ServiceLifecycle",
    ],
    "CAtlasProto": ["CProtobufC"],
    "CAtlasLua": ["CLua"],
    "CProtobufC": [],
    "CWireFixtures": ["CAtlasProto", "CProtobufC"],
    "CLua": [],
}

# The machines that must give the same result for the same input, whoever runs them.
PURE = ["AtlasEngine", "AtlasAgent", "AtlasEvidence", "AtlasControl", "AtlasSimulator", "AtlasChecker"]
IMPURE = [
    (r"^\s*(?:\w+ )?import (Foundation|Dispatch|Glibc|Synchronization|Logging|_Concurrency)\b",
     "imports {0}"),
    (r"\b(Date\(|ContinuousClock|SuspendingClock|DispatchTime|clock_gettime)", "reads a clock: {0}"),
    (r"(\.random\(|SystemRandomNumberGenerator|\.shuffled?\(\)|\.randomElement)",
     "is random: {0}"),
    (r"\b(UUID\(|ProcessInfo|getenv)", "asks its surroundings: {0}"),
    (r"\b(Task\s*[.{(]|await\b|async\b|withCheckedContinuation)", "is not synchronous: {0}"),
]


# In no source of ours. A `_read` accessor that yields an element of an array makes Swift 6.3 compare
# memory that is free already, in builds for debugging; a getter costs the same once optimised.
BANNED = [(r"\b(_read)\b", "yields from {0}; write a getter")]


def dependencies(target):
    return set(target.get("target_dependencies", [])) | set(target.get("product_dependencies", []))


def layer_problems(package):
    for target in package["targets"]:
        name, kind = target["name"], target["type"]
        if kind == "test":
            continue
        if name not in ALLOWED:
            yield f"{name}: unknown target; add it and what it may import to check_layers.py"
            continue
        for extra in sorted(dependencies(target) - set(ALLOWED[name])):
            yield f"{name}: must not depend on {extra}"


def import_problems(root, package):
    """An import is possible without a declared dependency; the layers hold for it as well."""
    ours = {target["name"] for target in package["targets"]}
    for target in package["targets"]:
        allowed = set(ALLOWED.get(target["name"], []))
        if target["name"] not in ALLOWED:
            continue
        for path in sorted((root / target["path"]).rglob("*.swift")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                match = re.match(r"\s*(?:@\S+ )?(?:\w+ )?import (?:\w+ )?(\w+)", line)
                if match and match[1] in ours and match[1] not in allowed:
                    yield f"{path.relative_to(root)}:{number}: imports {match[1]}"


def code_problems(root, folder, patterns):
    """Lines of code, without texts and comments, that have what they must not have."""
    for path in sorted((root / "Sources" / folder).rglob("*.swift")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            code = re.sub(r'"(\\.|[^"\\])*"', '""', line.split("//")[0])
            for pattern, text in patterns:
                match = re.search(pattern, code)
                if match:
                    found = text.format(match[1].strip())
                    yield f"{path.relative_to(root)}:{number}: {found}"


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    package = json.load(sys.stdin)
    problems = [
        *layer_problems(package), *import_problems(root, package),
        *(problem for name in PURE for problem in code_problems(root, name, IMPURE)),
        *code_problems(root, "", BANNED),
    ]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
