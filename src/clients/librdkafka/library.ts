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

/** An error's text as delivery reports have it: without where it comes from, in small letters. */
export const plainText = (text: string): string =>
  text.toLowerCase().replace(/^(local|broker): /, '')

/** The addon beneath the package. */
interface Binding {
  err2str(code: number): string
}

export interface LoadedLibrary {
  library: Library
  version: string
  /** Kafka's error codes by librdkafka's plain texts for them: delivery reports carry only the text. */
  kafkaCodes: ReadonlyMap<string, number>
}

/** Throws a `UsageError` with what to install when the package is missing or cannot be loaded. */
export const loadLibrary = async (): Promise<LoadedLibrary> => {
  const { file, version } = findPackage(librdkafkaPackage)
  const requireThere = createRequire(file)
  const load = () => ({
    library: requireThere(file) as Library,
    binding: requireThere('../librdkafka.js') as Binding,
  })
  const { library, binding } = await loadWith(librdkafkaPackage, load)
  const codes = Object.values(library.CODES.ERRORS).filter((code) => code > 0)
  const kafkaCodes = new Map(codes.map((code) => [plainText(binding.err2str(code)), code]))
  return { library, version, kafkaCodes }
}
