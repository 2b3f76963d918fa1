#!/usr/bin/env python3
"""Starts a rehearsal, follows it, and judges it. Called by scripts/run."""

import argparse
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "msp-100x10"
PLANTED = EXAMPLE / "rehearsal"
MARKER = ".atlas-rehearsal"
CAMPAIGN = "november"
START_LIMIT_S = 60
SESSIONS_LIMIT_S = 180


class Trouble(Exception):
    """Something that ends the rehearsal, with a hint."""

    def __init__(self, problem, hint=""):
        super().__init__(problem)
        self.hint = hint


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=Path, required=True)
    parser.add_argument("--dir", type=Path, default=ROOT / ".rehearsal")
    parser.add_argument("--speed", type=int, default=1000)
    parser.add_argument("--port", type=int)
    parser.add_argument("--exit", action="store_true")
    return parser.parse_args()


def end_with_parent():
    """Makes a program end when this one does, however that happens (prctl PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def say(text=""):
    print(text, flush=True)


def free_port(wanted):
    """The port that was asked for, or the usual one, or any that is free."""
    for port in [wanted] if wanted else [7443, 0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return probe.getsockname()[1]
    raise Trouble(f"port {wanted} is taken", "leave --port out to take a free one")


class Rehearsal:
    def __init__(self, options):
        self.options = options
        self.bin = options.bin.resolve()
        self.dir = options.dir.resolve()
        self.children = []
        self.address = ""
        self.api_port = 0
        self.goes_on = False
        self.servers = 1000
        self.is_over = threading.Event()
        self.began = time.monotonic()

    # Programs

    def start(self, name, command, port_file=None):
        """Starts a program with a log of its own; waits until it serves."""
        log = self.dir / f"{name}.log"
        if port_file:
            port_file.unlink(missing_ok=True)
        with log.open("ab") as output:
            child = subprocess.Popen(
                [str(part) for part in command], stdout=output, stderr=output,
                stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=end_with_parent)
        self.children.append((name, child))
        if not port_file:
            return None
        deadline = time.monotonic() + START_LIMIT_S
        while not port_file.exists() or not port_file.read_text().strip():
            if child.poll() is not None:
                tail = log.read_text(errors="replace").splitlines()[-5:]
                raise Trouble(f"{name} ended at once:\n  " + "\n  ".join(tail), f"see {log}")
            if time.monotonic() > deadline:
                raise Trouble(f"{name} does not start serving", f"see {log}")
            time.sleep(0.05)
        return int(port_file.read_text())

    def stop(self):
        self.is_over.set()
        self.end_programs()

    def end_programs(self):
        """Ends the programs: the agents first, the daemon after them."""
        for _, child in reversed(self.children):
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
                try:
                    child.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()
        self.children = []

    def atlas(self, *words, check=True):
        """Runs the command line; returns what it printed."""
        done = subprocess.run(
            [str(self.bin / "atlas"), *words], env=self.environment(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        if check and done.returncode != 0:
            raise Trouble(f"atlas {' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def show(self, *words):
        """Runs the command line on this terminal."""
        sys.stdout.flush()
        return subprocess.run(
            [str(self.bin / "atlas"), *words], env=self.environment(), check=False).returncode

    def environment(self):
        return {**os.environ, "ATLAS_ADDRESS": self.address}

    def query(self, *words):
        return json.loads(self.atlas(*words, "-o", "json"))

    def report(self):
        return self.query("campaign", "report", CAMPAIGN)["report"]

    def rows(self, *words):
        return [json.loads(line) for line in self.atlas(*words, "-o", "jsonl").splitlines()]

    # The night

    def serve(self):
        """Starts the backup product's double and the daemon."""
        self.api_port = self.start(
            "backup_api",
            [sys.executable, ROOT / "examples/services/backup_api.py", "--listen",
             f"127.0.0.1:{self.last_port('backup_api.port')}",
             "--port-file", self.dir / "backup_api.port",
             "--scenario", PLANTED / "backup_api.json"],
            port_file=self.dir / "backup_api.port")
        self.lay_out_hooks(self.api_port)
        self.start_daemon(free_port(self.options.port))

    def last_port(self, name):
        """The port of the time before: the hooks that a running campaign has pinned ask there."""
        file = self.dir / name
        text = file.read_text().strip() if file.exists() else ""
        return int(text) if text.isdigit() else 0

    def start_daemon(self, port):
        port = self.start(
            "atlasd",
            [self.bin / "atlasd", "--data-dir", self.dir / "data",
             "--listen", f"127.0.0.1:{port}", "--port-file", self.dir / "atlasd.port",
             "--demo-clock", self.options.speed, "--hooks", self.dir / "hooks",
             "--hook-host", f"127.0.0.1:{self.api_port}"],
            port_file=self.dir / "atlasd.port")
        self.address = f"127.0.0.1:{port}"

    def guard(self):
        """Starts a daemon that was killed again, where it was: try it with kill -9. Goes on as
        long as this program, because what a thread started ends with the thread."""
        while True:
            time.sleep(0.5)
            daemons = [child for name, child in self.children if name == "atlasd"]
            if self.is_over.is_set() or not daemons or daemons[-1].poll() is None:
                continue
            self.goes_on = True
            try:
                self.start_daemon(self.address.rsplit(":", 1)[1])
            except Trouble as trouble:
                print(f"error: {trouble}", file=sys.stderr)
                return

    def lay_out_hooks(self, api_port):
        """The example's hooks, asking the service where it really is."""
        hooks = self.dir / "hooks"
        shutil.rmtree(hooks, ignore_errors=True)
        shutil.copytree(ROOT / "examples/hooks", hooks)
        for file in hooks.rglob("*.lua"):
            file.write_text(file.read_text().replace("127.0.0.1:8090", f"127.0.0.1:{api_port}"))

    def connect(self):
        """Starts the agents; waits until each server has a session."""
        self.start(
            "agents",
            [self.bin / "atlas-agent", "simulate", "--address", self.address, "--seed", 1,
             "--scenario", PLANTED / "agents.json", "--state-dir", self.dir / "agents"])
        deadline = time.monotonic() + SESSIONS_LIMIT_S
        while True:
            agents = self.query("status")["agents"]["connected"]
            if agents == self.servers:
                return
            if time.monotonic() > deadline:
                raise Trouble(f"only {agents} of {self.servers} agents are connected",
                              f"see {self.dir}/agents.log")
            time.sleep(0.2)

    def campaign(self):
        """The campaign as it is; None when there is none."""
        found = [row for row in self.rows("campaign", "list") if row["name"] == CAMPAIGN]
        return found[0] if found else None

    def prepare(self):
        """Serves from the directory; a rehearsal that is over makes room. True: it goes on."""
        if self.dir.exists() and any(self.dir.iterdir()) and not (self.dir / MARKER).exists():
            raise Trouble(f"{self.dir} holds something else", "name an empty directory with --dir")
        self.dir.mkdir(parents=True, exist_ok=True)
        (self.dir / MARKER).touch()
        known = (self.dir / "data").exists()
        self.serve()
        campaign = self.campaign() if known else None
        if campaign and (not campaign["settled"] or self.is_held_up()):
            return True
        if known:
            self.end_programs()
            for name in ("data", "agents"):
                shutil.rmtree(self.dir / name, ignore_errors=True)
            for log in self.dir.glob("*.log"):
                log.unlink()
            self.serve()
        return False

    def play(self):
        self.goes_on = self.prepare()
        if self.goes_on:
            say(f"going on with the rehearsal in {self.dir}")
            self.connect()
        else:
            say(f"daemon       {self.address}, campaign time runs {self.options.speed} times faster")
            self.atlas("fleet", "import", str(EXAMPLE / "servers.csv"),
                       str(EXAMPLE / "clients.yaml"), "--yes")
            say("fleet        100 clients with 10 servers each imported")
            self.connect()
            say("agents       1000 sessions established, one for each server")
            self.atlas("campaign", "create", CAMPAIGN, "--policy", str(EXAMPLE / "policy.yaml"))
            self.atlas("campaign", "start", CAMPAIGN, "--yes")
            say(f"campaign     {CAMPAIGN} started")
        say()
        threading.Thread(target=self.guard, daemon=True).start()
        self.follow()
        say()
        self.show("campaign", "report", CAMPAIGN)
        return self.judge()

    def is_held_up(self):
        """Whether people have stopped or paused it: it counts as settled, and is not over."""
        flags = self.query("campaign", "get", CAMPAIGN)["campaign"].get("flags", [])
        return any(flag["kind"] in ("paused", "stopped") for flag in flags)

    def follow(self):
        """Shows the campaign until it has settled, and not because somebody holds it up."""
        while True:
            self.show("watch", CAMPAIGN, "--until", "settled")
            if not self.is_held_up():
                return
            say("\nstopped or paused by a person; in another terminal:\n"
                f"  export ATLAS_ADDRESS={self.address} PATH={self.bin}:$PATH\n"
                "  atlas stop release --reason TEXT; atlas campaign resume " + CAMPAIGN)
            while self.is_held_up():
                time.sleep(0.5)

    # The verdict

    def judge(self):
        """Compares what happened with what was planted. True when all is as it should be."""
        say()
        verdicts = [self.judge_servers(), self.judge_ledger(), self.judge_orders(),
                    self.judge_log(), self.judge_ratio(), self.judge_requests()]
        return all(verdicts)

    def verdict(self, name, good, text):
        say(f"{'ok  ' if good else 'FAIL'} {name}: {text}")
        return good

    def judge_servers(self):
        expected = json.loads((PLANTED / "expected.json").read_text())
        groups = {"rolled_back": ("FAILED", "ROLLED_BACK"), "held": ("HELD", "UNHEALTHY"),
                  "refused": ("NOT_ATTEMPTED", None),
                  "with_exceptions": ("COMPLETED", "WITH_EXCEPTIONS"),
                  "no_updates": ("COMPLETED", "NO_UPDATES")}
        good = True
        runs = self.rows("campaign", "runs", CAMPAIGN)
        for group, (state, detail) in groups.items():
            found = sorted(
                run["server"] for run in runs
                if run["state"] == f"RUN_STATE_{state}" and detail in (None, run["detail"]))
            missing = sorted(set(expected[group]) - set(found))
            extra = sorted(set(found) - set(expected[group]))
            text = f"{len(found)}, as planted" if not missing and not extra else "; ".join(
                part for part in (missing and f"not {', '.join(missing)}",
                                  extra and f"besides {', '.join(extra)}") if part)
            good &= self.verdict(group.replace("_", " "), not missing and not extra, text)
        behind = {run["client"] for run in runs if run["state"] == "RUN_STATE_HELD"}
        open_runs = [run["server"] for run in runs
                     if run["state"] in ("RUN_STATE_PENDING", "RUN_STATE_IN_PROGRESS",
                                         "RUN_STATE_PARKED") and run["client"] not in behind]
        completed = sum(run["state"] == "RUN_STATE_COMPLETED" for run in runs)
        other = len(runs) - completed - len(expected["rolled_back"]) - len(expected["refused"])
        behind_held = sum(run["client"] in behind and run["state"] in (
            "RUN_STATE_HELD", "RUN_STATE_PENDING") for run in runs)
        return good & self.verdict(
            "completed", not open_runs and other == behind_held,
            f"{completed}; the rest waits behind what is held" if not open_runs
            else f"{completed}; {len(open_runs)} servers are open for no reason")

    def judge_ledger(self):
        """The agents' own record, judged by a program that shares no code with the daemon."""
        done = subprocess.run(
            [sys.executable, str(ROOT / "scripts/check-ledger"),
             str(self.dir / "agents" / "ledger.jsonl")],
            stdout=subprocess.PIPE, text=True, check=False)
        if not done.stdout.strip():
            raise Trouble("the agents kept no ledger", f"see {self.dir}/agents.log")
        verdict = json.loads(done.stdout)
        largest = max(verdict["most_down"], verdict["most_at_work"])
        told = self.report()["largestDownPerClient"]
        text = (f"never more than {largest} server of a client, by the agents' own ledger; "
                f"{told} by the daemon's log")
        return self.verdict("down at once", done.returncode == 0 and largest == told == 1, text)

    def judge_orders(self):
        """What agents began to do to servers against what the daemon's log says it ordered."""
        ordered = {(row["server"], int(row["fence"]))
                   for row in self.rows("audit", "list", "--limit", "1000000")
                   if row["server"] and int(row.get("fence") or 0)}
        ledger = (self.dir / "agents" / "ledger.jsonl").read_text().splitlines()
        begun = [row for row in map(json.loads, ledger)
                 if row["event"] == "began" and row["kind"] in ("UPDATE", "REBOOT")]
        missing = [row for row in begun if (row["server"], row["fence"]) not in ordered]
        if missing and self.goes_on:
            # A daemon that comes back orders again, under a new fence, what was lost on its way.
            say(f"     orders: {len(missing)} of {len(begun)} were given again after a restart")
            return True
        return self.verdict(
            "orders", not missing,
            f"{len(begun)} updates and reboots begun, each as the log has it"
            if not missing else f"the log has nothing of {missing[:3]}")

    def judge_log(self):
        done = subprocess.run([str(self.bin / "atlas"), "audit", "verify"], text=True,
                              env=self.environment(), stdout=subprocess.PIPE, check=False)
        return self.verdict("log", done.returncode == 0, done.stdout.splitlines()[0])

    def judge_ratio(self):
        ratio = round(self.report()["ratio"], 4)
        return self.verdict("makespan", 1.0 <= ratio <= 1.02, f"{ratio:.3f} x the lower bound")

    def judge_requests(self):
        """The backup product's own count against what the daemon's log says hooks asked."""
        if self.goes_on:
            say("     requests: not compared, because the service was started anew in between")
            return True
        with urllib.request.urlopen(f"http://127.0.0.1:{self.api_port}/v1/stats") as answer:
            served = json.load(answer)["total"]
        asked = self.report()["httpCalls"]
        return self.verdict(
            "requests", int(asked) == served,
            f"{asked} HTTP calls in the hook log, {served} counted by the backup service")


def main():
    options = arguments()
    rehearsal = Rehearsal(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        good = rehearsal.play()
        took = time.monotonic() - rehearsal.began
        say(f"\nreal time    {took:.0f} s")
        if options.exit:
            say(f"look further  scripts/run --dir {rehearsal.dir}, or the logs there")
            return 0 if good else 1
        say(f"""
The daemon goes on serving; in another terminal:
  export ATLAS_ADDRESS={rehearsal.address} PATH={rehearsal.bin}:$PATH
  atlas campaign runs {CAMPAIGN} --state held -o wide
  atlas campaign resolve {CAMPAIGN} STE-BERLIN-SQL01 --help
  atlas audit list
Logs, ledger and store are in {rehearsal.dir}. Ctrl-C ends it.""")
        signal.pause()
        return 0
    except KeyboardInterrupt:
        return 130
    except Trouble as trouble:
        print(f"error: {trouble}", file=sys.stderr)
        if trouble.hint:
            print(f"hint: {trouble.hint}", file=sys.stderr)
        return 1
    finally:
        rehearsal.stop()


if __name__ == "__main__":
    sys.exit(main())
