"""A member that is a consumer of librdkafka through confluent-kafka."""
import confluent_kafka
from confluent_kafka import Consumer, KafkaError, KafkaException

from member import Ownership, live, tell_error

STRATEGIES = {
    'range': 'range',
    'round-robin': 'roundrobin',
    'cooperative-sticky': 'cooperative-sticky',
}


def config_of(options):
    config = {
        'bootstrap.servers': ','.join(options['bootstrapServers']),
        'group.id': options['groupId'],
        'client.id': options['clientId'],
        'partition.assignment.strategy': STRATEGIES[options['assignor']],
        'session.timeout.ms': options['sessionTimeoutMs'],
        'heartbeat.interval.ms': options['heartbeatIntervalMs'],
        'max.poll.interval.ms': max(options['rebalanceTimeoutMs'], options['sessionTimeoutMs']),
        'isolation.level': options['isolation'].replace('-', '_'),
        'enable.auto.commit': options['commit'] == 'auto',
        'auto.commit.interval.ms': 1_000,
        'auto.offset.reset': 'earliest',
        'fetch.wait.max.ms': 250,
        'error_cb': lambda error: tell_error(error.str(), error.fatal()),
    }
    if options['groupInstanceId'] is not None:
        config['group.instance.id'] = options['groupInstanceId']
    return config


class Refused(Exception):
    """With Kafka's error code."""

    def __init__(self, error):
        super().__init__(error.str())
        self.errno = error.code() if error.code() > 0 else None


class Member:
    def __init__(self, options):
        self.count = options['maxPollRecords']
        self.ownership = Ownership()
        self.consumer = Consumer(config_of(options))
        self.consumer.subscribe(
            [options['topic']],
            on_assign=self.on_assign,
            on_revoke=self.on_revoke,
            on_lost=self.on_revoke,
        )

    def on_assign(self, _, partitions):
        # The library does not tell the generation.
        self.ownership.assign([one.partition for one in partitions], self.consumer.memberid(), -1)

    def on_revoke(self, _, partitions):
        self.ownership.revoke(one.partition for one in partitions)

    def poll(self):
        # One at a time waits no longer than it must; what is there already comes with it.
        messages = self.consumer.consume(1, 0.2)
        if messages and self.count > 1:
            messages += self.consumer.consume(min(self.count - 1, 10_000), 0)
        by_partition = {}
        for message in messages:
            error = message.error()
            if error is None:
                record = (message.offset(), message.value(), message.headers())
                by_partition.setdefault(message.partition(), []).append(record)
            elif error.code() != KafkaError._PARTITION_EOF:
                tell_error(error.str(), False, error.code() if error.code() > 0 else None)
        for partition, records in by_partition.items():
            self.ownership.read(partition, records, records[-1][0] + 1)
        return len(by_partition) > 0

    def commit(self):
        if not self.ownership.positions:
            return
        try:
            self.consumer.commit(asynchronous=False)
        except KafkaException as problem:
            error = problem.args[0]
            if error.code() != KafkaError._NO_OFFSET:
                raise Refused(error) from None

    def close(self):
        self.consumer.close()


library = f'{confluent_kafka.libversion()[0]} (confluent-kafka {confluent_kafka.__version__})'
live('librdkafka', library, Member)
