/**
 * Which credit program a cell's segment needs.
 *
 * @since 0.1.0
 */
import { type Carrier, segmentsOf, steps, type FirstOrder, type HalfOrder, type Memory } from '../Cover.js'

/**
 * What one credit program of a segment serves: its length, how it keeps activations, whether its steps' shares are an input
 * (`shares [h]`) or all 1, whether a control's gradient is an input (`control`, the shape of a state), how many siblings have the
 * segment in common, where some do, and what carries cotangents from step to step where it is not the chain.
 *
 * @category model
 * @since 0.1.0
 */
export interface SegmentKind {
  readonly h: number
  readonly memory: Memory
  readonly weighted: boolean
  readonly controlled: boolean
  readonly siblings?: number
  readonly through?: Carrier
}

/**
 * The kind of program that a first- or half-order cell needs.
 *
 * @category readings
 * @since 0.1.0
 */
export const segmentKind = (cell: FirstOrder | HalfOrder): SegmentKind => ({
  h: steps(cell).length,
  memory: cell.memory ?? 'store',
  weighted: cell.shares !== undefined,
  controlled: cell._tag === 'HalfOrder' && cell.control !== undefined,
  ...(cell._tag === 'HalfOrder' && cell.siblings !== undefined && segmentsOf(cell) === 1
    ? { siblings: cell.siblings.count }
    : {}),
  ...(cell._tag === 'FirstOrder' && cell.through !== undefined ? { through: cell.through } : {})
})
