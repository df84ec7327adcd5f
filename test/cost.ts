/**
 * What a computation costs: seconds of the processor, all threads of the process together, which a busy machine does not change.
 */
export const seconds = (run: () => unknown): number => {
  const before = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1e6
}
