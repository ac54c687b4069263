import { parseArgs } from 'node:util'

/** How `bench:self` and `bench:peers` are asked for, play their rounds, and tell how far they are. */

const { values: flags } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
  },
})

/** Only show that everything works. */
export const isQuick = flags.quick
/** Put what was measured into the documents. */
export const mayWrite = flags.write
export const rounds = Number(flags.rounds ?? (isQuick ? 1 : 5))

export const log = (text: string): void => void process.stderr.write(`${text}\n`)

/** Each once in each round, one after the other, each round beginning with another. */
export const playRounds = async <T>(
  players: readonly T[],
  play: (player: T, round: number) => Promise<void>,
): Promise<void> => {
  for (let round = 0; round < rounds; round += 1) {
    const first = Math.floor((round * players.length) / rounds)
    for (const player of [...players.slice(first), ...players.slice(0, first)]) {
      await play(player, round)
    }
  }
}
