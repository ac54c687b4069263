import type { Timer } from '../../clock.ts'
import type {
  JoinAnswer,
  JoinRequest,
  MemberIdentity,
  MemberProtocol,
  SyncAnswer,
} from './requests.ts'

/** One member of a group: what it said when it joined, what it is waiting for, and its session timer. */

/** An answer that is given later. */
export interface Parked<T> {
  readonly promise: Promise<T>
  answer(value: T): void
}

export const park = <T>(): Parked<T> => {
  let answer!: (value: T) => void
  const promise = new Promise<T>((resolve) => {
    answer = resolve
  })
  return { promise, answer }
}

export const noAssignment = Buffer.alloc(0)

export class Member implements MemberIdentity {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly clientId: string
  readonly clientHost: string
  readonly protocolType: string
  sessionTimeoutMs: number
  rebalanceTimeoutMs: number
  protocols: readonly MemberProtocol[]
  assignment: Buffer = noAssignment
  /** Until its first join is answered; such a member may expire although its join is parked (KAFKA-7610). */
  isNew = false
  parkedJoin: Parked<JoinAnswer> | null = null
  parkedSync: Parked<SyncAnswer> | null = null
  sessionTimer: Timer | null = null

  constructor(memberId: string, joined: Omit<JoinRequest, 'groupId' | 'memberId'>) {
    this.memberId = memberId
    this.groupInstanceId = joined.groupInstanceId
    this.clientId = joined.clientId
    this.clientHost = joined.clientHost
    this.protocolType = joined.protocolType
    this.sessionTimeoutMs = joined.sessionTimeoutMs
    this.rebalanceTimeoutMs = joined.rebalanceTimeoutMs
    this.protocols = joined.protocols
  }

  get isStatic(): boolean {
    return this.groupInstanceId !== null
  }

  /** Takes over what a repeated join says. */
  update(request: JoinRequest): void {
    this.sessionTimeoutMs = request.sessionTimeoutMs
    this.rebalanceTimeoutMs = request.rebalanceTimeoutMs
    this.protocols = request.protocols
  }

  /** Whether `protocols` are the same names with the same metadata in the same order. */
  hasProtocols(protocols: readonly MemberProtocol[]): boolean {
    return (
      protocols.length === this.protocols.length &&
      protocols.every(({ name, metadata }, i) => {
        const own = this.protocols[i]
        return own !== undefined && own.name === name && own.metadata.equals(metadata)
      })
    )
  }

  supports(protocolName: string): boolean {
    return this.protocols.some(({ name }) => name === protocolName)
  }

  /** What the member said under `protocolName`; empty when it does not support it. */
  metadataOf(protocolName: string): Buffer {
    return this.protocols.find(({ name }) => name === protocolName)?.metadata ?? noAssignment
  }
}
