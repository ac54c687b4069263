import { Command } from 'commander'

/** `bench broker`: the embedded broker in the foreground. Throws `BenchError`s. */
export const brokerCommand = (): Command => new Command('broker')
