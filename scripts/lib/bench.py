#!/usr/bin/env python3
"""Measures a rehearsal against the budgets. Called by scripts/bench."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from rehearsal import CAMPAIGN, Rehearsal, Trouble

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


def resident(pid):
    """Bytes of memory of a process that are in use."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS


def milliseconds(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")


class Bench:
    def __init__(self, rehearsal):
        self.rehearsal = rehearsal
        self.rows = []

    def row(self, what, budget, measured):
        self.rows.append((what, budget, measured))

    def play(self):
        night = self.rehearsal
        night.prepare()
        daemon = next(child.pid for name, child in night.children if name == "atlasd")
        example = Path(__file__).resolve().parents[2] / "examples" / "msp-100x10"
        night.atlas("fleet", "import", str(example / "servers.csv"), str(example / "clients.yaml"),
                    "--yes")
        empty = resident(daemon)
        night.connect()
        self.row("memory per connected agent", "<= 64 KB",
                 f"{(resident(daemon) - empty) / 1000 / 1000:.1f} KB")
        night.atlas("campaign", "create", CAMPAIGN, "--policy", str(example / "policy.yaml"))
        before = cpu_seconds(daemon)
        night.atlas("campaign", "start", CAMPAIGN, "--yes")
        night.atlas("campaign", "wait", CAMPAIGN, "--timeout", "15m", check=False)
        used = cpu_seconds(daemon) - before
        records = night.rows("audit", "list", "--campaign", CAMPAIGN, "--oldest-first",
                             "--limit", "1000000")
        steps = sum(record["kind"].startswith("run.") for record in records)
        self.row("CPU per server and step", "<= 2 ms", f"{used / steps * 1000:.2f} ms")
        said = self.said_healthy()
        proven = {record["server"]: milliseconds(record["realTime"]) for record in records
                  if record["kind"] == "run.phase" and record["phase"] == "PHASE_FINALIZE"}
        for name, healthy in [("proven healthy to next start", proven),
                              ("said healthy to next start", said)]:
            gaps = self.handovers(records, healthy)
            self.row(f"{name}, p99", "<= 50 ms",
                     f"{percentile(gaps, 0.99):.0f} ms (p50 {percentile(gaps, 0.5):.0f} ms)")
        ratio = night.report()["ratio"]
        self.row("makespan / lower bound, 100 x 10", "<= 1.02", f"{ratio:.3f}")
        told = self.stop()
        self.row("stop to agents told, p99 (p50)", "<= 1 s",
                 f"{percentile(told, 0.99):.0f} ms ({percentile(told, 0.5):.0f} ms)")

    def stop(self):
        """Real milliseconds from the record of an emergency stop until each agent has heard it."""
        night = self.rehearsal
        night.atlas("stop", "--reason", "bench")
        record = next(row for row in night.rows("audit", "list", "--limit", "100")
                      if row["kind"] == "stop.latched")
        ledger = night.dir / "agents" / "ledger.jsonl"
        deadline = time.monotonic() + 60
        while True:
            told = [json.loads(line)["real_ns"] / 1e6 - milliseconds(record["realTime"])
                    for line in ledger.read_text().splitlines() if '"event":"stop"' in line]
            if len(told) == 1000:
                return told
            if time.monotonic() > deadline:
                raise Trouble(f"only {len(told)} of 1000 agents heard the stop")
            time.sleep(0.1)

    def said_healthy(self):
        """When each agent last said that its server is healthy: the hook `post_update` and a commit
        lie between this and the proof."""
        ledger = self.rehearsal.dir / "agents" / "ledger.jsonl"
        rows = [json.loads(line) for line in ledger.read_text().splitlines()]
        return {row["server"]: row["real_ns"] / 1e6 for row in rows if row["event"] == "ended"
                and row["kind"] == "HEALTH" and row.get("claims_healthy")}

    def handovers(self, records, healthy):
        """Real milliseconds from `healthy` of a server to the record of the start of its client's
        next. The hook `finalize` and two commits lie in between; the start's own commit follows."""
        last, gaps = {}, []
        for record in records:
            if record["kind"] == "run.completed":
                last[record["client"]] = record["server"]
            elif record["kind"] == "run.started" and last.get(record["client"]) in healthy:
                began = healthy[last.pop(record["client"])]
                gaps.append(milliseconds(record["realTime"]) - began)
        return gaps


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--machine", default="")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="atlas-bench-") as directory:
        rehearsal = Rehearsal(argparse.Namespace(
            bin=options.bin, dir=Path(directory), speed=1000, port=None, exit=True))
        bench = Bench(rehearsal)
        try:
            bench.play()
        except Trouble as trouble:
            sys.exit(f"error: {trouble}\n{trouble.hint}")
        finally:
            rehearsal.stop()
    for what, budget, measured in bench.rows:
        print(f"{what:<36}{budget:<28}{measured:<28}{options.machine}")


if __name__ == "__main__":
    main()
