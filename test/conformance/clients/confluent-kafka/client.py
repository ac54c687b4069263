"""confluent-kafka (librdkafka) as a client of the matrix: a line of JSON asks, a line of JSON answers (see ../matrix.mjs)."""
import json
import sys
import time

import confluent_kafka
from confluent_kafka import Consumer, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

server = sys.argv[1]
base = {'bootstrap.servers': server}
admin = AdminClient(base)
group_member = None


def consumer(group, **config):
    more = {key.replace('_', '.'): value for key, value in config.items()}
    return Consumer({**base, 'group.id': group, 'auto.offset.reset': 'earliest', **more})


def text_of(message):
    if message.error():
        raise RuntimeError(message.error().str())
    return message.value().decode()


def collect(reader, count):
    values = []
    give_up = time.monotonic() + 20
    while len(values) < count and time.monotonic() < give_up:
        values += [text_of(message) for message in reader.consume(1, 0.5)]
    return values


def versions():
    return f'{confluent_kafka.version()} (librdkafka {confluent_kafka.libversion()[0]})'


def produce(topic, partition, values, codec, idempotent):
    failures = []
    producer = Producer(
        {**base, 'compression.type': codec, 'enable.idempotence': idempotent, 'linger.ms': 20}
    )

    def on_delivery(error, _message):
        if error:
            failures.append(error.str())

    for value in values:
        producer.produce(topic, value.encode(), partition=partition, on_delivery=on_delivery)
    if producer.flush(20) > 0 or failures:
        raise RuntimeError(f'not delivered: {failures[:1]}')


def read(topic, partitions, count):
    reader = consumer('reader', enable_auto_commit=False)
    reader.assign([TopicPartition(topic, partition, 0) for partition in range(partitions)])
    values = collect(reader, count)
    reader.close()
    return values


def take(group, topic, count):
    reader = consumer(group, enable_auto_commit=False)
    reader.subscribe([topic])
    values = collect(reader, count)
    reader.commit(asynchronous=False)
    reader.close()
    return values


def join(group, topic):
    global group_member
    group_member = consumer(group)
    group_member.subscribe([topic])


def poll(ms):
    return [text_of(message) for message in group_member.consume(500, ms / 1000)]


def leave():
    group_member.close()


def only(futures):
    return next(iter(futures.values())).result()


def create(topic, partitions):
    only(admin.create_topics([NewTopic(topic, partitions, 1)]))


def describe(topic):
    return len(only(admin.describe_topics(TopicCollection([topic]))).partitions)


def delete(topic):
    only(admin.delete_topics([topic]))


def groups():
    listed = admin.list_consumer_groups().result()
    if listed.errors:
        raise RuntimeError(str(listed.errors[0]))
    return [group.group_id for group in listed.valid]


def group(group):
    found = only(admin.describe_consumer_groups([group]))
    return {'state': found.state.name.capitalize(), 'members': len(found.members)}


commands = [versions, produce, read, take, join, poll, leave, create, describe, delete, groups, group]
by_name = {command.__name__: command for command in commands}
for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {'ok': by_name[asked['do']](**asked['with'])}
    except Exception as error:  # whatever it was, the matrix shows it
        answer = {'error': f'{type(error).__name__}: {error}'}
    print(json.dumps(answer), flush=True)
