/** What of node-rdkafka is used, typed here since the package is optional, and how it is loaded. */
import { createRequire } from 'node:module'
import { findPackage, loadWith } from '../optional-package.ts'

export interface LibraryError extends Error {
  /** Below 0 librdkafka's own, above 0 Kafka's. */
  code: number
}

export type Config = Record<string, unknown>
type Done<Result = unknown> = (error: LibraryError | null, result: Result) => void

export interface TopicPartition {
  topic: string
  partition: number
  offset?: number
}

export interface Message {
  partition: number
  offset: number
  value: Buffer | null
  headers?: Record<string, Buffer>[]
}

interface Client {
  connect(options: { allTopics: boolean; timeout: number }, done: Done): void
  getMetadata(options: { allTopics: boolean; timeout: number }, done: Done): void
  on(event: string, listener: (...payload: never[]) => void): void
}

export interface LibraryProducer extends Client {
  produce(
    topic: string,
    partition: number,
    value: Buffer,
    key: Buffer | null,
    timestamp: number | null,
    opaque: object,
  ): unknown
  setPollInterval(intervalMs: number): void
  disconnect(flushMs: number, done: Done): void
}

export interface LibraryConsumer extends Client {
  setDefaultConsumeTimeout(timeoutMs: number): void
  consume(count: number, done: Done<Message[]>): void
  subscribe(topics: string[]): void
  assign(partitions: TopicPartition[]): void
  unassign(): void
  offsetsStore(offsets: TopicPartition[]): void
  commitSync(offsets: TopicPartition[]): void
  disconnect(done: Done): void
}

export interface Library {
  Producer: new (config: Config, topicConfig: Config) => LibraryProducer
  KafkaConsumer: new (config: Config, topicConfig: Config) => LibraryConsumer
  /** Of librdkafka itself. */
  librdkafkaVersion: string
  features: string[]
  CODES: { ERRORS: Record<string, number> }
}

const librdkafkaPackage = {
  client: 'librdkafka',
  name: 'node-rdkafka',
  install:
    'npm install node-rdkafka@3.6.1, which is compiled: Debian has what it needs in g++, make, python3, libsasl2-dev, libssl-dev, zlib1g-dev, libcurl4-openssl-dev, libzstd-dev and liblz4-dev',
}

/** Throws a `UsageError` with what to install when the package is missing or cannot be loaded. */
export const loadLibrary = async (): Promise<{ library: Library; version: string }> => {
  const { file, version } = findPackage(librdkafkaPackage)
  const load = () => createRequire(import.meta.url)(file) as Library
  return { library: await loadWith(librdkafkaPackage, load), version }
}
