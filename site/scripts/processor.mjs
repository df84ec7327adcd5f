/**
 * What the processor did for a browser, thread by thread, as Linux counts it: what else runs on the machine is not in it.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'

/** Does this system say it? */
export const counted = existsSync('/proc/self/schedstat')

const numbers = (folder) => readdirSync(folder).filter((name) => /^\d+$/.test(name))

/** What `read` gives, or nothing where the process ended meanwhile. */
const orNothing = (read) => {
  try {
    return read()
  } catch {
    return []
  }
}

/** The fields of a `stat` that stand behind the name, which may have any character, and the name. */
const statOf = (path) => {
  const text = readFileSync(path, 'utf8')
  const end = text.lastIndexOf(')')
  return { name: text.slice(text.indexOf('(') + 1, end), parent: text.slice(end + 2).split(' ')[1] }
}

/** All processes below one. */
const below = (pid) => {
  const all = numbers('/proc').flatMap((one) =>
    orNothing(() => [{ pid: one, parent: statOf(`/proc/${one}/stat`).parent }])
  )
  const children = (of) => all.flatMap((one) => (one.parent === of ? [one.pid, ...children(one.pid)] : []))
  return children(String(pid))
}

const threadsOf = (pid) =>
  orNothing(() => {
    if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('--type=renderer')) return []
    return numbers(`/proc/${pid}/task`).flatMap((id) =>
      orNothing(() => {
        const folder = `/proc/${pid}/task/${id}/`
        const { name } = statOf(`${folder}stat`)
        const kind = id === pid ? 'main' : name === 'DedicatedWorker' ? 'workers' : 'others'
        return [{ id, kind, ms: Number(readFileSync(`${folder}schedstat`, 'utf8').split(' ')[0]) / 1e6 }]
      })
    )
  })

const all = () => below(process.pid).flatMap(threadsOf)

/**
 * Starts counting; what it gives tells the milliseconds of the processor since then: of the threads that draw pages (`main`), of
 * their workers, and of what compiles and collects for them (`others`).
 */
export const counting = () => {
  const before = new Map(counted ? all().map(({ id, ms }) => [id, ms]) : [])
  return () => {
    const sum = { main: 0, workers: 0, others: 0 }
    if (counted) for (const { id, kind, ms } of all()) sum[kind] += ms - (before.get(id) ?? 0)
    return sum
  }
}
