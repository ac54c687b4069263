import type { GroupCoordinator } from './group/coordinator.ts'
import {
  hashOf,
  newPlacement,
  onFirstNode,
  type Placement,
  spreadReplicas,
  withLeader,
} from './placement.ts'
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
  readonly topics: Pick<Topics, 'get' | 'list' | 'partition' | 'placement' | 'place'>
  readonly groups: Pick<GroupCoordinator, 'handOver'>
}

/** More than anybody starts on one machine; a bound against a slip of the finger. */
export const maxNodes = 16

/**
 * The topic whose partitions stand for the coordinators, as in Kafka: a group belongs to the one that the hash of its id
 * falls into, and its leader coordinates it. Here it has no records and is not listed, but its partitions can be moved.
 */
export const offsetsTopic = '__consumer_offsets'
/** Kafka's `offsets.topic.num.partitions`. */
const offsetsPartitionCount = 50

/** The partition of `offsetsTopic` that a group or transactional id belongs to. */
export const offsetsPartitionOf = (key: string): number => hashOf(key) % offsetsPartitionCount

type MoveWatcher = (topic: string, index: number) => void

export class Cluster {
  readonly nodes: readonly ClusterNode[]
  readonly #parts: ClusterParts
  /** By partition of `offsetsTopic`. */
  readonly #coordinators: Placement[]
  readonly #watchers = new Set<MoveWatcher>()

  /** Takes partitions off nodes that are no more, since the folder was last used with more of them. */
  constructor(parts: ClusterParts) {
    this.#parts = parts
    this.nodes = parts.nodes
    const { length } = parts.nodes
    this.#coordinators = spreadReplicas(length, { count: offsetsPartitionCount, factor: 1 }).map(
      newPlacement,
    )
    this.#abandonMissingNodes()
  }

  /** Whether there is a node of this id. */
  hasNode(nodeId: number): boolean {
    return this.nodes.some((node) => node.nodeId === nodeId)
  }

  /** The node that coordinates a group or transactional id. */
  coordinatorOf(key: string): ClusterNode {
    const nodeId = this.#coordinators[offsetsPartitionOf(key)]?.leaderId
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

  /** Where a partition lies, of `offsetsTopic` too; null when there is no such partition. */
  placementOf(topic: string, index: number): Placement | null {
    if (topic === offsetsTopic) return this.#coordinators[index] ?? null
    const { topics } = this.#parts
    const count = topics.get(topic)?.partitionCount ?? 0
    return Number.isInteger(index) && index >= 0 && index < count
      ? topics.placement(topic, index)
      : null
  }

  /**
   * Gives an existing partition other replicas. It keeps its leader if that is among them, unless told otherwise; the
   * epoch rises when it does not. Who waits at the old leader is answered. Throws a `StorageError`.
   */
  reassign(topic: string, index: number, replicas: readonly number[], leaderId?: number): void {
    const before = this.placementOf(topic, index)
    if (before === null) throw new Error(`there is no partition ${topic}-${index}`)
    const kept = replicas.includes(before.leaderId) ? before.leaderId : replicas[0]
    const next = leaderId ?? kept ?? before.leaderId
    const moved: Placement = { ...before, replicas }
    const after = (endOffset: number): Placement =>
      next === before.leaderId ? moved : withLeader(moved, next, endOffset)
    if (topic === offsetsTopic) {
      this.#coordinators[index] = after(0)
      if (next === before.leaderId) return
      this.#parts.groups.handOver((groupId) => offsetsPartitionOf(groupId) === index)
      return
    }
    const { topics } = this.#parts
    topics.place(topic, index, after(topics.partition(topic, index)?.logEndOffset ?? 0))
    for (const watcher of this.#watchers) watcher(topic, index)
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
