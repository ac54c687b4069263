/** A scenario's member as a child process, so that a crash is a killed process and a pause a stopped one. */
import type { Clock } from '../clock.ts'
import type { MemberEvent, MemberOptions } from './member-protocol.ts'

/** How a member of some client is started: `command` is null when it cannot be, and `reason` says why. */
export type MemberCommandLine =
  | { readonly command: readonly string[]; readonly reason: null }
  | { readonly command: null; readonly reason: string }

export interface MemberExit {
  /** null when it was ended by a signal. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** It was asked to stop, did not within the limit, and was killed. */
  readonly isKilledAtLimit: boolean
  /** The last 4 KiB of its standard error. */
  readonly errorOutput: string
}

export interface MemberSink {
  /** A line that is not of the protocol comes as an `error` that is not fatal. Nothing comes after `exited`. */
  onEvent(event: MemberEvent): void
}

/** A running member. No method throws, also not when the process has ended. */
export interface MemberHandle {
  readonly pid: number | null
  readonly hasExited: boolean
  /** Never rejects. A process that could not be started exits with code null and says why in `errorOutput`. */
  readonly exited: Promise<MemberExit>
  /** Asks for a commit of what was read; `committed` or an `error` follows. */
  commit(): void
  /** Asks it to leave; killed when it has not exited within `limitMs` (20 s by default). A paused member is resumed. */
  stop(limitMs?: number): Promise<MemberExit>
  /** SIGKILL: no LeaveGroup. */
  crash(): Promise<MemberExit>
  /** SIGSTOP. */
  pause(): void
  /** SIGCONT. */
  resume(): void
}

/** Starts a member. The caller ends it with `stop` or `crash`; it leaves by itself when this process ends. */
export const startMember = (
  command: readonly string[],
  options: MemberOptions,
  sink: MemberSink,
  clock: Clock,
): MemberHandle => {
  throw new Error(`not yet: ${command.length} ${options.topic} ${typeof sink} ${typeof clock}`)
}
