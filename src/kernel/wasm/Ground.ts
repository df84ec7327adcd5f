/**
 * One memory for the programs of a target, of which one runs at a time.
 *
 * Inputs of the same name and size, such as the weights of a network, lie in one place for all programs, and are written only when
 * they are others than those that lie there. What a program writes lies wherever no input of any program is: there they
 * take turns. So the memory is as large as all inputs and the neediest program, and not as all programs together.
 *
 * @since 0.1.0
 */
import * as E from 'fp-ts/lib/Either.js'
import type { Footprint } from '../../tensor/Target.js'
import type { Data } from '../../tensor/Tensor.js'
import { alignedBytes, lowest, merged, places, type Range } from '../plan/Places.js'
import type { Plan } from '../plan/Plan.js'
import type { Machine } from './Module.js'
import { type ModuleRuns, moduleRuns, mostNumbers } from './ModuleRuns.js'
import { addressable, pageBytes, type Pages, scratchBytes } from './Pages.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A program that has its places in the memory.
 *
 * - `end`: how large the memory is for it, in bytes.
 * - `run`: from the data of its input buffers, by their positions in the plan, to those of the written buffers that are results.
 *   It throws where the engine gives no memory.
 * - `leave`: gives the places back.
 *
 * @category model
 * @since 0.1.0
 */
export interface Occupant {
  readonly end: number
  readonly run: (inputs: ReadonlyMap<number, Data>, results: ReadonlyArray<number>) => ReadonlyArray<Float32Array>
  readonly leave: () => void
}

/**
 * The memory of a target. `enter` finds places for a plan; left, how many bytes it asks for, where they cannot be addressed.
 * `memory`: how large the memory is with all that have entered, and of how many modules they are.
 *
 * @category model
 * @since 0.1.0
 */
export interface Ground {
  readonly enter: (plan: Plan) => E.Either<number, Occupant>
  readonly memory: () => Footprint
}

/** The place of an input or of a constant, and the array that was written there last. */
interface Slot extends Range {
  users: number
  content: WeakRef<Data> | undefined
}

/** What lies below all places: the scratch space of whichever kernel runs. */
const base = scratchBytes

/** The bytes of a memory whose last place ends at `end`: vectors that begin in it may be read. */
const withSpare = (end: number): number => pageBytes * (Math.ceil(end / pageBytes) + 1)

// -------------------------------------------------------------------------------------
// constructors
// -------------------------------------------------------------------------------------

/**
 * A memory without programs, for machines that multiply and add in one instruction or not. A program for which there is no room
 * beside the others gets another memory.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ground = (machine: Pick<Machine, 'fma'>): Ground => {
  const fields: Array<Field> = []
  return {
    enter: (plan) => {
      for (const one of fields) {
        const found = one.enter(plan)
        if (E.isRight(found)) return found
      }
      const fresh = field(machine)
      const found = fresh.enter(plan)
      if (E.isRight(found)) fields.push(fresh)
      return found
    },
    memory: () =>
      fields
        .map((one) => one.memory())
        .reduce((a, b) => ({ bytes: a.bytes + b.bytes, modules: a.modules + b.modules }), { bytes: 0, modules: 0 })
  }
}

type Field = Ground

const field = (machine: Pick<Machine, 'fma'>): Field => {
  const slots = new Map<unknown, Slot>()
  const arenas = new Map<symbol, Arena>()
  let memory: WebAssembly.Memory | undefined
  const taken = (): Footprint => {
    const all = [...arenas.values()]
    return {
      bytes: all.length === 0 ? 0 : withSpare(Math.max(...all.map(({ end }) => end))),
      modules: all.reduce((sum, { modules }) => sum + modules, 0)
    }
  }

  /** The memory, at least so large. */
  const of = (end: number): WebAssembly.Memory => {
    const pages = withSpare(end) / pageBytes
    memory ??= new WebAssembly.Memory({ initial: pages, maximum: addressable / pageBytes })
    const more = pages - memory.buffer.byteLength / pageBytes
    if (more > 0) memory.grow(more)
    return memory
  }

  const enter = (plan: Plan): E.Either<number, Occupant> => {
    const kept = (): ReadonlyArray<Range> => [{ from: 0, to: base }, ...slots.values()]
    const own = new Map<unknown, Slot>()
    const added: Array<unknown> = []
    let busy = merged([...kept(), ...[...arenas.values()].flatMap(({ ranges }) => ranges)])
    const slotOf = (key: unknown, size: number): Slot => {
      const known = own.get(key) ?? slots.get(key)
      const from = known?.from ?? lowest(alignedBytes(size), busy)
      const slot = known ?? { from, to: from + alignedBytes(size), users: 0, content: undefined }
      if (known === undefined) {
        busy = merged([...busy, slot])
        slots.set(key, slot)
        added.push(key)
      }
      own.set(key, slot)
      return slot
    }
    const most = mostNumbers(plan)
    const numbers = slotOf(`numbers ${most}`, most)
    const read = new Set(plan.calls.flatMap((call) => call.buffers))
    const given = plan.buffers.flatMap((buffer, i): ReadonlyArray<Given> => {
      if (!read.has(i) || buffer._tag === 'Written') return []
      return buffer._tag === 'Input'
        ? [{ buffer: i, slot: slotOf(`${buffer.size} ${buffer.name}`, buffer.size), data: undefined }]
        : [{ buffer: i, slot: slotOf(buffer.value.data, buffer.size), data: buffer.value.data }]
    })
    const written = places(plan, kept())
    const ranges = merged(
      [...written.at].map(([i, from]) => ({ from, to: from + alignedBytes(plan.buffers[i]?.size ?? 0) }))
    )
    const end = Math.max(base, written.end, ...[...own.values()].map(({ to }) => to))
    if (withSpare(end) > addressable) {
      for (const key of added) slots.delete(key)
      return E.left(withSpare(end))
    }
    const self = Symbol('a program')
    for (const slot of own.values()) slot.users++
    const at = new Map([...written.at, ...given.map(({ buffer, slot }) => [buffer, slot.from] as const)])
    const buffer = (i: number): number => at.get(i) ?? 0
    arenas.set(self, { ranges, end, modules: plan.kernels.length })
    let loaded: Loaded | undefined
    return E.right({
      end: withSpare(end),
      run: (inputs, results) => {
        const on = of(end)
        loaded ??= load(
          on,
          moduleRuns(plan, { pages, buffer, numbers: numbers.from, scratch }, { ...machine, shared: false })
        )
        const cells = new Float32Array(on.buffer)
        for (const { buffer, slot, data } of given) write(cells, slot, data ?? inputs.get(buffer))
        loaded(on)
        return results.map((i) => {
          const from = buffer(i) / 4
          return cells.slice(from, from + (plan.buffers[i]?.size ?? 0))
        })
      },
      leave: () => {
        if (!arenas.delete(self)) return
        for (const [key, slot] of own) if (--slot.users === 0) slots.delete(key)
        // a memory never shrinks
        if (arenas.size === 0) memory = undefined
      }
    })
  }
  return { enter, memory: taken }
}

/** Where a program writes, where the memory ends for it, and how many modules it has. */
interface Arena {
  readonly ranges: ReadonlyArray<Range>
  readonly end: number
  readonly modules: number
}

/** An input, or a constant with its data. */
interface Given {
  readonly buffer: number
  readonly slot: Slot
  readonly data: Data | undefined
}

const scratch = 0

const pages: Pages = { initial: 1, maximum: addressable / pageBytes }

/** Tensors are immutable: the same array holds the same numbers, which are still there. */
const write = (cells: Float32Array, slot: Slot, data: Data | undefined): void => {
  if (data === undefined || slot.content?.deref() === data) return
  cells.set(data, slot.from / 4)
  slot.content = new WeakRef(data)
}

type Loaded = (memory: WebAssembly.Memory) => void

const load = (memory: WebAssembly.Memory, { modules, steps }: ModuleRuns): Loaded => {
  const runs = modules.map(
    (bytes) => new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } }).exports['run']
  )
  return ({ buffer }) => {
    const numbers = new Int32Array(buffer)
    for (const { module, at, bits } of steps) {
      numbers.set(bits, at)
      const run = runs[module]
      if (typeof run === 'function') Reflect.apply(run, undefined, [0, 0, 0])
    }
  }
}
