/** A member's own end of the protocol: events to its standard output, commands from its standard input. */
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import {
  type MemberCommand,
  type MemberEvent,
  type MemberOptions,
  parseMemberCommand,
} from './member-protocol.ts'

/** What a member says and is told. */
export interface MemberLink {
  tell(event: MemberEvent): void
  /** Commands after the first; ends where the input ends, which means `stop`. */
  readonly commands: AsyncIterable<MemberCommand>
}

/** Reads the first command. Rejects with a `UsageError` when it is not `start`; null when there is none. */
export const openMemberLink = async (
  input: Readable,
  output: Writable,
): Promise<{ link: MemberLink; options: MemberOptions } | null> => {
  const lines = createInterface({ input })[Symbol.asyncIterator]()
  const first = await lines.next()
  if (first.done === true) return null
  const command = parseMemberCommand(first.value)
  if (command.type !== 'start') return null
  const link: MemberLink = {
    tell: (event) => void output.write(`${JSON.stringify(event)}\n`),
    commands: commandsOf(lines),
  }
  return { link, options: command.options }
}

async function* commandsOf(lines: AsyncIterator<string>): AsyncGenerator<MemberCommand> {
  for (;;) {
    const line = await lines.next()
    if (line.done === true) return
    yield parseMemberCommand(line.value)
  }
}
