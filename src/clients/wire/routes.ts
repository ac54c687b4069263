/** The way of each partition's runs to its leader: outboxes, the lanes they lead to, and the connections of these. */
import { produce } from '../../protocol/messages/produce.ts'
import type { Acks } from '../driver.ts'
import type { Cluster } from './cluster.ts'
import { ConnectionError } from './errors.ts'
import { Lane, Outbox } from './outbox.ts'
import { lastVersion, ProduceAnswer, ProducePrefix } from './produce-frame.ts'
import { SendRing } from './send-ring.ts'

/** What all requests of a producer say alike. */
interface ProduceSettings {
  readonly topic: string
  readonly acks: Acks
  readonly timeoutMs: number
}

export class Routes {
  /** By partition. */
  readonly outboxes: Outbox[] = []
  readonly #lanes = new Map<number, Lane>()
  readonly #cluster: Cluster
  readonly #request: ProduceSettings

  constructor(cluster: Cluster, request: ProduceSettings) {
    this.#cluster = cluster
    this.#request = request
  }

  get lanes(): Iterable<Lane> {
    return this.#lanes.values()
  }

  outboxOf(partition: number): Outbox {
    for (let next = this.outboxes.length; next <= partition; next++) {
      this.outboxes.push(new Outbox(next))
    }
    return this.outboxes[partition] as Outbox
  }

  /** Connects to the leaders in the metadata. Rejects with a `ConnectionError` when none can be reached, or one never could. */
  async open(): Promise<void> {
    for (const partition of this.#cluster.leadersOf(this.#request.topic).keys()) {
      this.outboxOf(partition)
    }
    this.#assign()
    const failures: unknown[] = []
    await Promise.all(
      Array.from(this.#lanes.values(), (lane) =>
        this.#connect(lane).catch((error: unknown) => failures.push(error)),
      ),
    )
    const hopeless = failures.find(isHopeless)
    if (hopeless !== undefined) throw hopeless
    if (failures.length > 0 && failures.length === this.#lanes.size) throw failures[0]
  }

  /** Asks for the leaders again, and connects where something waits. Resolves to a problem it met; null when none. */
  async repair(): Promise<unknown> {
    let problem: unknown = null
    const note = (error: unknown): void => {
      problem = error
    }
    await this.#cluster.refresh().catch(note)
    this.#assign()
    const needed = new Set(this.outboxes.map((outbox) => (outbox.isEmpty ? null : outbox.lane)))
    await Promise.all(
      Array.from(needed, async (lane) => {
        if (lane !== null && !lane.isLive) await this.#connect(lane).catch(note)
      }),
    )
    return problem
  }

  #assign(): void {
    const leaders = this.#cluster.leadersOf(this.#request.topic)
    for (const outbox of this.outboxes) {
      const nodeId = leaders.get(outbox.partition)?.leaderId ?? -1
      outbox.moveTo(nodeId < 0 ? null : this.#laneOf(nodeId))
    }
  }

  #laneOf(nodeId: number): Lane {
    const known = this.#lanes.get(nodeId)
    if (known !== undefined) return known
    const lane = new Lane(nodeId)
    this.#lanes.set(nodeId, lane)
    return lane
  }

  async #connect(lane: Lane): Promise<void> {
    const connection = await this.#cluster.connectionTo(lane.nodeId, 'data')
    const version = connection.versionOf(produce, lastVersion)
    const prefix = new ProducePrefix(version, this.#cluster.clientId, this.#request)
    const answer = new ProduceAnswer(version, this.#request.topic)
    lane.link = { connection, prefix, answer, ring: new SendRing() }
  }
}

const isHopeless = (error: unknown): boolean => error instanceof ConnectionError && error.isHopeless
