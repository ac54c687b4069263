/** What the index of kafkajs does not open; typed where it is used. */
declare module 'kafkajs/src/*' {
  const exports: unknown
  export default exports
}
