import type { Clock } from '../clock.ts'
import type { DataDir, StoreKind } from './data-dir.ts'

export interface AcquireOptions {
  readonly dataDir: DataDir
  /** What the user asked for by name; a running broker with other values is not joined (exit 3). */
  readonly settings: Readonly<Record<string, string>>
  readonly clock: Clock
  readonly connectTimeoutMs: number
  readonly signal?: AbortSignal
}

/** A lease on an embedded broker: it runs at least until `release`. */
export interface AcquiredBroker {
  /** `127.0.0.1:<port>`. */
  readonly bootstrapServers: string
  readonly kind: 'started' | 'joined'
  readonly pid: number
  readonly store: StoreKind
  /** null with `memory` and `ring`. */
  readonly dataDir: string | null
  /** Ends the lease; a broker without leases ends itself. Of a private broker (`memory`, `ring`) it waits for the end. Never rejects. */
  release(): Promise<void>
  /** Called once when the broker is lost while the lease is held. */
  onLost(callback: (reason: string) => void): void
}

/**
 * Joins the broker of a data folder, or starts it as a detached child.
 * Throws a `SurroundingsError` when it cannot be started, does not answer in time or runs with other settings.
 */
export const acquireBroker = (_options: AcquireOptions): Promise<AcquiredBroker> =>
  Promise.reject(new Error('not yet'))
