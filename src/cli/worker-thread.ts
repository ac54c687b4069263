import { parentPort } from 'node:worker_threads'
import { serveWorker } from '../bench/worker.ts'
import type { WorkerOrder } from '../bench/worker-messages.ts'
import { loadDriver } from '../clients/index.ts'
import { systemClock, systemClockOriginNs } from '../clock.ts'

/** A thread of `--workers`. */
if (parentPort !== null) {
  const port = parentPort
  serveWorker(
    {
      post: (answer) => port.postMessage(answer, []),
      onOrder: (listener) => void port.on('message', (order: WorkerOrder) => listener(order)),
    },
    { clock: systemClock, originNs: systemClockOriginNs(), loadDriver },
  )
}
