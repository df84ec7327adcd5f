/**
 * Least squares of a few unknowns, with errors that do not trust equal variances.
 *
 * @since 0.1.0
 */

/**
 * Solved unknowns with their standard errors; those that the equations do not tell apart from others are not `determined`.
 *
 * @category model
 * @since 0.1.0
 */
export interface Solution {
  readonly values: ReadonlyArray<number>
  readonly errors: ReadonlyArray<number>
  readonly determined: ReadonlyArray<boolean>
  /** The share of the right-hand side's sum of squares that is left over. */
  readonly unexplained: number
}

/**
 * One group of equations `rows x = right`, whose errors may depend on each other; groups are independent.
 *
 * @category model
 * @since 0.1.0
 */
export interface Group {
  readonly rows: ReadonlyArray<ReadonlyArray<number>>
  readonly right: ReadonlyArray<number>
}

const dot = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number =>
  a.reduce((s, v, i) => s + v * (b[i] ?? 0), 0)

/**
 * The inverse of a symmetric matrix on the unknowns that it determines, zero on the others: those whose pivot falls below
 * 1e-10 of their diagonal.
 */
const inverse = (
  matrix: ReadonlyArray<ReadonlyArray<number>>
): { readonly inverse: ReadonlyArray<ReadonlyArray<number>>; readonly determined: ReadonlyArray<boolean> } => {
  const n = matrix.length
  const scale = matrix.map((row, i) => Math.sqrt(Math.max(row[i] ?? 0, 0)) || 1)
  const work = matrix.map((row, i) => row.map((v, j) => v / ((scale[i] ?? 1) * (scale[j] ?? 1))))
  const out = work.map((_, i) => work.map((__, j): number => (i === j ? 1 : 0)))
  const determined = new Array<boolean>(n).fill(false)
  for (;;) {
    // the largest pivot that is left
    let pivot = -1
    for (let i = 0; i < n; i++) {
      if (determined[i] !== true && (pivot < 0 || (work[i]?.[i] ?? 0) > (work[pivot]?.[pivot] ?? 0))) pivot = i
    }
    const value = work[pivot]?.[pivot] ?? 0
    if (pivot < 0 || !(value > 1e-10)) break
    determined[pivot] = true
    const [row, own] = [work[pivot] ?? [], out[pivot] ?? []]
    for (let j = 0; j < n; j++) {
      row[j] = (row[j] ?? 0) / value
      own[j] = (own[j] ?? 0) / value
    }
    for (let i = 0; i < n; i++) {
      const [other, its] = [work[i], out[i]]
      const factor = other?.[pivot] ?? 0
      if (i === pivot || other === undefined || its === undefined || factor === 0) continue
      for (let j = 0; j < n; j++) {
        other[j] = (other[j] ?? 0) - factor * (row[j] ?? 0)
        its[j] = (its[j] ?? 0) - factor * (own[j] ?? 0)
      }
    }
  }
  return {
    determined,
    inverse: out.map((row, i) =>
      row.map((v, j) =>
        determined[i] === true && determined[j] === true ? v / ((scale[i] ?? 1) * (scale[j] ?? 1)) : 0
      )
    )
  }
}

/**
 * Solves groups of equations in `n` unknowns. Errors are those of White's sandwich over groups (White, 1980): right whatever the
 * variances of the groups are, and 0 where the equations hold exactly.
 *
 * @category interpreters
 * @since 0.1.0
 */
export const solve = (n: number, groups: ReadonlyArray<Group>): Solution => {
  const normal = Array.from({ length: n }, () => new Array<number>(n).fill(0))
  const projected = new Array<number>(n).fill(0)
  for (const { rows, right } of groups) {
    rows.forEach((row, k) => {
      for (let i = 0; i < n; i++) {
        const v = row[i] ?? 0
        if (v === 0) continue
        projected[i] = (projected[i] ?? 0) + v * (right[k] ?? 0)
        const line = normal[i]
        if (line === undefined) continue
        for (let j = 0; j < n; j++) line[j] = (line[j] ?? 0) + v * (row[j] ?? 0)
      }
    })
  }
  const { inverse: inverted, determined } = inverse(normal)
  const values = inverted.map((row) => dot(row, projected))
  const meat = Array.from({ length: n }, () => new Array<number>(n).fill(0))
  let [left, all] = [0, 0]
  for (const { rows, right } of groups) {
    const pull = new Array<number>(n).fill(0)
    rows.forEach((row, k) => {
      const residual = (right[k] ?? 0) - dot(row, values)
      left += residual * residual
      all += (right[k] ?? 0) ** 2
      for (let i = 0; i < n; i++) pull[i] = (pull[i] ?? 0) + (row[i] ?? 0) * residual
    })
    for (let i = 0; i < n; i++) {
      const line = meat[i]
      if (line !== undefined) for (let j = 0; j < n; j++) line[j] = (line[j] ?? 0) + (pull[i] ?? 0) * (pull[j] ?? 0)
    }
  }
  // a few groups fit too well: the usual correction
  const correction = groups.length > n ? groups.length / (groups.length - n) : groups.length
  const errors = inverted.map((row) =>
    Math.sqrt(
      Math.max(
        correction *
          dot(
            row,
            meat.map((line) => dot(line, row))
          ),
        0
      )
    )
  )
  return { values, errors, determined, unexplained: all === 0 ? 0 : left / all }
}
