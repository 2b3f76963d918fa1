#!/usr/bin/env python3
"""A monitoring client that needs no file of Atlas: it learns the API from the daemon.

  monitor.py 127.0.0.1:7443 services              what the daemon serves, and its health
  monitor.py 127.0.0.1:7443 watch november        the figures of a campaign as they change
  monitor.py 127.0.0.1:7443 stop --reason TEXT    emergency stop of everything

Needs grpcio, grpcio-reflection, grpcio-health-checking and protobuf from PyPI.
"""

import argparse
import sys
import uuid

import grpc
from google.protobuf import json_format
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase)

METADATA = (("atlas-user", "monitor"),)


class Daemon:
    """The services of a daemon, by the names they have on the wire."""

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)
        self.database = ProtoReflectionDescriptorDatabase(self.channel)
        self.pool = DescriptorPool(self.database)

    def services(self):
        return sorted(self.database.get_services())

    def call(self, service, method, fields, timeout=None):
        """Calls a method: its answer, or for a stream its answers one by one."""
        descriptor = self.pool.FindServiceByName(service).FindMethodByName(method)
        request = GetMessageClass(descriptor.input_type)()
        json_format.ParseDict(fields, request)
        kind = self.channel.unary_stream if descriptor.server_streaming else self.channel.unary_unary
        stub = kind(
            f"/{service}/{method}", request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=GetMessageClass(descriptor.output_type).FromString)
        return stub(request, timeout=timeout, metadata=METADATA)


def services(daemon, _):
    health = health_pb2_grpc.HealthStub(daemon.channel)
    for name in daemon.services():
        line = name
        if name == "grpc.health.v1.Health":
            answer = health.Check(health_pb2.HealthCheckRequest(), timeout=10)
            line += ": " + health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)
        print(line)


def watch(daemon, options):
    stream = daemon.call(
        "atlas.v1.MetricsService", "StreamMetrics",
        {"campaign": options.campaign, "interval": "0.5s"})
    for number, message in enumerate(stream, start=1):
        figures = message.metrics
        servers = figures.servers
        print(f"{servers.completed} of {servers.total} completed, {servers.in_progress} in progress, "
              f"{servers.failed} failed, {servers.held} held, {servers.down_now} down now",
              flush=True)
        if number == options.messages:
            stream.cancel()
            return


def stop(daemon, options):
    answer = daemon.call(
        "atlas.v1.SafetyService", "EmergencyStop",
        {"reason": options.reason, "requestId": str(uuid.uuid4())}, timeout=30)
    print(f"stopped with fence {answer.stop.fence}; {answer.in_flight} servers are in flight")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("address", help="where the daemon listens, HOST:PORT")
    verbs = parser.add_subparsers(required=True)
    verbs.add_parser("services").set_defaults(run=services)
    watching = verbs.add_parser("watch")
    watching.add_argument("campaign")
    watching.add_argument("--messages", type=int, default=0, help="end after so many (0: never)")
    watching.set_defaults(run=watch)
    stopping = verbs.add_parser("stop")
    stopping.add_argument("--reason", default="")
    stopping.set_defaults(run=stop)
    options = parser.parse_args()
    try:
        options.run(Daemon(options.address), options)
    except grpc.RpcError as error:
        sys.exit(f"error: {error.code().name}: {error.details()}")


if __name__ == "__main__":
    main()
