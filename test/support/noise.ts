/** Noise for tests of statistics. */

/** A small generator of its own, so that the false alarm rate is the same on every run of this test. */
export const randomOf = (seed: number): (() => number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return (state + 0.5) / 2 ** 32
  }
}

/** Of mean 0 and standard deviation 1. */
export const normalOf = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())
