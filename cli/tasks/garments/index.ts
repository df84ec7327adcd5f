/**
 * The task `garments`: real pictures, of clothes.
 *
 * @since 0.1.0
 */
import { readFile } from 'node:fs/promises'
import { brightness } from 'halforder/reward/Pixels'
import { shelf } from 'halforder/reward/Shelf'
import { stored, type Task, task as make } from 'halforder/task/Task'
import { oneOf } from 'halforder/training/Conditions'
import * as Files from '../../edge/Files.js'
import * as Data from './Data.js'
import { fetched } from './Fetching.js'
import { networks, training } from './Trainings.js'

/**
 * Pictures of garments.
 *
 * @category instances
 * @since 0.1.0
 */
export const task: Task = make({
  name: 'garments',
  about: 'pictures of clothes, 28 x 28 pixels, in ten classes',
  defaults: { model: 'garments', reward: 'brightness', trained: ['**.labels.bias'] },
  models: { garments: stored('clothes', () => readFile(Files.asset('garments.safetensors'))) },
  rewards: shelf({ brightness: brightness<number>(Data.features) }),
  show: { _tag: 'Points', reach: 1 },
  language: oneOf(Data.classes),
  trainings: Object.fromEntries(Object.entries(networks).map(([name, network]) => [name, training(network)])),
  fetch: fetched
})
