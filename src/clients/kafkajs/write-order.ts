/** Keeps requests to one broker in order: kafkajs takes longer to encode several partitions, or a codec, than one. */

export class Turn {
  /** Resolves when all earlier turns have ended. */
  readonly isNext: Promise<void>
  /** Resolves when this one and all earlier ones have ended. */
  readonly isOver: Promise<void>
  #resolve = (): void => {}

  constructor(isNext: Promise<void>) {
    this.isNext = isNext
    const isEnded = new Promise<void>((resolve) => {
      this.#resolve = resolve
    })
    this.isOver = isNext.then(() => isEnded)
  }

  end(): void {
    this.#resolve()
  }
}

export class WriteOrder {
  readonly #last = new Map<string, Turn>()

  /** A place behind all that were taken before for the same broker. It must be ended, whatever happens. */
  take(nodeId: string): Turn {
    const turn = new Turn(this.#last.get(nodeId)?.isOver ?? Promise.resolve())
    this.#last.set(nodeId, turn)
    return turn
  }
}
