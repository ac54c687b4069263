import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Task, TaskResult } from './battery.ts'

/** Threads over all processors that share out a list of tasks. */

export const threadCount = availableParallelism()

/** Results come in any order. Rejects when a thread fails. */
export const runTasks = async (
  tasks: readonly Task[],
  onResult: (result: TaskResult) => void,
): Promise<void> => {
  const rest = tasks.values()
  const serve = (worker: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      const giveNext = (): void => {
        const { value: task, done: isOver } = rest.next()
        if (isOver) return resolve()
        worker.postMessage(task, [])
      }
      worker.on('error', reject)
      worker.on('message', (result: TaskResult) => {
        onResult(result)
        giveNext()
      })
      giveNext()
    })
  const workers = Array.from(
    { length: threadCount },
    () => new Worker(new URL('./worker.js', import.meta.url)),
  )
  try {
    await Promise.all(workers.map(serve))
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()))
  }
}
