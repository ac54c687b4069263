// segmentio/kafka-go as a client of the matrix.
package main

import (
	"clients/ask"
	"context"
	"os"
	"time"

	"github.com/segmentio/kafka-go"
)

var (
	background = context.Background()
	server     = os.Args[1]
	client     = &kafka.Client{Addr: kafka.TCP(server), Timeout: 10 * time.Second}
	member     *kafka.Reader
)

func codecOf(name string) kafka.Compression {
	var codec kafka.Compression
	if name != "none" {
		_ = codec.UnmarshalText([]byte(name))
	}
	return codec
}

func produce(with ask.With) (any, error) {
	if with.Idempotent {
		return ask.NA{Why: "it has no idempotent producer"}, nil
	}
	to := kafka.BalancerFunc(func(kafka.Message, ...int) int { return int(with.Partition) })
	// A transport of its own, since the shared one remembers for 6 s that a topic was not there.
	writer := &kafka.Writer{
		Transport: &kafka.Transport{},
		Addr:      kafka.TCP(server), Topic: with.Topic, Balancer: to,
		Compression: codecOf(with.Codec), BatchTimeout: 20 * time.Millisecond,
	}
	var messages []kafka.Message
	for _, value := range with.Values {
		messages = append(messages, kafka.Message{Value: []byte(value)})
	}
	if err := writer.WriteMessages(background, messages...); err != nil {
		return nil, err
	}
	return nil, writer.Close()
}

func read(with ask.With) (any, error) {
	values := []string{}
	ctx, cancel := context.WithTimeout(background, 20*time.Second)
	defer cancel()
	for partition := range with.Partitions {
		end, err := kafka.DialLeader(ctx, "tcp", server, with.Topic, int(partition))
		if err != nil {
			return nil, err
		}
		last, err := end.ReadLastOffset()
		end.Close()
		if err != nil {
			return nil, err
		}
		reader := kafka.NewReader(kafka.ReaderConfig{
			Brokers: []string{server}, Topic: with.Topic, Partition: int(partition),
			MaxWait: 200 * time.Millisecond,
		})
		defer reader.Close()
		for next := int64(0); next < last; {
			message, err := reader.ReadMessage(ctx)
			if err != nil {
				return values, err
			}
			next = message.Offset + 1
			values = append(values, string(message.Value))
		}
	}
	return values, nil
}

func grouped(with ask.With) *kafka.Reader {
	return kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{server}, GroupID: with.Group, Topic: with.Topic,
		StartOffset: kafka.FirstOffset, MaxWait: 200 * time.Millisecond,
	})
}

func take(with ask.With) (any, error) {
	reader := grouped(with)
	values := []string{}
	ctx, cancel := context.WithTimeout(background, 20*time.Second)
	defer cancel()
	for len(values) < with.Count {
		message, err := reader.ReadMessage(ctx)
		if err != nil {
			return values, err
		}
		values = append(values, string(message.Value))
	}
	return values, reader.Close()
}

func join(with ask.With) (any, error) {
	member = grouped(with)
	return nil, nil
}

func poll(with ask.With) (any, error) {
	values := []string{}
	ctx, cancel := context.WithTimeout(background, time.Duration(with.Ms)*time.Millisecond)
	defer cancel()
	for ctx.Err() == nil {
		message, err := member.FetchMessage(ctx)
		if err != nil {
			break
		}
		// Not under the time limit, which may end between the two. What is refused is read again by its next owner.
		if member.CommitMessages(background, message) == nil {
			values = append(values, string(message.Value))
		}
	}
	return values, nil
}

func leave(ask.With) (any, error) {
	return nil, member.Close()
}

func create(with ask.With) (any, error) {
	answer, err := client.CreateTopics(background, &kafka.CreateTopicsRequest{Topics: []kafka.TopicConfig{
		{Topic: with.Topic, NumPartitions: int(with.Partitions), ReplicationFactor: 1},
	}})
	if err != nil {
		return nil, err
	}
	return nil, answer.Errors[with.Topic]
}

func describe(with ask.With) (any, error) {
	answer, err := client.Metadata(background, &kafka.MetadataRequest{Topics: []string{with.Topic}})
	if err != nil {
		return nil, err
	}
	return len(answer.Topics[0].Partitions), answer.Topics[0].Error
}

func remove(with ask.With) (any, error) {
	request := &kafka.DeleteTopicsRequest{Topics: []string{with.Topic}}
	answer, err := client.DeleteTopics(background, request)
	if err != nil {
		return nil, err
	}
	return nil, answer.Errors[with.Topic]
}

func groups(ask.With) (any, error) {
	answer, err := client.ListGroups(background, &kafka.ListGroupsRequest{})
	if err != nil {
		return nil, err
	}
	names := []string{}
	for _, group := range answer.Groups {
		names = append(names, group.GroupID)
	}
	return names, nil
}

func group(with ask.With) (any, error) {
	request := &kafka.DescribeGroupsRequest{GroupIDs: []string{with.Group}}
	answer, err := client.DescribeGroups(background, request)
	if err != nil {
		return nil, err
	}
	found := answer.Groups[0]
	return ask.Described{State: found.GroupState, Members: len(found.Members)}, found.Error
}

func main() {
	ask.Serve(map[string]ask.Command{
		"versions": func(ask.With) (any, error) { return ask.Version("github.com/segmentio/kafka-go"), nil },
		"produce":  produce, "read": read, "take": take, "join": join, "poll": poll, "leave": leave,
		"create": create, "describe": describe, "delete": remove, "groups": groups, "group": group,
	})
}
