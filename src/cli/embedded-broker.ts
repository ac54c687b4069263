/** `bench broker --embedded …`, the detached child that `broker/spawn.ts` starts: parses its own few arguments, so that it starts without commander. */
export const runEmbeddedBroker = (_args: readonly string[]): Promise<number> =>
  Promise.reject(new Error('not yet'))
