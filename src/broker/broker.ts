import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import type { Clock, Timer } from '../clock.ts'
import { messageOf, SurroundingsError } from '../errors.ts'
import { serveApis } from './apis.ts'
import { Cluster, type ClusterNode } from './cluster.ts'
import { Connection } from './connection.ts'
import type { BrokerContext } from './context.ts'
import type { DataDir } from './data-dir.ts'
import { GroupCoordinator } from './group/coordinator.ts'
import { type BrokerParts, kafkaParts } from './parts.ts'
import { ProducerIds } from './producer-ids.ts'
import type { Settings } from './settings.ts'
import { openStore } from './store/open.ts'
import type { Store } from './store/store.ts'
import { Topics } from './topics.ts'
import { warmUp } from './warm-up.ts'

/** The embedded broker: a node, or several, that any Kafka client can use. Wires store, topics, groups and connections together. */

export interface BrokerOptions {
  readonly host: string
  /** Of the first node; those after it follow. 0 takes free ones. */
  readonly port: number
  /** How many nodes; 1 unless told. */
  readonly brokers?: number
  readonly dataDir: DataDir
  readonly settings: Settings
  readonly clock: Clock
  /** One line to the broker's log. */
  readonly log: (line: string) => void
  readonly parts?: BrokerParts
}

interface Endpoint {
  readonly host: string
  readonly port: number
}

export interface Broker {
  /** What the handlers of the first node are given; for tests that look inside. */
  readonly context: BrokerContext
  /** Where the first node listens; `context.cluster` knows all. Rejects with a `SurroundingsError` when a port is taken. */
  listen(): Promise<Endpoint>
  /** Does what would else be done when the first records come, a little at a time. */
  warmUp(): void
  /** Ends all connections and timers, writes what is left and closes the store. */
  close(): Promise<void>
}

/** Kafka's clients take a broker without a cluster id for an old one, and one that changes for another cluster. */
const clusterIdOf = (store: Store): string => {
  const journal = store.journal('cluster')
  const found = journal.entries().at(-1) as { clusterId: string } | undefined
  if (found !== undefined) return found.clusterId
  const clusterId = randomBytes(16).toString('base64url')
  journal.rewrite([{ clusterId }])
  return clusterId
}

const logLinesPerMinute = 60

/** A client in a loop must not fill the disk by way of the log. */
const limitLog = (log: (line: string) => void, clock: Clock): ((line: string) => void) => {
  let minuteStartNs = clock.nowNs()
  let lines = 0
  return (line) => {
    if (clock.nowNs() - minuteStartNs > 60e9) {
      minuteStartNs = clock.nowNs()
      lines = 0
    }
    lines++
    if (lines < logLinesPerMinute) log(line)
    else if (lines === logLinesPerMinute) log('further lines of this minute are left out')
  }
}

const nodesOf = ({ brokers = 1, host, port }: BrokerOptions): ClusterNode[] =>
  Array.from({ length: brokers }, (_, i) => ({
    nodeId: i + 1,
    host,
    port: port === 0 ? 0 : port + i,
  }))

const openContext = (options: BrokerOptions, parts: BrokerParts, store: Store): BrokerContext => {
  const { settings, clock } = options
  const log = limitLog(options.log, clock)
  const topics = new Topics({ store, settings, clock, log })
  const groups = new GroupCoordinator({
    clock,
    settings,
    journal: store.journal('offsets'),
    rules: parts.groupRules,
    partitionCountOf: (name) => topics.get(name)?.partitionCount ?? 0,
    log,
  })
  topics.onDeleted(({ name }) => groups.dropTopic(name))
  let clusterId = store.kind === 'disk' ? clusterIdOf(store) : null
  return {
    clock,
    settings,
    // Where nothing is kept it is made when it is asked for: a start need not wait for random bytes. Not a getter: V8 keeps
    // an object that was written with one as a dictionary, and every request looks things up here.
    clusterId() {
      clusterId ??= clusterIdOf(store)
      return clusterId
    },
    nodeId: 1,
    cluster: new Cluster({ nodes: nodesOf(options), topics, groups }),
    topics,
    groups,
    producerIds: new ProducerIds(store.journal('producer-ids')),
    lent: store.lent,
    store,
    log,
  }
}

const listenOn = (server: Server, { host, port }: Endpoint): Promise<number> =>
  new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      const reason = error.code === 'EADDRINUSE' ? 'the port is taken' : messageOf(error)
      reject(new SurroundingsError(`cannot listen on ${host}:${port}: ${reason}`, { cause: error }))
    }
    server.once('error', fail)
    server.listen(port, host, () => {
      server.off('error', fail)
      const address = server.address()
      resolve(address === null || typeof address === 'string' ? port : address.port)
    })
  })

interface Listener {
  /** Resolves to the port. */
  listen(endpoint: Endpoint): Promise<number>
  close(): Promise<void>
}

/** Where one node is reached, with its connections. */
const createListener = (context: BrokerContext, parts: BrokerParts): Listener => {
  const served = serveApis(parts.messages, parts.handlers)
  const connections = new Set<Connection>()
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (accepted) => {
    const connection = new Connection(accepted, served, context)
    connections.add(connection)
    connection.socket.on('close', () => connections.delete(connection))
  })
  const { 'max.connections': maxConnections } = context.settings
  server.maxConnections = maxConnections
  server.on('drop', () => {
    context.log(`dropped a connection: max.connections is ${maxConnections}`)
  })
  return {
    async listen(endpoint) {
      const port = await listenOn(server, endpoint)
      server.on('error', (error) => context.log(`listener: ${messageOf(error)}`))
      return port
    },
    async close() {
      const isClosed = new Promise<void>((resolve) => {
        if (server.listening) server.close(() => resolve())
        else resolve()
      })
      for (const connection of connections) connection.close()
      await isClosed
    },
  }
}

/** Opens the store; throws a `SurroundingsError` when it cannot be used. The caller holds the lock of the data folder. */
export const createBroker = (options: BrokerOptions): Broker => {
  const parts = options.parts ?? kafkaParts
  const { dataDir, settings } = options
  let store: Store
  let context: BrokerContext
  try {
    store = openStore({ dataDir, settings, log: options.log })
    context = openContext(options, parts, store)
  } catch (error) {
    throw new SurroundingsError(messageOf(error), { cause: error })
  }
  let warming: Timer | null = null
  const { nodes } = context.cluster
  const listeners = nodes.map(({ nodeId }) =>
    createListener(nodeId === context.nodeId ? context : { ...context, nodeId }, parts),
  )
  return {
    context,
    async listen() {
      for (const [i, node] of nodes.entries()) {
        const listener = listeners[i]
        if (listener !== undefined) node.port = await listener.listen(node)
      }
      return { host: options.host, port: nodes[0]?.port ?? 0 }
    },
    warmUp() {
      warming = warmUp({ ...options, prepareStore: () => store.prepare() })
    },
    async close() {
      warming?.cancel()
      const areClosed = listeners.map((listener) => listener.close())
      context.groups.close()
      await Promise.all(areClosed)
      context.topics.close()
      store.close()
    },
  }
}
