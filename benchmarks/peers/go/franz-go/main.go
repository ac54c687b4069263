// franz-go as a load: franz-go produce|consume HOST:PORT TOPIC RECORDS. Prints a line of JSON: records, elapsedMs, cpuMs.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const valueBytes = 256

func cpuMs() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e6
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// Records before the measurement, as many as a tenth: connections are there, and buffers have their size.
func produce(client *kgo.Client, topic string, count int) {
	value := make([]byte, valueBytes)
	for i := range value {
		value[i] = byte(i * 7)
	}
	var failure atomic.Value
	var waiting sync.WaitGroup
	waiting.Add(count)
	onAck := func(_ *kgo.Record, err error) {
		if err != nil {
			failure.Store(err)
		}
		waiting.Done()
	}
	for range count {
		client.Produce(context.Background(), &kgo.Record{Topic: topic, Value: value}, onAck)
	}
	waiting.Wait()
	if err := failure.Load(); err != nil {
		check(err.(error))
	}
}

// Every record's value is looked at, as the others' are. `begin` is called with the first.
func consume(client *kgo.Client, count int, begin func()) {
	var seen, bytes int
	for seen < count {
		fetches := client.PollFetches(context.Background())
		check(fetches.Err())
		if seen == 0 {
			begin()
		}
		fetches.EachRecord(func(record *kgo.Record) {
			seen++
			bytes += len(record.Value)
		})
	}
	if bytes < seen*valueBytes {
		check(fmt.Errorf("%d bytes in %d records", bytes, seen))
	}
}

func main() {
	what, server, topic := os.Args[1], os.Args[2], os.Args[3]
	count, err := strconv.Atoi(os.Args[4])
	check(err)
	options := []kgo.Opt{kgo.SeedBrokers(server)}
	if what == "produce" {
		options = append(options,
			kgo.RequiredAcks(kgo.AllISRAcks()),
			kgo.DisableIdempotentWrite(),
			kgo.MaxProduceRequestsInflightPerBroker(5),
			kgo.ProducerBatchCompression(kgo.NoCompression()),
			kgo.ProducerBatchMaxBytes(1_000_000),
			kgo.ProducerLinger(5*time.Millisecond),
			kgo.MaxBufferedRecords(50_000),
		)
	} else {
		options = append(options,
			kgo.ConsumeTopics(topic),
			kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		)
	}
	client, err := kgo.NewClient(options...)
	check(err)
	defer client.Close()
	var began time.Time
	var cpuBefore float64
	begin := func() { began, cpuBefore = time.Now(), cpuMs() }
	if what == "produce" {
		produce(client, topic, count/10)
		begin()
		produce(client, topic, count)
	} else {
		consume(client, count, begin)
	}
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{
		"records":   count,
		"elapsedMs": float64(time.Since(began).Nanoseconds()) / 1e6,
		"cpuMs":     cpuMs() - cpuBefore,
	}))
}
