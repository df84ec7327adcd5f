/**
 * Interruptions: the first asks for an end after what is under way, the second ends at once.
 *
 * @since 0.1.0
 */

/** What asks a command to end: Ctrl-C, a scheduler, a terminal that is closed. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * Runs work that can be interrupted: `interrupted` says so to the person, and the work's signal is aborted. A second signal ends
 * the process with exit code 130.
 *
 * @category effects
 * @since 0.1.0
 */
export const interruptible = async <A>(
  work: (stop: AbortSignal) => Promise<A>,
  interrupted: () => void = () => undefined
): Promise<A> => {
  const interrupt = new AbortController()
  const onSignal = (): void => {
    if (interrupt.signal.aborted) process.exit(130)
    interrupt.abort()
    interrupted()
  }
  for (const signal of signals) process.on(signal, onSignal)
  try {
    return await work(interrupt.signal)
  } finally {
    for (const signal of signals) process.off(signal, onSignal)
  }
}
