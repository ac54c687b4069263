import { messageOf } from '../errors.ts'
import { type Address, findAddresses } from './addresses.ts'

/** Puts this machine's addresses into answers; answers that repeat themselves, as those of Metadata do, cost a comparison. */

export interface Rewritten {
  readonly frame: Buffer
  /** Why the addresses could not be replaced; null when they were, or when there are none. */
  readonly keptBecause: string | null
}

export interface AddressRewriterOptions {
  /** By what name clients reach this machine. */
  readonly localHost: string
  /** The port here that stands for an upstream node; a promise when it has to be opened. */
  readonly findPort: (node: Address) => number | Promise<number>
}

const correlationIdBytes = 4
const maxRememberedBytes = 64 * 1024

export class AddressRewriter {
  private readonly options: AddressRewriterOptions
  /** Last answer of each API and version, without its correlation id. */
  private readonly last = new Map<string, { given: Buffer; replaced: Buffer }>()

  constructor(options: AddressRewriterOptions) {
    this.options = options
  }

  /** The frame with our own addresses in it; the frame itself where that cannot be done. */
  rewrite(apiKey: number, version: number, frame: Buffer): Rewritten | Promise<Rewritten> {
    const name = `${apiKey} ${version}`
    const body = frame.subarray(correlationIdBytes)
    const last = this.last.get(name)
    if (last?.given.equals(body) === true) {
      const head = frame.subarray(0, correlationIdBytes)
      return { frame: Buffer.concat([head, last.replaced]), keptBecause: null }
    }
    const found = findAddresses(apiKey, version, frame)
    if (found === null || found.addresses.length === 0) return { frame, keptBecause: null }
    const replaceBy = (ports: readonly number[]): Rewritten => {
      const { localHost } = this.options
      const replaced = found.replace(ports.map((port) => ({ host: localHost, port })))
      if (replaced === null) return { frame, keptBecause: 'its bytes cannot be told apart' }
      this.remember(name, body, replaced)
      return { frame: replaced, keptBecause: null }
    }
    const ports = found.addresses.map(this.options.findPort)
    if (ports.every((port) => typeof port === 'number')) return replaceBy(ports)
    return Promise.all(ports.map(async (port) => port)).then(replaceBy, (error: unknown) => ({
      frame,
      keptBecause: messageOf(error),
    }))
  }

  private remember(name: string, body: Buffer, replaced: Buffer): void {
    if (body.length > maxRememberedBytes) return
    // A copy: the body may be a view of a larger chunk.
    const given = Buffer.from(body)
    this.last.set(name, { given, replaced: replaced.subarray(correlationIdBytes) })
  }
}
