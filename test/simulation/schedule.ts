/** What happens in one simulated life of a group, as data: who the clients are, how the network is, who does what when. */

/** The last is as unfair as its name says, so that a check of fairness can be seen to fail. */
export type Assignor = 'range' | 'roundrobin' | 'cooperative-sticky' | 'all-to-one'

export interface ClientTraits {
  readonly groupInstanceId: string | null
  /** In the client's order of preference. */
  readonly assignors: readonly Assignor[]
  readonly joinVersion: number
  readonly syncVersion: number
  readonly leaveVersion: number
  readonly commitVersion: number
  readonly offsetFetchVersion: number
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly heartbeatMs: number
  /** How long the client waits for the answer to a join before it joins again. */
  readonly joinRequestTimeoutMs: number
  /** 0: never commits. */
  readonly commitMs: number
}

/** What is not as it should be until the faults end. */
export interface Faults {
  /** A request and an answer take up to this long each. */
  readonly delayMs: number
  /** Chances between 0 and 1. */
  readonly lostRequests: number
  readonly lostAnswers: number
}

export type Deed =
  | { readonly does: 'start' | 'leave' | 'crash' | 'restart' | 'resubscribe' }
  /** Sees and says nothing for a while. */
  | { readonly does: 'pause'; readonly ms: number }
  /** From now on takes so long to rejoin when told to, or to bring the assignment as leader. */
  | { readonly does: 'dawdle to join' | 'dawdle to assign'; readonly ms: number }
  /** Its next joins are processed, and their answers get lost. */
  | { readonly does: 'lose join answers'; readonly count: number }
  /** The coordinator forgets its groups, not the committed offsets. */
  | { readonly does: 'restart coordinator' }

export type Event = Deed & {
  readonly atMs: number
  /** Index of the client; of no meaning where it is the coordinator that does something. */
  readonly who: number
}

export interface Schedule {
  readonly name: string
  /** Of what the network does. */
  readonly seed: number
  readonly partitionCount: number
  /** Of the broker, by Kafka's names. */
  readonly settings: Readonly<Record<string, string>>
  readonly clients: readonly ClientTraits[]
  readonly faults: Faults
  readonly events: readonly Event[]
  /** From here on nothing is late or lost, and the group has to come to rest. */
  readonly faultsEndMs: number
  /** Nothing goes wrong in it but that members come and go, so none may be refused. */
  readonly isCalm: boolean
  /** How many generations may begin; null: no matter how many. */
  readonly generationLimit: number | null
}
