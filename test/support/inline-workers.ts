import { serveWorker } from '../../src/bench/worker.ts'
import type {
  WorkerAnswer,
  WorkerOrder,
  WorkerPool,
  WorkerThread,
} from '../../src/bench/worker-messages.ts'
import type { Driver } from '../../src/clients/driver.ts'
import type { Clock } from '../../src/clock.ts'

/** Workers without threads, on the test's clock; what they say is copied as between threads. */
export class InlineWorkers implements WorkerPool {
  readonly originNs = 0
  readonly orders: WorkerOrder[][] = []
  ended = 0
  driver: Driver
  readonly #clock: Clock
  readonly #deaths: ((reason: string) => void)[] = []

  constructor(driver: Driver, clock: Clock) {
    this.driver = driver
    this.#clock = clock
  }

  open(index: number): WorkerThread {
    const orders: WorkerOrder[] = []
    this.orders[index] = orders
    let hearAnswer: (answer: WorkerAnswer) => void = () => {}
    let hearOrder: (order: WorkerOrder) => void = () => {}
    serveWorker(
      {
        post: (answer) => {
          const copy = structuredClone(answer)
          queueMicrotask(() => hearAnswer(copy))
        },
        onOrder: (listener) => {
          hearOrder = listener
        },
      },
      { clock: this.#clock, originNs: 0, loadDriver: async () => this.driver },
    )
    return {
      post: (order) => {
        orders.push(order)
        const copy = structuredClone(order)
        queueMicrotask(() => hearOrder(copy))
      },
      onAnswer: (listener) => {
        hearAnswer = listener
      },
      onDeath: (listener) => {
        this.#deaths[index] = listener
      },
      end: async () => {
        this.ended += 1
      },
    }
  }

  die(index: number, reason: string): void {
    this.#deaths[index]?.(reason)
  }
}
