// franz-go as a client of the matrix.
package main

import (
	"clients/ask"
	"context"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	background = context.Background()
	member     *kgo.Client
)

func open(options ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append(options, kgo.SeedBrokers(os.Args[1]))...)
}

func codecOf(name string) kgo.CompressionCodec {
	switch name {
	case "gzip":
		return kgo.GzipCompression()
	case "snappy":
		return kgo.SnappyCompression()
	case "lz4":
		return kgo.Lz4Compression()
	case "zstd":
		return kgo.ZstdCompression()
	}
	return kgo.NoCompression()
}

func produce(with ask.With) (any, error) {
	options := []kgo.Opt{
		kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ProducerBatchCompression(codecOf(with.Codec)),
		kgo.ProducerLinger(20 * time.Millisecond),
	}
	if !with.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	client, err := open(options...)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	var records []*kgo.Record
	for _, value := range with.Values {
		records = append(records, &kgo.Record{
			Topic: with.Topic, Partition: with.Partition, Value: []byte(value),
		})
	}
	return nil, client.ProduceSync(background, records...).FirstErr()
}

func collect(client *kgo.Client, limit time.Duration, count int) ([]string, error) {
	values := []string{}
	ctx, cancel := context.WithTimeout(background, limit)
	defer cancel()
	for len(values) < count && ctx.Err() == nil {
		fetches := client.PollRecords(ctx, count-len(values))
		if err := fetches.Err0(); err != nil && ctx.Err() == nil {
			return values, err
		}
		for _, failed := range fetches.Errors() {
			if ctx.Err() == nil {
				return values, failed.Err
			}
		}
		fetches.EachRecord(func(record *kgo.Record) { values = append(values, string(record.Value)) })
	}
	return values, nil
}

func read(with ask.With) (any, error) {
	from := map[int32]kgo.Offset{}
	for partition := range with.Partitions {
		from[partition] = kgo.NewOffset().AtStart()
	}
	client, err := open(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{with.Topic: from}))
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return collect(client, 20*time.Second, with.Count)
}

func grouped(with ask.With, options ...kgo.Opt) (*kgo.Client, error) {
	return open(append(options,
		kgo.ConsumerGroup(with.Group),
		kgo.ConsumeTopics(with.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
	)...)
}

func take(with ask.With) (any, error) {
	client, err := grouped(with, kgo.DisableAutoCommit())
	if err != nil {
		return nil, err
	}
	defer client.Close()
	values, err := collect(client, 20*time.Second, with.Count)
	if err != nil {
		return nil, err
	}
	return values, client.CommitUncommittedOffsets(background)
}

func revoked(ctx context.Context, client *kgo.Client, _ map[string][]int32) {
	_ = client.CommitUncommittedOffsets(ctx)
}

func join(with ask.With) (any, error) {
	var err error
	member, err = grouped(with,
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsRevoked(revoked),
	)
	return nil, err
}

func poll(with ask.With) (any, error) {
	values := []string{}
	ctx, cancel := context.WithTimeout(background, time.Duration(with.Ms)*time.Millisecond)
	defer cancel()
	member.PollFetches(ctx).EachRecord(func(record *kgo.Record) {
		values = append(values, string(record.Value))
	})
	member.AllowRebalance()
	return values, nil
}

func leave(ask.With) (any, error) {
	member.CloseAllowingRebalance()
	return nil, nil
}

// administer wraps a command that needs an admin client.
func administer(command func(*kadm.Client, ask.With) (any, error)) ask.Command {
	return func(with ask.With) (any, error) {
		client, err := open()
		if err != nil {
			return nil, err
		}
		defer client.Close()
		return command(kadm.NewClient(client), with)
	}
}

func create(admin *kadm.Client, with ask.With) (any, error) {
	_, err := admin.CreateTopic(background, with.Partitions, 1, nil, with.Topic)
	return nil, err
}

func describe(admin *kadm.Client, with ask.With) (any, error) {
	topics, err := admin.ListTopics(background, with.Topic)
	if err == nil {
		err = topics.Error()
	}
	return len(topics[with.Topic].Partitions), err
}

func remove(admin *kadm.Client, with ask.With) (any, error) {
	_, err := admin.DeleteTopic(background, with.Topic)
	return nil, err
}

func groups(admin *kadm.Client, _ ask.With) (any, error) {
	listed, err := admin.ListGroups(background)
	return listed.Groups(), err
}

func group(admin *kadm.Client, with ask.With) (any, error) {
	described, err := admin.DescribeGroups(background, with.Group)
	if err == nil {
		err = described.Error()
	}
	found := described[with.Group]
	return ask.Described{State: found.State, Members: len(found.Members)}, err
}

func main() {
	ask.Serve(map[string]ask.Command{
		"versions": func(ask.With) (any, error) { return ask.Version("github.com/twmb/franz-go"), nil },
		"produce":  produce, "read": read, "take": take, "join": join, "poll": poll, "leave": leave,
		"create": administer(create), "describe": administer(describe), "delete": administer(remove),
		"groups": administer(groups), "group": administer(group),
	})
}
