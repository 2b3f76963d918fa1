#!/usr/bin/env python3
"""The other side of the interop tests: Python's protobuf over the same descriptor set.

usage: peer.py DESCRIPTOR_SET... < requests > answers

One request a line, one answer a line, words separated by spaces, binary in hex:

  echo TYPE BYTES        parse, write again (deterministic)  ->  BYTES JSON
  json TYPE JSON         parse proto3 JSON                   ->  BYTES
  random TYPE SEED       a random message                    ->  BYTES JSON

An answer that starts with `error` says what Python refused. Needs only the package `protobuf`.
"""

import random
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import FieldDescriptor as F

WELL_KNOWN_SECONDS = {"google.protobuf.Timestamp": 253402300799, "google.protobuf.Duration": 10**11}
INTEGERS = {
    F.TYPE_INT32: (-(2**31), 2**31 - 1), F.TYPE_SINT32: (-(2**31), 2**31 - 1),
    F.TYPE_SFIXED32: (-(2**31), 2**31 - 1), F.TYPE_INT64: (-(2**63), 2**63 - 1),
    F.TYPE_SINT64: (-(2**63), 2**63 - 1), F.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    F.TYPE_UINT32: (0, 2**32 - 1), F.TYPE_FIXED32: (0, 2**32 - 1),
    F.TYPE_UINT64: (0, 2**64 - 1), F.TYPE_FIXED64: (0, 2**64 - 1),
}
TEXTS = ["a", "LAA-PARIS-DC01", "é", "日本", "🚀", "line\nbreak", 'quote"', "\\", "\x7f", "x" * 40]


def load(paths):
    pool = descriptor_pool.DescriptorPool()
    known = set()
    for path in paths:
        files = descriptor_pb2.FileDescriptorSet()
        with open(path, "rb") as source:
            files.ParseFromString(source.read())
        for file in files.file:
            if file.name not in known:
                known.add(file.name)
                pool.Add(file)
    return pool


def scalar(field, dice):
    if field.type in INTEGERS:
        low, high = INTEGERS[field.type]
        return dice.choice([low, high, 1, dice.randint(low, high), dice.randint(low, high) % 300])
    if field.type in (F.TYPE_DOUBLE, F.TYPE_FLOAT):
        return dice.choice([0.5, -2.25, 1024.0, 0.125, float("inf"), float("-inf")])
    if field.type == F.TYPE_BOOL:
        return dice.random() < 0.5
    if field.type == F.TYPE_STRING:
        return "".join(dice.choice(TEXTS) for _ in range(dice.randint(0, 3)))
    if field.type == F.TYPE_BYTES:
        return dice.randbytes(dice.randint(0, 20))
    if field.type == F.TYPE_ENUM:
        return dice.choice([value.number for value in field.enum_type.values])
    raise AssertionError(field.full_name)


def fill(message, dice, depth=0):
    name = message.DESCRIPTOR.full_name
    if name in WELL_KNOWN_SECONDS:
        message.seconds = dice.randint(0, WELL_KNOWN_SECONDS[name])
        message.nanos = dice.choice([0, 500_000_000, 123_456_789])
        return
    if name in ("google.protobuf.Any", "google.protobuf.FieldMask"):
        return
    for field in message.DESCRIPTOR.fields:
        if dice.random() < 0.35 or depth > 6:
            continue
        # A dict or a list behind the name: maps first, they are repeated too.
        if field.message_type and field.message_type.GetOptions().map_entry:
            entries = getattr(message, field.name)
            value_type = field.message_type.fields_by_name["value"]
            for _ in range(dice.randint(0, 4)):
                key = scalar(field.message_type.fields_by_name["key"], dice)
                if value_type.message_type:
                    fill(entries[key], dice, depth + 1)
                else:
                    entries[key] = scalar(value_type, dice)
        elif field.is_repeated:
            for _ in range(dice.randint(0, 4)):
                if field.message_type:
                    fill(getattr(message, field.name).add(), dice, depth + 1)
                else:
                    getattr(message, field.name).append(scalar(field, dice))
        elif field.message_type:
            child = getattr(message, field.name)
            child.SetInParent()
            fill(child, dice, depth + 1)
        else:
            setattr(message, field.name, scalar(field, dice))


def answer(pool, verb, name, argument):
    message = message_factory.GetMessageClass(pool.FindMessageTypeByName(name))()
    if verb == "echo":
        message.ParseFromString(bytes.fromhex(argument))
    elif verb == "json":
        text = bytes.fromhex(argument).decode()
        json_format.Parse(text, message, descriptor_pool=pool)
        return message.SerializeToString(deterministic=True).hex()
    elif verb == "random":
        fill(message, random.Random(int(argument)))
    else:
        raise ValueError(f"unknown verb {verb}")
    text = json_format.MessageToJson(message, descriptor_pool=pool)
    return f"{message.SerializeToString(deterministic=True).hex()} {text.encode().hex()}"


def main():
    pool = load(sys.argv[1:])
    for line in sys.stdin:
        verb, name, argument = line.rstrip("\n").split(" ")
        try:
            print(answer(pool, verb, name, argument))
        except Exception as error:  # The tests show it; nothing here may end the conversation.
            print("error", type(error).__name__, str(error).replace("\n", " "))


if __name__ == "__main__":
    main()
