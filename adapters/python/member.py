"""What the members of scenarios in Python share: JSON lines in and out, and what a record says of itself."""
import json
import os
import queue
import struct
import sys
import threading
import time
import zlib

HEADER = struct.Struct('>IHIHQQII')
MAGIC = 0x62_6E_63_68
NO_HEADER, CORRUPT = -1, -2
# A library that hangs while it leaves must not keep the process.
LEAVE_LIMIT_SECONDS = 18

lock = threading.Lock()


def tell(kind, **fields):
    line = json.dumps({'type': kind, **fields}, separators=(',', ':'))
    with lock:
        sys.stdout.write(line + '\n')
        sys.stdout.flush()


def now_ms():
    return time.time() * 1000


def tell_error(error, is_fatal, code=None):
    message = str(error) or type(error).__name__
    tell('error', code=code, message=message, isFatal=is_fatal, atMs=now_ms())


def run_of(header, body):
    """(run, producer, sequence) of a header that lies before or beside `body`."""
    if len(header) < 4 or int.from_bytes(header[:4], 'big') != MAGIC:
        return NO_HEADER, 0, 0
    if len(header) != HEADER.size:
        return CORRUPT, 0, 0
    _, run_high, run_low, producer, sequence, _, _, checksum = HEADER.unpack(header)
    if zlib.crc32(header[:32]) ^ zlib.crc32(body) != checksum:
        return CORRUPT, 0, 0
    return run_high * 2**32 + run_low, producer, sequence


def record_of(value, headers):
    value = value or b''
    if len(value) >= HEADER.size:
        return run_of(value[:HEADER.size], value[HEADER.size:])
    for name, header in headers or []:
        if name == 'bench':
            return run_of(header or b'', value)
    return NO_HEADER, 0, 0


def runs_of(records):
    """`records` as (offset, value, headers); see `runs` in docs/ADAPTERS.md."""
    runs = []
    for offset, value, headers in records:
        run, producer, sequence = record_of(value, headers)
        last = runs[-1] if runs else None
        if (
            last
            and offset == last[0] + last[1]
            and [run, producer] == last[2:4]
            and (run < 0 or sequence == last[4] + last[1])
        ):
            last[1] += 1
        else:
            runs.append([offset, 1, run, producer, sequence])
    return runs


class Ownership:
    """What the member owns, from the partitions that come and go."""

    def __init__(self):
        self.partitions = set()
        self.positions = {}

    def revoke(self, partitions):
        gone = self.partitions & set(partitions)
        self.partitions -= gone
        for partition in gone:
            self.positions.pop(partition, None)
        if gone:
            tell('revoked', partitions=sorted(gone), atMs=now_ms())

    def assign(self, partitions, member_id, generation):
        self.partitions |= set(partitions)
        tell(
            'assigned',
            memberId=member_id or None,
            generation=generation,
            partitions=sorted(self.partitions),
            atMs=now_ms(),
        )

    def read(self, partition, records, to_offset):
        """`records` as (offset, value, headers)."""
        if not records:
            return
        from_offset = self.positions.get(partition, records[0][0])
        self.positions[partition] = to_offset
        runs = runs_of(records)
        tell(
            'batch',
            partition=partition,
            fromOffset=min(from_offset, records[0][0]),
            toOffset=to_offset,
            runs=runs,
            atMs=now_ms(),
        )

    def tell_committed(self):
        tell('committed', offsets=sorted(self.positions.items()), atMs=now_ms())


def read_commands(commands):
    for line in sys.stdin:
        commands.put(json.loads(line)['type'])
    commands.put('stop')


def leave_in_time():
    time.sleep(LEAVE_LIMIT_SECONDS)
    os._exit(1)


def live(library, version, make_member):
    """
    Runs a member to its end. `make_member(options)` makes an object with poll(), which takes at most a second, commit(),
    which throws, and close(), which does not commit.
    """
    tell('hello', library=library, version=version)
    try:
        options = json.loads(sys.stdin.readline())['options']
        commands = queue.Queue()
        threading.Thread(target=read_commands, args=[commands], daemon=True).start()
        tell('joining', atMs=now_ms())
        member = make_member(options)
        serve(member, options, commands)
        threading.Thread(target=leave_in_time, daemon=True).start()
        if options['commit'] in ('auto', 'each-batch'):
            commit(member)
        member.close()
        tell('left', atMs=now_ms())
        code = 0
    except Exception as error:
        tell_error(error, True)
        code = 1
    # Not sys.exit: threads of the library may linger.
    os._exit(code)


def serve(member, options, commands):
    while True:
        while not commands.empty():
            command = commands.get()
            if command == 'stop':
                return
            if command == 'commit' and options['commit'] != 'none':
                commit(member)
        if not member.poll():
            continue
        if options['batchDelayMs'] > 0:
            time.sleep(options['batchDelayMs'] / 1000)
        if options['commit'] == 'each-batch':
            commit(member)


def commit(member):
    try:
        member.commit()
        member.ownership.tell_committed()
    except Exception as error:
        tell_error(error, False, getattr(error, 'errno', None))
