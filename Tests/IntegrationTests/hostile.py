"""Sends requests whose values are well formed and absurd. Prints the status of each, a line each."""

import sys

import grpc
from google.protobuf import json_format
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase)

HUGE = "18446744073709551615"
CALLS = [
    ("CampaignService", "ListServerRuns", {"campaign": "night", "pageToken": HUGE}),
    ("CampaignService", "ListServerRuns", {"campaign": "night", "pageToken": "-1"}),
    ("CampaignService", "ListServerRuns", {"campaign": "night", "pageSize": -5}),
    ("CampaignService", "ListServerRuns", {"campaign": "x" * 10_000}),
    ("AuditService", "ListAuditRecords", {"pageToken": HUGE}),
    ("HookService", "ListHookRuns", {"pageToken": HUGE}),
    ("MetricsService", "StreamMetrics", {"interval": "315576000000s"}),
    ("MetricsService", "StreamMetrics", {"interval": "-1s"}),
    ("FleetService", "ListWindows", {"client": "ALF", "count": 2_147_483_647}),
    ("FleetService", "LockServer", {
        "server": "ALF-PARIS-WEB01", "reason": "absurd", "until": "9999-12-31T23:59:59Z"}),
    ("FleetService", "UpdateClient", {
        "client": {"name": "ALF", "maxBackupAge": "-315576000000s"},
        "updateMask": ["max_backup_age"]}),
    ("FleetService", "UpdateClient", {
        "client": {"name": "ALF", "windows": ["Fri 99:00-Mon 05:00"]}, "updateMask": ["windows"]}),
    ("FleetService", "ListClients", {}),
]


def main():
    channel = grpc.insecure_channel(sys.argv[1])
    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
    for service, method, fields in CALLS:
        name = f"atlas.v1.{service}"
        descriptor = pool.FindServiceByName(name).FindMethodByName(method)
        request = GetMessageClass(descriptor.input_type)()
        json_format.ParseDict(fields, request)
        kind = channel.unary_stream if descriptor.server_streaming else channel.unary_unary
        call = kind(f"/{name}/{method}",
                    request_serializer=lambda message: message.SerializeToString(),
                    response_deserializer=GetMessageClass(descriptor.output_type).FromString)
        try:
            answer = call(request, timeout=5)
            if descriptor.server_streaming:
                next(iter(answer))
                answer.cancel()
            print(f"{method} OK")
        except grpc.RpcError as error:
            print(f"{method} {error.code().name}")


if __name__ == "__main__":
    main()
