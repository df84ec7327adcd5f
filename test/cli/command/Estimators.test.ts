import { describe, expect, it } from 'vitest'
import { listEstimators } from '../../../cli/command/Estimators.js'
import { help } from '../../../src/estimator/reading/Help.js'
import { captured } from '../captured.js'

describe('halforder estimators', () => {
  it('prints the table of the library, and what a fine-tune has instead', async () => {
    const { code, out, err } = await captured(async () => listEstimators())
    expect([code, err]).toEqual([0, ''])
    expect(out).toBe(
      [
        help(),
        '',
        '--estimator takes a name, a name with options such as rlr(h = 3, radius = 0.1), or a JSON file.',
        'Where neither it nor the task says otherwise, finetune has radius = 0.3.',
        ''
      ].join('\n')
    )
  })
})
