import type { Clock } from '../clock.ts'
import type { Cluster } from './cluster.ts'
import type { GroupCoordinator } from './group/coordinator.ts'
import type { ProducerIds } from './producer-ids.ts'
import type { Settings } from './settings.ts'
import type { Lent } from './store/lent.ts'
import type { Store } from './store/store.ts'
import type { Topics } from './topics.ts'

/** What every handler may use. Made by `broker.ts`, once per node; all but `nodeId` is common to the nodes. */
export interface BrokerContext {
  readonly clock: Clock
  readonly settings: Settings
  /** Made when it is first asked for, where nothing is kept. */
  clusterId(): string
  /** The node that was asked. */
  readonly nodeId: number
  readonly cluster: Cluster
  readonly topics: Topics
  readonly groups: GroupCoordinator
  readonly producerIds: ProducerIds
  /** What connections have been lent of the store's memory. */
  readonly lent: Lent
  /** Where appends are written together, before they are acknowledged. */
  readonly store: Pick<Store, 'hold' | 'write'>
  /** One line to the broker's log. */
  log(line: string): void
}

/** The request's surroundings. */
export interface Call {
  readonly version: number
  readonly clientId: string | null
  readonly clientHost: string
  /** Aborts when the connection has closed: parked fetches end, parked joins and syncs do not (as in Kafka). */
  readonly closed: AbortSignal
}

/**
 * Decoded request in, response value out; a promise when the answer is parked; null when none is sent (acks=0).
 * Kafka errors are values in the response. A throw is our bug: it is logged and the connection closed.
 */
export type Handler<Request, Response> = (
  request: Request,
  call: Call,
  broker: BrokerContext,
) => Response | null | Promise<Response | null>

/** Thrown by a handler to close the connection without an answer, as Kafka does for a failed acks=0 produce. */
export class CloseConnection extends Error {}
