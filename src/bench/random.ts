/** Seeded random numbers: the same seed gives the same payloads and keys on every machine. Not for secrets. */

export interface Random {
  /** 0 to 2^32 − 1. */
  nextU32(): number
  /** 0 inclusive to 1 exclusive. */
  nextFraction(): number
}

/**
 * `stream` gives independent sequences under one seed.
 * Source: C. Doty-Humphrey, PractRand, sfc32; the state is warmed up by 15 rounds.
 */
export const createRandom = (seed: number, stream: number): Random => {
  let a = Math.floor(seed / 2 ** 32) | 0
  let b = seed | 0
  let c = stream | 0
  let counter = 1
  const nextU32 = (): number => {
    const sum = (a + b + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = ((c << 21) | (c >>> 11)) + sum
    return sum >>> 0
  }
  for (let round = 0; round < 15; round += 1) nextU32()
  return { nextU32, nextFraction: () => nextU32() / 2 ** 32 }
}
