import { parentPort } from 'node:worker_threads'
import { runTask, type Task } from './battery.ts'

/** A thread that plays schedules, one task after the other. */
parentPort?.on('message', (task: Task) => {
  void runTask(task).then((result) => parentPort?.postMessage(result, []))
})
