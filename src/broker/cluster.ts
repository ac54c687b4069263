import type { GroupCoordinator } from './group/coordinator.ts'
import { hashOf, onFirstNode, type Placement, spreadReplicas, withLeader } from './placement.ts'
import type { Topics } from './topics.ts'

/**
 * The nodes of one broker process, and which of them leads a partition or coordinates a group. They share all data:
 * a node is a listener that answers for its own part only, so a move is a change of who answers.
 */

export interface ClusterNode {
  readonly nodeId: number
  readonly host: string
  /** What clients are told to connect to; known once the node listens. */
  port: number
}

export interface ClusterParts {
  readonly nodes: readonly ClusterNode[]
  readonly topics: Pick<Topics, 'list' | 'partition' | 'placement' | 'place'>
  readonly groups: Pick<GroupCoordinator, 'handOver'>
}

/** More than anybody starts on one machine; a bound against a slip of the finger. */
export const maxNodes = 16

/** As Kafka's `offsets.topic.num.partitions`: groups whose ids fall into one slot move together. */
const coordinatorSlots = 50

type MoveWatcher = (topic: string, index: number) => void

export class Cluster {
  readonly nodes: readonly ClusterNode[]
  readonly #parts: ClusterParts
  /** Node id by slot. */
  readonly #coordinators: number[]
  readonly #watchers = new Set<MoveWatcher>()

  /** Takes partitions off nodes that are no more, since the folder was last used with more of them. */
  constructor(parts: ClusterParts) {
    this.#parts = parts
    this.nodes = parts.nodes
    const { length } = parts.nodes
    this.#coordinators = Array.from({ length: coordinatorSlots }, (_, slot) => (slot % length) + 1)
    this.#abandonMissingNodes()
  }

  /** Whether there is a node of this id. */
  hasNode(nodeId: number): boolean {
    return this.nodes.some((node) => node.nodeId === nodeId)
  }

  /** The slot that a group or transactional id falls into. */
  slotOf(key: string): number {
    return hashOf(key) % coordinatorSlots
  }

  /** The node that coordinates a group or transactional id. */
  coordinatorOf(key: string): ClusterNode {
    const nodeId = this.#coordinators[this.slotOf(key)]
    return this.nodes.find((node) => node.nodeId === nodeId) as ClusterNode
  }

  /** Replicas for partitions `from` to `count` - 1 of a topic, spread over the nodes. */
  replicasFor(name: string, count: number, factor: number, from = 0): number[][] {
    return spreadReplicas(this.nodes.length, { from, count, factor, seed: hashOf(name) })
  }

  /** Why partitions cannot have these replicas, `factor` each, or null. */
  replicasFault(
    replicas: readonly (readonly number[])[],
    factor = replicas[0]?.length ?? 0,
  ): string | null {
    const isFit = replicas.every(
      (nodeIds) =>
        nodeIds.length === factor &&
        new Set(nodeIds).size === factor &&
        nodeIds.every((nodeId) => this.hasNode(nodeId)),
    )
    return factor > 0 && isFit
      ? null
      : `Each partition must be assigned to ${Math.max(factor, 1)} different broker(s) of 1 to ${this.nodes.length}`
  }

  /** Makes another node the leader of an existing partition, a replica too if it is none yet. Throws a `StorageError`. */
  moveLeader(topic: string, index: number, nodeId: number): void {
    const { replicas, leaderId } = this.#parts.topics.placement(topic, index)
    const isReplica = replicas.includes(nodeId)
    const next = isReplica ? replicas : replicas.map((id) => (id === leaderId ? nodeId : id))
    this.reassign(topic, index, next, nodeId)
  }

  /**
   * Gives an existing partition other replicas. It keeps its leader if that is among them, unless told otherwise; the
   * epoch rises when it does not. Throws a `StorageError`.
   */
  reassign(topic: string, index: number, replicas: readonly number[], leaderId?: number): void {
    const { topics } = this.#parts
    const placement = topics.placement(topic, index)
    const kept = replicas.includes(placement.leaderId) ? placement.leaderId : replicas[0]
    const next = leaderId ?? kept ?? placement.leaderId
    const moved: Placement = { ...placement, replicas }
    const endOffset = topics.partition(topic, index)?.logEndOffset ?? 0
    topics.place(
      topic,
      index,
      next === placement.leaderId ? moved : withLeader(moved, next, endOffset),
    )
    for (const watcher of this.#watchers) watcher(topic, index)
  }

  /** Makes another node the coordinator of the groups in a slot; what they have parked is answered NOT_COORDINATOR. */
  moveCoordinators(slot: number, nodeId: number): void {
    if (this.#coordinators[slot] === nodeId) return
    this.#coordinators[slot] = nodeId
    this.#parts.groups.handOver((groupId) => this.slotOf(groupId) === slot)
  }

  /** Calls `watcher` after each move of a partition, until the returned function is called. */
  watchMoves(watcher: MoveWatcher): () => void {
    this.#watchers.add(watcher)
    return () => void this.#watchers.delete(watcher)
  }

  #abandonMissingNodes(): void {
    const { topics } = this.#parts
    for (const { name, partitionCount } of topics.list()) {
      for (let index = 0; index < partitionCount; index += 1) {
        const placement = topics.placement(name, index)
        if (placement === onFirstNode) continue
        const replicas = placement.replicas.filter((nodeId) => this.hasNode(nodeId))
        if (replicas.length === placement.replicas.length) continue
        const [another = 1] = this.replicasFor(name, index + 1, 1, index)[0] ?? []
        this.reassign(name, index, replicas.length > 0 ? replicas : [another])
      }
    }
  }
}
