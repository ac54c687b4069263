import type { ProgressEvent, ProgressListener } from '../results/progress.ts'
import type { Mode } from '../results/result.ts'

/**
 * A run as Prometheus reads it, under chronik-bench's names. A page of a dozen figures in a format of one line each needs
 * no library: prom-client would bring four packages, and registries that outlive the run.
 */

interface Metric {
  name: string
  help: string
  type: 'counter' | 'gauge'
  samples: { labels?: Readonly<Record<string, string>>; value: number }[]
}

const bytesPerMegabyte = 2 ** 20

/** Source: Prometheus text exposition format 0.0.4. */
const escaped = (value: string): string =>
  value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

const labelsOf = (labels: Readonly<Record<string, string>> = {}): string => {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

/** What has no sample yet is left out: a zero would be a measurement. */
const formatMetrics = (metrics: readonly Metric[]): string =>
  metrics
    .filter(({ samples }) => samples.length > 0)
    .flatMap(({ name, help, type, samples }) => [
      `# HELP chronik_bench_${name} ${help}`,
      `# TYPE chronik_bench_${name} ${type}`,
      ...samples.map(({ labels, value }) => `chronik_bench_${name}${labelsOf(labels)} ${value}`),
    ])
    .map((text) => `${text}\n`)
    .join('')

type Interval = Extract<ProgressEvent, { type: 'interval' }>

const counter = (name: string, help: string, value: number): Metric => ({
  name,
  help,
  type: 'counter',
  samples: [{ value }],
})

const gauge = (name: string, help: string, value: number | null | undefined): Metric => ({
  name,
  help,
  type: 'gauge',
  samples: value === null || value === undefined ? [] : [{ value }],
})

const latencyHelp = 'Of the last interval: response time, in consume mode end-to-end.'

const megabytesOf = (interval: Interval | null): number | null =>
  interval === null ? null : interval.bytesPerSec / bytesPerMegabyte

const memberGauges = (interval: Interval | null): Metric[] => {
  const members = interval?.members ?? []
  return [
    {
      name: 'consumer_partitions',
      help: 'Partitions that the consumer holds.',
      type: 'gauge',
      samples: members.map(({ name, partitions }) => ({
        labels: { consumer: name },
        value: partitions.length,
      })),
    },
    {
      name: 'consumer_generation',
      help: 'Generation of the group as the consumer knows it.',
      type: 'gauge',
      samples: members.flatMap(({ name, generation }) =>
        generation === null ? [] : [{ labels: { consumer: name }, value: generation }],
      ),
    },
  ]
}

export interface RunMetrics {
  onProgress: ProgressListener
  /** The page as of the last interval. */
  text(): string
}

/** Counters grow from the fill or warm-up on; rates and latencies are those of the last interval. */
export const createRunMetrics = (about: {
  mode: Mode
  version: string
  client: string
}): RunMetrics => {
  const counts = { sent: 0, sentBytes: 0, received: 0, receivedBytes: 0, failed: 0 }
  let last: Interval | null = null
  const add = (interval: Interval): void => {
    last = interval
    counts.failed += interval.failed
    if (about.mode === 'consume' && interval.phase !== 'fill') {
      counts.received += interval.records
      counts.receivedBytes += interval.bytes
    } else {
      counts.sent += interval.records
      counts.sentBytes += interval.bytes
    }
  }
  const metrics = (): Metric[] => [
    {
      name: 'info',
      help: 'What runs.',
      type: 'gauge',
      samples: [{ labels: about, value: 1 }],
    },
    counter('messages_sent_total', 'Records acked; answers in metadata mode.', counts.sent),
    counter(
      'messages_failed_total',
      'Records that failed or whose fate is unknown.',
      counts.failed,
    ),
    counter('bytes_sent_total', 'Bytes of the values acked.', counts.sentBytes),
    counter('messages_received_total', 'Records read in consume mode.', counts.received),
    counter('bytes_received_total', 'Bytes read in consume mode.', counts.receivedBytes),
    gauge('latency_p50_microseconds', latencyHelp, last?.p50Us),
    gauge('latency_p90_microseconds', latencyHelp, last?.p90Us),
    gauge('latency_p99_microseconds', latencyHelp, last?.p99Us),
    gauge('latency_p999_microseconds', latencyHelp, last?.p999Us),
    gauge('throughput_msg_per_sec', 'Of the last interval.', last?.recordsPerSec),
    gauge(
      'throughput_mb_per_sec',
      'Of the last interval, in units of 2^20 bytes.',
      megabytesOf(last),
    ),
    gauge('lag_records', 'Records still to read.', last?.lag),
    ...memberGauges(last),
  ]
  return {
    onProgress: (event) => {
      if (event.type === 'interval') add(event)
    },
    text: () => formatMetrics(metrics()),
  }
}
