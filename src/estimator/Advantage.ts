/**
 * Advantages: what likelihood-ratio terms multiply with in place of the raw reward.
 *
 * Any baseline that is independent of the noise it is paired with leaves the expectation alone and may lower the variance.
 *
 * @since 0.1.0
 */

/**
 * From the rewards of a batch to its advantages, and the state to carry to the next batch.
 *
 * `batchDependent` tells that a sample's advantage depends on the other samples' rewards. With a zeroth-order
 * perturbation that the whole batch shares, such a baseline sees the perturbation: one-point cells refuse it.
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
    state: number
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
  apply: (rewards, state) => {
    const total = rewards.reduce((a, b) => a + b, 0)
    const others = Math.max(rewards.length - 1, 1)
    const single = rewards.length === 1
    return { advantages: rewards.map((r) => (single ? r : r - (total - r) / others)), state }
  }
}

/**
 * The reward less a running mean of the batch means of earlier iterations, `state <- decay state + (1 - decay) mean`. It
 * starts at `initial`. Past batches are independent of this one's noise, so it is unbiased.
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
