#!/usr/bin/env python3
"""A double of the HTTP API of a backup product and its hypervisor.

The example hooks talk to it in rehearsals and tests. It answers for every server it is asked
about, the same way for the same seed; it can be slow, fail, and misbehave for single servers.
It knows nothing of campaign time, so it tells ages, never instants.

  GET    /v1/jobs?server=NAME              {"jobs": [{id, state, result, age_seconds,
                                            verified_age_seconds, restore_tested_age_seconds}]}
  GET    /v1/servers/NAME/restore-points   {"restore_points": [{id, age_seconds, consistent}]}
  GET    /v1/servers/NAME/services         {"services": [{name, state}]}
  POST   /v1/snapshots {server, name}      201 {id, server, name}; the same name again: 200
  GET    /v1/snapshots?name=N&server=S     {"snapshots": [{id, server, name}]}
  POST   /v1/snapshots/ID/revert           200 {id, state}; 409 where it is refused
  DELETE /v1/snapshots/ID                  204; 404 when it is gone
  GET    /v1/stats                         {"total", "routes", "statuses", "snapshots"}

Requests for the statistics are not counted. Errors are {"error": {"code", "message"}}.
"""

import argparse
import hashlib
import json
import os
import signal
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

HOUR = 3600
LARGEST_BODY = 64 * 1024
SERVICES = {
    "DC": ["dns", "kdc", "netlogon", "ntds"],
    "SQL": ["mssqlserver", "sqlserveragent"],
    "MX": ["msexchangeis", "msexchangetransport"],
    "WEB": ["w3svc"],
    "FS": ["lanmanserver"],
    "RDS": ["termservice"],
    "PRN": ["spooler"],
}
SCENARIO_HELP = """
A scenario plants cases. All keys are optional:
  {"defaults": {CASE}, "servers": {"LAA-PARIS-DC01": {CASE}}}
where CASE has some of
  "backup_age_hours": 30         the newest backup is so old
  "no_evidence": true            there are no jobs and no restore points
  "unverified": true             the newest backup was never verified
  "result": "failed"             how the newest job ended
  "backup_running": 2            a job runs for so many questions, then it has ended
  "snapshot": "refused"          snapshots cannot be taken
  "revert": "refused"            snapshots cannot be reverted
  "services_down": ["dns"]       services that never run
  "services_start_after": 3      after a snapshot or a revert, services run again from the
                                 so-manieth question on
  "status": 500                  every request about the server is answered so
"""


class Problem(Exception):
    """An answer that is an error."""

    def __init__(self, status, code, message):
        super().__init__(message)
        self.status = status
        self.code = code


def fraction(*parts):
    """A number from 0 to 1 that depends on nothing but the parts."""
    digest = hashlib.blake2b("\0".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


class Backups:
    """What the product knows: jobs and services by rule, snapshots as they were made."""

    def __init__(self, seed, scenario):
        self.seed = seed
        self.defaults = scenario.get("defaults", {})
        self.servers = scenario.get("servers", {})
        self.lock = threading.Lock()
        self.snapshots = {}  # by id
        self.ids = {}  # by (server, name)
        self.made = 0
        self.asked = Counter()  # questions about (server, what)
        self.restarted = set()  # servers that were frozen or put back, so that services start anew

    def case(self, server):
        case = {**self.defaults, **self.servers.get(server, {})}
        if "status" in case:
            raise Problem(case["status"], "planted", f"{server}: as the scenario says")
        return case

    def count(self, server, what):
        with self.lock:
            self.asked[server, what] += 1
            return self.asked[server, what]

    def restart(self, server):
        """With the lock held."""
        self.restarted.add(server)
        self.asked[server, "services"] = 0

    def jobs(self, server):
        case = self.case(server)
        if case.get("no_evidence"):
            return []
        age = int(case.get("backup_age_hours", 2 + 16 * fraction(self.seed, server, "age")) * HOUR)
        newest = {
            "id": f"job-{server}-1",
            "state": "ended",
            "result": case.get("result", "success"),
            "age_seconds": age,
            "verified_age_seconds": None if case.get("unverified") else max(age - HOUR, 0),
            "restore_tested_age_seconds": int(age * fraction(self.seed, server, "restore")),
        }
        older = {**newest, "id": f"job-{server}-0", "result": "success"}
        for key in ("age_seconds", "verified_age_seconds", "restore_tested_age_seconds"):
            older[key] = (newest[key] or age) + 24 * HOUR
        jobs = [newest, older]
        if self.count(server, "jobs") <= case.get("backup_running", 0):
            jobs.insert(0, {"id": f"job-{server}-2", "state": "running", "result": None,
                            "age_seconds": 60, "verified_age_seconds": None,
                            "restore_tested_age_seconds": None})
        return jobs

    def restore_points(self, server):
        points = []
        for job in self.jobs(server):
            if job["result"] == "success":
                points.append({"id": job["id"].replace("job", "rp"),
                               "age_seconds": job["age_seconds"],
                               "consistent": job["verified_age_seconds"] is not None})
        return points

    def services(self, server):
        case = self.case(server)
        role = server.rsplit("-", 1)[-1].rstrip("0123456789")
        asked = self.count(server, "services")
        starting = server in self.restarted and asked < case.get("services_start_after", 0)
        down = case.get("services_down", [])
        return [
            {"name": name,
             "state": "stopped" if name in down else "starting" if starting else "running"}
            for name in ["agent", *SERVICES.get(role, ["eventlog"])]
        ]

    def create(self, server, name):
        if self.case(server).get("snapshot") == "refused":
            raise Problem(409, "refused", f"{server}: the datastore is full")
        with self.lock:
            self.restart(server)
            if (server, name) in self.ids:
                return 200, self.snapshots[self.ids[server, name]]
            self.made += 1
            snapshot = {"id": f"snap-{self.made}", "server": server, "name": name}
            self.snapshots[snapshot["id"]] = snapshot
            self.ids[server, name] = snapshot["id"]
            return 201, snapshot

    def find(self, server, name):
        with self.lock:
            if server is not None and name is not None:
                identifier = self.ids.get((server, name))
                return [self.snapshots[identifier]] if identifier else []
            return [
                snapshot for snapshot in self.snapshots.values()
                if server in (None, snapshot["server"]) and name in (None, snapshot["name"])
            ]

    def snapshot(self, identifier):
        with self.lock:
            snapshot = self.snapshots.get(identifier)
        if snapshot is None:
            raise Problem(404, "not_found", f"there is no snapshot {identifier}")
        return snapshot

    def revert(self, identifier):
        snapshot = self.snapshot(identifier)
        if self.case(snapshot["server"]).get("revert") == "refused":
            raise Problem(409, "refused", f"{snapshot['server']}: it must not go back in time")
        with self.lock:
            self.restart(snapshot["server"])
        return {**snapshot, "state": "reverted"}

    def delete(self, identifier):
        snapshot = self.snapshot(identifier)
        self.case(snapshot["server"])
        with self.lock:
            self.snapshots.pop(identifier, None)
            self.ids.pop((snapshot["server"], snapshot["name"]), None)


class Service(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 1024

    def __init__(self, address, options, scenario):
        super().__init__(address, Handler)
        self.options = options
        self.backups = Backups(options.seed, scenario)
        self.lock = threading.Lock()
        self.routes = Counter()
        self.statuses = Counter()
        self.repeats = Counter()

    def count(self, route, path):
        """Counts a request; answers how often this very one has come."""
        with self.lock:
            self.routes[route] += 1
            self.repeats[route, path] += 1
            return self.repeats[route, path]

    def stats(self):
        with self.lock:
            return {
                "total": sum(self.routes.values()),
                "routes": dict(sorted(self.routes.items())),
                "statuses": {str(key): value for key, value in sorted(self.statuses.items())},
                "snapshots": {"present": len(self.backups.snapshots), "made": self.backups.made},
            }


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "backup-api"
    disable_nagle_algorithm = True
    wbufsize = -1  # an answer leaves in one piece

    def do_GET(self):
        self.serve("GET")

    def do_POST(self):
        self.serve("POST")

    def do_DELETE(self):
        self.serve("DELETE")

    def serve(self, method):
        url = urlsplit(self.path)
        try:
            body = self.body()
            status, answer = self.dispatch(method, url, body)
        except Problem as problem:
            status = problem.status
            answer = {"error": {"code": problem.code, "message": str(problem)}}
        self.reply(status, answer)

    def dispatch(self, method, url, body):
        parts = [unquote(part) for part in url.path.strip("/").split("/")]
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        backups = self.server.backups
        match [method, *parts]:
            case ["GET", "v1", "stats"]:
                return 200, self.server.stats()
            case ["GET", "v1", "jobs"]:
                self.counted("GET /v1/jobs")
                return 200, {"jobs": backups.jobs(self.needed(query, "server"))}
            case ["GET", "v1", "servers", name, "restore-points"]:
                self.counted("GET /v1/servers/NAME/restore-points")
                return 200, {"restore_points": backups.restore_points(name)}
            case ["GET", "v1", "servers", name, "services"]:
                self.counted("GET /v1/servers/NAME/services")
                return 200, {"services": backups.services(name)}
            case ["GET", "v1", "snapshots"]:
                self.counted("GET /v1/snapshots")
                found = backups.find(query.get("server"), query.get("name"))
                return 200, {"snapshots": found}
            case ["POST", "v1", "snapshots"]:
                self.counted("POST /v1/snapshots")
                return backups.create(self.needed(body, "server"), self.needed(body, "name"))
            case ["POST", "v1", "snapshots", identifier, "revert"]:
                self.counted("POST /v1/snapshots/ID/revert")
                return 200, backups.revert(identifier)
            case ["DELETE", "v1", "snapshots", identifier]:
                self.counted("DELETE /v1/snapshots/ID")
                backups.delete(identifier)
                return 204, None
        self.counted("other")
        raise Problem(404, "not_found", f"there is no {method} {url.path}")

    def counted(self, route):
        """Counts the request, and lets it be slow or fail as often as the options say."""
        options = self.server.options
        repeat = self.server.count(route, self.path)
        if fraction(options.seed, "slow", route, self.path, repeat) < options.slow_rate:
            time.sleep(options.slow_ms / 1000)
        if fraction(options.seed, "fail", route, self.path, repeat) < options.failure_rate:
            raise Problem(503, "unavailable", "the backup server is busy; try again")

    def needed(self, values, key):
        value = values.get(key)
        if not isinstance(value, str) or not value:
            raise Problem(400, "invalid", f"{key} is missing")
        return value

    def body(self):
        try:
            count = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            raise Problem(400, "invalid", "Content-Length is no number") from None
        if not 0 <= count <= LARGEST_BODY:
            self.close_connection = True
            raise Problem(413, "too_large", f"a body has at most {LARGEST_BODY} bytes")
        if count == 0:
            return {}
        try:
            body = json.loads(self.rfile.read(count))
        except ValueError:
            raise Problem(400, "invalid", "the body is not JSON") from None
        if not isinstance(body, dict):
            raise Problem(400, "invalid", "the body is not an object")
        return body

    def reply(self, status, answer):
        content = b"" if answer is None else json.dumps(answer).encode()
        with self.server.lock:
            if not self.path.startswith("/v1/stats"):
                self.server.statuses[status] += 1
        self.send_response(status)
        if status != 204:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def date_time_string(self, timestamp=None):
        """The Date header; made once a second, as it is a tenth of the work of an answer."""
        now = int(time.time())
        cached = getattr(self.server, "date", (0, ""))
        if cached[0] != now:
            cached = (now, super().date_time_string(now))
            self.server.date = cached
        return cached[1]

    def log_message(self, *_):
        pass


def rate(text):
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("a rate is from 0 to 1")
    return value


def address(text):
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit():
        raise argparse.ArgumentTypeError("write HOST:PORT")
    return host.strip("[]"), int(port)


def parse_options(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=SCENARIO_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", type=address, default=("127.0.0.1", 8090),
                        metavar="HOST:PORT",
                        help="port 0 takes a free one (default 127.0.0.1:8090)")
    parser.add_argument("--port-file", help="write the port here when it is open")
    parser.add_argument("--until-eof", action="store_true",
                        help="end when standard input does, so with whoever started it")
    parser.add_argument("--seed", type=int, default=1, help="of all ages, delays and failures")
    parser.add_argument("--scenario", help="a JSON file with planted cases, see below")
    parser.add_argument("--failure-rate", type=rate, default=0, help="of 503 answers (default 0)")
    parser.add_argument("--slow-rate", type=rate, default=0, help="of slow answers (default 0)")
    parser.add_argument("--slow-ms", type=int, default=500, help="how slow (default 500)")
    return parser.parse_args(arguments)


def main(arguments=None):
    options = parse_options(arguments)
    scenario = {}
    if options.scenario:
        try:
            with open(options.scenario, encoding="utf-8") as file:
                scenario = json.load(file)
        except (OSError, ValueError) as error:
            sys.exit(f"error: {options.scenario}: {error}")
    try:
        service = Service(options.listen, options, scenario)
    except OSError as error:
        sys.exit(f"error: cannot listen on {options.listen[0]}:{options.listen[1]}: {error}")
    host, port = service.server_address[:2]
    if options.port_file:
        with open(options.port_file + ".new", "w", encoding="ascii") as file:
            file.write(f"{port}\n")
        os.replace(options.port_file + ".new", options.port_file)
    print(f"backup_api: listening on http://{host}:{port}", flush=True)
    # Whoever started it may have blocked signals, and a child inherits that.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if options.until_eof:
        threading.Thread(target=end_with_input, daemon=True).start()
    try:
        service.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        pass


def end_with_input():
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
