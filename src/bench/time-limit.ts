/** Every wait on the surroundings has a limit. */
import type { Clock } from '../clock.ts'
import { SurroundingsError } from '../errors.ts'

/** What `work` gives, or a `SurroundingsError` that says `what` took longer than `limitMs`. */
export const withTimeLimit = <T>(
  clock: Clock,
  limitMs: number,
  what: string,
  work: Promise<T>,
): Promise<T> =>
  new Promise((resolve, reject) => {
    const timer = clock.setTimer(limitMs, () =>
      reject(new SurroundingsError(`${what}: no answer within ${limitMs} ms`)),
    )
    work.then(resolve, reject).finally(() => timer.cancel())
  })

/** True when `work` ended within `limitMs`, however it ended. */
export const endsWithin = (
  clock: Clock,
  limitMs: number,
  work: Promise<unknown>,
): Promise<boolean> =>
  new Promise((resolve) => {
    const timer = clock.setTimer(limitMs, () => resolve(false))
    const ended = (): void => {
      timer.cancel()
      resolve(true)
    }
    work.then(ended, ended)
  })
