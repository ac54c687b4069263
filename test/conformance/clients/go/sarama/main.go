// sarama as a client of the matrix.
package main

import (
	"clients/ask"
	"context"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

var (
	server = []string{os.Args[1]}
	lock   sync.Mutex
	unread []string
	stop   func() error
)

func config() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.V4_0_0_0
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Producer.Return.Successes = true
	config.Producer.Partitioner = sarama.NewManualPartitioner
	return config
}

func produce(with ask.With) (any, error) {
	config := config()
	if err := config.Producer.Compression.UnmarshalText([]byte(with.Codec)); err != nil {
		return nil, err
	}
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Flush.Frequency = 20 * time.Millisecond
	if with.Idempotent {
		config.Producer.Idempotent = true
		config.Net.MaxOpenRequests = 1
	}
	producer, err := sarama.NewSyncProducer(server, config)
	if err != nil {
		return nil, err
	}
	defer producer.Close()
	var messages []*sarama.ProducerMessage
	for _, value := range with.Values {
		messages = append(messages, &sarama.ProducerMessage{
			Topic: with.Topic, Partition: with.Partition, Value: sarama.StringEncoder(value),
		})
	}
	return nil, producer.SendMessages(messages)
}

func read(with ask.With) (any, error) {
	consumer, err := sarama.NewConsumer(server, config())
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	messages := make(chan *sarama.ConsumerMessage)
	done := make(chan struct{})
	defer close(done)
	for partition := range with.Partitions {
		reader, err := consumer.ConsumePartition(with.Topic, partition, sarama.OffsetOldest)
		if err != nil {
			return nil, err
		}
		defer reader.AsyncClose()
		go func() {
			for message := range reader.Messages() {
				select {
				case messages <- message:
				case <-done:
				}
			}
		}()
	}
	values := []string{}
	giveUp := time.After(20 * time.Second)
	for len(values) < with.Count {
		select {
		case message := <-messages:
			values = append(values, string(message.Value))
		case <-giveUp:
			return values, nil
		}
	}
	return values, nil
}

// handler reads `limit` records of each claim, or all when it is 0.
type handler struct {
	limit int
	full  chan struct{}
	once  sync.Once
}

func (*handler) Setup(sarama.ConsumerGroupSession) error { return nil }

func (*handler) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (h *handler) ConsumeClaim(
	session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim,
) error {
	for taken := 1; ; taken++ {
		select {
		case message, isOpen := <-claim.Messages():
			if !isOpen {
				return nil
			}
			lock.Lock()
			unread = append(unread, string(message.Value))
			lock.Unlock()
			session.MarkMessage(message, "")
			if taken == h.limit {
				session.Commit()
				h.once.Do(func() { close(h.full) })
				<-session.Context().Done()
				return nil
			}
		case <-session.Context().Done():
			return nil
		}
	}
}

func start(with ask.With, h *handler, config *sarama.Config) error {
	group, err := sarama.NewConsumerGroup(server, with.Group, config)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			if err := group.Consume(ctx, []string{with.Topic}, h); err != nil {
				fmt.Fprintln(os.Stderr, err)
				time.Sleep(100 * time.Millisecond)
			}
		}
	}()
	stop = func() error {
		cancel()
		<-ended
		return group.Close()
	}
	return nil
}

func take(with ask.With) (any, error) {
	config := config()
	config.Consumer.Offsets.AutoCommit.Enable = false
	h := &handler{limit: with.Count, full: make(chan struct{})}
	if err := start(with, h, config); err != nil {
		return nil, err
	}
	select {
	case <-h.full:
	case <-time.After(20 * time.Second):
	}
	err := stop()
	values := unread
	unread = nil
	return values, err
}

func join(with ask.With) (any, error) {
	return nil, start(with, &handler{}, config())
}

func poll(with ask.With) (any, error) {
	time.Sleep(time.Duration(with.Ms) * time.Millisecond)
	lock.Lock()
	defer lock.Unlock()
	values := append([]string{}, unread...)
	unread = nil
	return values, nil
}

func leave(ask.With) (any, error) {
	return nil, stop()
}

// administer wraps a command that needs an admin client.
func administer(command func(sarama.ClusterAdmin, ask.With) (any, error)) ask.Command {
	return func(with ask.With) (any, error) {
		admin, err := sarama.NewClusterAdmin(server, config())
		if err != nil {
			return nil, err
		}
		defer admin.Close()
		return command(admin, with)
	}
}

func create(admin sarama.ClusterAdmin, with ask.With) (any, error) {
	detail := &sarama.TopicDetail{NumPartitions: with.Partitions, ReplicationFactor: 1}
	return nil, admin.CreateTopic(with.Topic, detail, false)
}

func describe(admin sarama.ClusterAdmin, with ask.With) (any, error) {
	topics, err := admin.DescribeTopics([]string{with.Topic})
	if err != nil {
		return nil, err
	}
	if topics[0].Err != sarama.ErrNoError {
		return nil, topics[0].Err
	}
	return len(topics[0].Partitions), nil
}

func remove(admin sarama.ClusterAdmin, with ask.With) (any, error) {
	return nil, admin.DeleteTopic(with.Topic)
}

func groups(admin sarama.ClusterAdmin, _ ask.With) (any, error) {
	listed, err := admin.ListConsumerGroups()
	names := []string{}
	for name := range listed {
		names = append(names, name)
	}
	return names, err
}

func group(admin sarama.ClusterAdmin, with ask.With) (any, error) {
	described, err := admin.DescribeConsumerGroups([]string{with.Group})
	if err != nil {
		return nil, err
	}
	return ask.Described{State: described[0].State, Members: len(described[0].Members)}, nil
}

func main() {
	ask.Serve(map[string]ask.Command{
		"versions": func(ask.With) (any, error) { return ask.Version("github.com/IBM/sarama"), nil },
		"produce":  produce, "read": read, "take": take, "join": join, "poll": poll, "leave": leave,
		"create": administer(create), "describe": administer(describe), "delete": administer(remove),
		"groups": administer(groups), "group": administer(group),
	})
}
