/**
 * The blocks of a contraction: what its axes are to a thread, which blocks are open to it, and which is the one to take first.
 *
 * @since 0.1.0
 */
import { size } from '../../tensor/Tensor.js'
import type { Access, ContractionCore } from '../plan/Spec.js'
import { type Facts, gain } from './TermWgsl.js'
import { groupSize } from './Workgroup.js'

// -------------------------------------------------------------------------------------
// model
// -------------------------------------------------------------------------------------

/**
 * A block: `rows` by `columns` of the output a thread, the sum in `split` parts, side by side in a workgroup. Where it is `shared`, four
 * threads of a subgroup stand below each other and read a quarter each of what all of them want of the right operand.
 *
 * @category model
 * @since 0.1.0
 */
export interface BlockShape {
  readonly rows: number
  readonly columns: number
  readonly split: number
  readonly shared: boolean
}

/** How an operand is read: vectors along the sum, vectors along its own axis, or one element at a time. */
type Reading = 'sum' | 'own' | 'single'

/**
 * What a contraction is to this interpreter: axes by what they are to the operands.
 *
 * - `batch`: axes that both operands, or the right one alone, move along. `rows`: others but the columns. `taps`: axes of
 *   the sum but the last, which has `depth` steps.
 */
interface Anatomy {
  readonly batch: ReadonlyArray<number>
  readonly rows: ReadonlyArray<number>
  readonly column: number
  readonly sum: ReadonlyArray<number>
  readonly a: Reading
  readonly b: Reading
}

/**
 * The axes of a contraction.
 *
 * @category utils
 * @since 0.1.0
 */
export const anatomy = ({ dims, strides, a, b }: ContractionCore, facts: Facts): Anatomy => {
  const column = strides.length - 1
  const outer = dims.map((_, axis) => axis).slice(0, column)
  const last = dims.length - 1
  const rows = outer.filter((axis) => (b.strides[axis] ?? 0) === 0)
  const row = rows.at(-1)
  const vectors = (access: Access, axis: number | undefined): boolean =>
    axis !== undefined && axis >= 0 && access.strides[axis] === 1 && (gain([access], facts, dims, axis) ?? 0) > 0
  const reading = (access: Access, own: number | undefined): Reading =>
    vectors(access, own) ? 'own' : last > column && vectors(access, last) ? 'sum' : 'single'
  return {
    batch: outer.filter((axis) => (b.strides[axis] ?? 0) !== 0),
    rows,
    column,
    sum: dims.map((_, axis) => axis).slice(column + 1),
    a: reading(a, row === column - 1 ? row : undefined),
    b: reading(b, column)
  }
}

// -------------------------------------------------------------------------------------
// utils
// -------------------------------------------------------------------------------------

/**
 * The values of some axes.
 *
 * @category utils
 * @since 0.1.0
 */
export const pick = (values: ReadonlyArray<number>, axes: ReadonlyArray<number>): ReadonlyArray<number> =>
  axes.map((axis) => values[axis] ?? 0)

/**
 * How many blocks lie along the columns, along the rows and in the batch.
 *
 * @category utils
 * @since 0.1.0
 */
export const counts = (
  core: ContractionCore,
  { batch, rows, column }: Anatomy,
  block: BlockShape
): { readonly across: number; readonly down: number; readonly deep: number } => ({
  across: Math.ceil((core.dims[column] ?? 1) / block.columns),
  down: Math.ceil(size(pick(core.dims, rows)) / block.rows),
  deep: size(pick(core.dims, batch))
})

/** A subgroup of four is a processor that plays a GPU. */
const played = ({ subgroup }: Facts): boolean => subgroup <= 4

/** The fewest workgroups that leave none of an adapter's cores idle. */
const fewest = (facts: Facts): number => (played(facts) ? 2 : 32)

/**
 * The operations of a run from which on a block pays for the time that it takes to compile. On GPUs a block of 8 x 8 is a sixth faster
 * than one of half its size, and takes twice as long to compile. On a processor that plays one, a product of matrices of side 512
 * took in milliseconds of the processor, to compile and to run: shared, 4 x 8 32 and 84, 8 x 16 95 and 69; not shared, 4 x 4 40
 * and 135, 8 x 4 117 and 113, 16 x 16 344 and 73.
 */
const worth = (facts: Facts, { rows, columns, shared }: BlockShape): number => {
  const sums = rows * columns
  if (sums >= 64) return 2 ** 28
  if (!played(facts)) return 0
  return sums > (shared ? 16 : 8) ? (shared || sums <= 16 ? 2 ** 24 : 2 ** 27) : 0
}

/** The steps of a sum that is worth sharing out. */
const manySteps = 256

const plainSides = [8, 4, 2, 1]

/** Blocks that are shared, as far as there is something to share. */
const sharedShapes = (core: ContractionCore, { rows, column, sum, b }: Anatomy, facts: Facts): Array<BlockShape> => {
  const m = size(pick(core.dims, rows))
  const n = core.dims[column] ?? 1
  const depth = sum.length === 0 ? 1 : (core.dims.at(-1) ?? 1)
  if (!facts.quads || b === 'single' || depth < 4) return []
  return [
    { rows: 8, columns: 16, split: 1, shared: true },
    { rows: 4, columns: 8, split: 1, shared: true },
    { rows: 4, columns: 4, split: 1, shared: true }
  ].filter((block) => 2 * block.rows < m && (block.columns === 4 || block.columns < 2 * n))
}

/**
 * The blocks that are open to a contraction, the one to take first: the largest that leaves threads enough. Shared ones come first
 * where they are known to pay, on a processor that plays a GPU.
 *
 * @category utils
 * @since 0.1.0
 */
export const contractionWays = (core: ContractionCore, facts: Facts): ReadonlyArray<BlockShape> => {
  const parts = anatomy(core, facts)
  const m = size(pick(core.dims, parts.rows))
  const n = core.dims[parts.column] ?? 1
  const wide = n % 4 === 0
  const heights = plainSides.filter((rows) => rows === 1 || (rows < 2 * m && (parts.a !== 'own' || rows % 4 === 0)))
  const widths = (wide ? plainSides.filter((one) => one >= 4) : plainSides).filter(
    (columns) => columns <= 4 || columns < 2 * n
  )
  const plain = heights
    .filter((rows) => parts.a !== 'own' || rows >= 4)
    .flatMap((rows) =>
      widths.filter((columns) => wide || columns < 2 * n).map((columns) => ({ rows, columns, split: 1, shared: false }))
    )
    // what is far from a square reads more than it computes
    .filter(({ rows, columns }) => rows <= 4 * columns && columns <= 4 * rows)
    .sort((x, y) => y.rows * y.columns - x.rows * x.columns)
  const shared = sharedShapes(core, parts, facts)
  const shapes = played(facts) ? [...shared, ...plain] : [...plain, ...shared]
  const groups = (block: BlockShape): number => {
    const { across, down, deep } = counts(core, parts, block)
    return Math.ceil((across * down * deep) / groupSize)
  }
  const steps = size(pick(core.dims, parts.sum))
  const work = 2 * size(core.dims) * facts.calls
  const enough = fewest(facts)
  const first = shapes.find((block) => groups(block) >= enough && work >= worth(facts, block)) ??
    plain.at(-1) ?? { rows: 1, columns: 1, split: 1, shared: false }
  const whole = [first, ...shapes.filter((one) => one !== first)]
  const part = first.shared ? (plain.find(({ rows, columns }) => rows * columns <= 16) ?? first) : first
  const divided = steps >= manySteps ? [8, groupSize].map((split) => ({ ...part, split, shared: false })) : []
  return groups(first) < enough ? [...divided, ...whole] : [...whole, ...divided]
}

/**
 * The workgroups of a contraction.
 *
 * @category utils
 * @since 0.1.0
 */
export const contractionGroups = (core: ContractionCore, facts: Facts, block: BlockShape): number => {
  const { across, down, deep } = counts(core, anatomy(core, facts), block)
  const { width, height } = tile({ across, down }, block)
  return Math.ceil(across / width) * Math.ceil(down / height) * deep
}

/**
 * The blocks of a workgroup along the columns and along the rows.
 *
 * @category utils
 * @since 0.1.0
 */
export const tile = (
  { across, down }: { readonly across: number; readonly down: number },
  { split, shared }: BlockShape
): { readonly width: number; readonly height: number } => {
  const blocks = groupSize / split
  const [most, widest] = shared ? [4, blocks / 4] : [8, blocks]
  let width = 1
  // as wide as it may be where there are few below each other
  while (width < across && width < widest && (width < most || blocks / width > down)) width *= 2
  return { width, height: blocks / width }
}
