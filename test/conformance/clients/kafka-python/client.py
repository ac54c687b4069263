"""kafka-python as a client of the matrix: a line of JSON asks, a line of JSON answers (see ../matrix.mjs)."""
import json
import sys
import time

import kafka
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

server = sys.argv[1]
is_old = kafka.__version__.startswith('2.')
group_member = None


def consumer(**config):
    return KafkaConsumer(bootstrap_servers=server, auto_offset_reset='earliest', **config)


def admin():
    return KafkaAdminClient(bootstrap_servers=server)


def text_of(record):
    return record.value.decode()


def versions():
    return kafka.__version__


def produce(topic, partition, values, codec, idempotent):
    config = {'compression_type': None if codec == 'none' else codec, 'acks': 'all', 'linger_ms': 20}
    if idempotent and is_old:
        return {'na': 'it has no idempotent producer'}
    if not is_old:
        config['enable_idempotence'] = idempotent
    producer = KafkaProducer(bootstrap_servers=server, **config)
    sent = [producer.send(topic, value.encode(), partition=partition) for value in values]
    producer.flush()
    producer.close()
    return [future.get(timeout=1).offset for future in sent][0]


def read(topic, partitions, count):
    reader = consumer(group_id=None)
    reader.assign([TopicPartition(topic, partition) for partition in range(partitions)])
    reader.seek_to_beginning()
    values = []
    give_up = time.monotonic() + 20
    while len(values) < count and time.monotonic() < give_up:
        for records in reader.poll(timeout_ms=500).values():
            values += [text_of(record) for record in records]
    reader.close()
    return values


def take(group, topic, count):
    reader = consumer(group_id=group, enable_auto_commit=False, max_poll_records=1)
    reader.subscribe([topic])
    values = []
    give_up = time.monotonic() + 20
    while len(values) < count and time.monotonic() < give_up:
        for records in reader.poll(timeout_ms=500).values():
            values += [text_of(record) for record in records]
    reader.commit()
    reader.close()
    return values


def join(group, topic):
    global group_member
    group_member = consumer(group_id=group, enable_auto_commit=True)
    group_member.subscribe([topic])


def poll(ms):
    values = []
    for records in group_member.poll(timeout_ms=ms).values():
        values += [text_of(record) for record in records]
    return values


def leave():
    group_member.close()


def create(topic, partitions):
    if is_old:
        admin().create_topics([NewTopic(topic, partitions, 1)])
    else:
        admin().create_topics({topic: {'num_partitions': partitions, 'replication_factor': 1}})


def describe(topic):
    return len(admin().describe_topics([topic])[0]['partitions'])


def delete(topic):
    admin().delete_topics([topic])


def groups():
    listed = admin().list_groups() if not is_old else admin().list_consumer_groups()
    return [group[0] if is_old else group['group_id'] for group in listed]


def group(group):
    if is_old:
        found = admin().describe_consumer_groups([group])[0]
        return {'state': found.state, 'members': len(found.members)}
    found = admin().describe_groups([group])[group]
    return {'state': found['group_state'], 'members': len(found['members'])}


commands = [versions, produce, read, take, join, poll, leave, create, describe, delete, groups, group]
by_name = {command.__name__: command for command in commands}
for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {'ok': by_name[asked['do']](**asked['with'])}
    except Exception as error:  # whatever it was, the matrix shows it
        answer = {'error': f'{type(error).__name__}: {error}'}
    print(json.dumps(answer), flush=True)
