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

EXAMPLE_SERVERS = 1000
# As many connected agents DESIGN's budgets for hand-over and stop are about.
BUDGET_SERVERS = 10000
CLIENT_SERVERS = 10
# Clients of one import: as many as the example has, so that one message holds them.
IMPORTED_CLIENTS = 100
# What is idle has a ring of its own, which the campaign leaves out.
EXAMPLE_RINGS = "0,1,2,3"
IDLE_RING = 7
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

    def among(self, what, budget, measured):
        """A row whose budget is about so many connected agents, and holds for no other number."""
        agents = self.rehearsal.servers
        if agents != BUDGET_SERVERS:
            budget = f"- ({budget} at {BUDGET_SERVERS:,})"
        self.row(f"{what}, {agents:,} agents", budget, measured)

    def idle_fleet(self):
        """Servers that are connected and in no campaign, until there are as many as asked for."""
        night = self.rehearsal
        first = EXAMPLE_SERVERS // CLIENT_SERVERS
        last = night.servers // CLIENT_SERVERS
        for begin in range(first, last, IMPORTED_CLIENTS):
            names = [f"IDLE{n:05}" for n in range(begin, min(begin + IMPORTED_CLIENTS, last))]
            clients, servers = night.dir / "idle.yaml", night.dir / "idle.csv"
            clients.write_text("clients:\n" + "".join(
                f"  - {{name: {name}, ring: {IDLE_RING}, zone: Europe/Paris, "
                "windows: ['Fri 20:00-Mon 05:00']}\n" for name in names))
            servers.write_text("server,client,site,roles,number,system\n" + "".join(
                f"{name}-PARIS-WEB{n:02},{name},PARIS,WEB,{n},debian-12\n"
                for name in names for n in range(1, CLIENT_SERVERS + 1)))
            night.atlas("fleet", "import", str(servers), str(clients), "--yes")

    def play(self):
        night = self.rehearsal
        night.prepare()
        daemon = next(child.pid for name, child in night.children if name == "atlasd")
        example = Path(__file__).resolve().parents[2] / "examples" / "msp-100x10"
        night.atlas("fleet", "import", str(example / "servers.csv"), str(example / "clients.yaml"),
                    "--yes")
        self.idle_fleet()
        empty = resident(daemon)
        began = time.monotonic()
        night.connect()
        self.row(f"memory per connected agent of {night.servers:,}", "<= 64 KB",
                 f"{(resident(daemon) - empty) / night.servers / 1000:.1f} KB "
                 f"(all connected in {time.monotonic() - began:.0f} s)")
        night.atlas("campaign", "create", CAMPAIGN, "--policy", str(example / "policy.yaml"),
                    "--ring", EXAMPLE_RINGS)
        before = cpu_seconds(daemon)
        night.atlas("campaign", "start", CAMPAIGN, "--yes")
        night.atlas("campaign", "wait", CAMPAIGN, "--timeout", "15m", check=False)
        used = cpu_seconds(daemon) - before
        records = night.rows("audit", "list", "--campaign", CAMPAIGN, "--oldest-first",
                             "--limit", "1000000")
        steps = sum(record["kind"].startswith("run.") for record in records)
        self.row(f"CPU per server and step, {EXAMPLE_SERVERS:,} servers", "<= 2 ms",
                 f"{used / steps * 1000:.2f} ms")
        said = self.said_healthy()
        proven = {record["server"]: milliseconds(record["realTime"]) for record in records
                  if record["kind"] == "run.phase" and record["phase"] == "PHASE_FINALIZE"}
        for name, healthy in [("proven healthy to next start", proven),
                              ("said healthy to next start", said)]:
            gaps = self.handovers(records, healthy)
            self.among(
                f"{name}, p99", "<= 50 ms",
                f"{percentile(gaps, 0.99):.0f} ms (p50 {percentile(gaps, 0.5):.0f} ms)")
        ratio = night.report()["ratio"]
        self.row("makespan / lower bound, 100 x 10", "<= 1.02", f"{ratio:.3f}")
        told = self.stop()
        self.among("stop to agents told, p99", "<= 1 s",
                   f"{percentile(told, 0.99):.0f} ms (p50 {percentile(told, 0.5):.0f} ms)")

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
            if len(told) == night.servers:
                return told
            if time.monotonic() > deadline:
                raise Trouble(f"only {len(told)} of {night.servers} agents heard the stop")
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
    parser.add_argument("--agents", type=int, default=EXAMPLE_SERVERS)
    options = parser.parse_args()
    if options.agents < EXAMPLE_SERVERS or options.agents % CLIENT_SERVERS:
        parser.error(f"--agents: at least {EXAMPLE_SERVERS}, in steps of {CLIENT_SERVERS}")
    with tempfile.TemporaryDirectory(prefix="atlas-bench-") as directory:
        rehearsal = Rehearsal(argparse.Namespace(
            bin=options.bin, dir=Path(directory), speed=1000, port=None, exit=True))
        rehearsal.servers = options.agents
        bench = Bench(rehearsal)
        try:
            bench.play()
        except Trouble as trouble:
            sys.exit(f"error: {trouble}\n{trouble.hint}")
        finally:
            rehearsal.stop()
    for what, budget, measured in bench.rows:
        print(f"{what:<50}{budget:<30}{measured:<72}{options.machine}")


if __name__ == "__main__":
    main()
