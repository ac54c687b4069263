/** From where on the machine or the generator, not the broker, may have made a figure; as shares and whole cores. */

/** Cores that other programs used during the measurement. */
export const foreignCoresLimit = 0.2

/** Share of the time that the hypervisor gave to others. */
export const stealLimit = 0.02

/** Share of the time that the generator's event loop was busy. */
export const busyLimit = 0.9

/** A share as whole percent, such as `23 %`. */
export const percentOf = (share: number): string => `${(share * 100).toFixed(0)} %`
