"""A member that is a consumer of kafka-python, 2.0.2 or later."""
import kafka
from kafka import KafkaConsumer
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor

from member import Ownership, live

try:
    from kafka.consumer.subscription_state import ConsumerRebalanceListener
except ImportError:
    from kafka import ConsumerRebalanceListener


def assignor_of(name):
    if name == 'range':
        return RangePartitionAssignor
    if name == 'round-robin':
        return RoundRobinPartitionAssignor
    try:
        from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
    except ImportError:
        raise ValueError(f'kafka-python {kafka.__version__} has no assignor {name}') from None
    return CooperativeStickyAssignor


def config_of(options):
    config = {
        'bootstrap_servers': options['bootstrapServers'],
        'group_id': options['groupId'],
        'client_id': options['clientId'],
        'partition_assignment_strategy': [assignor_of(options['assignor'])],
        'session_timeout_ms': options['sessionTimeoutMs'],
        'heartbeat_interval_ms': options['heartbeatIntervalMs'],
        'max_poll_interval_ms': max(options['rebalanceTimeoutMs'], options['sessionTimeoutMs']),
        'max_poll_records': options['maxPollRecords'],
        'enable_auto_commit': options['commit'] == 'auto',
        'auto_commit_interval_ms': 1_000,
        'auto_offset_reset': 'earliest',
        'fetch_max_wait_ms': 250,
    }
    # 2.0.2 has neither of these.
    asked = {
        'group_instance_id': options['groupInstanceId'],
        'isolation_level': {'read-committed': 'read_committed'}.get(options['isolation']),
    }
    for name, value in asked.items():
        if value is None:
            continue
        if name not in KafkaConsumer.DEFAULT_CONFIG:
            raise ValueError(f'kafka-python {kafka.__version__} has no {name}')
        config[name] = value
    return config


class Listener(ConsumerRebalanceListener):
    def __init__(self, member):
        super().__init__()
        self.member = member

    def on_partitions_revoked(self, revoked):
        self.member.ownership.revoke(one.partition for one in revoked)

    def on_partitions_assigned(self, assigned):
        # Not in the public interface, and so in both versions.
        generation = self.member.consumer._coordinator._generation
        self.member.ownership.assign(
            [one.partition for one in assigned], generation.member_id, generation.generation_id
        )


class Member:
    def __init__(self, options):
        self.topic = options['topic']
        self.ownership = Ownership()
        self.consumer = KafkaConsumer(**config_of(options))
        self.consumer.subscribe(topics=[self.topic], listener=Listener(self))

    def poll(self):
        batches = self.consumer.poll(timeout_ms=200)
        for place, records in batches.items():
            read = [(one.offset, one.value, one.headers) for one in records]
            self.ownership.read(place.partition, read, records[-1].offset + 1)
        return len(batches) > 0

    def commit(self):
        if self.ownership.partitions:
            self.consumer.commit()

    def close(self):
        self.consumer.close(autocommit=False)


live('kafka-python', kafka.__version__, Member)
