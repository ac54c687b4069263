import { Worker } from 'node:worker_threads'
import type { WorkerAnswer, WorkerPool } from '../bench/worker-messages.ts'
import { systemClockOriginNs } from '../clock.ts'
import { messageOf } from '../errors.ts'

/** The threads of `--workers`. */

export const createWorkerPool = (): WorkerPool => ({
  originNs: systemClockOriginNs(),
  open: () => {
    const thread = new Worker(new URL('./worker-thread.js', import.meta.url))
    let isEnding = false
    return {
      post: (order) => thread.postMessage(order, []),
      onAnswer: (listener) => void thread.on('message', (answer: WorkerAnswer) => listener(answer)),
      onDeath: (listener) => {
        thread.on('error', (error) => listener(messageOf(error)))
        thread.on('exit', (code) => {
          if (!isEnding) listener(`its thread ended with ${code}`)
        })
      },
      end: async () => {
        isEnding = true
        await thread.terminate()
      },
    }
  },
})
