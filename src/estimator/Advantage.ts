/**
 * Advantages: what likelihood-ratio terms multiply with in place of the raw reward.
 *
 * Any baseline that is independent of the noise it is paired with leaves the expectation alone and may lower the
 * variance.
 *
 * @since 0.1.0
 */

/**
 * From the rewards of a batch to its advantages, and the state to carry to the next batch.
 *
 * `batchDependent` tells that a sample's advantage depends on the other samples' rewards. With a zeroth-order
 * perturbation that the whole batch shares, such a baseline sees the perturbation: one-point cells refuse it.
 * `groups`, one number a row, tells which samples have the same prompt; without it all are of one group.
 *
 * @category model
 * @since 0.1.0
 */
export interface Advantage {
  readonly name: string
  readonly batchDependent: boolean
  readonly initial: number
  readonly apply: (
    rewards: ReadonlyArray<number>,
    state: number,
    groups?: ReadonlyArray<number>
  ) => { readonly advantages: ReadonlyArray<number>; readonly state: number }
}

/**
 * The reward itself.
 *
 * @category instances
 * @since 0.1.0
 */
export const none: Advantage = {
  name: 'none',
  batchDependent: false,
  initial: 0,
  apply: (rewards, state) => ({ advantages: rewards, state })
}

/**
 * The reward less a constant.
 *
 * @category constructors
 * @since 0.1.0
 */
export const constant = (baseline: number): Advantage => ({
  name: `constant(${baseline})`,
  batchDependent: false,
  initial: 0,
  apply: (rewards, state) => ({ advantages: rewards.map((r) => r - baseline), state })
})

/**
 * Each reward less the mean of the others; one alone is as it is. Taken from the first one on, so that equal rewards
 * leave nothing, not even what rounding would.
 */
const lessOthers = (rewards: ReadonlyArray<number>): ReadonlyArray<number> => {
  const [first = 0] = rewards
  if (rewards.length === 1) return rewards
  const above = rewards.map((r) => r - first)
  const total = above.reduce((a, b) => a + b, 0)
  return above.map((r) => r - (total - r) / (rewards.length - 1))
}

/**
 * The reward less the mean of the batch's other rewards: independent of the sample's own noise, so unbiased. A batch of
 * one has no others: its baseline is 0.
 *
 * @category instances
 * @since 0.1.0
 */
export const leaveOneOut: Advantage = {
  name: 'leaveOneOut',
  batchDependent: true,
  initial: 0,
  apply: (rewards, state) => ({ advantages: lessOthers(rewards), state })
}

/**
 * The reward less a running mean of the batch means of earlier iterations, `state <- decay state + (1 - decay) mean`.
 * It starts at `initial`. Past batches are independent of this one's noise, so it is unbiased.
 *
 * @category constructors
 * @since 0.1.0
 */
export const runningMean = (decay: number, initial = 0): Advantage => ({
  name: `runningMean(${decay})`,
  batchDependent: false,
  initial,
  apply: (rewards, state) => {
    const mean = rewards.reduce((a, b) => a + b, 0) / Math.max(rewards.length, 1)
    return { advantages: rewards.map((r) => r - state), state: decay * state + (1 - decay) * mean }
  }
})

/**
 * The reward less the mean of the *other* rewards of the same prompt: leave-one-out within each group, so unbiased. A
 * sample that is alone in its group has baseline 0.
 *
 * @category instances
 * @since 0.1.0
 */
export const perPrompt: Advantage = {
  name: 'perPrompt',
  batchDependent: true,
  initial: 0,
  apply: (rewards, state, groups = []) => ({ advantages: withinGroups(lessOthers, rewards, groups), state })
}

/** What a function makes of the numbers of each group; without groups all are of one. */
const withinGroups = (
  f: (some: ReadonlyArray<number>) => ReadonlyArray<number>,
  all: ReadonlyArray<number>,
  groups: ReadonlyArray<number>
): ReadonlyArray<number> => {
  const members = new Map<number, Array<number>>()
  all.forEach((_, n) => {
    const group = groups[n] ?? 0
    const rows = members.get(group)
    if (rows === undefined) members.set(group, [n])
    else rows.push(n)
  })
  const made = [...all]
  for (const rows of members.values()) {
    f(rows.map((n) => all[n] ?? 0)).forEach((a, i) => (made[rows[i] ?? 0] = a))
  }
  return made
}

/**
 * Divides advantages by the batch's standard deviation (of the advantages about 0), plus 1e-8. Rewards that are all
 * equal tell no sample from another: their advantages are 0. **Biased**: the divisor depends on every sample's noise,
 * so the expectation is no longer a multiple of the gradient; it is close to one where batches are large. DDPO's
 * released code does this.
 *
 * @category combinators
 * @since 0.1.0
 */
export const normalised = (inner: Advantage): Advantage => ({
  ...inner,
  name: `normalised(${inner.name})`,
  batchDependent: true,
  apply: (rewards, state, groups) => {
    const { advantages, state: next } = inner.apply(rewards, state, groups)
    return {
      advantages: rewards.every((r) => r === rewards[0]) ? rewards.map(() => 0) : inUnits(advantages),
      state: next
    }
  }
})

/** The deviation of numbers about 0. */
const deviationOf = (all: ReadonlyArray<number>): number =>
  Math.sqrt(all.reduce((total, a) => total + a * a, 0) / Math.max(all.length, 1))

/** Numbers over their deviation about 0, plus 1e-8. */
const inUnits = (all: ReadonlyArray<number>): ReadonlyArray<number> => {
  const deviation = deviationOf(all)
  return all.map((a) => a / (deviation + 1e-8))
}

/** Numbers less their mean, taken from the first one on, so that equal ones leave nothing. */
const lessMean = (all: ReadonlyArray<number>): ReadonlyArray<number> => {
  const [first = 0] = all
  const above = all.map((r) => r - first)
  const mean = above.reduce((a, b) => a + b, 0) / Math.max(all.length, 1)
  return above.map((r) => r - mean)
}

/**
 * GRPO's advantages (Shao et al., arXiv 2402.03300): each reward less the mean of its group, over the group's standard deviation plus
 * 1e-8; equal rewards have 0. **Biased** twice: the mean counts the sample's own reward, which shrinks the gradient by
 * `1 - 1 / n` in a group of `n`, and the divisor depends on every sample's noise, so that prompts whose rewards vary little count
 * as much as others. `perPrompt` is neither.
 *
 * @category instances
 * @since 0.1.0
 */
export const group: Advantage = {
  name: 'group',
  batchDependent: true,
  initial: 0,
  apply: (rewards, state, groups = []) => ({ advantages: withinGroups(standardised, rewards, groups), state })
}

const standardised = (rewards: ReadonlyArray<number>): ReadonlyArray<number> =>
  rewards.every((r) => r === rewards[0]) ? rewards.map(() => 0) : inUnits(lessMean(rewards))

/**
 * Flow-GRPO's advantages (arXiv 2505.05470) as its code has them: each reward less the mean of its group, its own with it, over the
 * standard deviation of the rewards of the whole batch plus 1e-4. **Biased** as `group` is, but for one divisor that all prompts
 * share, so that those whose rewards vary more count more, as they do without one.
 *
 * @category instances
 * @since 0.1.0
 */
export const groupByBatch: Advantage = {
  name: 'groupByBatch',
  batchDependent: true,
  initial: 0,
  apply: (rewards, state, groups = []) => {
    const deviation = deviationOf(lessMean(rewards)) + 1e-4
    return { advantages: withinGroups(lessMean, rewards, groups).map((a) => a / deviation), state }
  }
}

/**
 * Clips advantages to `[-limit, limit]`. **Biased**: the expectation is the gradient of the expected clipped reward
 * only if the baseline is constant, and of nothing simple otherwise.
 *
 * @category combinators
 * @since 0.1.0
 */
export const clipped =
  (limit: number) =>
  (inner: Advantage): Advantage => ({
    ...inner,
    name: `clipped(${limit}, ${inner.name})`,
    apply: (rewards, state, groups) => {
      const { advantages, state: next } = inner.apply(rewards, state, groups)
      return { advantages: advantages.map((a) => Math.min(Math.max(a, -limit), limit)), state: next }
    }
  })
