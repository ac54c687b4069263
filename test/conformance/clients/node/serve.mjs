// Answers lines of JSON with lines of JSON, as the matrix wants them (see ../../matrix.mjs).
import { createInterface } from 'node:readline'

/** The broker, as host:port. */
export const server = process.argv[2]

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Waits until `values` has `count` of them, for at most 20 s. */
export const filled = async (values, count) => {
  for (let waitedMs = 0; values.length < count && waitedMs < 20_000; waitedMs += 20) await sleep(20)
  return values
}

/** `commands`: by name, each takes what it is asked with; `{ na: why }` says that the library has no such thing. */
export const serve = async (commands) => {
  for await (const line of createInterface({ input: process.stdin })) {
    const { do: name, with: given } = JSON.parse(line)
    let answer
    try {
      answer = { ok: (await commands[name](given)) ?? null }
    } catch (error) {
      answer = { error: String(error?.message ?? error) }
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  }
  process.exit(0)
}
