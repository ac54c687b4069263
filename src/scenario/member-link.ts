/** A member's own end of the protocol: events to its standard output, commands from its standard input. */
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import type { MemberCommand, MemberEvent, MemberOptions } from './member-protocol.ts'

/** What a member says and is told. */
export interface MemberLink {
  tell(event: MemberEvent): void
  /** Commands after the first; ends where the input ends, which means `stop`. */
  readonly commands: AsyncIterable<MemberCommand>
}

/** What bench has written, checked before: the schema would be a third of what a member needs to start. */
const commandOf = (line: string): MemberCommand => JSON.parse(line) as MemberCommand

/** Reads the first command; null when there is none, or it is not `start`. */
export const openMemberLink = async (
  input: Readable,
  output: Writable,
): Promise<{ link: MemberLink; options: MemberOptions } | null> => {
  const lines = createInterface({ input })[Symbol.asyncIterator]()
  const first = await lines.next()
  if (first.done === true) return null
  const command = commandOf(first.value)
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
    yield commandOf(line.value)
  }
}
