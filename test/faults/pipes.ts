/** Readers that go away. */
import { join } from 'node:path'
import { contents, finetuneIn, pause, run, start } from './program.js'

export interface Piped {
  tried: number
  /** Runs that did not end with 0, said something of an error, or left a folder that is not whole. */
  wrong: number
  readonly complaints: Array<string>
}

type Streams = ReadonlyArray<ReadonlyArray<'stdout' | 'stderr'>>

const each: Streams = [['stdout'], ['stderr'], ['stdout', 'stderr']]

/** Closes stdout, stderr, or both, at some share of a run's time. */
export const closed = async (base: string, moments: ReadonlyArray<number>, streams: Streams = each): Promise<Piped> => {
  const piped: Piped = { tried: 0, wrong: 0, complaints: [] }
  const whole = join(base, 'whole')
  const { seconds } = await run(finetuneIn(base, whole))
  const expected = contents(whole)
  for (const names of streams)
    for (const moment of moments) {
      const folder = join(base, `run-${piped.tried}`)
      const { child, ended } = start(finetuneIn(base, folder, '--json'))
      await pause(1000 * seconds * moment)
      for (const name of names) child[name]?.destroy()
      const { code, err } = await ended
      const got = contents(folder)
      const other = Object.keys({ ...expected, ...got }).filter((name) => expected[name] !== got[name])
      piped.tried++
      if (code !== 0 || /error|EPIPE/i.test(err) || other.length > 0) {
        piped.wrong++
        piped.complaints.push(`${names.join(' and ')} at ${moment}: ${code}, ${err}, ${other.join(', ')}`)
      }
    }
  return piped
}
