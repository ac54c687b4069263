// What the loads in this folder share. Each is called with produce or consume, HOST:PORT, TOPIC, RECORDS, and the folder
// where its package lies; it prints a line of JSON: records, elapsedMs, cpuMs.

const given = process.argv.slice(2)
export const [what, server, topic] = given
export const count = Number(given[3])
export const packages = `${given[4]}/`
export const value = Buffer.alloc(256, 7)
export const batchRecords = 500
const inFlight = 8

/** Calls `send(n)` until `total` records are sent, in batches, several at a time. */
export const sendBatches = async (total, send) => {
  let left = total
  const lane = async () => {
    while (left > 0) {
      const n = Math.min(batchRecords, left)
      left -= n
      await send(n)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, lane))
}

const cpuMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}

let [beganMs, cpuBeforeMs] = [Number.NaN, Number.NaN]

/** The measurement begins: of a reader when it has a group and sees its first record. */
export const begin = () => {
  beganMs = performance.now()
  cpuBeforeMs = cpuMs()
}

/**
 * `run(n)` sends n records; a tenth of them before, so that code is compiled and connections are there. A reader reads
 * `count` of them, and calls `begin` itself.
 */
export const measure = async (run) => {
  if (what === 'produce') {
    await run(Math.ceil(count / 10))
    begin()
  }
  await run(count)
  const elapsedMs = performance.now() - beganMs
  console.log(JSON.stringify({ records: count, elapsedMs, cpuMs: cpuMs() - cpuBeforeMs }))
  process.exit(0)
}
