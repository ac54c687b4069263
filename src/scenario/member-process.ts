/** A scenario's member as a child process, so that a crash is a killed process and a pause a stopped one. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { Clock, Timer } from '../clock.ts'
import { messageOf } from '../errors.ts'
import {
  type MemberCommand,
  type MemberEvent,
  type MemberOptions,
  parseMemberEvent,
} from './member-protocol.ts'

/** How a member of some client is started: `command` is null when it cannot be, and `reason` says why. */
export type MemberCommandLine =
  | { readonly command: readonly string[]; readonly reason: null }
  | { readonly command: null; readonly reason: string }

interface MemberExit {
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

const stopLimitMs = 20_000
/** For what a killed process has still in its pipes, which a child of its own may hold open. */
const drainLimitMs = 2_000
const errorOutputLimit = 4_096
const lineLimit = 2 ** 22

const running = new Set<MemberProcess>()
let isWatchingExit = false

const watchExit = (): void => {
  if (isWatchingExit) return
  isWatchingExit = true
  process.on('exit', () => {
    for (const member of running) void member.crash()
  })
}

class MemberProcess implements MemberHandle {
  readonly exited: Promise<MemberExit>
  hasExited = false
  readonly #child: ChildProcess
  readonly #sink: MemberSink
  readonly #clock: Clock
  /** Lets a paused member go on when this process is killed, so that it sees the end of its input and leaves. */
  #guard: ChildProcess | null = null
  #isKilledAtLimit = false
  #errorOutput = ''
  #line = ''
  #resolveExited: (exit: MemberExit) => void = () => {}

  constructor(command: readonly string[], options: MemberOptions, sink: MemberSink, clock: Clock) {
    this.#sink = sink
    this.#clock = clock
    this.exited = new Promise((resolve) => {
      this.#resolveExited = resolve
    })
    const [file = '', ...args] = command
    // A process group of its own, so that Ctrl-C reaches the scenario only, which then ends its members.
    this.#child = spawn(file, args, { detached: true, stdio: 'pipe' })
    this.#watch()
    this.#send({ type: 'start', options })
  }

  get pid(): number | null {
    return this.#child.pid ?? null
  }

  commit(): void {
    this.#send({ type: 'commit' })
  }

  async stop(limitMs: number = stopLimitMs): Promise<MemberExit> {
    if (this.hasExited) return this.exited
    this.#send({ type: 'stop' })
    this.#child.stdin?.end()
    this.resume()
    const timer = this.#clock.setTimer(limitMs, () => {
      this.#isKilledAtLimit = true
      this.#signal('SIGKILL')
    })
    const exit = await this.exited
    timer.cancel()
    return exit
  }

  crash(): Promise<MemberExit> {
    this.#signal('SIGKILL')
    return this.exited
  }

  pause(): void {
    const { pid } = this
    if (pid === null || this.hasExited || this.#guard !== null) return
    this.#guard = spawn('sh', ['-c', 'read -r line; kill -CONT "$0"', String(pid)], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    this.#guard.on('error', () => {})
    this.#guard.stdin?.on('error', () => {})
    this.#signal('SIGSTOP')
  }

  resume(): void {
    this.#guard?.kill('SIGKILL')
    this.#guard = null
    this.#signal('SIGCONT')
  }

  #watch(): void {
    const child = this.#child
    running.add(this)
    watchExit()
    child.stdin?.on('error', () => {})
    child.stdout?.setEncoding('utf8').on('data', (text: string) => this.#onOutput(text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errorOutput = (this.#errorOutput + text).slice(-errorOutputLimit)
    })
    let drain: Timer | null = null
    child.once('error', (error) => {
      this.#errorOutput ||= messageOf(error)
      if (child.pid === undefined) this.#end(null, null)
    })
    child.once('exit', (code, signal) => {
      drain = this.#clock.setTimer(drainLimitMs, () => this.#end(code, signal))
    })
    child.once('close', (code, signal) => {
      drain?.cancel()
      this.#end(code, signal)
    })
  }

  #end(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.hasExited) return
    this.hasExited = true
    running.delete(this)
    this.#guard?.kill('SIGKILL')
    for (const pipe of [this.#child.stdin, this.#child.stdout, this.#child.stderr]) pipe?.destroy()
    const [isKilledAtLimit, errorOutput] = [this.#isKilledAtLimit, this.#errorOutput]
    this.#resolveExited({ code, signal, isKilledAtLimit, errorOutput })
  }

  #onOutput(text: string): void {
    const lines = (this.#line + text).split('\n')
    this.#line = lines.pop() ?? ''
    for (const line of lines) if (line.trim() !== '') this.#onLine(line)
    if (this.#line.length <= lineLimit) return
    this.#line = ''
    this.#tell(`a line of more than ${lineLimit} characters`)
    this.#signal('SIGKILL')
  }

  #onLine(line: string): void {
    if (this.hasExited) return
    let event: MemberEvent
    try {
      event = parseMemberEvent(line)
    } catch (error) {
      return this.#tell(messageOf(error))
    }
    this.#sink.onEvent(event)
  }

  #tell(message: string): void {
    const atMs = this.#clock.epochMs()
    this.#sink.onEvent({ type: 'error', code: null, message, isFatal: false, atMs })
  }

  #send(command: MemberCommand): void {
    const input = this.#child.stdin
    if (input?.writable) input.write(`${JSON.stringify(command)}\n`)
  }

  /** To the whole group: a member may be started through another program. */
  #signal(signal: NodeJS.Signals): void {
    if (this.pid === null || this.hasExited) return
    try {
      process.kill(-this.pid, signal)
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** Starts a member. The caller ends it with `stop` or `crash`; it leaves by itself when this process ends. */
export const startMember = (
  command: readonly string[],
  options: MemberOptions,
  sink: MemberSink,
  clock: Clock,
): MemberHandle => new MemberProcess(command, options, sink, clock)
